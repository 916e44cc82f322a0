# Loops over tokens and outer products; W in place on a copy, transposed views as results.
import numpy as np


def lora_init(draws, n_out):
    rank, n_in = draws.shape
    A = np.empty((rank, n_in), np.float32)
    for r in range(rank):
        for i in range(n_in):
            A[r, i] = (2 * float(draws[r, i]) - 1) / n_in**0.5
    return A, np.zeros((n_out, rank), np.float32)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W, self.A, self.B = (np.array(p) for p in (W, A, B))
        self.scale = alpha / A.shape[0]
        self.merged = False

    def forward(self, x):
        rows = np.empty((self.W.shape[0], len(x)), np.float32)
        for n, token in enumerate(x):
            y = self.W @ token
            if not self.merged:
                y = y + self.scale * (self.B @ (self.A @ token))
            rows[:, n] = y
        return rows.T

    def backward(self, x, d_y):
        d_x = np.zeros_like(x)
        d_A = np.zeros_like(self.A)
        d_B_transposed = np.zeros_like(self.B.T)
        for n, (token, d) in enumerate(zip(x, d_y)):
            hidden, d_hidden = self.A @ token, self.scale * (self.B.T @ d)
            d_x[n] = self.W.T @ d + self.A.T @ d_hidden
            d_A += np.outer(d_hidden, token)
            d_B_transposed += self.scale * np.outer(hidden, d)
        return d_x, d_A, d_B_transposed.T

    def step(self, x, d_y, lr):
        d_A, d_B = self.backward(x, d_y)[1:]
        np.subtract(self.A, lr * d_A, out=self.A)
        np.subtract(self.B, lr * d_B, out=self.B)

    def _add(self, sign):
        for r in range(self.A.shape[0]):
            self.W += sign * self.scale * np.outer(self.B[:, r], self.A[r])
        self.merged = sign > 0

    def merge(self):
        if not self.merged:
            self._add(1.0)

    def unmerge(self):
        if self.merged:
            self._add(-1.0)
