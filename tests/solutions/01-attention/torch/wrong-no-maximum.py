# Mistake: exp without subtracting the maximum overflows, and nan_to_num covers it up.
import torch


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / D**0.5
    hidden = ~key_mask[:, None, None, :]
    if causal:
        hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu(1)
    weights = scores.exp().masked_fill(hidden, 0.0)
    return torch.nan_to_num(weights / weights.sum(-1, keepdim=True)) @ v
