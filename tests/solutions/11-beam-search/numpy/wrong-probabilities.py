# multiplies probabilities: they underflow to zero
import numpy as np


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    tokens = np.full((1, max_length), -1)
    lengths = np.zeros(1, dtype=int)
    sums = np.ones(1)
    done = np.zeros(1, dtype=bool)
    states = np.asarray(state)[np.newaxis].copy()
    last = np.array([start])

    for position in range(max_length):
        open_rows = np.flatnonzero(~done)
        if open_rows.size == 0:
            break
        log_probs, new_states = step(last[open_rows], states[open_rows])
        states[open_rows] = new_states
        n, V = log_probs.shape
        done_rows = np.flatnonzero(done)
        parent = np.concatenate([np.repeat(open_rows, V), done_rows])
        token = np.concatenate([np.tile(np.arange(V), n), np.full(len(done_rows), end)])
        probabilities = sums[open_rows, None] * np.exp(log_probs.astype(np.float64))
        total = np.concatenate([probabilities.ravel(), sums[done_rows]])
        best = np.lexsort((token, parent, -total))[:n_beams]

        parent, last, sums = parent[best], token[best], total[best]
        tokens, lengths, states, extended = (
            tokens[parent], lengths[parent], states[parent], ~done[parent]
        )
        tokens[extended, position] = last[extended]
        lengths[extended] += 1
        done = last == end

    scores = np.log(np.maximum(sums, 1e-300)) / lengths.astype(np.float64) ** alpha
    return [
        (tokens[j, : lengths[j]].tolist(), float(scores[j]))
        for j in np.argsort(-scores, kind="stable")
    ]
