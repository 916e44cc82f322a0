# masked_fill with minus infinity, softmax, and NaN rows turned into zeros.
import torch


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) * D**-0.5
    hidden = ~key_mask[:, None, None, :]
    if causal:
        hidden = hidden | torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1)
    weights = scores.masked_fill(hidden, float("-inf")).softmax(dim=-1)
    weights = weights.masked_fill(hidden.all(dim=-1, keepdim=True), 0.0)
    return weights @ v
