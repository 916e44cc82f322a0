# finished beams come after all extended ones: ties fall the other way
import torch


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    beams = [([], 0.0, state)]

    def is_finished(tokens):
        return bool(tokens) and tokens[-1] == end

    for _ in range(max_length):
        rows = [j for j, (tokens, _, _) in enumerate(beams) if not is_finished(tokens)]
        if not rows:
            break
        read = torch.tensor([(beams[j][0] or [start])[-1] for j in rows])
        log_probs, states = step(read, torch.stack([beams[j][2] for j in rows]))
        log_probs = dict(zip(rows, log_probs.tolist()))
        states = dict(zip(rows, states))

        finished = [tokens for tokens, _, _ in beams if is_finished(tokens)]
        candidates = []
        for j, (tokens, total, old_state) in enumerate(beams):
            if j in states:
                for token, log_prob in enumerate(log_probs[j]):
                    candidates.append((tokens + [token], total + log_prob, states[j]))
            else:
                candidates.append((tokens, total, old_state))
        candidates.sort(key=lambda c: is_finished(c[0]) and c[0] in finished)
        beams = sorted(candidates, key=lambda c: c[1], reverse=True)[:n_beams]

    hypotheses = [(tokens, total / len(tokens) ** alpha) for tokens, total, _ in beams]
    return sorted(hypotheses, key=lambda h: h[1], reverse=True)
