import numpy as np


def dpo_forward(policy, reference, tokens, prompt_length, length, beta):
    """policy, reference: logits [2P,T,V] float32; tokens: [2P,T] int64; prompt_length, length: [2P]
    int64; beta: float. Row p is the chosen reply of pair p, row P + p the rejected one.

    Returns loss (a number), chosen_reward [P], rejected_reward [P].
    """
    raise NotImplementedError


def dpo_backward(policy, reference, tokens, prompt_length, length, beta):
    """The same arguments.

    Returns d_policy [2P,T,V], d_reference [2P,T,V]: the gradient of the loss that reaches each
    model's logits.
    """
    raise NotImplementedError
