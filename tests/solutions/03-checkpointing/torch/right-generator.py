# a generator per segment: runs forward, stops, and goes on with the gradient sent in


def segment(forward, backward, layers, seeds, x, d_weights):
    a = x
    for i in layers:
        a = forward(i, a, seeds[i])
    gradient = yield a
    del a
    stack = [x]
    for i in layers[:-1]:
        stack += [forward(i, stack[-1], seeds[i])]
    for i in reversed(layers):
        gradient, d_weight = backward(i, stack.pop(), seeds[i], gradient)
        d_weights[i] += d_weight
    yield gradient


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    layers = range(d_weights.shape[0])
    seeds = [next_seed() for _ in layers]
    paused, y = [], x
    for start in layers[::every]:
        paused.append(segment(forward, backward, layers[start:start + every], seeds, y, d_weights))
        y = next(paused[-1])
    dx = dy
    for run in reversed(paused):
        dx = run.send(dx)
    return y, dx
