# Terse: a finite fill value, and the mask multiplied in again after exp.
import numpy as np


def attention(q, k, v, causal, key_mask):
    t = np.arange(q.shape[2])
    see = key_mask[:, None, None, :] & ((t[:, None] >= t) | (not causal))
    s = np.where(see, q @ np.swapaxes(k, 2, 3) / np.float32(q.shape[3]) ** 0.5,
                 np.finfo(np.float32).min)
    p = np.exp(s - s.max(-1, keepdims=True)) * see
    return (p @ v / np.maximum(p.sum(-1, keepdims=True), 1e-30)).astype(np.float32)
