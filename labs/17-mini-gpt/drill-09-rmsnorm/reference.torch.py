import torch


def normalise(x, eps):
    """xhat and one over the root mean square of each row: [N,C] and [N,1]."""
    #: mean-subtracted
    #| x = x - x.mean(-1, keepdim=True)
    #: right
    #: end
    #: sum-for-mean
    #| mean_square = (x**2).sum(-1, keepdim=True)
    #: right
    mean_square = (x**2).mean(-1, keepdim=True)
    #: end
    #: eps-outside
    #| rrms = 1 / (torch.sqrt(mean_square) + eps)
    #: right
    rrms = torch.rsqrt(mean_square + eps)
    #: end
    return x * rrms, rrms


def rmsnorm_forward(x, gamma, eps):
    xhat, _ = normalise(x, eps)
    return gamma * xhat


def rmsnorm_backward(x, gamma, eps, d_y):
    xhat, rrms = normalise(x, eps)
    #: gamma-forgotten
    #| g = d_y
    #: right
    g = gamma * d_y
    #: end
    #: dropped-projection
    #| d_x = rrms * g
    #: right
    d_x = rrms * (g - xhat * (g * xhat).mean(-1, keepdim=True))
    #: end
    #: d-gamma-raw
    #| d_gamma = (d_y * x).sum(0)
    #: right
    d_gamma = (d_y * xhat).sum(0)
    #: end
    return d_x, d_gamma
