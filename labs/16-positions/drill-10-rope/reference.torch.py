import torch


def turn(x, angle, layout):
    """x: [B,T,H,D]; angle: [T,D/2]."""
    #: layouts-swapped
    #| neighbours = layout == "half-split"
    #: right
    neighbours = layout == "interleaved"
    #: end
    if neighbours:
        crossed = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape(x.shape)
        #: angle-repeated
        #| angle = torch.cat([angle, angle], dim=-1)
        #: right
        angle = angle.repeat_interleave(2, dim=-1)
        #: end
    else:
        low, high = x.chunk(2, dim=-1)
        crossed = torch.cat([-high, low], dim=-1)
        #: angle-repeated
        #| angle = angle.repeat_interleave(2, dim=-1)
        #: right
        angle = torch.cat([angle, angle], dim=-1)
        #: end
    cosine, sine = angle.cos()[:, None].to(x.dtype), angle.sin()[:, None].to(x.dtype)
    #: turned-back
    #| return x * cosine - crossed * sine
    #: right
    return x * cosine + crossed * sine
    #: end


def rope(qkv, offset, base, layout):
    T, D = qkv.shape[1], qkv.shape[-1]
    #: wrong-exponent
    #| theta = base ** (-torch.arange(D // 2, dtype=torch.float64) / D)
    #: right
    theta = base ** (-2 * torch.arange(D // 2, dtype=torch.float64) / D)
    #: end
    #: offset-ignored
    #| position = torch.arange(T)
    #: right
    position = offset + torch.arange(T)
    #: end
    angle = position[:, None] * theta

    q, k, v = qkv.unbind(2)
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
