# computes the inputs of all segments again before it goes backward


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n_layers = len(d_weights)
    seeds = [next_seed() for _ in range(n_layers)]

    kept = []
    a = x
    for i in range(n_layers):
        if i % every == 0:
            kept.append(a)
        a = forward(i, a, seeds[i])
    y = a

    gradient = dy
    inputs = {i * every: a for i, a in enumerate(kept)}
    for start in reversed(range(0, n_layers, every)):
        end = min(start + every, n_layers)
        for i in range(start, end - 1):
            inputs[i + 1] = forward(i, inputs[i], seeds[i])
    for i in reversed(range(n_layers)):
        gradient, d_weight = backward(i, inputs.pop(i), seeds[i], gradient)
        d_weights[i] += d_weight
    return y, gradient
