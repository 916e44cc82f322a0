# turns views in place: the input is modified
import numpy as np


def rope(qkv, offset, base, layout):
    B, T, _, H, D = qkv.shape
    frequencies = base ** (-np.arange(0, D, 2) / D)
    angles = (offset + np.arange(T))[:, None] * frequencies
    cos = np.cos(angles).astype(np.float32)[:, None, :]
    sin = np.sin(angles).astype(np.float32)[:, None, :]
    if layout == "interleaved":
        first, second = np.s_[..., 0::2], np.s_[..., 1::2]
    else:
        first, second = np.s_[..., : D // 2], np.s_[..., D // 2:]

    def turn(x):
        a, b = x[first].copy(), x[second].copy()
        x[first] = a * cos - b * sin
        x[second] = a * sin + b * cos
        return x

    return turn(qkv[:, :, 0]), turn(qkv[:, :, 1]), qkv[:, :, 2].copy()
