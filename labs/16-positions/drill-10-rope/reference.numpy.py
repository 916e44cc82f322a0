import numpy as np


def turn(x, angle, layout):
    """x: [B,T,H,D]; angle: [T,D/2]."""
    #: layouts-swapped
    #| neighbours = layout == "half-split"
    #: right
    neighbours = layout == "interleaved"
    #: end
    if neighbours:
        crossed = np.stack([-x[..., 1::2], x[..., ::2]], axis=-1).reshape(x.shape)
        #: angle-repeated
        #| angle = np.tile(angle, 2)
        #: right
        angle = np.repeat(angle, 2, axis=-1)
        #: end
    else:
        low, high = np.split(x, 2, axis=-1)
        crossed = np.concatenate([-high, low], axis=-1)
        #: angle-repeated
        #| angle = np.repeat(angle, 2, axis=-1)
        #: right
        angle = np.tile(angle, 2)
        #: end
    cosine = np.cos(angle)[:, None, :].astype(x.dtype)
    sine = np.sin(angle)[:, None, :].astype(x.dtype)
    #: turned-back
    #| return x * cosine - crossed * sine
    #: right
    return x * cosine + crossed * sine
    #: end


def rope(qkv, offset, base, layout):
    T, D = qkv.shape[1], qkv.shape[-1]
    #: wrong-exponent
    #| theta = base ** (-np.arange(D // 2) / D)
    #: right
    theta = base ** (-2 * np.arange(D // 2) / D)
    #: end
    #: offset-ignored
    #| position = np.arange(T)
    #: right
    position = offset + np.arange(T)
    #: end
    angle = np.outer(position, theta)

    q, k, v = np.moveaxis(qkv, 2, 0)
    q = turn(q, angle, layout)
    #: layouts-mixed
    #| k = turn(k, angle, "half-split")
    #: right
    k = turn(k, angle, layout)
    #: end
    #: v-turned
    #| v = turn(v, angle, layout)
    #: right
    #: end
    return q, k, v
