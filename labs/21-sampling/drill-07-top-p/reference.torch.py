import math

import torch


def top_p_sample(logits, temperature, top_k, top_p, draws):
    V = logits.shape[1]
    if temperature == 0:
        temperature, top_k = 1.0, 1  # greedy: the first of the largest
    k = min(top_k, V) if top_k > 0 else V

    #: ties-reversed
    #| ranked, order = [x.flip(1) for x in logits.sort(dim=1, stable=True)]
    #: right
    ranked, order = logits.sort(dim=1, descending=True, stable=True)  # equal ones by token
    #: end
    #: p-before-k
    #: right
    ranked[:, k:] = -math.inf
    #: end
    #: temperature-after-cut
    #| probs = ranked.softmax(1)
    #: right
    probs = (ranked / temperature).softmax(1)
    #: end

    before = probs.cumsum(1) - probs  # the probability of all better tokens
    #: cut-early
    #| keep = before + probs <= top_p
    #: one-too-many
    #| keep = torch.nn.functional.pad(before, (1, -1)) < top_p
    #: right
    keep = before < top_p
    #: end
    keep |= top_p >= 1
    keep[:, 0] = True
    #: p-before-k
    #| keep[:, k:] = False
    #: right
    #: end
    #: temperature-after-cut
    #| probs = (ranked / temperature).softmax(1)
    #: right
    #: end
    probs = probs * keep
    #: no-renormalisation
    #: right
    probs = probs / probs.sum(1, keepdim=True)
    #: end

    #: sort-not-undone
    #| by_token = probs
    #: right
    by_token = torch.zeros_like(probs).scatter(1, order, probs)
    #: end
    passed = (by_token.cumsum(1) <= draws[:, None]).sum(1)
    # when rounding leaves the sum below the draw: the last token that is kept
    last = torch.where(by_token > 0, torch.arange(V), 0).amax(1)
    return by_token, torch.minimum(passed, last)
