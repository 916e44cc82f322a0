"""The layers: y = x + dropout(tanh(x W_i)), a quarter of the numbers dropped. Every call of
forward and backward is written down, for judge()."""

import numpy as np

CALLABLES = {"checkpointing": 7}
CALLS_PER_LAYER = 16  # written down; more is refused


def kept(seed, shape):
    """4/3 where a number is kept, 0 where it is dropped."""
    size = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        z = z + np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return np.where(z >> np.uint64(62) > 0, np.float32(4 / 3), np.float32(0)).reshape(shape)


class Stack:
    def __init__(self, x, lane):
        self.w, self.like, self.torch = x["w"], x["x"], lane == "torch"
        self.seeds = x["seeds"].tolist()
        self.drawn = 0
        self.calls = []  # i + 1: forward of layer i; -(i + 1): backward

    def note(self, layer, sign, **arrays):
        name, L = "forward" if sign > 0 else "backward", len(self.w)
        if not 0 <= layer < L:
            raise IndexError("%s of layer %s; the layers are 0 to %d" % (name, layer, L - 1))
        if len(self.calls) == CALLS_PER_LAYER * L:
            raise RuntimeError(
                "more than %d calls of forward and backward for %d layers" % (len(self.calls), L)
            )
        for key, value in arrays.items():
            if not isinstance(value, type(self.like)):
                raise TypeError(
                    "%s: %s is a %s, expected a %s"
                    % (name, key, type(value).__name__, type(self.like).__name__)
                )
            if tuple(value.shape) != tuple(self.like.shape):
                raise ValueError(
                    "%s: %s has the shape %s, expected %s"
                    % (name, key, list(value.shape), list(self.like.shape))
                )
        self.calls.append(sign * (int(layer) + 1))

    def next_seed(self):
        if self.drawn == len(self.seeds):
            raise RuntimeError(
                "more than %d seeds drawn for %d layers" % (self.drawn, len(self.w))
            )
        self.drawn += 1
        return self.seeds[self.drawn - 1]

    def branch(self, layer, x, seed):
        mask = kept(seed, tuple(self.like.shape))
        z = x @ self.w[layer]
        return (self.like.new_tensor(mask), z.tanh()) if self.torch else (mask, np.tanh(z))

    def forward(self, layer, x, seed):
        self.note(layer, 1, x=x)
        mask, z = self.branch(layer, x, seed)
        return x + mask * z

    def backward(self, layer, x, seed, dy):
        self.note(layer, -1, x=x, dy=dy)
        mask, z = self.branch(layer, x, seed)
        g = dy * mask * (1 - z * z)
        return dy + g @ self.w[layer].T, x.T @ g


def call(solution, x, lane):
    stack = Stack(x, lane)

    # The log stays here: the candidate gets functions, not methods of what holds it.
    def forward(layer, x, seed):
        return stack.forward(layer, x, seed)

    def backward(layer, x, seed, dy):
        return stack.backward(layer, x, seed, dy)

    def next_seed():
        return stack.next_seed()

    d_weights = x["d_weights"].clone() if lane == "torch" else x["d_weights"].copy()
    result = solution.checkpointing(
        forward, backward, next_seed, x["x"], x["dy"], d_weights, x["every"]
    )
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError("checkpointing returned %s, expected (y, dx)" % type(result).__name__)
    calls = np.asarray(stack.calls, np.int64)
    return {"y": result[0], "dx": result[1], "d_weights": d_weights, "calls": calls}
