# a calendar: each admitted request is entered under the step in which it will finish
from collections import defaultdict, deque


class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.free, self.total = n_blocks, n_blocks
        self.block_size, self.budget, self.slots = block_size, token_budget, max_running
        self.now = 0
        self.waiting = deque()
        self.blocks_of = {}
        self.last_step_of = {}
        self.calendar = defaultdict(set)

    def _blocks(self, n_prompt, max_new):
        return (n_prompt + max_new + self.block_size - 1) // self.block_size

    def add(self, request, n_prompt, max_new):
        if n_prompt > self.budget:
            return False
        if self._blocks(n_prompt, max_new) > self.total:
            return False
        self.waiting.append((request, n_prompt, max_new))
        return True

    def step(self):
        self.now += 1
        work = list(zip(self.blocks_of, [1] * len(self.blocks_of)))
        left = self.budget - len(work)
        while self.waiting:
            request, n_prompt, max_new = self.waiting.popleft()
            blocks = self._blocks(n_prompt, max_new)
            if len(self.blocks_of) == self.slots or n_prompt > left or blocks > self.free:
                self.waiting.appendleft((request, n_prompt, max_new))
                break
            left -= n_prompt
            self.free -= blocks
            self.blocks_of[request] = blocks
            self.last_step_of[request] = self.now + max_new - 1
            self.calendar[self.now + max_new - 1].add(request)
            work.append((request, n_prompt))
        for request in self.calendar.pop(self.now, ()):
            del self.last_step_of[request]
            self.free += self.blocks_of.pop(request)
        return work[::-1]

    def end(self, request):
        last = self.last_step_of.pop(request)
        self.calendar[last].remove(request)
        if not self.calendar[last]:
            del self.calendar[last]
        self.free += self.blocks_of.pop(request)

    def free_blocks(self):
        return self.free
