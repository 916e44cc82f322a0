# Style: a class that holds the batch in float64, one-hot and einsum, a named tuple as the result.
from typing import NamedTuple

import numpy as np


class Forward(NamedTuple):
    loss: float
    chosen_reward: np.ndarray
    rejected_reward: np.ndarray


class Backward(NamedTuple):
    d_policy: np.ndarray
    d_reference: np.ndarray


class Batch:
    def __init__(self, policy, reference, tokens, prompt_length, length, beta):
        rows, T, V = policy.shape
        assert rows % 2 == 0 and tokens.shape == (rows, T)
        self.pairs, self.beta = rows // 2, float(beta)
        # target[r, t] is the one-hot of the token predicted at t; all zero where none is.
        self.target = np.zeros((rows, T, V))
        for r, (begin, end) in enumerate(zip(prompt_length, length)):
            assert 1 <= begin < end <= T
            span = np.arange(begin, end)
            self.target[r, span - 1, tokens[r, span]] = 1.0
        self.log_policy = self.normalise(policy)
        self.log_reference = self.normalise(reference)

    @staticmethod
    def normalise(logits):
        x = np.asarray(logits, dtype=np.float64)
        top = np.amax(x, axis=2, keepdims=True)
        return x - top - np.log(np.sum(np.exp(x - top), axis=2, keepdims=True))

    def rewards(self):
        difference = self.log_policy - self.log_reference
        both = self.beta * np.einsum("rtv,rtv->r", self.target, difference)
        return both.reshape(2, self.pairs)

    def margins(self):
        chosen, rejected = self.rewards()
        return chosen - rejected


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    batch = Batch(policy, reference, tokens, prompt_length, length, beta)
    chosen, rejected = batch.rewards()
    z = batch.margins()
    loss = np.mean(np.maximum(-z, 0.0) + np.log1p(np.exp(-np.abs(z))))
    return Forward(loss, chosen, rejected)


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    batch = Batch(policy, reference, tokens, prompt_length, length, beta)
    sigmoid = 0.5 * (1.0 - np.tanh(0.5 * batch.margins()))
    weight = np.concatenate([sigmoid, -sigmoid]) * batch.beta / batch.pairs
    counts = batch.target.sum(axis=2)
    grad = np.einsum("r,rt,rtv->rtv", weight, counts, np.exp(batch.log_policy))
    grad -= np.einsum("r,rtv->rtv", weight, batch.target)
    return Backward(grad, np.zeros_like(grad))
