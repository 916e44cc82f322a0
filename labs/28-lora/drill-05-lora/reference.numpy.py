import numpy as np


def lora_init(draws, n_out):
    R, I = draws.shape
    #: both-zero
    #| A = np.zeros((R, I), np.float32)
    #: right
    A = (2 * draws - 1) / np.sqrt(I)
    #: end
    return A, np.zeros((n_out, R), np.float32)


class LoRA:
    def __init__(self, W, A, B, alpha):
        self.W, self.A, self.B = W.copy(), A.copy(), B.copy()
        #: no-scale
        #| self.scale = 1.0
        #: right
        self.scale = alpha / A.shape[0]
        #: end
        self.merged = False

    def factors(self):
        #: transposed
        #| return [M.reshape(M.shape[::-1]).T for M in (self.A, self.B)]
        #: right
        return self.A, self.B
        #: end

    def forward(self, x):
        y = x @ self.W.T
        #: merged-and-added
        #| add = True
        #: right
        add = not self.merged  # a merged W holds the adapter already
        #: end
        if add:
            A, B = self.factors()
            y = y + self.scale * (x @ A.T) @ B.T
        return y

    def backward(self, x, d_y):
        A, B = self.factors()
        d_hidden = self.scale * d_y @ B
        d_A = d_hidden.T @ x
        d_B = self.scale * d_y.T @ (x @ A.T)
        #: transposed
        #| d_A, d_B = [d.T.reshape(d.shape) for d in (d_A, d_B)]
        #: right
        #: end
        #: dx-base-only
        #| d_x = d_y @ self.W
        #: right
        d_x = d_y @ self.W + d_hidden @ A
        #: end
        return d_x, d_A, d_B

    def step(self, x, d_y, lr):
        _, d_A, d_B = self.backward(x, d_y)
        self.A = self.A - lr * d_A
        self.B = self.B - lr * d_B
        #: base-gradient
        #| self.W = self.W - lr * d_y.T @ x
        #: right
        #: end

    def delta(self):
        A, B = self.factors()
        return self.scale * B @ A

    def merge(self):
        #: merged-twice
        #: right
        if self.merged:
            return
        #: end
        self.W = self.W + self.delta()
        self.merged = True

    def unmerge(self):
        if self.merged:
            self.W = self.W - self.delta()
            self.merged = False
