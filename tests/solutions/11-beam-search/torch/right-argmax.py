# K times argmax: the first of the largest, found with a comparison, then struck out
import torch


def take_first_largest(values):
    index = int((values == values.max()).nonzero()[0])
    return index


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    beams = [dict(tokens=[], sum=torch.zeros((), dtype=torch.float64), done=False)]
    states = state[None]
    steps = 0
    while steps < max_length and not all(b["done"] for b in beams):
        read = torch.tensor([b["tokens"][-1] if b["tokens"] else start for b in beams])
        log_probs, states = step(read, states)
        n, V = log_probs.shape
        pool = torch.full((n, V), -float("inf"), dtype=torch.float64)
        for j, beam in enumerate(beams):
            if beam["done"]:
                pool[j, 0] = beam["sum"]
            else:
                pool[j] = beam["sum"] + log_probs[j].double()
        pool = pool.view(-1)

        new_beams, parents = [], []
        for _ in range(n_beams):
            index = take_first_largest(pool)
            parent, token = divmod(index, V)
            total = pool[index].clone()
            pool[index] = -float("inf")
            old = beams[parent]
            tokens = old["tokens"] if old["done"] else old["tokens"] + [token]
            new_beams.append(dict(tokens=tokens, sum=total, done=tokens[-1] == end))
            parents.append(parent)
        beams = new_beams
        states = states[torch.tensor(parents)]
        steps += 1

    scores = torch.stack([b["sum"] / float(len(b["tokens"])) ** alpha for b in beams])
    result = []
    for _ in beams:
        j = take_first_largest(scores)
        result.append((beams[j]["tokens"], float(scores[j])))
        scores[j] = -float("inf")
    return result
