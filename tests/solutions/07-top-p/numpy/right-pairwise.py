# Style: no sort at all: a [B,V,V] table of who comes before whom gives ranks and sums; views.
import numpy as np


def top_p_sample(logits, temperature, top_k, top_p, draws):
    x = np.array(logits, dtype=np.float64)
    B, V = x.shape
    lower = np.tri(V, k=-1, dtype=bool)
    # before[b, i, j]: token j stands before token i in row b.
    before = x[:, None, :] > x[:, :, None]
    before |= (x[:, None, :] == x[:, :, None]) & lower
    rank = before.sum(axis=2)
    if temperature == 0:
        keep = rank == 0
        p = keep.astype(np.float64)
    else:
        keep = rank < (V if top_k == 0 else top_k)
        p = np.exp((x - x.max(axis=1, keepdims=True)) / temperature)
        p = np.where(keep, p, 0.0)
        p /= p.sum(axis=1, keepdims=True)
        if top_p < 1:
            ahead = np.einsum("bij,bj->bi", before, p)
            keep &= (ahead < top_p) | (rank == 0)
            p = np.where(keep, p, 0.0)
            p /= p.sum(axis=1, keepdims=True)
    columns = np.asfortranarray(p)
    # Count the tokens at which the running sum has not yet passed the draw.
    passed = (np.cumsum(columns, axis=1) <= draws[:, None]).sum(axis=1)
    last = np.where(keep, np.arange(V), -1).max(axis=1)
    return columns, np.where(passed < V, passed, last).astype(np.int32)
