from collections import deque
from dataclasses import dataclass


@dataclass(eq=False)
class Request:
    number: int
    n_prompt: int
    n_blocks: int  # held from its admission to its end
    left: int  # new tokens still to come


class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks, self.block_size = n_blocks, block_size
        self.token_budget, self.max_running = token_budget, max_running
        self.n_free = n_blocks
        self.waiting = deque()
        self.running = []

    def add(self, request, n_prompt, max_new):
        #: block-rounding
        #| n_blocks = (n_prompt + max_new) // self.block_size
        #: right
        n_blocks = -(-(n_prompt + max_new) // self.block_size)
        #: end
        #: impossible-queued
        #: right
        if n_prompt > self.token_budget or n_blocks > self.n_blocks:
            return False
        #: end
        self.waiting.append(Request(request, n_prompt, n_blocks, max_new))
        return True

    def advance(self, request, n_tokens):
        """The model works on n_tokens of the request and produces one."""
        request.left -= 1
        return request.number, n_tokens

    def admit(self, n_left):
        """Admit from the queue while its head fits into n_left tokens."""
        work, at = [], 0
        #: static-batch
        #| if self.running:
        #|     return work
        #: right
        #: end
        #: slow-step
        #| self.waiting = deque(request for request in self.waiting if request.left > 0)
        #: right
        #: end
        while at < len(self.waiting) and len(self.running) < self.max_running:
            request = self.waiting[at]
            #: budget-by-one
            #| fits = request.n_prompt <= n_left + 1 and request.n_blocks <= self.n_free
            #: right
            fits = request.n_prompt <= n_left and request.n_blocks <= self.n_free
            #: end
            if not fits:
                #: starvation
                #| at += 1
                #| continue
                #: right
                break
                #: end
            del self.waiting[at]
            self.running.append(request)
            self.n_free -= request.n_blocks
            n_left -= request.n_prompt
            work.append(self.advance(request, request.n_prompt))
        return work

    def step(self):
        old = list(self.running)
        #: head-of-line-blocking
        #| work = self.admit(self.token_budget)
        #| n_left = self.token_budget - sum(n_tokens for _, n_tokens in work)
        #| work += [self.advance(request, 1) for request in old[: max(0, n_left)]]
        #: right
        work = [self.advance(request, 1) for request in old]
        work += self.admit(self.token_budget - len(work))
        #: end
        for request in [request for request in self.running if request.left <= 0]:
            self.n_free += request.n_blocks
            #: finished-slot-kept
            #| request.n_blocks = 0
            #: right
            self.running.remove(request)
            #: end
        return work

    def end(self, request):
        ended = next(r for r in self.running if r.number == request)
        #: block-leak
        #: right
        self.n_free += ended.n_blocks
        #: end
        self.running.remove(ended)

    def free_blocks(self):
        return self.n_free
