import operator

import numpy as np

CALLABLES = {"train": 2, "encode": 2, "decode": 2}
TRAIN, ENCODE, DECODE, ROUND_TRIP = range(4)
ROOM = 2048  # for decoded bytes


def whole(value, what):
    """A token id as int, whatever kind of whole number it is."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError("%s: expected int, got %s" % (what, type(value).__name__)) from None


def listed(value, what):
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        raise TypeError("%s, got %s" % (what, type(value).__name__))
    return list(value)


def checked_merges(merges, asked):
    pairs = []
    for pair in listed(merges, "train: expected a list of (left, right)"):
        pair = listed(pair, "train: expected pairs (left, right)")
        if len(pair) != 2:
            raise ValueError("train: expected pairs (left, right), got %d numbers" % len(pair))
        pairs.append((whole(pair[0], "train"), whole(pair[1], "train")))
    if len(pairs) > asked:
        raise ValueError("train returned %d merges, %d were asked for" % (len(pairs), asked))
    return pairs


def checked_ids(ids, text):
    ids = [whole(i, "encode") for i in listed(ids, "encode: expected a list of int")]
    if len(ids) > len(text):
        raise ValueError("encode returned %d tokens for %d bytes" % (len(ids), len(text)))
    return ids


def checked_bytes(data):
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError("decode: expected bytes, got %s" % type(data).__name__)
    if len(data) > ROOM:
        raise ValueError("decode returned %d bytes, more than the tokens have" % len(data))
    return bytes(data)


def padded(values, size):
    values = np.array(values, np.int64)
    small = np.iinfo(np.int32)
    values = np.clip(values, small.min, small.max).astype(np.int32)
    return np.concatenate([values, np.full(size - len(values), -1, np.int32)])


def decoded(data):
    return {"bytes": padded(list(data), ROOM), "n_bytes": len(data)}


def call(solution, x, lane):
    x = {name: v if isinstance(v, int) else np.asarray(v) for name, v in x.items()}
    if x["op"] in (TRAIN, ROUND_TRIP):
        text, asked = x["text"].tobytes(), x["n_merges"]
        merges = checked_merges(solution.train(text, asked), asked)
        if x["op"] == TRAIN:
            flat = [token for pair in merges for token in pair]
            return {
                "merges": padded(flat, 2 * asked).reshape(asked, 2),
                "n_merges": len(merges),
            }
        ids = checked_ids(solution.encode(text, merges), text)
        return decoded(checked_bytes(solution.decode(ids, merges)))

    merges = [(int(left), int(right)) for left, right in x["merges"]]
    if x["op"] == ENCODE:
        text = x["text"].tobytes()
        ids = checked_ids(solution.encode(text, merges), text)
        for i in range(1, x.get("calls", 1)):  # timed; no two alike in a row
            solution.encode(text[i % 8 :], merges)
        return {"ids": padded(ids, len(text) + 1), "n_ids": len(ids)}
    return decoded(checked_bytes(solution.decode([int(i) for i in x["ids"]], merges)))
