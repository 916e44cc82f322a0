import operator

import numpy as np

CALLABLES = {"Batcher": 4}
SERVE, TIME = range(2)
STEPS_PER_CALL, ADMITTING_PER_CALL, TIMED_RUNNING = 16, 1, 8
ENDLESS = 100_000_000  # one block holds ENDLESS
MASK = 2**64 - 1


def whole(value, what):
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError("%s: expected int, got %s" % (what, type(value).__name__)) from None


def added(value):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError("add: expected True or False, got %s" % type(value).__name__)
    return bool(value)


def decided(work):
    """What step() returned, as a list of pairs of int."""
    if isinstance(work, (str, bytes, dict)) or not hasattr(work, "__iter__"):
        raise TypeError("step: expected a list of (request, n_tokens), got %s" % type(work).__name__)
    pairs = []
    for pair in work:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError("step: expected pairs (request, n_tokens), got %r" % (pair,))
        pairs.append((whole(pair[0], "step, request"), whole(pair[1], "step, n_tokens")))
    return pairs


def free_blocks(batcher):
    return clipped(whole(batcher.free_blocks(), "free_blocks"))


def clipped(value):
    return max(-(2**31), min(2**31 - 1, value))


def serve(solution, x):
    index = {int(request): i for i, request in enumerate(x["request"])}
    n_requests, n_steps = len(index), x["n_steps"]
    produced = [0] * n_requests
    accepted = np.zeros(n_requests, np.int32)
    tokens = np.zeros((n_steps, n_requests), np.int32)
    after_step, after_end, strangers, repeated = np.zeros((4, n_steps), np.int32)

    batcher = solution.Batcher(x["n_blocks"], x["block_size"], x["token_budget"], x["max_running"])
    for step in range(n_steps):
        for i in np.flatnonzero(x["arrival"] == step):
            asked = (int(x[name][i]) for name in ("request", "n_prompt", "max_new"))
            accepted[i] = added(batcher.add(*asked))
        now = [0] * n_requests
        for request, n_tokens in decided(batcher.step()):
            i = index.get(request)
            if i is None:
                strangers[step] += 1
            else:
                repeated[step] += now[i] != 0
                now[i] += n_tokens
        tokens[step] = [clipped(n) for n in now]
        after_step[step] = free_blocks(batcher)
        for i in range(n_requests):
            produced[i] += now[i] > 0
            if now[i] > 0 and produced[i] == x["ends_after"][i] < x["max_new"][i]:
                batcher.end(int(x["request"][i]))
        after_end[step] = free_blocks(batcher)
    return {
        "accepted": accepted,
        "tokens": tokens,
        "free_after_step": after_step,
        "free_after_end": after_end,
        "strangers": strangers,
        "repeated": repeated,
    }


# ---- the time of a step, with n requests that wait and up to n that have finished ----


def mixed(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def entry(request, n_tokens):
    return mixed(int(request) * 0x9E3779B97F4A7C15 + int(n_tokens) & MASK)


def digest(work, known={}):
    """The same for any order. Entries of `known` need not be computed."""
    return sum(known.get(tuple(pair)) or entry(*pair) for pair in work)


class Numbers:
    """The requests of one life of a batcher: no two alike."""

    def __init__(self, life):
        self.first, self.n = mixed(life), 0
        self.step = self.first >> 32 | 1

    def __next__(self):
        self.n += 1
        return (self.first + self.step * (self.n - 1)) & 0x7FFFFFFF


class Busy:
    """With n finished, n waiting, and all slots taken for ever: no step admits anybody."""

    def __init__(self, solution, n, series):
        numbers = Numbers(series)
        batcher = solution.Batcher(TIMED_RUNNING, 2 * ENDLESS, 64, TIMED_RUNNING)
        for i in range(n):
            batcher.add(next(numbers), 1, 1)
        for i in range(n // TIMED_RUNNING + 1):
            batcher.step()
        endless = [next(numbers) for _ in range(TIMED_RUNNING)]
        self.entries = {(request, 1): entry(request, 1) for request in endless}
        for request in endless:
            batcher.add(request, 1, ENDLESS)
        batcher.step()
        for i in range(n):
            batcher.add(next(numbers), 1, 4)
        self.step = batcher.step


class Turnover:
    """Every step fills all slots, and all finish in it; n always wait."""

    def __init__(self, solution, n, series):
        self.solution, self.n, self.life = solution, n, series
        self.begin()

    def begin(self):
        self.batcher = self.solution.Batcher(TIMED_RUNNING, 16, 64, TIMED_RUNNING)
        self.life += 1
        self.numbers, self.n_finished = Numbers(self.life), 0
        for i in range(self.n):
            self.add()

    def add(self):
        request = next(self.numbers)
        self.batcher.add(request, 1 + request % TIMED_RUNNING, 1)

    def step(self):
        """One step, and as many added as it admitted. After n have finished it begins anew."""
        if self.n_finished >= self.n:
            self.begin()
        work = list(self.batcher.step())
        for i in range(TIMED_RUNNING):
            self.add()
        self.n_finished += TIMED_RUNNING
        return work


kept = {}  # n: its series and batchers, so that what is timed is steps and little set-up


def time_steps(solution, n, series, calls):
    if n not in kept or kept[n][0] != series:
        kept[n] = series, Busy(solution, n, series), Turnover(solution, n, series)
    _, busy, turnover = kept[n]
    digests = np.zeros(calls, np.uint64)
    for call in range(calls):
        total = 0
        for _ in range(STEPS_PER_CALL):
            total += digest(busy.step(), busy.entries)
        for _ in range(ADMITTING_PER_CALL):
            total += digest(turnover.step())
        digests[call] = total & MASK
    return {"digests": digests.astype(np.int64), "admitting_per_call": ADMITTING_PER_CALL}


def call(solution, x, lane):
    if x["op"] == TIME:
        return time_steps(solution, x["n"], x["series"], x["calls"])
    return serve(solution, {k: v if isinstance(v, int) else np.asarray(v) for k, v in x.items()})
