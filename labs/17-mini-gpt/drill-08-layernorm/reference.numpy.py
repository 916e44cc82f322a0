import numpy as np


def normalise(x, eps):
    """xhat and rstd of each position: [B,T,C] and [B,T,1]."""
    C = x.shape[-1]
    centred = x - x.mean(axis=-1, keepdims=True)
    squares = (centred**2).sum(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        #: unbiased-variance
        #| variance = squares / (C - 1)
        #: right
        variance = squares / C
        #: end
        #: eps-outside
        #| rstd = 1 / (np.sqrt(variance) + eps)
        #: right
        rstd = 1 / np.sqrt(variance + eps)
        #: end
    return centred * rstd, rstd


def layernorm_forward(x, gamma, beta, eps):
    xhat, _ = normalise(x, eps)
    return gamma * xhat + beta


def layernorm_backward(x, gamma, eps, d_y):
    xhat, rstd = normalise(x, eps)
    #: gamma-forgotten
    #| g = d_y
    #: right
    g = gamma * d_y
    #: end
    d_x = g
    #: dropped-mean
    #: right
    d_x = d_x - g.mean(axis=-1, keepdims=True)
    #: end
    #: dropped-projection
    #: right
    d_x = d_x - xhat * (g * xhat).mean(axis=-1, keepdims=True)
    #: end
    d_x = rstd * d_x

    #: wrong-axis
    #| d_gamma = (d_y * xhat).reshape(x.shape[-1], -1).sum(axis=-1)
    #: right
    d_gamma = (d_y * xhat).sum(axis=(0, 1))
    #: end
    d_beta = d_y.sum(axis=(0, 1))
    return d_x, d_gamma, d_beta
