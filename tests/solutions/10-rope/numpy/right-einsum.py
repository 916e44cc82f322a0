# einsum with a [D,D] rotation matrix for each position
import numpy as np


def rope(qkv, offset, base, layout):
    T, D = qkv.shape[1], qkv.shape[-1]
    i = np.arange(D // 2)
    a, b = (2 * i, 2 * i + 1) if layout == "interleaved" else (i, i + D // 2)
    angles = np.outer(offset + np.arange(T), np.power(base, -2.0 * i / D))
    R = np.zeros((T, D, D))
    R[:, a, a] = R[:, b, b] = np.cos(angles)
    R[:, b, a] = np.sin(angles)
    R[:, a, b] = -R[:, b, a]
    q, k = np.einsum("tde,btche->cbthd", R, qkv[:, :, :2]).astype(np.float32)
    return q, k, np.array(qkv[:, :, 2])
