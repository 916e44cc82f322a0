CALLABLES = {"dpo_forward": 6, "dpo_backward": 6}

ARGUMENTS = ["policy", "reference", "tokens", "prompt_length", "length", "beta"]


def call(solution, x, lane):
    arguments = [x[name] for name in ARGUMENTS]
    if x["op"] == 0:  # 0: forward, 1: backward, as in oracle.c
        loss, chosen, rejected = solution.dpo_forward(*arguments)
        return {"loss": loss, "chosen_reward": chosen, "rejected_reward": rejected}
    d_policy, d_reference = solution.dpo_backward(*arguments)
    if d_reference is None:  # the task allows it: no gradient is a gradient of zero
        d_reference = 0 * x["policy"]
    return {"d_policy": d_policy, "d_reference": d_reference}
