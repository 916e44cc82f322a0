import numpy as np


def attention(q, k, v, causal, key_mask):
    """q, k, v: [B,H,T,D] float32; causal: bool; key_mask: [B,T] bool, True is a real token.

    Returns out [B,H,T,D].
    """
    raise NotImplementedError
