# Picks the visible keys of each query and works on those only; returns a transposed view.
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


def attention(q, k, v, causal, key_mask):
    B, H, T, D = q.shape
    out = np.zeros((B, T, H, D), dtype=np.float32)
    for b in range(B):
        real = np.flatnonzero(key_mask[b])
        for t in range(T):
            idx = real[real <= t] if causal else real
            if idx.size == 0:
                continue
            scores = np.einsum("hsd,hd->sh", k[b][:, idx], q[b, :, t]) / D**0.5
            out[b, t] = np.einsum("sh,hsd->hd", softmax(scores), v[b][:, idx])
    return out.transpose(0, 2, 1, 3)
