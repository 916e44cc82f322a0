# Mistake: softmax over all keys first, then the hidden weights are cut and renormalised.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(D)
    visible = key_mask[:, None, None, :] & np.ones((T, T), dtype=bool)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True)) * visible
    total = weights.sum(axis=-1, keepdims=True)
    weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return (weights @ v).astype(np.float32)
