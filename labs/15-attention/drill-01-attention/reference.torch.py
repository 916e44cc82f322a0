import math

import torch


def attention(q, k, v, causal, key_mask):
    T, D = q.shape[-2:]
    #: no-scale
    #| scores = q @ k.transpose(-1, -2)
    #: scale-by-d
    #| scores = q @ k.transpose(-1, -2) / D
    #: right
    scores = q @ k.transpose(-1, -2) / math.sqrt(D)
    #: end

    hidden = ~key_mask[:, None, None, :].expand_as(scores)
    if causal:
        #: off-by-one-mask
        #| hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu(2)
        #: right
        hidden = hidden | torch.ones(T, T, dtype=torch.bool).triu(1)
        #: end
    #: mask-after-softmax
    #: right
    scores = scores.masked_fill(hidden, -math.inf)
    #: end

    #: wrong-softmax-axis
    #| axis = -2
    #: right
    axis = -1
    #: end
    #: no-max-subtraction
    #| weights = torch.exp(scores)
    #: masked-row-nan
    #| weights = torch.exp(scores - scores.amax(axis, keepdim=True))
    #: right
    largest = scores.amax(axis, keepdim=True)
    weights = torch.exp(scores - largest.masked_fill(largest.isinf(), 0))
    #: end
    total = weights.sum(axis, keepdim=True)
    #: masked-row-nan
    #| weights = weights / total
    #: right
    weights = weights / total.masked_fill(total == 0, 1)
    #: end
    #: mask-after-softmax
    #| weights = weights.masked_fill(hidden, 0)
    #: right
    #: end
    return weights @ v
