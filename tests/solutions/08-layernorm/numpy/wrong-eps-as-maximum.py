# Mistake: max(var, eps) where var + eps is due.
import numpy as np


def normalise(x, eps):
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(np.maximum(var, np.float32(eps)))
    return centred * rstd, rstd


def layernorm_forward(x, gamma, beta, eps):
    xhat, _ = normalise(x, eps)
    return gamma * xhat + beta


def layernorm_backward(x, gamma, eps, d_y):
    xhat, rstd = normalise(x, eps)
    d_gamma = (d_y * xhat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    d_x = rstd * (
        g - g.mean(axis=-1, keepdims=True) - xhat * (g * xhat).mean(axis=-1, keepdims=True)
    )
    return d_x, d_gamma, d_beta
