# Mistake: the derivative of the root is taken at var, without eps.
import numpy as np


def normalise(x, eps):
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred**2).mean(axis=-1, keepdims=True)
    rstd = 1 / np.sqrt(var + np.float32(eps))
    return centred * rstd, rstd


def layernorm_forward(x, gamma, beta, eps):
    xhat, _ = normalise(x, eps)
    return gamma * xhat + beta


def layernorm_backward(x, gamma, eps, d_y):
    xhat, rstd = normalise(x, eps)
    d_gamma = (d_y * xhat).sum(axis=(0, 1))
    d_beta = d_y.sum(axis=(0, 1))
    g = d_y * gamma
    std = x.std(axis=-1, keepdims=True)
    d_std = -(g * xhat).sum(axis=-1, keepdims=True) * rstd
    d_centred = g * rstd + d_std * (x - x.mean(axis=-1, keepdims=True)) / (x.shape[-1] * std)
    d_x = d_centred - d_centred.mean(axis=-1, keepdims=True)
    return d_x, d_gamma, d_beta
