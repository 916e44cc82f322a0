# cos and sin of angles in float16
import torch


def rope(qkv, offset, base, layout):
    q, k, v = qkv.unbind(2)
    T, D = q.shape[1], q.shape[-1]
    frequencies = 1.0 / base ** (torch.arange(0, D, 2, dtype=torch.float64) / D)
    positions = torch.arange(offset, offset + T, dtype=torch.float64)
    angles = torch.outer(positions, frequencies).half().float()
    cos, sin = angles.cos().float().unsqueeze(1), angles.sin().float().unsqueeze(1)

    def turn(z):
        if layout == "interleaved":
            x, y = z[..., ::2], z[..., 1::2]
            return torch.stack((x * cos - y * sin, x * sin + y * cos), dim=-1).flatten(-2)
        x, y = z.chunk(2, dim=-1)
        return torch.cat((x * cos - y * sin, x * sin + y * cos), dim=-1)

    return turn(q), turn(k), v
