# a step builds the list of those that still wait anew
class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks = n_blocks
        self.block_size = block_size
        self.token_budget = token_budget
        self.max_running = max_running
        self.free = n_blocks
        self.waiting = []
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
        for request, n_prompt, max_new, blocks in list(self.waiting):
            if len(self.running) == self.max_running:
                break
            if tokens + n_prompt > self.token_budget or blocks > self.free:
                break
            self.running[request] = [max_new, blocks]
            self.free -= blocks
            tokens += n_prompt
            work.append((request, n_prompt))
        self.waiting = [entry for entry in self.waiting if entry[0] not in self.running]

        for request, _ in work:
            self.running[request][0] -= 1
            if self.running[request][0] == 0:
                self.end(request)
        return work

    def end(self, request):
        _, blocks = self.running.pop(request)
        self.free += blocks

    def free_blocks(self):
        return self.free
