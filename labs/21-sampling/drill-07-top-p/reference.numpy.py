import numpy as np


def softmax(x):
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def top_p_sample(logits, temperature, top_k, top_p, draws):
    V = logits.shape[1]
    if temperature == 0:
        temperature, top_k = 1.0, 1  # greedy: the first of the largest
    k = min(top_k, V) if top_k > 0 else V

    #: ties-reversed
    #| order = np.argsort(logits, axis=1, kind="stable")[:, ::-1]
    #: right
    order = np.argsort(-logits, axis=1, kind="stable")  # equal ones by token
    #: end
    ranked = np.take_along_axis(logits, order, 1)
    #: p-before-k
    #: right
    ranked[:, k:] = -np.inf
    #: end
    #: temperature-after-cut
    #| probs = softmax(ranked)
    #: right
    probs = softmax(ranked / temperature)
    #: end

    before = probs.cumsum(1) - probs  # the probability of all better tokens
    #: cut-early
    #| keep = before + probs <= top_p
    #: one-too-many
    #| keep = np.pad(before, ((0, 0), (1, 0)))[:, :-1] < top_p
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
    #| probs = softmax(ranked / temperature)
    #: right
    #: end
    probs = np.where(keep, probs, 0)
    #: no-renormalisation
    #: right
    probs = probs / probs.sum(1, keepdims=True)
    #: end

    #: sort-not-undone
    #| by_token = probs
    #: right
    by_token = np.zeros_like(probs)
    np.put_along_axis(by_token, order, probs, 1)
    #: end
    passed = (by_token.cumsum(1) <= draws[:, None]).sum(1)
    last = V - 1 - np.argmax(by_token[:, ::-1] > 0, axis=1)  # when rounding leaves the sum below
    return by_token, np.minimum(passed, last)
