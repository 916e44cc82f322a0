# Style: cross_entropy with ignore_index -100 on copied labels; None for the reference.
import torch
from torch.nn import functional as F

IGNORE = -100


def make_labels(tokens, prompt_length, length):
    labels = tokens.roll(-1, 1)
    predicted = torch.arange(1, tokens.shape[1] + 1).expand_as(tokens)
    labels[predicted < prompt_length.unsqueeze(1)] = IGNORE
    labels[predicted >= length.unsqueeze(1)] = IGNORE
    return labels


def negative_logp(logits, labels):
    flat = F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="none"
    )
    return flat.view_as(labels).sum(dim=1)


def rewards(policy, reference, labels, beta):
    return beta * (negative_logp(reference, labels) - negative_logp(policy, labels))


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    labels = make_labels(tokens, prompt_length, length)
    P = len(tokens) // 2
    r = rewards(policy, reference, labels, beta)
    z = r[:P] - r[P:]
    return F.softplus(-z).mean().item(), r[:P], r[P:]


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    labels = make_labels(tokens, prompt_length, length)
    P = len(tokens) // 2
    r = rewards(policy, reference, labels, beta)
    factor = F.logsigmoid(r[P:] - r[:P]).exp() * (beta / P)

    keep = labels != IGNORE
    d_policy = policy.softmax(-1)
    d_policy.scatter_add_(2, labels.clamp(min=0).unsqueeze(2), -torch.ones_like(d_policy[..., :1]))
    d_policy *= torch.cat((factor, -factor)).view(-1, 1, 1)
    d_policy.masked_fill_(~keep.unsqueeze(2), 0.0)
    return d_policy, None
