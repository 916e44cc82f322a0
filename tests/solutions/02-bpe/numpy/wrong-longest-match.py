# Mistake: encode takes the longest token that matches instead of applying the merges in order.


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
    table = {bytes([i]): i for i in range(256)}
    for i in range(len(merges)):
        table.setdefault(decode([256 + i], merges), 256 + i)
    longest = max(map(len, table))
    ids = []
    for word in map(bytes, cut(text)):
        at = 0
        while at < len(word):
            end = min(len(word), at + longest)
            while word[at:end] not in table:
                end -= 1
            ids.append(table[word[at:end]])
            at = end
    return ids


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
