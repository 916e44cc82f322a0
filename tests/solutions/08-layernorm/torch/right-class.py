# Style: a small class with cached intermediates, built anew for each call; row loop in backward.
import torch


class Normalised:
    def __init__(self, x, eps):
        self.C = x.size(2)
        self.centred = x - x.sum(2, keepdim=True) / self.C
        var = self.centred.square().sum(2, keepdim=True) / self.C
        self.std = torch.sqrt(var + eps)
        self.xhat = self.centred / self.std

    def pull_back(self, d_xhat):
        out = torch.empty_like(d_xhat)
        for b in range(d_xhat.size(0)):
            for t in range(d_xhat.size(1)):
                g, h, s = d_xhat[b, t], self.xhat[b, t], self.std[b, t]
                direct = g / s
                through_mean = -direct.sum() / self.C
                through_var = -h * torch.dot(g, h) / (self.C * s)
                out[b, t] = direct + through_mean + through_var
        return out


def layernorm_forward(x, gamma, beta, eps):
    return torch.addcmul(beta, Normalised(x, eps).xhat, gamma)


def layernorm_backward(x, gamma, eps, d_y):
    n = Normalised(x, eps)
    d_gamma = torch.einsum("btc,btc->c", d_y, n.xhat)
    d_beta = torch.einsum("btc->c", d_y)
    return n.pull_back(d_y * gamma), d_gamma, d_beta
