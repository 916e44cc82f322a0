# Mistake: torch.native_layer_norm and its backward, which the task forbids.
import torch


def layernorm_forward(x, gamma, beta, eps):
    return torch.native_layer_norm(x, [x.shape[-1]], gamma, beta, eps)[0]


def layernorm_backward(x, gamma, eps, d_y):
    C = [x.shape[-1]]
    beta = torch.zeros_like(gamma)
    _, mean, rstd = torch.native_layer_norm(x, C, gamma, beta, eps)
    return torch.ops.aten.native_layer_norm_backward(
        d_y, x, C, mean, rstd, gamma, beta, [True, True, True]
    )
