# Mistake: q is divided in place, which changes the input.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    q /= np.float32(np.sqrt(D))
    scores = q @ k.transpose(0, 1, 3, 2)
    visible = key_mask[:, None, None, :] & np.ones((T, T), dtype=bool)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    scores = np.where(visible, scores, -np.inf)
    peak = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(peak), 0, peak))
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-20)
    return (weights @ v).astype(np.float32)
