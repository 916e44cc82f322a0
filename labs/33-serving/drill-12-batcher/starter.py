class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        raise NotImplementedError

    def add(self, request, n_prompt, max_new):
        """A request arrives; request is its number (int). False: it can never run."""
        raise NotImplementedError

    def step(self):
        """Decide one step: a list of (request, n_tokens), each request once, in any order."""
        raise NotImplementedError

    def end(self, request):
        """The model ended a running request before its max_new tokens."""
        raise NotImplementedError

    def free_blocks(self):
        """Blocks that nobody holds now (int)."""
        raise NotImplementedError
