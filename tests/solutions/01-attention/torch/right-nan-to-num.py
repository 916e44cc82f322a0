# Batched matrix products over B*H, and nan_to_num for the empty rows.
import math

import torch


def attention(q, k, v, causal, key_mask):
    B, H, T, D = q.shape
    flat_q, flat_k, flat_v = (x.reshape(B * H, T, D) for x in (q, k, v))
    scores = torch.bmm(flat_q, flat_k.transpose(1, 2)).div(math.sqrt(D))
    visible = key_mask.reshape(B, 1, 1, T).expand(B, H, T, T).reshape(B * H, T, T)
    if causal:
        visible = torch.logical_and(visible, torch.tril(torch.ones(T, T)).bool())
    scores = torch.where(visible, scores, torch.full_like(scores, -math.inf))
    weights = torch.nan_to_num(torch.softmax(scores, dim=2), nan=0.0)
    return torch.bmm(weights, flat_v).reshape(B, H, T, D)
