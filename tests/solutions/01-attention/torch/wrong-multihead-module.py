# Mistake: nn.MultiheadAttention with identity weights does the work, which is not allowed.
import torch
from torch import nn


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    B, H = q.shape[:2]
    layer = nn.MultiheadAttention(D, 1, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.eye(D).repeat(3, 1))
        layer.out_proj.weight.copy_(torch.eye(D))
        hidden = ~key_mask[:, None, None, :].expand(B, H, T, T).reshape(B * H, T, T)
        if causal:
            hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu(1)
        out, _ = layer(*(x.reshape(B * H, T, D) for x in (q, k, v)), attn_mask=hidden)
    return torch.nan_to_num(out).reshape(B, H, T, D)
