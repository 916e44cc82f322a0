# Style: vectorised over the batch, stable argsort, everything in the sorted order, float32.
import numpy as np


def top_p_sample(logits, temperature, top_k, top_p, draws):
    B, V = logits.shape
    order = np.argsort(-logits, axis=1, kind="stable")
    if temperature == 0:
        top_k, temperature = 1, 1.0
    x = np.take_along_axis(logits, order, axis=1)
    p = np.exp((x - x[:, :1]) / np.float32(temperature))
    keep = np.ones((B, V), bool)
    if top_k:
        keep[:, top_k:] = False
    p = p * keep
    p /= p.sum(axis=1, keepdims=True)
    if top_p < 1:
        before = np.cumsum(p, axis=1)[:, :-1]
        keep[:, 1:] &= before < top_p
        p *= keep
        p /= p.sum(axis=1, keepdims=True)

    probs, kept = np.empty_like(p), np.empty_like(keep)
    np.put_along_axis(probs, order, p, axis=1)
    np.put_along_axis(kept, order, keep, axis=1)
    over = probs.cumsum(axis=1) > draws[:, None]
    last = V - 1 - kept[:, ::-1].argmax(axis=1)
    return probs, np.where(over.any(axis=1), over.argmax(axis=1), last)
