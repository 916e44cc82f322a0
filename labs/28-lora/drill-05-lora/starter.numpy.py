import numpy as np


def lora_init(draws, n_out):
    """draws: [R,I] float32, uniform in [0,1); n_out: int, O.

    Returns A [R,I], B [O,R].
    """
    raise NotImplementedError


class LoRA:
    """The attributes W [O,I], A [R,I] and B [O,R] hold the present weights, as arrays."""

    def __init__(self, W, A, B, alpha):
        """W: [O,I], A: [R,I], B: [O,R], float32, all the caller's: copy what you change.

        alpha: float.
        """
        raise NotImplementedError

    def forward(self, x):
        """x: [N,I]. Returns y [N,O]."""
        raise NotImplementedError

    def backward(self, x, d_y):
        """x: [N,I], d_y: [N,O]. Returns d_x [N,I], d_A [R,I], d_B [O,R].

        Not called while merged.
        """
        raise NotImplementedError

    def step(self, x, d_y, lr):
        """One step of gradient descent on what may be trained. Not called while merged."""
        raise NotImplementedError

    def merge(self):
        """Put the adapter into W."""
        raise NotImplementedError

    def unmerge(self):
        """Take the adapter out of W."""
        raise NotImplementedError
