# Mistake: eps is added to the variance and once more in the backward.
import torch


def layernorm_forward(x, gamma, beta, eps):
    var, mean = torch.var_mean(x, dim=-1, unbiased=False, keepdim=True)
    return (x - mean) * torch.rsqrt(var + eps) * gamma + beta


def layernorm_backward(x, gamma, eps, d_y):
    var, mean = torch.var_mean(x, dim=-1, unbiased=False, keepdim=True)
    var = var + eps
    rstd = torch.rsqrt(var + eps)
    xhat = (x - mean) * rstd
    g = d_y * gamma
    d_x = g - g.mean(-1, keepdim=True) - xhat * (g * xhat).mean(-1, keepdim=True)
    return rstd * d_x, (d_y * xhat).sum((0, 1)), d_y.sum((0, 1))
