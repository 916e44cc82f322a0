# float64 inside; W is a property made from the frozen base and the state.
import numpy as np


def lora_init(draws, n_out):
    A = (2.0 * draws.astype(np.float64) - 1.0) / draws.shape[1] ** 0.5
    return A.astype(np.float32), np.zeros((n_out, draws.shape[0]), np.float32)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self._base = np.array(W, dtype=np.float32)
        self._merged = None
        self.A = np.array(A, dtype=np.float32)
        self.B = np.array(B, dtype=np.float32)
        self.alpha = alpha
        self.R = A.shape[0]

    @property
    def W(self):
        return self._base if self._merged is None else self._merged

    def _effective(self):
        adapter = self.B.astype(np.float64) @ self.A.astype(np.float64)
        return self._base + self.alpha / self.R * adapter

    def forward(self, x):
        weight = self._effective() if self._merged is None else self._merged
        return np.matmul(x.astype(np.float64), weight.T).astype(np.float32)

    def backward(self, x, d_y):
        # The gradient of the whole weight, and the chain rule through alpha/R B A.
        d_W = d_y.T.astype(np.float64) @ x * (self.alpha / self.R)
        d_x = d_y @ self._effective()
        return tuple(g.astype(np.float32) for g in (d_x, self.B.T @ d_W, d_W @ self.A.T))

    def step(self, x, d_y, lr):
        d_x, d_A, d_B = self.backward(x, d_y)
        self.A = (self.A - lr * d_A).astype(np.float32)
        self.B = (self.B - lr * d_B).astype(np.float32)

    def merge(self):
        if self._merged is None:
            self._merged = self._effective().astype(np.float32)

    def unmerge(self):
        self._merged = None
