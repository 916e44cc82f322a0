CALLABLES = {"attention": 5}  # what the solution must define, and its number of arguments


def call(solution, x, lane):
    return {"out": solution.attention(x["q"], x["k"], x["v"], bool(x["causal"]), x["key_mask"])}
