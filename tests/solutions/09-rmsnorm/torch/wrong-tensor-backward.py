# Mistake: the gradients come from autograd (tensor.backward), which the task forbids.
import torch


def rmsnorm_forward(x, gamma, eps):
    return gamma * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rmsnorm_backward(x, gamma, eps, d_y):
    leaf_x = x.clone().requires_grad_(True)
    leaf_gamma = gamma.clone().requires_grad_(True)
    rmsnorm_forward(leaf_x, leaf_gamma, eps).backward(d_y)
    return leaf_x.grad, leaf_gamma.grad
