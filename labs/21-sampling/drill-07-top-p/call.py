CALLABLES = {"top_p_sample": 5}


def call(solution, x, lane):
    probs, tokens = solution.top_p_sample(
        x["logits"], x["temperature"], x["top_k"], x["top_p"], x["draws"]
    )
    return {"probs": probs, "tokens": tokens}
