import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(D).astype(q.dtype)

    hidden = np.broadcast_to(~key_mask[:, None, None, :], scores.shape)
    if causal:
        hidden = hidden | np.triu(np.ones((T, T), bool), k=1)
    scores = np.where(hidden, -np.inf, scores)

    axis = -1
    with np.errstate(all="ignore"):
        largest = scores.max(axis=axis, keepdims=True)
        weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
        total = weights.sum(axis=axis, keepdims=True)
        weights = weights / np.where(total == 0, 1, total)
    return (weights @ v).astype(q.dtype)
