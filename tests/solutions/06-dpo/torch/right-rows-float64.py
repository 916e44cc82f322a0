# Style: one row at a time in float64, slices of the reply, logsumexp written out.
import math

import torch


def log_softmax(x):
    top = x.amax(dim=1, keepdim=True)
    return x - top - (x - top).exp().sum(dim=1, keepdim=True).log()


def reply(logits, tokens, begin, end):
    """Log-probabilities [n,V] of the reply's n positions and its tokens [n]."""
    return log_softmax(logits[begin - 1 : end - 1].double()), tokens[begin:end]


def row_rewards(policy, reference, tokens, prompt_length, length, beta):
    out = []
    spans = list(zip(prompt_length.tolist(), length.tolist()))
    for r, (begin, end) in enumerate(spans):
        ours, target = reply(policy[r], tokens[r], begin, end)
        theirs, _ = reply(reference[r], tokens[r], begin, end)
        each = torch.arange(end - begin)
        out.append(beta * (ours[each, target].sum() - theirs[each, target].sum()))
    return torch.stack(out), spans


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    rewards, _ = row_rewards(policy, reference, tokens, prompt_length, length, beta)
    chosen, rejected = rewards.view(2, -1).unbind(0)
    z = chosen - rejected
    loss = ((-z).clamp(min=0) + (-z.abs()).exp().log1p()).mean()
    return loss.float(), chosen.float(), rejected.float()


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    rewards, spans = row_rewards(policy, reference, tokens, prompt_length, length, beta)
    pairs = len(spans) // 2
    d_policy = torch.zeros_like(policy)
    for r, (begin, end) in enumerate(spans):
        p = r % pairs
        z = (rewards[p] - rewards[p + pairs]).item()
        slope = 1.0 / (1.0 + math.exp(z)) if z < 700.0 else 0.0
        slope *= (-beta if r < pairs else beta) / pairs
        logp, target = reply(policy[r], tokens[r], begin, end)
        step = -logp.exp()
        step[torch.arange(end - begin), target] += 1.0
        d_policy[r, begin - 1 : end - 1] = (slope * step).float()
    return d_policy, torch.zeros_like(reference)
