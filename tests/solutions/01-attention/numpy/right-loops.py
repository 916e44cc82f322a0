# Plain Python loops and lists of floats, nothing vectorised.
import math

import numpy as np


def attention(q, k, v, causal, key_mask):
    B, H, T, D = q.shape
    out = np.zeros((B, H, T, D), np.float32)
    for b in range(B):
        for h in range(H):
            keys, values = k[b, h].tolist(), v[b, h].tolist()
            for t in range(T):
                query = q[b, h, t].tolist()
                pairs = []
                for s in range(t + 1 if causal else T):
                    if key_mask[b, s]:
                        dot = sum(x * y for x, y in zip(query, keys[s]))
                        pairs.append((dot / math.sqrt(D), values[s]))
                if not pairs:
                    continue
                top = max(score for score, _ in pairs)
                total = 0.0
                row = [0.0] * D
                for score, value in pairs:
                    e = math.exp(score - top)
                    total += e
                    for d in range(D):
                        row[d] += e * value[d]
                for d in range(D):
                    out[b, h, t, d] = row[d] / total
    return out
