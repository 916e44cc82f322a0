import numpy as np


class Cache:
    def __init__(self, B, H, D, capacity):
        self.k = np.zeros((B, H, capacity, D), np.float32)
        self.v = np.zeros((B, H, capacity, D), np.float32)
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
    #| k, v = np.broadcast_to(k[-1:], k.shape), np.broadcast_to(v[-1:], v.shape)
    #: right
    #: end
    #: copy-each-step
    #| cache.k = np.concatenate([cache.k[:, :, :first], k], axis=2)
    #| cache.v = np.concatenate([cache.v[:, :, :first], v], axis=2)
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
    scores = q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(D))
    #: mask-when-t-below-s
    #| at = np.arange(T)
    #: right
    at = np.arange(S - T, S)  # the queries stand at the last T positions
    #: end
    scores = np.where(np.arange(S) > at[:, None], -np.inf, scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return (weights @ v).astype(np.float32)


def forward(cache, x, wq, wk, wv, wo, position):
    B, H, _, D = cache.k.shape
    T = x.shape[1]

    def heads(y):
        return y.reshape(B, T, H, D).swapaxes(1, 2)

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
    return mixed.swapaxes(1, 2).reshape(B, T, H * D) @ wo
