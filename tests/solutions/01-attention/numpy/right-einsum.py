# einsum, minus infinity for what is hidden, and a guard for the empty rows.
import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[2:]
    scores = np.einsum("bhtd,bhsd->bhts", q, k) / np.float32(np.sqrt(D))
    visible = np.broadcast_to(key_mask[:, None, None, :], scores.shape)
    if causal:
        visible = visible & np.tril(np.ones((T, T), dtype=bool))
    scores = np.where(visible, scores, -np.inf)
    peak = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(peak), peak, 0))
    total = weights.sum(axis=-1, keepdims=True)
    weights = weights / np.where(total > 0, total, 1)
    return np.einsum("bhts,bhsd->bhtd", weights, v).astype(np.float32)
