# Style: the Jacobian of every row, columns first in memory, so that the results are views.
import numpy as np


def rmsnorm_forward(x, gamma, eps):
    work = np.array(x.T, dtype=np.float64, order="C")
    work /= np.sqrt(np.square(work).mean(axis=0) + eps)
    work *= gamma.reshape(-1, 1)
    return work.astype(np.float32).T


def rmsnorm_backward(x, gamma, eps, d_y):
    N, C = x.shape
    z = x.astype(np.float64)
    rms = np.sqrt(np.average(z**2, axis=1) + eps)
    z /= rms[:, None]
    d_x = np.empty((C, N), dtype=np.float32)
    for n in range(N):
        jacobian = (np.identity(C) - np.outer(z[n], z[n]) / C) / rms[n]
        d_x[:, n] = (gamma * d_y[n]) @ jacobian
    d_gamma = np.diagonal(d_y.T.astype(np.float64) @ z)
    return d_x.T, d_gamma.astype(np.float32)
