# interleaved comes back in half-split order
import numpy as np


def rope(qkv, offset, base, layout):
    D = qkv.shape[-1]
    if layout == "interleaved":
        order = np.concatenate([np.arange(0, D, 2), np.arange(1, D, 2)])
    else:
        order = np.arange(D)
    i = np.arange(D // 2, dtype=np.float32)
    frequencies = np.exp(i * np.float32(-2 * np.log(base) / D))
    positions = np.arange(offset, offset + qkv.shape[1]).astype(np.float32)
    angles = np.tile(positions[:, None] * frequencies, 2)[:, np.newaxis]
    cos, sin = np.cos(angles), np.sin(angles)
    results = []
    for x in np.moveaxis(qkv, 2, 0)[:2]:
        x = x[..., order]
        half = np.concatenate([-x[..., D // 2:], x[..., : D // 2]], axis=-1)
        results.append(x * cos + half * sin)
    return results[0], results[1], qkv[:, :, 2]
