# Mistake: the gradient is divided by the 2P rows, not by the P pairs.
import torch
import torch.nn.functional as F


def _mask(tokens, prompt_length, length):
    t = torch.arange(1, tokens.shape[1], device=tokens.device)
    return (t >= prompt_length[:, None]) & (t < length[:, None])


def _logp(logits, tokens, mask):
    logp = F.log_softmax(logits[:, :-1], dim=-1)
    picked = logp.gather(2, tokens[:, 1:].unsqueeze(2)).squeeze(2)
    return (picked * mask).sum(1)


def _rewards(policy, reference, tokens, mask, beta):
    return (beta * (_logp(policy, tokens, mask) - _logp(reference, tokens, mask))).chunk(2)


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    mask = _mask(tokens, prompt_length, length)
    chosen, rejected = _rewards(policy, reference, tokens, mask, beta)
    return -F.logsigmoid(chosen - rejected).mean(), chosen, rejected


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    mask = _mask(tokens, prompt_length, length)
    chosen, rejected = _rewards(policy, reference, tokens, mask, beta)
    pull = beta * torch.sigmoid(rejected - chosen) / tokens.shape[0]
    weight = torch.cat([-pull, pull])[:, None] * mask
    hit = F.one_hot(tokens[:, 1:], policy.shape[2])
    d_policy = torch.zeros_like(policy)
    d_policy[:, :-1] = weight[..., None] * (hit - F.softmax(policy[:, :-1], dim=-1))
    return d_policy, torch.zeros_like(reference)
