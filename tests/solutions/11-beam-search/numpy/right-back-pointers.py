# linked nodes with back pointers, top K of each beam first, a recursive read-out
import numpy as np


class Node:
    def __init__(self, parent, token, total, state, end):
        self.parent, self.token, self.total, self.state = parent, token, total, state
        self.length = parent.length + 1 if parent else 0
        self.finished = parent is not None and token == end

    def tokens(self):
        path, node = [], self
        while node.parent is not None:
            path.append(node.token)
            node = node.parent
        return path[::-1]


def extensions(node, row, new_state, n_beams, end):
    """The node's children that may survive: its n_beams best, in the order of their tokens."""
    best = sorted(range(len(row)), key=lambda token: -row[token])[:n_beams]
    return [Node(node, t, node.total + float(row[t]), new_state, end) for t in sorted(best)]


def beam_search(step, state, start, end, n_beams, max_length, alpha):
    beams = [Node(None, start, 0.0, state, end)]
    for _ in range(max_length):
        candidates = []
        for node in beams:
            if node.finished:
                candidates.append(node)
            else:
                rows, states = step(np.array([node.token]), np.array([node.state]))
                candidates += extensions(node, rows[0], states[0], n_beams, end)
        candidates.sort(key=lambda node: node.total, reverse=True)
        beams = candidates[:n_beams]
        if all(node.finished for node in beams):
            break
    beams.sort(key=lambda node: node.total / node.length**alpha, reverse=True)
    return [(node.tokens(), node.total / node.length**alpha) for node in beams]
