# one position at a time with a small matrix product
import math

import torch


def rope(qkv, offset, base, layout):
    D = qkv.shape[-1]
    q, k, v = [], [], []
    for t in range(qkv.shape[1]):
        matrix = torch.zeros(D, D, dtype=torch.float64)
        for i in range(D // 2):
            angle = (offset + t) * math.pow(base, -2 * i / D)
            x, y = (i, i + D // 2) if layout == "half-split" else (2 * i, 2 * i + 1)
            matrix[x, x] = matrix[y, y] = math.cos(angle)
            matrix[x, y] = -math.sin(angle)
            matrix[y, x] = math.sin(angle)
        q.append((qkv[:, t, 0].double() @ matrix.T).float())
        k.append((qkv[:, t, 1].double() @ matrix.T).float())
        v.append(qkv[:, t, 2])
    return torch.stack(q, 1), torch.stack(k, 1), torch.stack(v, 1)
