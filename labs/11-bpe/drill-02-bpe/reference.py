import re


def split(text):
    """Pre-tokens: a border before every space."""
    #: cross-border
    #| return [list(text)] if text else []
    #: right
    return [list(piece) for piece in re.findall(rb" [^ ]*|[^ ]+", text)]
    #: end


def count_pairs(pieces):
    counts = {}
    for piece in pieces:
        counted = None  # the pair one position before, if it was counted
        for pair in zip(piece, piece[1:]):
            #: overlapping-count
            #: right
            if pair == counted:  # a third equal token: overlaps the occurrence before
                counted = None
                continue
            #: end
            counts[pair] = counts.get(pair, 0) + 1
            counted = pair
    return counts


def join(ids, pair, token):
    """Replace every occurrence of the pair, from left to right."""
    joined, i = [], 0
    while i < len(ids):
        here = i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair
        joined.append(token if here else ids[i])
        i += 2 if here else 1
    return joined


def train(text, n_merges):
    pieces = split(text)
    merges = []
    while len(merges) < n_merges:
        counts = count_pairs(pieces)
        #: ties-largest
        #| best = max(counts, key=lambda pair: (counts[pair], pair), default=None)
        #: ties-first-seen
        #| best = max(counts, key=counts.get, default=None)
        #: right
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        #: end
        #: merges-singletons
        #| if best is None:
        #|     break
        #: right
        if best is None or counts[best] < 2:
            break
        #: end
        token = 256 + len(merges)
        merges.append(best)
        pieces = [join(piece, best, token) for piece in pieces]
    return merges


def encode_piece(ids, ranks):
    #: merge-order
    #| i = 0
    #| while i + 1 < len(ids):
    #|     rank = ranks.get((ids[i], ids[i + 1]))
    #|     if rank is None:
    #|         i += 1
    #|     else:
    #|         ids = ids[:i] + [256 + rank] + ids[i + 2 :]
    #|         i = max(i - 1, 0)
    #| return ids
    #: right
    while len(ids) > 1:
        best = min(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        ids = join(ids, best, 256 + ranks[best])
    return ids
    #: end


def encode(text, merges):
    ranks = {tuple(pair): rank for rank, pair in enumerate(merges)}
    #: slow-encode
    #| pieces = split(text)
    #| at = 0
    #| while at < len(pieces):
    #|     ranked = [pair for pair in zip(pieces[at], pieces[at][1:]) if pair in ranks]
    #|     if ranked:
    #|         best = min(ranked, key=ranks.get)
    #|         pieces[at] = join(pieces[at], best, 256 + ranks[best])
    #|     at = 0 if ranked else at + 1
    #| return [token for piece in pieces for token in piece]
    #: right
    return [token for piece in split(text) for token in encode_piece(piece, ranks)]
    #: end


def decode(ids, merges):
    vocabulary = [bytes([i]) for i in range(256)]
    for left, right in merges:
        vocabulary.append(vocabulary[left] + vocabulary[right])
    text = b"".join(vocabulary[i] for i in ids)
    #: lossy-decode
    #| return text.decode("utf-8", errors="replace").encode("utf-8")
    #: right
    return text
    #: end
