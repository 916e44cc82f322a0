# Mistake: backward calls torch.autograd.grad, which is not allowed.
import torch


def lora_init(draws, n_out):
    rank, n_in = draws.shape
    return (2 * draws - 1) / n_in**0.5, torch.zeros(n_out, rank)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W = W.clone()
        self.A = A.clone()
        self.B = B.clone()
        self.scale = alpha / A.shape[0]
        self.merged = False

    def forward(self, x):
        y = x @ self.W.t()
        if not self.merged:
            y = y + self.scale * (x @ self.A.t() @ self.B.t())
        return y

    def backward(self, x, d_y):
        leaves = [z.detach().clone().requires_grad_() for z in (x, self.A, self.B)]
        x, A, B = leaves
        y = x @ self.W.t() + self.scale * (x @ A.t() @ B.t())
        return torch.autograd.grad(y, leaves, d_y)

    def step(self, x, d_y, lr):
        _, d_A, d_B = self.backward(x, d_y)
        self.A.sub_(lr * d_A)
        self.B.sub_(lr * d_B)

    def merge(self):
        if not self.merged:
            self.W.add_(self.scale * (self.B @ self.A))
            self.merged = True

    def unmerge(self):
        if self.merged:
            self.W.sub_(self.scale * (self.B @ self.A))
            self.merged = False
