# Style: the length of the row with linalg.norm and hypot with sqrt(C eps); float64; in place.
import math

import torch


def _length(x, eps):
    return torch.hypot(
        torch.linalg.norm(x, dim=1, keepdim=True),
        torch.tensor(math.sqrt(x.size(1) * eps), dtype=x.dtype),
    )


def rmsnorm_forward(x, gamma, eps):
    y = x.to(torch.float64, copy=True)
    y.div_(_length(y, eps)).mul_(math.sqrt(y.size(1))).mul_(gamma)
    return y.float()


def rmsnorm_backward(x, gamma, eps, d_y):
    unit = x.double()
    length = _length(unit, eps)
    unit = unit / length
    root = math.sqrt(x.size(1))
    g = d_y.double().mul_(gamma)
    along = torch.einsum("nc,nc->n", g, unit).unsqueeze(1)
    d_x = (g - along * unit).div_(length).mul_(root)
    return d_x.float(), d_y.double().mul_(unit).sum(dim=0).mul_(root).float()
