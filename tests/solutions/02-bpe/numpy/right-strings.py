# Tokens as characters of a str: str.count and str.replace already go from left to right.
import re

BORDER = chr(0x10FFFF)


def _cut(text):
    return text.decode("latin-1").replace(" ", BORDER + " ")


def train(text, n_merges):
    s, merges = _cut(text), []
    for i in range(n_merges):
        pairs = {a + b for a, b in zip(s, s[1:]) if BORDER not in (a, b)}
        best = min(pairs, key=lambda p: (-s.count(p), p), default=None)
        if best is None or s.count(best) < 2:
            break
        merges.append((ord(best[0]), ord(best[1])))
        s = s.replace(best, chr(256 + i))
    return merges


def encode(text, merges):
    s = _cut(text)
    for i, (left, right) in enumerate(merges):
        s = s.replace(chr(left) + chr(right), chr(256 + i))
    return [ord(c) for c in re.sub(BORDER, "", s)]


def decode(ids, merges):
    s = "".join(map(chr, ids))
    for i in reversed(range(len(merges))):
        left, right = merges[i]
        s = s.replace(chr(256 + i), chr(left) + chr(right))
    return s.encode("latin-1")
