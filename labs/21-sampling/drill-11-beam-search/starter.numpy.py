import numpy as np


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    """step(tokens [n], states [n,S]) -> (log_probs [n,V] float32, states [n,S]): reads one token
    in each of n rows. state [S], an integer array: nothing read yet. start, end: tokens.

    Returns a list of n_beams pairs (tokens, score), best score first; tokens is a list of ints.
    """
    raise NotImplementedError
