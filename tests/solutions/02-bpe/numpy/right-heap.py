# A class with a linked list and a heap for encode; named pairs come out of train.
import heapq
from collections import Counter, namedtuple

Merge = namedtuple("Merge", "left right")


class Chain:
    """A doubly linked list of the tokens of one pre-token."""

    def __init__(self, tokens):
        n = len(tokens)
        self.token = list(tokens)
        self.after = list(range(1, n)) + [None]
        self.before = [None] + list(range(n - 1))

    def pair(self, i):
        if self.token[i] is None or self.after[i] is None:
            return None
        return self.token[i], self.token[self.after[i]]

    def join(self, i, new):
        gone = self.after[i]
        self.token[i], self.token[gone] = new, None
        self.after[i] = self.after[gone]
        if self.after[i] is not None:
            self.before[self.after[i]] = i

    def tokens(self):
        return [token for token in self.token if token is not None]


def split(text):
    first, *rest = text.split(b" ")
    return ([first] if first else []) + [b" " + word for word in rest]


def encode_word(word, number):
    chain = Chain(word)
    heap = []

    def offer(i):
        pair = None if i is None else chain.pair(i)
        if pair in number:
            heapq.heappush(heap, (number[pair], i))

    for i in range(len(word)):
        offer(i)
    while heap:
        n, i = heapq.heappop(heap)
        if number.get(chain.pair(i)) != n:
            continue
        chain.join(i, 256 + n)
        offer(chain.before[i])
        offer(i)
    return chain.tokens()


def encode(text, merges):
    number = {tuple(pair): n for n, pair in enumerate(merges)}
    out = []
    for word in split(text):
        out += encode_word(word, number)
    return out


def train(text, n_merges):
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        at = 0
        number = {tuple(pair): n for n, pair in enumerate(merges)}
        for word in split(text):
            tokens = encode_word(word, number)
            free = 0
            for i in range(len(tokens) - 1):
                if tokens[i] == tokens[i + 1]:
                    if i < free:
                        continue
                    free = i + 2
                counts[Merge(tokens[i], tokens[i + 1])] += 1
            at += len(word)
        assert at == len(text)
        top = max(counts.values(), default=0)
        if top < 2:
            break
        merges.append(min(pair for pair, n in counts.items() if n == top))
    return merges


def decode(ids, merges):
    def walk(token):
        todo = [token]
        while todo:
            token = todo.pop()
            if token >= 256:
                todo.extend(reversed(merges[token - 256]))
            else:
                yield token

    return bytes(byte for token in ids for byte in walk(token))
