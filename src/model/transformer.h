/* transformer.h -- the forward and backward pass of GPT-2 and Llama, from one set of blocks.
 *
 *   x = tokens[...] + positions[...]                                     [M,C]   M = B * T
 *   each block:   n1 = norm(x)      qkv = n1 Wqkv'   turned by RoPE
 *                 x2 = x + attention(q, k, v) Wprojection'
 *                 n2 = norm(x2)     x  = x2 + activation(n2 Wup') Wdown'
 *   logits = norm(x) Whead'                                              [M,V]
 *
 * One forward pass serves training and inference: with a `past` the new positions see the old ones.
 * All memory is taken when it is opened, from a plan; a step allocates nothing. The head works
 * through some rows at a time, so logits of a large batch never exist all at once.
 *
 * Promises: the result does not depend on the number of threads. Losses are summed in double, in
 * order. Gradients are added to what is in the buffer.
 * Does not know: text, files, optimizers, how keys and values are stored.
 * Source: Radford et al. 2019; Touvron et al. 2023 (arXiv:2302.13971); dropout as in GPT-2, except
 *         that attention weights are never dropped (they are not kept).
 * Lab: 17 Mini-GPT. Tests: tests/model/transformer_test.c
 */
#ifndef MODEL_TRANSFORMER_H
#define MODEL_TRANSFORMER_H

#include <stdint.h>

#include "model/parameters.h"
#include "model/past.h"

enum transformer_use { TRANSFORMER_INFERS, TRANSFORMER_LEARNS };

/* What matrix products multiply; they add in f32 either way. With bf16, weights are rounded to a
 * copy at the start of transformer_learn() and transformer_loss() (the parameters stay f32, and are
 * what is updated), what flows through is rounded on the way, and everything else is f32. */
enum transformer_numbers { TRANSFORMER_F32, TRANSFORMER_BF16, TRANSFORMER_NUMBERS_COUNT };
extern const char *const transformer_numbers_names[]; /* "f32", "bf16"; ends with NULL */

struct transformer;

/* Memory besides the parameters for `M` tokens at once, in bytes. */
size_t transformer_bytes(const struct model_config *config, int M, enum transformer_use use);

/* The parameters are borrowed, and may change between calls; so is the pool (NULL: one thread).
 * STATUS_LIMIT when the machine has no such memory, STATUS_USAGE for RoPE values without sense. */
MUST_CHECK enum status transformer_open(struct transformer **out,
                                        const struct parameters *parameters, int M,
                                        enum transformer_use use, struct pool *pool,
                                        struct error *err);
void transformer_close(struct transformer *transformer); /* harmless on NULL */

/* Choose the numbers, before the first pass; f32 without a call. STATUS_LIMIT without the memory
 * for the rounded copy. With bf16, transformer_forward() by itself is not to be called. */
MUST_CHECK enum status transformer_choose(struct transformer *transformer,
                                          enum transformer_numbers numbers, struct error *err);

/* tokens [B,T], each in 0..V-1; B * T at most M. `past` or NULL: none. Positions past->n + T must
 * be at most the context. */
void transformer_forward(struct transformer *transformer, const int32_t *tokens, int B, int T,
                         struct past *past);

/* The logits [n,V] of n rows of the last forward pass, row b * T + t; at most
 * transformer_rows(). They stay until the next call. */
const float *transformer_logits(struct transformer *transformer, int first, int n);
int transformer_rows(const struct transformer *transformer);

/* Forward, then the losses of all rows; targets [B,T] in -1..V-1, -1 is left out (loss 0). `losses`
 * [B,T] is written, or NULL. Returns the sum. */
double transformer_loss(struct transformer *transformer, const int32_t *tokens,
                        const int32_t *targets, int B, int T, float *losses);

/* Which numbers dropout draws: of this seed, for this step. Without a call, or with dropout 0,
 * nothing is dropped; transformer_loss() and transformer_forward() never drop. */
struct transformer_dropout {
    float rate;
    uint64_t seed, step;
};

/* Forward, losses, backward: d(scale * sum of losses)/d(parameters) is added to `gradients`, a buffer
 * of parameters->count. Returns the sum of the losses. Opened with TRANSFORMER_LEARNS only. */
double transformer_learn(struct transformer *transformer, const int32_t *tokens,
                         const int32_t *targets, int B, int T, float scale, float *gradients,
                         const struct transformer_dropout *dropout);

/* What the last pass left, to look at: mean square of the residual stream behind each block,
 * out [L + 1] (0: the embedding). With TRANSFORMER_LEARNS only. */
void transformer_residual_rms(const struct transformer *transformer, float *out);

#endif
