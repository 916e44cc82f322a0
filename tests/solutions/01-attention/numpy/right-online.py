# Online softmax: walks over the keys once, for all queries at the same time.
import numpy as np


def attention(q, k, v, causal, key_mask):
    B, H, T, D = q.shape
    q64 = q.astype(np.float64) / np.sqrt(D)
    best = np.full((B, H, T), -np.inf)
    total = np.zeros((B, H, T))
    acc = np.zeros((B, H, T, D))
    for s in range(T):
        seen = np.array(np.broadcast_to(key_mask[:, s, None, None], (B, H, T)))
        if causal:
            seen[:, :, :s] = False
        score = (q64 * k[:, :, s, None, :]).sum(-1)
        new = np.where(seen, np.maximum(best, score), best)
        shrink = np.exp(np.where(np.isinf(best), 0.0, best - np.where(seen, new, best)),
                        where=~np.isinf(best), out=np.zeros_like(best))
        e = np.zeros_like(total)
        e[seen] = np.exp(score[seen] - new[seen])
        total = total * shrink + e
        acc = acc * shrink[..., None] + e[..., None] * v[:, :, s, None, :]
        best = new
    return (acc / np.where(total == 0, 1, total)[..., None]).astype("float32")
