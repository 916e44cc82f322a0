# Mistake: the reply is taken to end at prompt_length + length (length read as the reply's).
import numpy as np


def _log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def _mask(tokens, prompt_length, length):
    t = np.arange(1, tokens.shape[1])
    return (t >= prompt_length[:, None]) & (t < (prompt_length + length)[:, None])


def _logp(logits, tokens, mask):
    picked = np.take_along_axis(_log_softmax(logits[:, :-1]), tokens[:, 1:, None], -1)[..., 0]
    return np.where(mask, picked, 0).sum(-1)


def _rewards(policy, reference, tokens, mask, beta):
    ratio = _logp(policy, tokens, mask) - _logp(reference, tokens, mask)
    return np.split(beta * ratio, 2)


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    mask = _mask(tokens, prompt_length, length)
    chosen, rejected = _rewards(policy, reference, tokens, mask, beta)
    return np.logaddexp(0, rejected - chosen).mean(), chosen, rejected


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    mask = _mask(tokens, prompt_length, length)
    chosen, rejected = _rewards(policy, reference, tokens, mask, beta)
    pull = beta * np.exp(-np.logaddexp(0, chosen - rejected)) / len(chosen)
    weight = np.concatenate([-pull, pull])[:, None] * mask
    grad = -np.exp(_log_softmax(policy[:, :-1]))
    rows, steps = np.indices(mask.shape)
    grad[rows, steps, tokens[:, 1:]] += 1
    d_policy = np.zeros_like(policy)
    d_policy[:, :-1] = weight[..., None] * grad
    return d_policy, np.zeros_like(reference)
