# Style: einsum and float64, a shared helper, float32 at the end.
import numpy as np


def _inverse_root(x, eps):
    return (np.einsum("nc,nc->n", x, x, dtype=np.float64) / x.shape[1] + eps) ** -0.5


def rmsnorm_forward(x, gamma, eps):
    return np.einsum("nc,c,n->nc", x, gamma, _inverse_root(x, eps)).astype(np.float32)


def rmsnorm_backward(x, gamma, eps, d_y):
    r = _inverse_root(x, eps)
    dots = np.einsum("nc,nc,c->n", d_y, x, gamma, dtype=np.float64)
    d_x = np.einsum("nc,c,n->nc", d_y, gamma, r)
    d_x -= np.einsum("nc,n->nc", x, dots * r**3 / x.shape[1])
    d_gamma = np.einsum("nc,nc,n->c", d_y, x, r)
    return d_x.astype(np.float32), d_gamma.astype(np.float32)
