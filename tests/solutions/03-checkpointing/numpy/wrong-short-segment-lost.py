# L // k segments: the shorter last one is left out


class Segment:
    def __init__(self, functions, layers, x):
        self.forward, self.backward, self.next_seed = functions
        self.layers = layers
        self.x = x
        self.seeds = {}

    def first_pass(self):
        a = self.x
        for i in self.layers:
            self.seeds[i] = self.next_seed()
            a = self.forward(i, a, self.seeds[i])
        return a

    def second_pass(self, dy, d_weights):
        # The last layer's output is not needed again.
        inputs = {self.layers[0]: self.x}
        for i in self.layers[:-1]:
            inputs[i + 1] = self.forward(i, inputs[i], self.seeds[i])
        for i in self.layers[::-1]:
            dy, d_weight = self.backward(i, inputs[i], self.seeds[i], dy)
            d_weights[i] += d_weight
        return dy


def checkpointing(forward, backward, next_seed, x, dy, d_weights, every):
    layers = range(len(d_weights))
    segments = []
    y = x
    for start in layers[:max(1, len(layers) // every) * every:every]:
        segment = Segment((forward, backward, next_seed), layers[start:start + every], y)
        y = segment.first_pass()
        segments.append(segment)
    while segments:
        dy = segments.pop().second_pass(dy, d_weights)
    return y, dy
