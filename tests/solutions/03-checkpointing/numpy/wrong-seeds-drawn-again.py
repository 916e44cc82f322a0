# the second forward draws new seeds


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
    for start in reversed(range(0, n_layers, every)):
        end = min(start + every, n_layers)
        inputs = [kept.pop()]
        for i in range(start, end - 1):
            seeds[i] = next_seed()
            inputs.append(forward(i, inputs[-1], seeds[i]))
        for i in reversed(range(start, end)):
            gradient, d_weight = backward(i, inputs.pop(), seeds[i], gradient)
            d_weights[i] += d_weight
    return y, gradient
