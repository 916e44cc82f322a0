import numpy as np

CALLABLES = {"lora_init": 2, "LoRA": 4}

INIT, START, FORWARD, BACKWARD, STEP, MERGE, MERGE_TWICE, UNMERGE, LIFE = range(9)  # `op`


def copier(lane):
    """now(v): a copy of what v, an attribute or a result, holds at this moment."""

    def now(value):
        if isinstance(value, np.ndarray):
            return value.copy()
        return value.detach().clone() if lane == "torch" and hasattr(value, "detach") else value

    return now


def life(layer, x, now):
    """One layer through many calls, as solve_life() of oracle.c has them."""
    first, other = (x["x"], x["d_y"]), (x["x_other"], x["d_y_other"])
    out = {}

    def put_gradients(when, batch):
        d_x, d_A, d_B = layer.backward(*batch)
        out["d_x" + when], out["d_A" + when], out["d_B" + when] = now(d_x), now(d_A), now(d_B)

    out["y_0"] = now(layer.forward(first[0]))
    put_gradients("_0", other)
    layer.step(*first, x["lr"])
    layer.step(*other, x["lr"])
    out["W_1"], out["A_1"], out["B_1"] = now(layer.W), now(layer.A), now(layer.B)
    out["y_1"] = now(layer.forward(other[0]))
    put_gradients("_1", first)
    layer.merge()
    out["W_1_merged"] = now(layer.W)
    out["y_1_merged"] = now(layer.forward(first[0]))
    layer.unmerge()
    out["W_1_unmerged"] = now(layer.W)
    layer.step(*first, x["lr"])
    out["A_2"], out["B_2"] = now(layer.A), now(layer.B)
    layer.merge()
    out["W_2_merged"] = now(layer.W)
    return out


def call(solution, x, lane):
    op = x["op"]
    now = copier(lane)

    if op == INIT:
        A, B = solution.lora_init(x["draws"], x["n_out"])
        return {"A": A, "B": B}
    if op == START:
        A, B = solution.lora_init(x["draws"], x["W"].shape[0])
        layer = solution.LoRA(x["W"], A, B, x["alpha"])
        y = layer.forward(x["x"])
        layer.step(x["x"], x["d_y"], x["lr"])
        return {"y": y, "W": layer.W, "A": layer.A, "B": layer.B}

    layer = solution.LoRA(x["W"], x["A"], x["B"], x["alpha"])
    if op == FORWARD:
        return {"y": layer.forward(x["x"])}
    if op == BACKWARD:
        d_x, d_A, d_B = layer.backward(x["x"], x["d_y"])
        return {"d_x": d_x, "d_A": d_A, "d_B": d_B}
    if op == STEP:
        layer.step(x["x"], x["d_y"], x["lr"])
        return {"W": layer.W, "A": layer.A, "B": layer.B, "y": layer.forward(x["x"])}

    if op == LIFE:
        return life(layer, x, now)

    out = {}
    if op == UNMERGE:
        layer.unmerge()
        out["W_never_merged"] = now(layer.W)
    layer.merge()
    if op == MERGE:
        out["W_merged"] = now(layer.W)
        out["y_merged"] = layer.forward(x["x"])
        return out
    if op == MERGE_TWICE:
        layer.merge()
        out["W_merged_twice"] = now(layer.W)
    layer.unmerge()
    out["W_unmerged"] = now(layer.W)
    out["y_unmerged"] = layer.forward(x["x"])
    if op == UNMERGE:
        layer.unmerge()
        out["W_unmerged_twice"] = now(layer.W)
    return out
