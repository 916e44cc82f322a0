# one table of activations; the last segment is kept whole, so it is not computed again


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n = len(d_weights)
    last = (n - 1) // every * every
    seeds, table = [], {0: x}
    for i in range(n):
        seeds.append(next_seed())
        table[i + 1] = forward(i, table[i], seeds[i])
        if i < last and i % every:
            del table[i]
    y = table.pop(n)
    for i in range(n - 1, -1, -1):
        if i not in table:
            for j in range(i // every * every, i):
                table[j + 1] = forward(j, table[j], seeds[j])
        dy, d_weight = backward(i, table.pop(i), seeds[i], dy)
        d_weights[i] += d_weight
    return y, dy
