# Mistake: triu without offset hides the diagonal too.
import torch


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / D**0.5
    hidden = ~key_mask[:, None, None, :]
    if causal:
        hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu()
    weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
    return torch.nan_to_num(weights) @ v
