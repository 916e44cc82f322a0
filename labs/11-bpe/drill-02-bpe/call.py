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


# ---- timed: `calls` times encode, each with a text and merges of its own ----


def exchange(number):
    """The bytes of call number `number`: another for each but the space."""
    ranks = np.concatenate([np.arange(33), np.arange(32, 255)])
    other = ((ranks << number // 255 % 8) + number) % 255
    other += other >= 32
    other[32] = 32
    return other.astype(np.uint8).tobytes()


def digest(ids):
    ids = np.asarray(list(ids))
    if ids.dtype.kind not in "iu" or ids.ndim != 1:
        return -1
    z = ids.astype(np.uint64)
    z += np.arange(1, len(z) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    return int((z ^ z >> np.uint64(27)).sum().astype(np.int64))


def time_encode(solution, given, pairs, calls, done):
    digests = []
    for number in range(done, done + calls):
        first, to = number // (255 * 8) % len(given), exchange(number)
        text = (given[first:] + given[:first]).translate(to)
        merges = [(a if a > 255 else to[a], b if b > 255 else to[b]) for a, b in pairs]
        digests.append(digest(solution.encode(text, merges)))
    return {"digests": np.array(digests, np.int64)}


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
    if "calls" in x:
        return time_encode(solution, x["text"].tobytes(), merges, x["calls"], x["done"])
    if x["op"] == ENCODE:
        text = x["text"].tobytes()
        ids = checked_ids(solution.encode(text, merges), text)
        return {"ids": padded(ids, len(text) + 1), "n_ids": len(ids)}
    return decoded(checked_bytes(solution.decode([int(i) for i in x["ids"]], merges)))
