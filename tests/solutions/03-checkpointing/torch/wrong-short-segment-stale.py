# a shorter last segment finds no place k - 1, so its inputs are those never computed
import torch


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n_layers = len(d_weights)
    every = min(every, n_layers)
    n_segments = -(-n_layers // every)
    seeds = []
    kept = x.new_empty((n_segments, *x.shape))
    inner = x.new_zeros((every, *x.shape))

    a = x
    for i in range(n_layers):
        number, place = divmod(i, every)
        if place == 0:
            kept[number].copy_(a)
        seeds.append(next_seed())
        a = forward(i, a, seeds[-1])

    gradient = dy.clone()
    for i in range(n_layers - 1, -1, -1):
        number, place = divmod(i, every)
        if place == every - 1:
            inner[0] = kept[number]
            for j in range(every - 1):
                inner[j + 1] = forward(number * every + j, inner[j], seeds[number * every + j])
        gradient, d_weight = backward(i, inner[place].clone(), seeds[i], gradient)
        torch.add(d_weights[i], d_weight, out=d_weights[i])
    return a, gradient
