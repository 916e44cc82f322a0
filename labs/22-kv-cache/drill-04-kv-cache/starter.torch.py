import torch


def new_cache(B, H, D, capacity):
    """Returns an empty cache, any object you like, for B sequences of at most capacity positions."""
    raise NotImplementedError


def append(cache, k, v):
    """k, v: [B,H,T,D] float32. Adds T positions to the cache, in place. The caller reuses k and v."""
    raise NotImplementedError


def truncate(cache, length):
    """Forgets all but the first length positions, in place."""
    raise NotImplementedError


def attend(cache, q):
    """q: [B,H,T,D] float32, at the last T positions held. Returns [B,H,T,D]."""
    raise NotImplementedError


def forward(cache, x, wq, wk, wv, wo, position):
    """x: [B,T,C] float32; wq, wk, wv, wo: [C,C]; position: [capacity,C]. Returns [B,T,C]."""
    raise NotImplementedError
