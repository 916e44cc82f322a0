CALLABLES = {"lora_init": 2, "LoRA": 4}

INIT, START, FORWARD, BACKWARD, STEP, MERGE, MERGE_TWICE, UNMERGE = range(8)  # `op`, as in oracle.c


def call(solution, x, lane):
    op = x["op"]

    def now(weight):
        """A copy of what an attribute holds at this moment."""
        return weight.copy() if lane == "numpy" else weight.detach().clone()

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
