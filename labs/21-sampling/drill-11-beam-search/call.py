"""The model: a table. A beam's state is the row of the table it stands at, and how many tokens
it has read; `next` says where a token leads, `log_probs` what may come then."""

import numpy as np

CALLABLES = {"beam_search": 7}
STATE = 2


def integers(value, name):
    """Whatever the candidate has its numbers in, as an integer array."""
    if isinstance(value, (list, tuple)):
        value = [np.asarray(item) for item in value]
    value = np.asarray(value)
    if value.size and value.dtype.kind not in "iub":
        raise TypeError("%s must be integers, not %s" % (name, value.dtype))
    return value.astype(np.int64)


def model(x, lane):
    follow, table = np.asarray(x["next"]), np.asarray(x["log_probs"])
    M, V = follow.shape

    def lane_type(array):
        if lane != "torch":
            return array
        import torch

        return torch.from_numpy(array)

    def step(tokens, states):
        tokens, states = integers(tokens, "step: tokens"), integers(states, "step: states")
        n = tokens.size
        if tokens.shape != (n,) or states.shape != (n, STATE) or n == 0:
            raise ValueError(
                "step: tokens has the shape %s and states %s, expected [n] and [n,%d]"
                % (list(tokens.shape), list(states.shape), STATE)
            )
        if tokens.min() < 0 or tokens.max() >= V:
            raise ValueError("step: tokens must be from 0 to %d" % (V - 1))
        if states[:, 0].min() < 0 or states[:, 0].max() >= M:
            raise ValueError("step: a row of states is none that step returned")
        row = follow[states[:, 0], tokens].astype(np.int64)
        new_states = np.stack([row, states[:, 1] + 1], axis=1)
        return lane_type(table[row].copy()), lane_type(new_states)

    return step, lane_type(np.zeros(STATE, np.int64))


def call(solution, x, lane):
    K, L = x["n_beams"], x["max_length"]
    step, state = model(x, lane)
    found = solution.beam_search(step, state, x["start"], x["end"], K, L, x["alpha"])
    if not isinstance(found, (list, tuple)):
        raise TypeError("beam_search returned %s, expected a list" % type(found).__name__)
    if len(found) != K:
        raise ValueError("beam_search returned %d hypotheses, expected %d" % (len(found), K))

    tokens, lengths = np.full((K, L), -1, np.int64), np.zeros(K, np.int64)
    scores = np.zeros(K, np.float64)
    for j, pair in enumerate(found):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError("hypothesis %d is not a pair (tokens, score)" % j)
        row = integers(pair[0], "the tokens of hypothesis %d" % j).reshape(-1)
        if not 1 <= row.size <= L:
            raise ValueError("hypothesis %d has %d tokens; 1 to %d are possible" % (j, row.size, L))
        tokens[j, : row.size], lengths[j], scores[j] = row, row.size, float(pair[1])
    return {"scores": scores, "tokens": tokens, "lengths": lengths}
