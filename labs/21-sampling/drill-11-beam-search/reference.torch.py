import math

import torch


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    states = state.repeat(n_beams, 1)
    last = torch.full((n_beams,), start)
    exists = torch.arange(n_beams) == 0  # one empty beam to begin with
    #: duplicate-beams
    #| exists[:] = True
    #: right
    #: end
    #: probabilities-multiplied
    #| sums = exists.float()
    #: right
    sums = torch.zeros(n_beams).masked_fill(~exists, -math.inf)
    #: end
    beams = [[] for _ in range(n_beams)]
    lengths = torch.zeros(n_beams, dtype=torch.long)
    done = torch.zeros(n_beams, dtype=torch.bool)

    for _ in range(max_length):
        log_probs, states = step(last, states)
        V = log_probs.shape[1]
        log_probs = log_probs.masked_fill(done[:, None], -math.inf)
        log_probs[done, end] = 0  # a finished beam has one way on: as it is
        #: probabilities-multiplied
        #| total = sums[:, None] * torch.exp(log_probs)
        #: right
        total = sums[:, None] + log_probs
        #: end
        #: length-penalty-in-prune
        #| key = total / (lengths + ~done)[:, None] ** alpha
        #: right
        key = total
        #: end
        best = torch.sort(key.flatten(), descending=True, stable=True).indices[:n_beams]
        parents, last = best // V, best % V

        beams = [
            beams[p] if done[p] else beams[p] + [t]
            for p, t in zip(parents.tolist(), last.tolist())
        ]
        sums = total.flatten()[best]
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
    #| sums = torch.log(sums)
    #: right
    #: end
    #: start-counted
    #| scores = sums / (lengths + 1) ** alpha
    #: right
    scores = sums / lengths ** alpha
    #: end
    order = torch.sort(scores, descending=True, stable=True).indices
    return [(beams[j], float(scores[j])) for j in order.tolist()]
