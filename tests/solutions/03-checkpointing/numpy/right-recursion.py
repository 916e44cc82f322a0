# recursion over the segments: what lies after a segment is done inside the call


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    n_layers = len(d_weights)

    def run(start, x):
        """Layers start .. L-1, forward and backward: returns (y, dx)."""
        if start >= n_layers:
            return x, dy
        end = min(start + every, n_layers)
        seeds = [next_seed() for _ in range(start, end)]
        a = x
        for i in range(start, end):
            a = forward(i, a, seeds[i - start])
        y, gradient = run(end, a)
        del a
        return y, back(start, end, x, seeds, gradient)

    def back(i, end, x, seeds, gradient):
        """Layers i .. end-1: returns the gradient of x."""
        if i + 1 < end:
            gradient = back(i + 1, end, forward(i, x, seeds[0]), seeds[1:], gradient)
        gradient, d_weight = backward(i, x, seeds[0], gradient)
        d_weights[i] += d_weight
        return gradient

    return run(0, x)
