# Style: plain Python per row, sorted() with a key, math.exp.
import math

import numpy as np


def sample_row(logits, temperature, top_k, top_p, draw):
    V = len(logits)
    order = sorted(range(V), key=lambda v: (-logits[v], v))
    probs = [0.0] * V
    if temperature == 0:
        probs[order[0]] = 1.0
        return probs, order[0]

    if 0 < top_k < V:
        order = order[:top_k]
    weights = [math.exp((logits[v] - logits[order[0]]) / temperature) for v in order]
    total = math.fsum(weights)

    kept = len(order)
    if top_p < 1:
        reached = 0.0
        for i, w in enumerate(weights):
            reached += w / total
            if reached >= top_p:
                kept = i + 1
                break
    total = math.fsum(weights[:kept])
    for v, w in zip(order[:kept], weights):
        probs[v] = w / total

    running = 0.0
    for v in range(V):
        running += probs[v]
        if running > draw:
            return probs, v
    return probs, max(order[:kept])


def top_p_sample(logits, temperature, top_k, top_p, draws):
    rows = [
        sample_row(row, temperature, top_k, top_p, draw)
        for row, draw in zip(logits.tolist(), draws.tolist())
    ]
    return np.array([p for p, _ in rows], np.float32), np.array([t for _, t in rows])
