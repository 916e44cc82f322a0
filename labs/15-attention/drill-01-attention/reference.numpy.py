import numpy as np


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    #: no-scale
    #| scores = q @ k.swapaxes(-1, -2)
    #: scale-by-d
    #| scores = q @ k.swapaxes(-1, -2) / D
    #: right
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(D).astype(q.dtype)
    #: end

    hidden = np.broadcast_to(~key_mask[:, None, None, :], scores.shape)
    if causal:
        #: off-by-one-mask
        #| hidden = hidden | np.triu(np.ones((T, T), bool), k=2)
        #: right
        hidden = hidden | np.triu(np.ones((T, T), bool), k=1)
        #: end
    #: mask-after-softmax
    #: right
    scores = np.where(hidden, -np.inf, scores)
    #: end

    #: wrong-softmax-axis
    #| axis = -2
    #: right
    axis = -1
    #: end
    with np.errstate(all="ignore"):
        #: no-max-subtraction
        #| weights = np.exp(scores)
        #: masked-row-nan
        #| weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
        #: right
        largest = scores.max(axis=axis, keepdims=True)
        weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
        #: end
        total = weights.sum(axis=axis, keepdims=True)
        #: masked-row-nan
        #| weights = weights / total
        #: right
        weights = weights / np.where(total == 0, 1, total)
        #: end
    #: mask-after-softmax
    #| weights = np.where(hidden, 0, weights)
    #: right
    #: end
    return (weights @ v).astype(q.dtype)
