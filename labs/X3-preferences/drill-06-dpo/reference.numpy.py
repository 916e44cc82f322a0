import numpy as np


def counted_tokens(tokens, prompt_length, length):
    """Which of the tokens 1..T-1 belong to the reply: [2P,T-1]."""
    t = np.arange(1, tokens.shape[1])
    #: prompt-counted
    #| first = np.ones_like(prompt_length)
    #: right
    first = prompt_length
    #: end
    #: padding-counted
    #| last = np.full_like(length, tokens.shape[1])
    #: right
    last = length
    #: end
    return (t >= first[:, None]) & (t < last[:, None])


def log_softmax(logits):
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


#: no-shift
#| predictors = np.s_[:, 1:]
#: right
predictors = np.s_[:, :-1]  # position t-1 predicts token t
#: end


def log_prob(logits, tokens, counted):
    log_p = log_softmax(logits[predictors])
    picked = np.take_along_axis(log_p, tokens[:, 1:, None], -1)[..., 0]
    total = np.where(counted, picked, 0).sum(1)
    #: mean-for-sum
    #| total = total / counted.sum(1)
    #: right
    #: end
    return total


def rewards(policy, reference, tokens, counted, beta):
    both = beta * (log_prob(policy, tokens, counted) - log_prob(reference, tokens, counted))
    chosen, rejected = np.split(both, 2)
    #: margin-sign
    #| return chosen, rejected, rejected - chosen
    #: right
    return chosen, rejected, chosen - rejected
    #: end


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    counted = counted_tokens(tokens, prompt_length, length)
    chosen, rejected, z = rewards(policy, reference, tokens, counted, beta)
    #: log-of-sigmoid
    #| with np.errstate(all="ignore"):
    #|     losses = -np.log(1 / (1 + np.exp(-z)))
    #: right
    losses = np.logaddexp(0, -z)
    #: end
    return losses.mean(), chosen, rejected


def spread(logits, tokens, counted, d_total):
    """The gradient of the logits, when d_total [2P] is that of the rows' log-probabilities."""
    #: mean-for-sum
    #| d_total = d_total / counted.sum(1)
    #: right
    #: end
    one_hot = np.arange(logits.shape[-1]) == tokens[:, 1:, None]
    d_each = (d_total[:, None] * counted)[..., None]
    d_logits = np.zeros_like(logits)
    d_logits[predictors] = d_each * (one_hot - np.exp(log_softmax(logits[predictors])))
    return d_logits


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    counted = counted_tokens(tokens, prompt_length, length)
    _, _, z = rewards(policy, reference, tokens, counted, beta)
    d_chosen = -beta * np.exp(-np.logaddexp(0, z)) / len(z)  # exp(-softplus(z)) is sigmoid(-z)
    #: margin-sign
    #| d_chosen = -d_chosen
    #: right
    #: end
    d_total = np.concatenate([d_chosen, -d_chosen])
    d_policy = spread(policy, tokens, counted, d_total)
    #: reference-gradient
    #| d_reference = spread(reference, tokens, counted, -d_total)
    #: right
    d_reference = np.zeros_like(reference)
    #: end
    return d_policy, d_reference
