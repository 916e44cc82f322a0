# Style: row by row in float64, lexsort, minus infinity as the mask, searchsorted for both limits.
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


def top_p_sample(logits, temperature, top_k, top_p, draws):
    B, V = logits.shape
    probs = np.zeros((B, V))
    tokens = np.zeros(B, dtype=np.int64)
    for b in range(B):
        x = logits[b].astype(np.float64)
        order = np.lexsort((np.arange(V), -x))
        if temperature == 0:
            kept = order[:1]
            probs[b, kept] = 1.0
        else:
            k = min(top_k or V, V)
            scaled = (x - x[order[0]]) / temperature
            scaled[order[k:]] = -np.inf
            p = softmax(scaled)
            kept = order[:k]
            if top_p < 1:
                reached = np.searchsorted(np.cumsum(p[kept]), top_p, side="left")
                kept = kept[: reached + 1]
            probs[b, kept] = p[kept] / p[kept].sum()
        spot = np.searchsorted(np.cumsum(probs[b]), draws[b], side="right")
        tokens[b] = spot if spot < V else kept.max()
    return probs, tokens
