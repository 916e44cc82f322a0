# the running ones finish before the admission: their room is used in the same step
from collections import deque


class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks = n_blocks
        self.block_size = block_size
        self.token_budget = token_budget
        self.max_running = max_running
        self.free = n_blocks
        self.waiting = deque()
        self.running = {}  # request -> [tokens left, blocks]

    def add(self, request, n_prompt, max_new):
        blocks = -(-(n_prompt + max_new) // self.block_size)
        if n_prompt > self.token_budget or blocks > self.n_blocks:
            return False
        self.waiting.append((request, n_prompt, max_new, blocks))
        return True

    def step(self):
        work = [(request, 1) for request in self.running]
        tokens = len(work)
        admitted = []
        for request, _ in work:
            self._count(request)
        while self.waiting and len(self.running) < self.max_running:
            request, n_prompt, max_new, blocks = self.waiting[0]
            if tokens + n_prompt > self.token_budget or blocks > self.free:
                break
            self.waiting.popleft()
            self.running[request] = [max_new, blocks]
            self.free -= blocks
            tokens += n_prompt
            work.append((request, n_prompt))
            admitted.append(request)
        for request in admitted:
            self._count(request)
        return work

    def _count(self, request):
        self.running[request][0] -= 1
        if self.running[request][0] == 0:
            self.end(request)

    def end(self, request):
        _, blocks = self.running.pop(request)
        self.free += blocks

    def free_blocks(self):
        return self.free
