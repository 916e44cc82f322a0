# Mistake: the projection divides by the mean square without eps.
import numpy as np


def rmsnorm_forward(x, gamma, eps):
    return gamma * (x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps)))


def rmsnorm_backward(x, gamma, eps, d_y):
    rms = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + np.float32(eps))
    xhat = x / rms
    g = d_y * gamma
    ratio = rms**2 / np.mean(x * x, axis=1, keepdims=True)
    d_x = (g - ratio * xhat * np.mean(g * xhat, axis=1, keepdims=True)) / rms
    return d_x, np.sum(d_y * xhat, axis=0)
