import math

import torch


class Cache:
    def __init__(self, B, H, D, capacity):
        self.k = torch.zeros(B, H, capacity, D)
        self.v = torch.zeros(B, H, capacity, D)
        self.length = 0  # positions held, so also the position of the next token
        #: stale-positions
        #| self.counted = 0
        #: right
        #: end


def new_cache(B, H, D, capacity):
    return Cache(B, H, D, capacity)


def append(cache, k, v):
    first, T = cache.length, k.shape[2]
    #: shared-rows
    #| k, v = k[-1:].expand_as(k), v[-1:].expand_as(v)
    #: right
    #: end
    #: copy-each-step
    #| cache.k = torch.cat([cache.k[:, :, :first], k], dim=2)
    #| cache.v = torch.cat([cache.v[:, :, :first], v], dim=2)
    #: right
    cache.k[:, :, first : first + T] = k
    cache.v[:, :, first : first + T] = v
    #: end
    cache.length += T
    #: stale-positions
    #| cache.counted += T
    #: right
    #: end


def truncate(cache, length):
    cache.length = length


def attend(cache, q):
    S, T, D = cache.length, q.shape[2], q.shape[3]
    k, v = cache.k[:, :, :S], cache.v[:, :, :S]
    scores = q @ k.transpose(-1, -2) / math.sqrt(D)
    #: mask-when-t-below-s
    #| at = torch.arange(T)
    #: right
    at = torch.arange(S - T, S)  # the queries stand at the last T positions
    #: end
    scores = scores.masked_fill(torch.arange(S) > at[:, None], -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def forward(cache, x, wq, wk, wv, wo, position):
    B, H, _, D = cache.k.shape
    T = x.shape[1]

    def heads(y):
        return y.reshape(B, T, H, D).transpose(1, 2)

    #: stale-positions
    #| first = cache.counted
    #: positions-from-zero
    #| first = 0
    #: right
    first = cache.length
    #: end
    x = x + position[first : first + T]
    #: value-before-computed
    #| append(cache, heads(x @ wk), heads(x))
    #: right
    append(cache, heads(x @ wk), heads(x @ wv))
    #: end
    mixed = attend(cache, heads(x @ wq))
    return mixed.transpose(1, 2).reshape(B, T, H * D) @ wo
