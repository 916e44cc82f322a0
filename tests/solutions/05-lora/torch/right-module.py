# An nn.Module with buffers, addmm, and the base weight kept aside while merged.
import torch
from torch import nn
from torch.nn import functional as F


def lora_init(draws, n_out):
    A = torch.sub(draws.mul(2), 1).div(draws.new_tensor(draws.size(1)).sqrt())
    return A, draws.new_zeros((n_out, draws.size(0)))


class LoRA(nn.Module):
    def __init__(self, W, A, B, alpha):
        super().__init__()
        for name, value in (("W", W), ("A", A), ("B", B)):
            self.register_buffer(name, value.detach().clone())
        self.register_buffer("saved", None)
        self.alpha, self.rank = alpha, A.size(0)

    def forward(self, x):
        y = F.linear(x, self.W)
        if self.saved is not None:
            return y
        return torch.add(y, F.linear(F.linear(x, self.A), self.B), alpha=self.alpha / self.rank)

    def backward(self, x, d_y):
        s = self.alpha / self.rank
        hidden, d_hidden = F.linear(x, self.A), d_y.mm(self.B)
        d_x = torch.addmm(d_y.mm(self.W), d_hidden, self.A, alpha=s)
        d_A = torch.mm(d_hidden.T, x).mul_(s)
        d_B = torch.mm(d_y.T, hidden).mul_(s)
        return d_x, d_A, d_B

    def step(self, x, d_y, lr):
        for parameter, gradient in zip((self.A, self.B), self.backward(x, d_y)[1:]):
            parameter.add_(gradient, alpha=-lr)

    def merge(self):
        if self.saved is None:
            self.saved = self.W
            self.W = torch.addmm(self.W, self.B, self.A, alpha=self.alpha / self.rank)

    def unmerge(self):
        if self.saved is not None:
            self.W, self.saved = self.saved, None
