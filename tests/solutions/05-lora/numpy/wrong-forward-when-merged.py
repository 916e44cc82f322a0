# Mistake: forward adds the adapter to a merged W as well.
import numpy as np


def lora_init(draws, n_out):
    R, I = draws.shape
    A = ((2 * draws - 1) / np.sqrt(I)).astype(np.float32)
    B = np.zeros((n_out, R), dtype=np.float32)
    return A, B


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W = W.copy()
        self.A = A.copy()
        self.B = B.copy()
        self.scale = np.float32(alpha / A.shape[0])
        self.base = None

    def forward(self, x):
        y = x @ self.W.T
        if self.A is not None:
            y += self.scale * ((x @ self.A.T) @ self.B.T)
        return y

    def backward(self, x, d_y):
        d_u = self.scale * (d_y @ self.B)
        d_x = d_y @ self.W + d_u @ self.A
        d_A = d_u.T @ x
        d_B = self.scale * (d_y.T @ (x @ self.A.T))
        return d_x, d_A, d_B

    def step(self, x, d_y, lr):
        _, d_A, d_B = self.backward(x, d_y)
        self.A -= np.float32(lr) * d_A
        self.B -= np.float32(lr) * d_B

    def merge(self):
        if self.base is None:
            self.base = self.W
            self.W = self.W + self.scale * (self.B @ self.A)

    def unmerge(self):
        if self.base is not None:
            self.W = self.base
            self.base = None
