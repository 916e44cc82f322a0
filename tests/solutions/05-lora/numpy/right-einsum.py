# einsum everywhere, a merged flag, and the delta subtracted again; never writes in place.
import numpy as np


def lora_init(draws, n_out):
    bound = np.float32(draws.shape[1]) ** -0.5
    return (draws - np.float32(0.5)) * 2 * bound, np.zeros((n_out, len(draws)), draws.dtype)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W, self.A, self.B = W, A, B
        self.factor = float(alpha) / len(A)
        self.merged = False

    def _delta(self):
        return self.factor * np.einsum("or,ri->oi", self.B, self.A)

    def forward(self, x):
        y = np.einsum("ni,oi->no", x, self.W)
        if self.merged:
            return y
        return y + self.factor * np.einsum("ni,ri,or->no", x, self.A, self.B, optimize=True)

    def backward(self, x, d_y):
        assert not self.merged
        low = np.einsum("no,or->nr", d_y, self.B)
        d_x = np.einsum("no,oi->ni", d_y, self.W + self._delta())
        d_A = self.factor * np.einsum("nr,ni->ri", low, x)
        d_B = self.factor * np.einsum("no,nr->or", d_y, np.einsum("ni,ri->nr", x, self.A))
        return d_x, d_A, d_B

    def step(self, x, d_y, lr):
        gradients = self.backward(x, d_y)[1:]
        self.A, self.B = (p - lr * g for p, g in zip((self.A, self.B), gradients))

    def merge(self):
        if not self.merged:
            self.W = self.W + self._delta()
        self.merged = True

    def unmerge(self):
        if self.merged:
            self.W = self.W - self._delta()
        self.merged = False
