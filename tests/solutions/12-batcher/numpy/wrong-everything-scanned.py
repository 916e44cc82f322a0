# one list of all requests with a state each: a step looks at those that wait and have finished
class Batcher:
    def __init__(self, n_blocks, block_size, token_budget, max_running):
        self.n_blocks, self.block_size = n_blocks, block_size
        self.token_budget, self.max_running = token_budget, max_running
        self.requests = []

    def add(self, request, n_prompt, max_new):
        blocks = -(-(n_prompt + max_new) // self.block_size)
        if n_prompt > self.token_budget or blocks > self.n_blocks:
            return False
        self.requests.append(
            dict(number=request, prompt=n_prompt, left=max_new, blocks=blocks, state="waits")
        )
        return True

    def step(self):
        running = [r for r in self.requests if r["state"] == "runs"]
        work = [(r["number"], 1) for r in running]
        tokens = len(running)
        free = self.free_blocks()
        for r in self.requests:
            if r["state"] != "waits":
                continue
            if (
                len(running) == self.max_running
                or tokens + r["prompt"] > self.token_budget
                or r["blocks"] > free
            ):
                break
            r["state"] = "runs"
            running.append(r)
            work.append((r["number"], r["prompt"]))
            tokens += r["prompt"]
            free -= r["blocks"]
        for r in running:
            r["left"] -= 1
            if r["left"] == 0:
                r["state"] = "finished"
        return work

    def end(self, request):
        for r in self.requests:
            if r["number"] == request:
                r["state"] = "finished"

    def free_blocks(self):
        return self.n_blocks - sum(r["blocks"] for r in self.requests if r["state"] == "runs")
