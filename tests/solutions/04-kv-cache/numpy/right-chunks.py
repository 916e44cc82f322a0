# A list of copied chunks, joined only in attend; truncate cuts the chunk it falls into.
import numpy as np


def new_cache(B, H, D, capacity):
    return {"shape": (B, H, D), "capacity": capacity, "chunks": [], "n": 0}


def append(cache, k, v):
    cache["chunks"].append((k.copy(), v.copy()))
    cache["n"] += k.shape[2]
    assert cache["n"] <= cache["capacity"]


def truncate(cache, length):
    while cache["n"] > length:
        k, v = cache["chunks"].pop()
        start = cache["n"] - k.shape[2]
        if start < length:
            cache["chunks"].append((k[:, :, :length - start], v[:, :, :length - start]))
            cache["n"] = length
        else:
            cache["n"] = start


def attend(cache, q):
    K = np.concatenate([k for k, _ in cache["chunks"]], axis=2)
    V = np.concatenate([v for _, v in cache["chunks"]], axis=2)
    T, n = q.shape[2], cache["n"]
    out = np.empty(q.shape, np.float32)
    for t in range(T):
        end = n - T + t + 1
        s = np.einsum("bhd,bhsd->bhs", q[:, :, t], K[:, :, :end]) / q.shape[3] ** 0.5
        e = np.exp(s - s.max(-1, keepdims=True))
        out[:, :, t] = np.einsum("bhs,bhsd->bhd", e / e.sum(-1, keepdims=True), V[:, :, :end])
    return out


def forward(cache, x, wq, wk, wv, wo, position):
    B, H, D = cache["shape"]
    T = x.shape[1]
    h = x + position[None, cache["n"]:cache["n"] + T]

    def split(w):
        return np.einsum("btc,chd->bhtd", h, w.reshape(H * D, H, D))

    append(cache, split(wk), split(wv))
    return np.einsum("bhtd,hdc->btc", attend(cache, split(wq)), wo.reshape(H, D, H * D))
