# interleaved gets the angles in half-split order
import torch


def rotate_half(x, layout):
    if layout == "half-split":
        return torch.roll(x, x.shape[-1] // 2, dims=-1)
    return x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)


def rope(qkv, offset, base, layout):
    T, D = qkv.size(1), qkv.size(-1)
    inv_freq = base ** (-torch.arange(0, D, 2).double() / D)
    angles = torch.arange(offset, offset + T).double()[:, None] * inv_freq
    if layout == "half-split":
        angles = torch.cat([angles, angles], dim=-1)
        sign = torch.ones(D, dtype=torch.float64)
        sign[: D // 2] = -1
    else:
        angles = torch.cat([angles, angles], dim=-1)
        sign = torch.tensor([-1.0, 1.0], dtype=torch.float64).repeat(D // 2)
    cos = angles.cos().float()[:, None, None, :]
    sin = (angles.sin() * sign).float()[:, None, None, :]

    out = qkv.clone()
    both = out[:, :, :2]
    swapped = rotate_half(both, layout).clone()
    both.mul_(cos).addcmul_(swapped, sin)
    return tuple(x.contiguous() for x in out.unbind(2))
