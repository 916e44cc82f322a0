# float64 inside with einsum; the caller's tensors are kept but never written.
import torch


def lora_init(draws, n_out):
    n_in = draws.shape[1]
    A = ((2 * draws.double() - 1) / n_in**0.5).float()
    return A, torch.zeros((n_out, draws.shape[0]), dtype=torch.float32)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W, self.A, self.B = W, A, B
        self.s = float(alpha) / A.shape[0]
        self.is_merged = False

    def whole(self, sign=1.0):
        W, A, B = self.W.double(), self.A.double(), self.B.double()
        return W + sign * self.s * torch.einsum("or,ri->oi", B, A)

    def forward(self, x):
        weight = self.W.double() if self.is_merged else self.whole()
        return torch.einsum("ni,oi->no", x.double(), weight).float()

    def backward(self, x, d_y):
        x, d_y, A, B = (z.double() for z in (x, d_y, self.A, self.B))
        d_x = torch.einsum("no,oi->ni", d_y, self.whole())
        d_A = torch.einsum("no,or,ni->ri", d_y, B, x) * self.s
        d_B = torch.einsum("no,ni,ri->or", d_y, x, A) * self.s
        return d_x.float(), d_A.float(), d_B.float()

    def step(self, x, d_y, lr):
        _, d_A, d_B = self.backward(x, d_y)
        self.A, self.B = self.A - lr * d_A, self.B - lr * d_B

    def merge(self):
        if self.is_merged:
            return
        self.W, self.is_merged = self.whole().float(), True

    def unmerge(self):
        if not self.is_merged:
            return
        self.W, self.is_merged = self.whole(-1.0).float(), False
