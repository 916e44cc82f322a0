# Mistake: normalize() times sqrt(C): eps is only a floor of the length, not under the root.
import torch
import torch.nn.functional as F


def rmsnorm_forward(x, gamma, eps):
    return gamma * F.normalize(x, dim=1, eps=eps) * x.size(1) ** 0.5


def rmsnorm_backward(x, gamma, eps, d_y):
    length = x.norm(dim=1, keepdim=True).clamp_min(eps)
    unit = x / length
    g = d_y * gamma
    d_x = (g - unit * (g * unit).sum(1, keepdim=True)) / length
    return d_x * x.size(1) ** 0.5, (d_y * unit).sum(0) * x.size(1) ** 0.5
