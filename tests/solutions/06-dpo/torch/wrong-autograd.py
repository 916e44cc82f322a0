# Mistake: the gradient comes from autograd, which the task forbids.
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
    policy = policy.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss, _, _ = dpo_forward(policy, reference, tokens, prompt_length, length, beta)
    (d_policy,) = torch.autograd.grad(loss, policy)
    return d_policy, None
