import torch


def top_p_sample(logits, temperature, top_k, top_p, draws):
    """logits: [B,V] float32; temperature: float, 0 is greedy; top_k: int, 0 is no limit;
    top_p: float; draws: [B] float32, uniform in [0,1).

    Returns probs [B,V] float, in the vocabulary's order, and tokens [B] int.
    """
    raise NotImplementedError
