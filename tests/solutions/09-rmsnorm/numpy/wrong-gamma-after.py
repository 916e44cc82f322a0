# Mistake: gamma is applied to the finished gradient, outside the projection.
import numpy as np


def rmsnorm_forward(x, gamma, eps):
    return gamma * (x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps)))


def rmsnorm_backward(x, gamma, eps, d_y):
    rms = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps))
    xhat = x / rms
    g = d_y
    d_x = (g - xhat * np.mean(g * xhat, axis=1, keepdims=True)) / rms * gamma
    return d_x, np.sum(d_y * xhat, axis=0)
