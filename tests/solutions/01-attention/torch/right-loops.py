# A loop over sequences and queries, boolean indexing, and a permuted result.
import torch


def one_query(query, keys, values):
    """query: [H,D]; keys, values: [H,S,D] with S at least 1."""
    scores = (keys * query[:, None, :]).sum(-1) / query.shape[-1] ** 0.5
    scores = scores - scores.amax(-1, keepdim=True)
    weights = scores.exp()
    return (weights[..., None] * values).sum(1) / weights.sum(1, keepdim=True)


def attention(q, k, v, causal, key_mask):
    B, H, T, D = q.shape
    out = q.new_zeros(T, B, H, D)
    for b in range(B):
        for t in range(T):
            see = key_mask[b].clone()
            if causal:
                see[t + 1:] = False
            if see.any():
                out[t, b] = one_query(q[b, :, t], k[b][:, see], v[b][:, see])
    return out.permute(1, 2, 0, 3)
