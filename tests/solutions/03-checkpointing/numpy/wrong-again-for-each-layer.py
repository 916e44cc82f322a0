# goes from the checkpoint again for each layer: up to k calls of a forward


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
        for i in reversed(range(start, end)):
            a = kept[-1]
            for j in range(start, i):
                a = forward(j, a, seeds[j])
            gradient, d_weight = backward(i, a, seeds[i], gradient)
            d_weights[i] += d_weight
        kept.pop()
    return y, gradient
