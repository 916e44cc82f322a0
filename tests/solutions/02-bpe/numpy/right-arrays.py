# numpy arrays with -1 at the borders; whole-array counting and replacing.
import numpy as np


def _with_borders(text):
    data = np.frombuffer(text, dtype=np.uint8).astype(np.int64)
    return np.insert(data, np.flatnonzero(data == 32), -1)


def _starts(tokens, left, right):
    """Where the pair starts, without the overlapping occurrences."""
    hits = np.flatnonzero((tokens[:-1] == left) & (tokens[1:] == right))
    if left != right or hits.size == 0:
        return hits
    new_run = np.r_[True, np.diff(hits) != 1]
    first = hits[new_run][np.cumsum(new_run) - 1]
    return hits[(hits - first) % 2 == 0]


def _replace(tokens, left, right, new):
    at = _starts(tokens, left, right)
    tokens = tokens.copy()
    tokens[at] = new
    return np.delete(tokens, at + 1)


def train(text, n_merges):
    tokens = _with_borders(text)
    merges = []
    for i in range(n_merges):
        pairs = np.stack([tokens[:-1], tokens[1:]], axis=1)
        pairs = np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0)
        if len(pairs) == 0:
            break
        counts = [_starts(tokens, *pair).size for pair in pairs]
        best = int(np.argmax(counts))  # unique() sorts, and argmax takes the first
        if counts[best] < 2:
            break
        left, right = map(int, pairs[best])
        merges.append((left, right))
        tokens = _replace(tokens, left, right, 256 + i)
    return merges


def encode(text, merges):
    tokens = _with_borders(text)
    for i, (left, right) in enumerate(merges):
        tokens = _replace(tokens, left, right, 256 + i)
    return tokens[tokens >= 0].tolist()


def decode(ids, merges):
    table = [bytes([i]) for i in range(256)]
    for left, right in merges:
        table.append(table[left] + table[right])
    return b"".join([table[i] for i in ids])
