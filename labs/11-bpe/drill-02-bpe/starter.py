def train(text, n_merges):
    """Learn up to n_merges merges from text (bytes).

    Returns a list of (left, right): merge i joins tokens left and right into token 256 + i.
    """
    raise NotImplementedError


def encode(text, merges):
    """text (bytes) -> list of token ids (int)."""
    raise NotImplementedError


def decode(ids, merges):
    """list of token ids -> bytes."""
    raise NotImplementedError
