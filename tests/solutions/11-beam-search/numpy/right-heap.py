# heapq over candidate tuples; only unfinished beams go through the model
import heapq
from collections import namedtuple

import numpy as np

Beam = namedtuple("Beam", "tokens total state finished")


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    beams = [Beam((), 0.0, state, False)]
    for _ in range(max_length):
        alive = [b for b in beams if not b.finished]
        if not alive:
            break
        last = np.array([b.tokens[-1] if b.tokens else start for b in alive])
        log_probs, states = step(last, np.stack([b.state for b in alive]))
        rows = iter(zip(log_probs.astype(np.float64), states))

        candidates = []
        for rank, beam in enumerate(beams):
            if beam.finished:
                candidates.append((-beam.total, rank, 0, beam))
                continue
            row, new_state = next(rows)
            for token, log_prob in enumerate(row.tolist()):
                total = beam.total + log_prob
                new = Beam(beam.tokens + (token,), total, new_state, token == end)
                candidates.append((-total, rank, token, new))
        beams = [c[-1] for c in heapq.nsmallest(n_beams, candidates, key=lambda c: c[:3])]

    scored = [(list(b.tokens), b.total / len(b.tokens) ** alpha) for b in beams]
    scored.sort(key=lambda pair: -pair[1])
    return scored
