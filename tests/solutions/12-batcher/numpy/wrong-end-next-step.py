# a request that ended leaves at the next step only
import collections
import math
from dataclasses import dataclass


@dataclass
class Request:
    number: int
    n_prompt: int
    max_new: int
    blocks: int
    n_new: int = 0

    @property
    def finished(self):
        return self.n_new >= self.max_new


class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        assert min(n_blocks, block_size, token_budget, max_running) >= 1
        self.limits = (n_blocks, token_budget, max_running)
        self.block_size = block_size
        self.queue = collections.deque()
        self.batch = []
        self.ended = set()

    def add(self, request, n_prompt, max_new):
        n_blocks, token_budget, _ = self.limits
        blocks = math.ceil((n_prompt + max_new) / self.block_size)
        possible = n_prompt <= token_budget and blocks <= n_blocks
        if possible:
            self.queue.append(Request(request, n_prompt, max_new, blocks))
        return possible

    def fits(self, request, tokens):
        _, token_budget, max_running = self.limits
        return (
            len(self.batch) < max_running
            and tokens + request.n_prompt <= token_budget
            and request.blocks <= self.free_blocks()
        )

    def step(self):
        self.batch = [running for running in self.batch if running.number not in self.ended]
        self.ended.clear()
        work = [(running.number, 1) for running in self.batch]
        tokens = len(work)
        while self.queue and self.fits(self.queue[0], tokens):
            admitted = self.queue.popleft()
            self.batch.append(admitted)
            work.append((admitted.number, admitted.n_prompt))
            tokens += admitted.n_prompt
        for running in self.batch:
            running.n_new += 1
        self.batch = [running for running in self.batch if not running.finished]
        return work

    def end(self, request):
        self.ended.add(request)

    def free_blocks(self):
        return self.limits[0] - sum(running.blocks for running in self.batch)
