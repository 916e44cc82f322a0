# Mistake: scores are clipped to [-80, 80] instead of subtracting the maximum.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)
    visible = key_mask[:, None, None, :] & np.ones((T, T), dtype=bool)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    weights = np.exp(np.clip(scores, -80, 80).astype(np.float64)) * visible
    total = weights.sum(axis=-1, keepdims=True)
    weights = weights / np.where(total > 0, total, 1)
    return (weights @ v).astype(np.float32)
