# the exponent counts pairs: base^(-i/D)
import numpy as np


def rope(qkv, offset, base, layout):
    B, T, _, H, D = qkv.shape
    frequencies = base ** (-np.arange(D // 2) / D)
    angles = (offset + np.arange(T))[:, None] * frequencies
    cos = np.cos(angles).astype(np.float32)[:, None, :]
    sin = np.sin(angles).astype(np.float32)[:, None, :]
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
