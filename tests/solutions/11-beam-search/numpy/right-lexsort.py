# tokens in a [K,max_length] array, lexsort by (sum, parent, token), float32 sums
import numpy as np


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    tokens = np.full((1, max_length), -1)
    lengths = np.zeros(1, dtype=int)
    sums = np.zeros(1, dtype=np.float32)
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
        total = np.concatenate([(sums[open_rows, None] + log_probs).ravel(), sums[done_rows]])
        best = np.lexsort((token, parent, -total))[:n_beams]

        parent, last, sums = parent[best], token[best], total[best]
        tokens, lengths, states, extended = (
            tokens[parent], lengths[parent], states[parent], ~done[parent]
        )
        tokens[extended, position] = last[extended]
        lengths[extended] += 1
        done = last == end

    scores = sums / lengths.astype(np.float64) ** alpha
    return [
        (tokens[j, : lengths[j]].tolist(), float(scores[j]))
        for j in np.argsort(-scores, kind="stable")
    ]
