# float64 inside, by logsumexp and einsum.
import torch


def attention(q, k, v, causal, key_mask):
    q64, k64, v64 = q.double(), k.double(), v.double()
    position = torch.arange(q.size(2))
    scores = torch.einsum("bhtd,bhsd->bhts", q64, k64) / q.size(3) ** 0.5
    visible = key_mask.bool()[:, None, None, :].expand_as(scores)
    if causal:
        visible = visible & (position[None, :] <= position[:, None])
    scores = scores.masked_fill(~visible, -torch.inf)
    log_total = torch.logsumexp(scores, dim=-1, keepdim=True)
    weights = torch.where(visible, (scores - log_total).exp(), torch.zeros_like(scores))
    assert not weights.isnan().any()
    return torch.einsum("bhts,bhsd->bhtd", weights, v64).float()
