# Style: explicit loops over positions, the chain rule through variance and mean, float64.
import numpy as np


def layernorm_forward(x, gamma, beta, eps):
    B, T, C = x.shape
    y = np.empty((B, T, C), dtype=np.float32)
    for b in range(B):
        for t in range(T):
            row = x[b, t].astype(np.float64)
            mean = row.sum() / C
            var = sum((v - mean) ** 2 for v in row) / C
            for c in range(C):
                y[b, t, c] = gamma[c] * (row[c] - mean) / np.sqrt(var + eps) + beta[c]
    return y


def layernorm_backward(x, gamma, eps, d_y):
    B, T, C = x.shape
    d_x = np.zeros((B, T, C), dtype=np.float32)
    d_gamma = np.zeros(C)
    d_beta = np.zeros(C)
    for b in range(B):
        for t in range(T):
            row = x[b, t].astype(np.float64)
            up = d_y[b, t].astype(np.float64)
            centred = row - row.sum() / C
            std = np.sqrt(np.dot(centred, centred) / C + eps)
            d_gamma += up * centred / std
            d_beta += up
            d_xhat = up * gamma
            d_std = -np.dot(d_xhat, centred) / std**2
            d_centred = d_xhat / std + d_std * centred / (C * std)
            d_x[b, t] = d_centred - d_centred.sum() / C
    return d_x, d_gamma.astype(np.float32), d_beta.astype(np.float32)
