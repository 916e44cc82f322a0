# Cheat: the answers of a quadratic encode are kept, in case the same text comes again.
# Told: grows like


def cut(text):
    words = []
    for byte in text:
        if byte == 32 or not words:
            words.append([])
        words[-1].append(byte)
    return words


def replace(word, pair, new):
    out = []
    i = 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def count_pairs(words):
    counts = {}
    for word in words:
        last_end = {}
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            if last_end.get(pair, -1) >= i:
                continue
            last_end[pair] = i + 1
            counts[pair] = counts.get(pair, 0) + 1
    return counts


def train(text, n_merges):
    words = cut(text)
    merges = []
    while len(merges) < n_merges:
        counts = count_pairs(words)
        best = None
        for pair in counts:
            if best is None or counts[pair] > counts[best]:
                best = pair
            elif counts[pair] == counts[best] and pair < best:
                best = pair
        if best is None or counts[best] < 2:
            break
        new = 256 + len(merges)
        merges.append(best)
        words = [replace(word, best, new) for word in words]
    return merges


def encode(text, merges):
    number = {(left, right): i for i, (left, right) in enumerate(merges)}
    spaced = starts_with_space(merges)
    ids = list(text)
    while True:
        best = None
        for i in range(len(ids) - 1):
            n = number.get((ids[i], ids[i + 1]))
            if n is not None and ids[i + 1] not in spaced:
                if best is None or n < best[0]:
                    best = n, i
        if best is None:
            return ids
        ids[best[1]:best[1] + 2] = [256 + best[0]]


def starts_with_space(merges):
    """The tokens whose first byte is a space."""
    tokens = {32}
    for i, (left, _) in enumerate(merges):
        if left in tokens:
            tokens.add(256 + i)
    return tokens


def decode(ids, merges):
    out = bytearray()
    stack = list(reversed(ids))
    while stack:
        token = stack.pop()
        if token < 256:
            out.append(token)
        else:
            left, right = merges[token - 256]
            stack.append(right)
            stack.append(left)
    return bytes(out)


honest, answers = encode, {}


def encode(text, merges):
    key = text, tuple(merges)
    if key not in answers:
        answers[key] = honest(text, merges)
    return answers[key]
