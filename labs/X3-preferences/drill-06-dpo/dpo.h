/* dpo.h -- the functions to implement. */
#ifndef DPO_H
#define DPO_H

/* P pairs. Row p of every array is the chosen reply of pair p, row P + p the rejected one.
 * All buffers, those of the results too, belong to the caller, are row-major and do not overlap. */
struct dpo_batch {
    const float *policy;      /* [2*P,T,V]  logits of the model in training */
    const float *reference;   /* [2*P,T,V]  logits of the frozen model */
    const int *tokens;        /* [2*P,T]    prompt, reply, padding */
    const int *prompt_length; /* [2*P]      tokens of the prompt, at least 1 */
    const int *length;        /* [2*P]      tokens of prompt and reply; the rest is padding */
    float beta;
    int P, T, V;
};

/* loss is one number, the rewards are [P]; all are written. */
void dpo_forward(float *loss, float *chosen_reward, float *rejected_reward,
                 const struct dpo_batch *batch);

/* The gradient of the loss that reaches each model's logits, [2*P,T,V]; both are written. */
void dpo_backward(float *d_policy, float *d_reference, const struct dpo_batch *batch);

#endif
