# topk, which promises no order for ties
import torch


@torch.no_grad()
def beam_search(step, state, start, end, n_beams, max_length, alpha):
    sequences = torch.empty(1, 0, dtype=torch.long)
    lengths = torch.zeros(1, dtype=torch.long)
    sums = torch.zeros(1)
    finished = torch.zeros(1, dtype=torch.bool)
    last = torch.tensor([start])
    states = state.unsqueeze(0).clone()

    for _ in range(max_length):
        log_probs, states = step(last, states)
        V = log_probs.size(1)
        stay = torch.full((V,), float("-inf"))
        stay[end] = 0.0
        totals = sums[:, None] + torch.where(finished[:, None], stay, log_probs)
        sums, order = totals.flatten().topk(n_beams)
        parents = torch.div(order, V, rounding_mode="floor")
        last = order % V
        sequences = torch.cat([sequences[parents], last[:, None]], dim=1)
        lengths = lengths[parents] + (~finished[parents]).long()
        states = states[parents]
        finished = last == end
        if bool(finished.all()):
            break

    scores = sums.double() / lengths.double().pow(alpha)
    order = torch.sort(scores, dim=0, descending=True, stable=True).indices.tolist()
    return [(sequences[j, : lengths[j]].tolist(), scores[j].item()) for j in order]
