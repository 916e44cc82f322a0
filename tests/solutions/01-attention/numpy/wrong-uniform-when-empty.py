# Mistake: a big finite score hides keys, so an empty row becomes the mean of all values.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)
    visible = key_mask[:, None, None, :] & np.ones((T, T), dtype=bool)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    scores = np.where(visible, scores, -1e9)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return (weights @ v).astype(np.float32)
