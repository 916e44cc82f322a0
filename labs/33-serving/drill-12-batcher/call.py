import operator

import numpy as np

CALLABLES = {"Batcher": 4}
SERVE, TIME = range(2)
STEPS_PER_CALL, ADMITTING_PER_CALL, TIMED_RUNNING = 16, 1, 8
ENDLESS = 100_000_000  # one block holds ENDLESS


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


def busy_batcher(solution, n):
    """With n finished, n waiting, and all slots taken for ever: no step admits anybody."""
    batcher = solution.Batcher(TIMED_RUNNING, 2 * ENDLESS, 64, TIMED_RUNNING)
    for i in range(n):
        batcher.add(i, 1, 1)
    for i in range(n // TIMED_RUNNING + 1):
        batcher.step()
    for i in range(TIMED_RUNNING):
        batcher.add(n + i, 1, ENDLESS)
    batcher.step()
    for i in range(n):
        batcher.add(n + TIMED_RUNNING + i, 1, 4)
    return batcher


class Turnover:
    """Every step fills all slots, and all finish in it; n always wait."""

    def __init__(self, solution, n):
        self.solution, self.n = solution, n
        self.begin()

    def begin(self):
        self.batcher = self.solution.Batcher(TIMED_RUNNING, 2, 64, TIMED_RUNNING)
        for i in range(self.n):
            self.batcher.add(i, 1, 1)
        self.number, self.n_finished = self.n, 0

    def step(self):
        """One step, and as many added as it admitted. After n have finished it begins anew."""
        if self.n_finished >= self.n:
            self.begin()
        work = list(self.batcher.step())
        for i in range(TIMED_RUNNING):
            self.batcher.add(self.number + i, 1, 1)
        self.number += TIMED_RUNNING
        self.n_finished += TIMED_RUNNING
        return work


kept = {}  # n: its batchers, so that what is timed is steps and little set-up


def time_steps(solution, n, calls):
    if n not in kept:
        kept.clear()
        kept[n] = busy_batcher(solution, n), Turnover(solution, n)
    busy, turnover = kept[n]
    n_tokens = 0
    for _ in range(calls):
        for _ in range(STEPS_PER_CALL):
            n_tokens += len(list(busy.step()))
        for _ in range(ADMITTING_PER_CALL):
            n_tokens += len(turnover.step())
    return {"n_tokens": n_tokens}


def call(solution, x, lane):
    if x["op"] == TIME:
        return time_steps(solution, x["n"], x["calls"])
    return serve(solution, {k: v if isinstance(v, int) else np.asarray(v) for k, v in x.items()})
