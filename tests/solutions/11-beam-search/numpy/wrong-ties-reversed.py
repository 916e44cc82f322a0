# argsort read backwards: ties come in the wrong order
import numpy as np


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    beams = [[]]
    sums = np.zeros(1)
    finished = np.zeros(1, dtype=bool)
    states = np.array(state)[None]
    tokens = np.array([start])

    for _ in range(max_length):
        log_probs, states = step(tokens, states)
        V = log_probs.shape[1]
        candidates = sums[:, None] + log_probs
        candidates[finished] = -np.inf
        candidates[finished, end] = sums[finished]

        best = np.argsort(candidates.ravel(), kind="stable")[::-1][:n_beams]
        parents, tokens = best // V, best % V
        beams = [
            beams[p] if finished[p] else beams[p] + [int(t)] for p, t in zip(parents, tokens)
        ]
        sums = candidates.ravel()[best]
        states = states[parents]
        finished = tokens == end
        if finished.all():
            break

    result = [(beam, float(s) / len(beam) ** alpha) for beam, s in zip(beams, sums)]
    return sorted(result, key=lambda pair: pair[1], reverse=True)
