# keeps every activation: no checkpointing at all


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n_layers = len(d_weights)
    seeds = [next_seed() for _ in range(n_layers)]

    kept = []
    a = x
    for i in range(n_layers):
        kept.append(a)
        a = forward(i, a, seeds[i])
    y = a

    gradient = dy
    for i in reversed(range(n_layers)):
        gradient, d_weight = backward(i, kept.pop(), seeds[i], gradient)
        d_weights[i] += d_weight
    return y, gradient
