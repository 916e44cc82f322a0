# Style: log-probabilities and masked_fill in the vocabulary's order, ranks by a double argsort.
import torch

NEVER = float("-inf")


def top_p_sample(logits, temperature, top_k, top_p, draws):
    V = logits.size(-1)
    order = (-logits).sort(dim=-1, stable=True).indices
    rank = order.argsort(dim=-1)
    if temperature == 0:
        keep = rank < 1
        probs = keep.to(logits.dtype)
    else:
        top = logits.amax(-1, keepdim=True)
        keep = rank < min(top_k or V, V)
        scores = ((logits - top) / temperature).masked_fill(~keep, NEVER)
        logp = scores.log_softmax(-1)
        if top_p < 1:
            reached = logp.exp().gather(-1, order).cumsum(-1)
            # How many tokens stand short of top_p; the next one reaches it.
            short = (reached < top_p).sum(-1, keepdim=True)
            keep &= rank <= short
            logp = logp.masked_fill(~keep, NEVER)
            logp = logp - logp.logsumexp(-1, keepdim=True)
        probs = logp.exp()
    total = probs.cumsum(-1)
    passed = total > draws.view(-1, 1)
    # Where nothing passes, the last kept token is allowed to.
    fallback = (keep.long().cumsum(-1) == keep.sum(-1, keepdim=True)) & keep
    passed = torch.where(passed.any(-1, keepdim=True), passed, fallback)
    return probs, passed.int().argmax(-1)
