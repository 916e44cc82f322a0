# a linked queue, and generators that live as long as their request runs
class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks, self.block_size = n_blocks, block_size
        self.token_budget, self.max_running = token_budget, max_running
        self.used = 0
        self.running = {}
        self.head = self.tail = [None, None]  # [request, next]; the head is a dummy

    def add(self, request, n_prompt, max_new):
        blocks, rest = divmod(n_prompt + max_new, self.block_size)
        blocks += rest > 0
        if n_prompt > self.token_budget or blocks > self.n_blocks:
            return False
        node = [(request, n_prompt, max_new, blocks), None]
        self.tail[1] = node
        self.tail = node
        return True

    def _life(self, request, n_prompt, max_new, blocks):
        self.used += blocks
        try:
            yield (request, n_prompt)
            for _ in range(max_new - 1):
                yield (request, 1)
        finally:
            self.used -= blocks

    def step(self):
        lives = dict(self.running)
        tokens = len(lives)
        work = []
        left = {}
        while self.head[1] is not None:
            request, n_prompt, max_new, blocks = self.head[1][0]
            fits = (
                len(lives) < self.max_running
                and tokens + n_prompt <= self.token_budget
                and self.used + blocks <= self.n_blocks
            )
            if not fits:
                break
            self.head = self.head[1]
            life = self._life(request, n_prompt, max_new, blocks)
            work.append(next(life))
            tokens += n_prompt
            lives[request] = life
            left[request] = max_new - 1
        for request, (life, n_left) in self.running.items():
            work.append(next(life))
            left[request] = n_left - 1
            lives[request] = life
        for request in [request for request in left if left[request] == 0]:
            lives.pop(request).close()
        self.running = {request: (lives[request], left[request]) for request in lives}
        return work

    def end(self, request):
        self.running.pop(request)[0].close()

    def free_blocks(self):
        return self.n_blocks - self.used
