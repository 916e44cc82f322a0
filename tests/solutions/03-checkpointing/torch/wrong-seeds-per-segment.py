# each pass over a segment draws the segment's seeds anew


def segment(forward, backward, layers, next_seed, x, d_weights):
    a = x
    for i in layers:
        a = forward(i, a, next_seed())
    gradient = yield a
    del a
    stack = [x]
    seeds = {i: next_seed() for i in layers}
    for i in layers[:-1]:
        stack += [forward(i, stack[-1], seeds[i])]
    for i in reversed(layers):
        gradient, d_weight = backward(i, stack.pop(), seeds[i], gradient)
        d_weights[i] += d_weight
    yield gradient


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    layers = range(d_weights.shape[0])
    paused, y = [], x
    for start in layers[::every]:
        part = layers[start:start + every]
        paused.append(segment(forward, backward, part, next_seed, y, d_weights))
        y = next(paused[-1])
    dx = dy
    for run in reversed(paused):
        dx = run.send(dx)
    return y, dx
