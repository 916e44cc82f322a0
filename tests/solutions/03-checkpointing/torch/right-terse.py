# terse: itertools.accumulate for both passes
from itertools import accumulate


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n = len(d_weights)
    seeds = [next_seed() for _ in range(n)]
    kept, g = [], dy
    for i, a in enumerate(accumulate(range(n), lambda a, i: forward(i, a, seeds[i]), initial=x)):
        if i % every == 0 and i < n:
            kept.append(a)
    y = a
    for s in range(0, n, every)[::-1]:
        layers = range(s, min(s + every, n))
        step = accumulate(layers[:-1], lambda a, i: forward(i, a, seeds[i]), initial=kept.pop())
        for i, a in reversed(list(zip(layers, step))):
            g, d_weight = backward(i, a, seeds[i], g)
            d_weights[i] += d_weight
    return y, g
