import numpy as np


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    states = np.repeat(state[None], n_beams, axis=0)
    last = np.full(n_beams, start)
    exists = np.arange(n_beams) == 0  # one empty beam to begin with
    #: duplicate-beams
    #| exists[:] = True
    #: right
    #: end
    #: probabilities-multiplied
    #| sums = np.where(exists, 1.0, 0.0)
    #: right
    sums = np.where(exists, 0.0, -np.inf)
    #: end
    beams = [[] for _ in range(n_beams)]
    lengths = np.zeros(n_beams, int)
    done = np.zeros(n_beams, bool)

    for _ in range(max_length):
        log_probs, states = step(last, states)
        V = log_probs.shape[1]
        log_probs = np.where(done[:, None], -np.inf, log_probs)
        log_probs[done, end] = 0  # a finished beam has one way on: as it is
        #: probabilities-multiplied
        #| total = sums[:, None] * np.exp(log_probs)
        #: right
        total = sums[:, None] + log_probs
        #: end
        #: length-penalty-in-prune
        #| key = total / (lengths + ~done)[:, None] ** alpha
        #: right
        key = total
        #: end
        best = np.argsort(-key, axis=None, kind="stable")[:n_beams]
        parents, last = best // V, best % V

        beams = [beams[p] if done[p] else beams[p] + [int(t)] for p, t in zip(parents, last)]
        sums = total.reshape(-1)[best]
        lengths = (lengths + ~done)[parents]
        #: caches-not-reordered
        #: right
        states = states[parents]
        #: end
        #: finished-keeps-growing
        #: right
        done = done[parents] | (last == end)
        #: end
        if done.all():
            break

    #: probabilities-multiplied
    #| with np.errstate(divide="ignore"):
    #|     sums = np.log(sums)
    #: right
    #: end
    #: start-counted
    #| scores = sums / (lengths + 1) ** alpha
    #: right
    scores = sums / lengths ** alpha
    #: end
    order = np.argsort(-scores, kind="stable")
    return [(beams[j], float(scores[j])) for j in order]
