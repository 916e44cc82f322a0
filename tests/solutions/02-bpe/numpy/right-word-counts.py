# Different pre-tokens with their numbers of occurrence, a cache of words, runs by groupby.
from collections import Counter
from functools import lru_cache
from itertools import groupby
import re


def _words(text):
    return re.findall(rb" [^ ]*|[^ ]+", text)


def _merge(word, left, right, new):
    out = []
    for token in word:
        if out and token == right and out[-1] == left:
            out[-1] = new
        else:
            out.append(token)
    return tuple(out)


def _pairs(word):
    """The pairs of one word; a run of n equal tokens holds n // 2 of its own pair."""
    counts = Counter()
    runs = [(token, len(list(group))) for token, group in groupby(word)]
    for token, n in runs:
        if n > 1:
            counts[token, token] += n // 2
    for (a, _), (b, _) in zip(runs, runs[1:]):
        counts[a, b] += 1
    return counts


def train(text, n_merges):
    vocabulary = Counter(tuple(word) for word in _words(text))
    merges = []
    for new in range(256, 256 + n_merges):
        total = Counter()
        for word, times in vocabulary.items():
            for pair, n in _pairs(word).items():
                total[pair] += n * times
        if not total:
            return merges
        best = min(total, key=lambda pair: (-total[pair], pair))
        if total[best] < 2:
            return merges
        merges.append(best)
        shorter = Counter()
        for word, times in vocabulary.items():
            shorter[_merge(word, *best, new)] += times
        vocabulary = shorter
    return merges


def encode(text, merges):
    rank = {tuple(pair): i for i, pair in enumerate(merges)}

    @lru_cache(maxsize=None)
    def encode_word(word):
        tokens = tuple(word)
        while True:
            ranks = [rank[p] for p in zip(tokens, tokens[1:]) if p in rank]
            if not ranks:
                return tokens
            i = min(ranks)
            tokens = _merge(tokens, *merges[i], 256 + i)

    return [token for word in _words(text) for token in encode_word(word)]


def decode(ids, merges):
    needed = set(ids)
    for token in range(255 + len(merges), 255, -1):
        if token in needed:
            needed.update(merges[token - 256])
    known = {}
    for token in sorted(needed):
        if token < 256:
            known[token] = bytes([token])
        else:
            left, right = merges[token - 256]
            known[token] = known[left] + known[right]
    return b"".join(map(known.__getitem__, ids))
