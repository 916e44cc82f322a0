CALLABLES = {"rope": 4}


def call(solution, x, lane):
    layout = "half-split" if x["half_split"] else "interleaved"
    turned = solution.rope(x["qkv"], x["offset"], x["base"], layout)
    if not isinstance(turned, (tuple, list)) or len(turned) != 3:
        raise TypeError("rope must return three arrays: q, k, v")
    return dict(zip("qkv", turned))
