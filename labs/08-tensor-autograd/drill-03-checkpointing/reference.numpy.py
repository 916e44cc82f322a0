def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    L = len(d_weights)
    #: everything-stored
    #| every = 1
    #: right
    #: end
    seeds, kept, y = [], [], x
    for i in range(L):
        #: border-off-by-one
        #: right
        if i % every == 0:
            kept.append(y)
        #: end
        seeds.append(next_seed())
        y = forward(i, y, seeds[i])
        #: border-off-by-one
        #| if i % every == 0:
        #|     kept.append(y)
        #: right
        #: end

    dx = dy
    for first in reversed(range(0, L, every)):
        last = min(first + every, L)
        #: input-gradient-lost
        #| dx = dy
        #: right
        #: end
        #: another-seed
        #| seeds[first:last] = [next_seed() for _ in range(first, last)]
        #: right
        #: end
        inputs = [kept.pop()]
        for i in range(first, last - 1):
            inputs.append(forward(i, inputs[-1], seeds[i]))
        for i in reversed(range(first, last)):
            dx, d_weight = backward(i, inputs.pop(), seeds[i], dx)
            #: not-accumulated
            #| d_weights[i] = d_weight
            #: right
            d_weights[i] += d_weight
            #: end
    return y, dx
