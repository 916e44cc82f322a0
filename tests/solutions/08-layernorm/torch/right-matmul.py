# Style: centring as a matrix product in float64, ones-vectors for the sums over positions.
import torch


def _prepare(x, eps):
    C = x.shape[-1]
    rows = x.reshape(-1, C).double()
    centre = torch.eye(C, dtype=torch.float64) - 1.0 / C
    d = rows @ centre
    scale = ((d * d) @ torch.full((C, 1), 1.0 / C, dtype=torch.float64) + eps).sqrt()
    return d / scale, scale, centre


def layernorm_forward(x, gamma, beta, eps):
    xhat, _, _ = _prepare(x, eps)
    return torch.addcmul(beta.double(), xhat, gamma.double()).view(x.shape).float()


def layernorm_backward(x, gamma, eps, d_y):
    xhat, scale, centre = _prepare(x, eps)
    C = x.shape[-1]
    up = d_y.reshape(-1, C).double()
    g = up @ torch.diag(gamma.double())
    dots = torch.bmm(g[:, None, :], xhat[:, :, None])[:, 0]
    d_x = (g @ centre - xhat * dots / C) / scale
    ones = torch.ones(len(up), dtype=torch.float64)
    return d_x.view(x.shape).float(), (ones @ (up * xhat)).float(), (ones @ up).float()
