# plain loops over positions and pairs, with Python's math
import math

import numpy as np


def rope(qkv, offset, base, layout):
    B, T, three, H, D = qkv.shape
    assert three == 3 and D % 2 == 0
    q, k, v = (qkv[:, :, which].copy() for which in range(3))
    for t in range(T):
        for i in range(D // 2):
            angle = (offset + t) * base ** (-2 * i / D)
            c, s = math.cos(angle), math.sin(angle)
            a, b = (2 * i, 2 * i + 1) if layout == "interleaved" else (i, i + D // 2)
            for tensor in (q, k):
                x = tensor[:, t, :, a].copy()
                y = tensor[:, t, :, b].copy()
                tensor[:, t, :, a] = np.float32(c) * x - np.float32(s) * y
                tensor[:, t, :, b] = np.float32(s) * x + np.float32(c) * y
    return q, k, v
