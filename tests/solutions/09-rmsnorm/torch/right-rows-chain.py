# Style: one row at a time, each step of the chain rule named, results stacked.
import torch


def _row_forward(row, eps):
    mean_square = torch.dot(row, row) / len(row)
    shifted = mean_square + eps
    inverse = 1.0 / shifted.sqrt()
    return shifted, inverse


def rmsnorm_forward(x, gamma, eps):
    return torch.stack([gamma * row * _row_forward(row, eps)[1] for row in x.unbind(0)])


def rmsnorm_backward(x, gamma, eps, d_y):
    assert x.shape == d_y.shape and gamma.dim() == 1
    d_x = []
    d_gamma = torch.zeros_like(gamma)
    for row, up in zip(x.unbind(0), d_y.unbind(0)):
        shifted, inverse = _row_forward(row, eps)
        d_gamma = d_gamma + up * row * inverse
        d_xhat = up * gamma
        d_inverse = torch.dot(d_xhat, row)
        d_shifted = -0.5 * d_inverse * inverse / shifted
        d_x.append(d_xhat * inverse + d_shifted * 2.0 * row / len(row))
    return torch.stack(d_x), d_gamma
