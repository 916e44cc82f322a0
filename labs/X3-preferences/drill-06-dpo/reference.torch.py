import torch
import torch.nn.functional as F


def counted_tokens(tokens, prompt_length, length):
    """Which of the tokens 1..T-1 belong to the reply: [2P,T-1]."""
    t = torch.arange(1, tokens.shape[1])
    #: prompt-counted
    #| first = torch.ones_like(prompt_length)
    #: right
    first = prompt_length
    #: end
    #: padding-counted
    #| last = torch.full_like(length, tokens.shape[1])
    #: right
    last = length
    #: end
    return (t >= first[:, None]) & (t < last[:, None])


def log_softmax(logits):
    #: no-shift
    #| return logits[:, 1:].log_softmax(-1)
    #: right
    return logits[:, :-1].log_softmax(-1)  # position t-1 predicts token t
    #: end


def log_prob(logits, tokens, counted):
    picked = log_softmax(logits).gather(-1, tokens[:, 1:, None]).squeeze(-1)
    total = (picked * counted).sum(1)
    #: mean-for-sum
    #| total = total / counted.sum(1)
    #: right
    #: end
    return total


def rewards(policy, reference, tokens, counted, beta):
    both = beta * (log_prob(policy, tokens, counted) - log_prob(reference, tokens, counted))
    chosen, rejected = both.chunk(2)
    #: margin-sign
    #| return chosen, rejected, rejected - chosen
    #: right
    return chosen, rejected, chosen - rejected
    #: end


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    counted = counted_tokens(tokens, prompt_length, length)
    chosen, rejected, z = rewards(policy, reference, tokens, counted, beta)
    #: log-of-sigmoid
    #| losses = -torch.log(1 / (1 + torch.exp(-z)))
    #: right
    losses = -F.logsigmoid(z)
    #: end
    return losses.mean(), chosen, rejected


def spread(logits, tokens, counted, d_total):
    """The gradient of the logits, when d_total [2P] is that of the rows' log-probabilities."""
    #: mean-for-sum
    #| d_total = d_total / counted.sum(1)
    #: right
    #: end
    one_hot = F.one_hot(tokens[:, 1:], logits.shape[-1])
    d_each = (d_total[:, None] * counted)[..., None]
    d_logits = torch.zeros_like(logits)
    #: no-shift
    #| d_logits[:, 1:] = d_each * (one_hot - log_softmax(logits).exp())
    #: right
    d_logits[:, :-1] = d_each * (one_hot - log_softmax(logits).exp())
    #: end
    return d_logits


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    counted = counted_tokens(tokens, prompt_length, length)
    _, _, z = rewards(policy, reference, tokens, counted, beta)
    d_chosen = -beta * torch.sigmoid(-z) / len(z)
    #: margin-sign
    #| d_chosen = -d_chosen
    #: right
    #: end
    d_total = torch.cat([d_chosen, -d_chosen])
    d_policy = spread(policy, tokens, counted, d_total)
    #: reference-gradient
    #| d_reference = spread(reference, tokens, counted, -d_total)
    #: right
    d_reference = torch.zeros_like(reference)
    #: end
    return d_policy, d_reference
