# turns the other way
import numpy as np


def rope(qkv, offset, base, layout):
    D = qkv.shape[-1]
    p = np.arange(offset, offset + qkv.shape[1], dtype=np.float64)
    turn = np.exp(-1j * np.multiply.outer(p, float(base) ** (-2 * np.arange(D // 2) / D)))
    turn = turn[:, None, None, :]
    pairs = qkv[:, :, :2].astype(np.float64)
    if layout == "interleaved":
        z = (pairs[..., 0::2] + 1j * pairs[..., 1::2]) * turn
        out = np.stack([z.real, z.imag], axis=-1).reshape(pairs.shape)
    elif layout == "half-split":
        z = (pairs[..., : D // 2] + 1j * pairs[..., D // 2:]) * turn
        out = np.concatenate([z.real, z.imag], axis=-1)
    else:
        raise ValueError(layout)
    out = out.astype(np.float32)
    return out[:, :, 0], out[:, :, 1], qkv[:, :, 2]
