# Style: gathers the reply's positions into one flat list, works time-major, returns views.
import numpy as np


def _flat(tokens, prompt_length, length):
    counts = length - prompt_length
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    steps = np.arange(len(rows)) - first + prompt_length[rows]
    return rows, steps - 1, tokens[rows, steps]


def _log_probs(x):
    x = x.astype(np.float64)
    x -= x.max(1)[:, None]
    return x - np.log(np.exp(x).sum(1))[:, None]


def _setup(policy, reference, tokens, prompt_length, length, beta):
    rows, steps, targets = _flat(tokens, prompt_length, length)
    each = np.arange(len(rows))
    lp = _log_probs(policy[rows, steps])
    ratio = (lp - _log_probs(reference[rows, steps]))[each, targets]
    rewards = beta * np.bincount(rows, weights=ratio, minlength=len(tokens))
    return rows, steps, targets, np.exp(lp), rewards.reshape(2, -1).T


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    rewards = _setup(policy, reference, tokens, prompt_length, length, beta)[-1]
    loss = np.array(np.logaddexp(0.0, rewards[:, 1] - rewards[:, 0]).mean())
    return loss, rewards[:, 0], rewards[:, 1]


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    rows, steps, targets, probs, rewards = _setup(
        policy, reference, tokens, prompt_length, length, beta
    )
    z = rewards[:, 0] - rewards[:, 1]
    slope = -beta / len(z) * np.exp(-np.logaddexp(0.0, z))
    probs[np.arange(len(rows)), targets] -= 1.0
    probs *= -np.concatenate([slope, -slope])[rows, None]
    n, T, V = policy.shape
    d_policy = np.zeros((T, V, n), np.float32)
    d_policy[steps, :, rows] = probs
    return d_policy.transpose(2, 0, 1), np.broadcast_to(np.float32(0), policy.shape)
