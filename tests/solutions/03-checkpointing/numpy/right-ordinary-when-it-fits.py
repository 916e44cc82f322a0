# keeps every activation where the limit allows it, and every k-th one otherwise
import math


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    count = len(d_weights)
    if count - 1 <= math.ceil(count / every) + every:
        every = 1
    seeds = [next_seed() for _ in range(count)]
    a = [None] * count
    current = x
    for i, seed in enumerate(seeds):
        if i % every == 0:
            a[i] = current
        current = forward(i, current, seed)
    y = current
    for i in range(count - 1, -1, -1):
        first = i - i % every
        for j in range(first, i):
            if a[j + 1] is None:
                a[j + 1] = forward(j, a[j], seeds[j])
        dy, d_weight = backward(i, a[i], seeds[i], dy)
        a[i] = None
        d_weights[i] += d_weight
    return y, dy
