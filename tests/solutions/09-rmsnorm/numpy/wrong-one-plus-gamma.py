# Mistake: gamma is stored as an offset from 1 (as in some models): 1 + gamma.
import numpy as np


def rmsnorm_forward(x, gamma, eps):
    return (1 + gamma) * (x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps)))


def rmsnorm_backward(x, gamma, eps, d_y):
    rms = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps))
    xhat = x / rms
    g = d_y * (1 + gamma)
    d_x = (g - xhat * np.mean(g * xhat, axis=1, keepdims=True)) / rms
    return d_x, np.sum(d_y * xhat, axis=0)
