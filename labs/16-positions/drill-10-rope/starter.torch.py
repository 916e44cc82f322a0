import torch


def rope(qkv, offset, base, layout):
    """qkv: [B,T,3,H,D] float32, at each position queries, keys, values; offset: int, the
    position of token 0; base: float; layout: "interleaved" or "half-split".

    Returns q, k, v, each [B,T,H,D]: q and k turned, v as it is.
    """
    raise NotImplementedError
