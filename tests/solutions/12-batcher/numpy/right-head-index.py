# parallel lists with a moving head for the queue, swap-remove for the running; verbose checks
class Batcher:
    COMPACT_AT = 1024

    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks = int(n_blocks)
        self.block_size = int(block_size)
        self.token_budget = int(token_budget)
        self.max_running = int(max_running)
        self.blocks_in_use = 0
        self.queue = []
        self.head = 0
        self.numbers = []
        self.tokens_left = []
        self.blocks = []

    def add(self, request, n_prompt, max_new):
        total = n_prompt + max_new
        blocks = 1 + (total - 1) // self.block_size
        if blocks > self.n_blocks:
            return False
        if n_prompt > self.token_budget:
            return False
        self.queue.append((request, n_prompt, max_new, blocks))
        return True

    def _next_that_fits(self, tokens):
        if self.head == len(self.queue):
            return None
        if len(self.numbers) >= self.max_running:
            return None
        candidate = self.queue[self.head]
        if tokens + candidate[1] > self.token_budget:
            return None
        if self.blocks_in_use + candidate[3] > self.n_blocks:
            return None
        self.queue[self.head] = None
        self.head += 1
        if self.head >= self.COMPACT_AT and 2 * self.head >= len(self.queue):
            del self.queue[: self.head]
            self.head = 0
        return candidate

    def _remove(self, place):
        self.blocks_in_use -= self.blocks[place]
        for column in (self.numbers, self.tokens_left, self.blocks):
            column[place] = column[-1]
            column.pop()

    def step(self):
        work = []
        for number in self.numbers:
            work.append((number, 1))
        tokens = len(work)
        admitted = self._next_that_fits(tokens)
        while admitted is not None:
            number, n_prompt, max_new, blocks = admitted
            self.numbers.append(number)
            self.tokens_left.append(max_new)
            self.blocks.append(blocks)
            self.blocks_in_use += blocks
            work.append((number, n_prompt))
            tokens += n_prompt
            admitted = self._next_that_fits(tokens)
        for place in range(len(self.numbers) - 1, -1, -1):
            self.tokens_left[place] -= 1
            if self.tokens_left[place] == 0:
                self._remove(place)
        return work

    def end(self, request):
        self._remove(self.numbers.index(request))

    def free_blocks(self):
        return self.n_blocks - self.blocks_in_use
