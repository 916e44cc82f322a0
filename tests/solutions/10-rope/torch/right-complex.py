# complex tensors: complex, polar and view_as_real
import torch


def rope(qkv, offset, base, layout):
    B, T, _, H, D = qkv.shape
    i = torch.arange(D // 2, dtype=torch.float32)
    angles = torch.outer(torch.arange(T) + offset, torch.pow(torch.tensor(float(base)), -2 * i / D))
    turn = torch.polar(torch.ones_like(angles), angles)[:, None, None, :]
    z = qkv[:, :, :2]
    if layout == "interleaved":
        z = z.reshape(B, T, 2, H, D // 2, 2)
    else:
        z = z.reshape(B, T, 2, H, 2, D // 2).transpose(-1, -2)
    z = torch.view_as_real(torch.complex(z[..., 0], z[..., 1]) * turn)
    if layout == "half-split":
        z = z.transpose(-1, -2)
    z = z.reshape(B, T, 2, H, D)
    return z[:, :, 0], z[:, :, 1], qkv[:, :, 2].clone()
