# tables cached by T and D only: a later offset or base gets the old ones
import numpy as np

tables = {}


def rope(qkv, offset, base, layout):
    B, T, _, H, D = qkv.shape
    if (T, D) not in tables:
        angles = (offset + np.arange(T))[:, None] * base ** (-np.arange(0, D, 2) / D)
        tables[T, D] = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    cos, sin = (table[:, None, :] for table in tables[T, D])
    if layout == "interleaved":
        first, second = np.s_[..., 0::2], np.s_[..., 1::2]
    else:
        first, second = np.s_[..., : D // 2], np.s_[..., D // 2:]

    def turn(x):
        out = np.empty_like(x)
        out[first] = x[first] * cos - x[second] * sin
        out[second] = x[first] * sin + x[second] * cos
        return out

    return turn(qkv[:, :, 0]), turn(qkv[:, :, 1]), qkv[:, :, 2].copy()
