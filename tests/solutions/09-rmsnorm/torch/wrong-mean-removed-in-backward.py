# Mistake: the backward removes the mean of g as in LayerNorm.
import torch


def rmsnorm_forward(x, gamma, eps):
    return gamma * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rmsnorm_backward(x, gamma, eps, d_y):
    r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    xhat = x * r
    g = d_y * gamma
    d_x = r * (g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True))
    return d_x, (d_y * xhat).sum(0)
