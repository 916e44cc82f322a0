# Mistake: hidden scores are set to zero and still take part in the softmax.
import torch


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / D**0.5
    hidden = ~key_mask[:, None, None, :]
    if causal:
        hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(hidden, 0.0).softmax(-1)
    return weights.masked_fill(hidden.all(-1, keepdim=True), 0.0) @ v
