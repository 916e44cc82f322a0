# Style: one row at a time, the kept tokens as an index list, float64 inside, nonzero for the draw.
import torch


def kept_tokens(row, temperature, top_k, top_p):
    """The kept tokens, most probable first, and their probabilities."""
    order = torch.argsort(row.neg(), stable=True)
    if temperature == 0:
        return order[:1], torch.ones(1, dtype=torch.float64)
    if top_k > 0:
        order = order[:top_k]
    x = row[order].double()
    p = ((x - x[0]) / temperature).softmax(0)
    if top_p >= 1:
        return order, p
    n, total = 0, 0.0
    while n < len(order) and (n == 0 or total < top_p):
        total += p[n].item()
        n += 1
    return order[:n], p[:n] / p[:n].sum()


def top_p_sample(logits, temperature, top_k, top_p, draws):
    probs = torch.zeros(logits.shape)
    tokens = torch.empty(len(logits), dtype=torch.long)
    for b, row in enumerate(logits):
        kept, p = kept_tokens(row, temperature, top_k, top_p)
        probs[b, kept] = p.float()
        ascending, where = kept.sort()
        above = (p[where].cumsum(0) > draws[b]).nonzero()
        tokens[b] = ascending[above[0, 0] if len(above) else -1]
    return probs, tokens
