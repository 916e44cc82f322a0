# Style: plain loops over rows and tokens, Python floats inside.
import math

import numpy as np


def log_softmax(row):
    row = row.astype(np.float64)
    row = row - row.max()
    return row - math.log(np.exp(row).sum())


def rewards(policy, reference, tokens, prompt_length, length, beta):
    out = []
    for r in range(len(tokens)):
        total = 0.0
        for t in range(int(prompt_length[r]), int(length[r])):
            token = tokens[r, t]
            total += log_softmax(policy[r, t - 1])[token] - log_softmax(reference[r, t - 1])[token]
        out.append(float(beta * total))
    pairs = len(out) // 2
    return out[:pairs], out[pairs:]


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    chosen, rejected = rewards(policy, reference, tokens, prompt_length, length, beta)
    loss = 0.0
    for c, r in zip(chosen, rejected):
        z = c - r
        loss += max(-z, 0.0) + math.log1p(math.exp(-abs(z)))
    return loss / len(chosen), np.array(chosen, np.float32), np.array(rejected, np.float32)


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    chosen, rejected = rewards(policy, reference, tokens, prompt_length, length, beta)
    pairs = len(chosen)
    d_policy = np.zeros(policy.shape, np.float32)
    for p in range(pairs):
        z = chosen[p] - rejected[p]
        small = math.exp(-abs(z))
        wrong_way = small / (1 + small) if z > 0 else 1 / (1 + small)
        for r, sign in ((p, -1.0), (pairs + p, 1.0)):
            factor = sign * beta * wrong_way / pairs
            for t in range(int(prompt_length[r]), int(length[r])):
                grad = -np.exp(log_softmax(policy[r, t - 1]))
                grad[tokens[r, t]] += 1
                d_policy[r, t - 1] = factor * grad
    return d_policy, np.zeros(reference.shape, np.float32)
