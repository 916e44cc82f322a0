# the running gradient is written into the caller's dy
import numpy as np


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    assert every >= 1
    n_layers = len(d_weights)
    every = min(every, n_layers)
    seeds = [next_seed() for _ in range(n_layers)]
    starts = np.arange(0, n_layers, every)
    kept = np.empty((len(starts),) + x.shape, np.float32)
    inner = np.empty((every + 1,) + x.shape, np.float32)
    gradients = np.empty_like(d_weights)

    a = x.copy()
    for i in range(n_layers):
        if i % every == 0:
            kept[i // every] = a
        a = forward(i, a, seeds[i])

    dx = dy
    for number in range(len(starts))[::-1]:
        start = int(starts[number])
        layers = range(start, min(start + every, n_layers))
        inner[0] = kept[number]
        for i in layers:
            inner[i - start + 1] = forward(i, inner[i - start], seeds[i])
        for i in layers[::-1]:
            dx[...], gradients[i] = backward(i, inner[i - start], seeds[i], dx)
    d_weights += gradients
    return a, dx
