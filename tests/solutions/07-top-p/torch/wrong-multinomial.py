# Mistake: torch.multinomial samples with its own random numbers; the draws are ignored.
import torch


def top_p_sample(logits, temperature, top_k, top_p, draws):
    B, V = logits.shape
    x, order = torch.sort(logits, dim=1, descending=True, stable=True)
    if temperature == 0:
        kept = torch.zeros(B, V, dtype=torch.bool)
        kept[:, 0] = True
        p = kept.float()
    else:
        kept = torch.arange(V).expand(B, V) < (top_k if top_k > 0 else V)
        p = ((x - x[:, :1]) / temperature).masked_fill(~kept, float("-inf")).softmax(dim=1)
        if top_p < 1:
            reached = p.cumsum(dim=1) >= top_p
            kept = kept & ~reached.roll(1, dims=1).index_fill(1, torch.tensor([0]), False)
            p = torch.where(kept, p, torch.zeros(()))
            p = p / p.sum(dim=1, keepdim=True)
    probs = torch.zeros_like(p).scatter(1, order, p)
    return probs, torch.multinomial(probs, 1).squeeze(1)
