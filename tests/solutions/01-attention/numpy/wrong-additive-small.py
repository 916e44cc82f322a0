# Mistake: an additive mask of -10000, which is not below scores of several thousand.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)
    visible = key_mask[:, None, None, :] & np.ones((T, T), dtype=bool)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    scores = scores + np.where(visible, 0, -1e4)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    weights = weights * visible.any(axis=-1, keepdims=True)
    return (weights @ v).astype(np.float32)
