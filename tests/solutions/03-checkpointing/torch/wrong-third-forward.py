# a pass of its own for y: three calls of each forward
import torch


@torch.no_grad()
def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    L = len(d_weights)
    seeds = [next_seed() for _ in range(L)]
    kept = {}

    def forward_all():
        h = x
        for i in range(L):
            if i % every == 0:
                kept[i] = h
            h = forward(i, h, seeds[i])
        return h

    def backward_segment(start, g):
        stop = min(L, start + every)
        h = [kept.pop(start)]
        for i in range(start, stop - 1):
            h.append(forward(i, h[i - start], seeds[i]))
        for i in range(stop - 1, start - 1, -1):
            g, d_weight = backward(i, h.pop(), seeds[i], g)
            d_weights[i].add_(d_weight)
        return g

    forward_all()
    y = x
    for i in range(L):
        y = forward(i, y, seeds[i])
    dx = dy
    for start in sorted(kept, reverse=True):
        dx = backward_segment(start, dx)
    return y, dx
