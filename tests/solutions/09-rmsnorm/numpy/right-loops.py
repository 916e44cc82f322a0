# Style: plain Python loops and floats.
import math

import numpy as np


def rmsnorm_forward(x, gamma, eps):
    y = []
    for row in x.tolist():
        rms = math.sqrt(math.fsum(v * v for v in row) / len(row) + eps)
        y.append([g * v / rms for g, v in zip(gamma.tolist(), row)])
    return np.array(y, dtype=np.float32)


def rmsnorm_backward(x, gamma, eps, d_y):
    scale = gamma.tolist()
    C = len(scale)
    d_x = []
    d_gamma = [0.0] * C
    for row, up in zip(x.tolist(), d_y.tolist()):
        s = math.fsum(v * v for v in row) / C + eps
        dot = math.fsum(u * k * v for u, k, v in zip(up, scale, row))
        root = math.sqrt(s)
        d_x.append([u * k / root - v * dot / (C * s * root) for u, k, v in zip(up, scale, row)])
        for c in range(C):
            d_gamma[c] += up[c] * row[c] / root
    return np.array(d_x, dtype=np.float32), np.array(d_gamma, dtype=np.float32)
