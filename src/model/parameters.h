/* parameters.h -- all weights of a model in one allocation, with a table of what lies where.
 *
 *   data   [wte | wpe | h.0.ln_1.weight | h.0.ln_1.bias | h.0.attn.c_attn.weight | ... ]
 *
 * Matrices are [out,in] in memory. Names are those of the field: GPT-2's (whose files hold some
 * matrices as [in,out]: `file_transposed`) or Llama's. Query, key and value rows lie one behind the
 * other, gate and up rows too, so that one product serves them, whatever they are called.
 *
 * Gradients, moments and averages are buffers of the same `count` in the same order (pages_new()).
 *
 * Promises: the table is a function of the config alone; offsets ascend without holes.
 * Does not know: files, optimizers. Tests: tests/model/parameters_test.c
 */
#ifndef MODEL_PARAMETERS_H
#define MODEL_PARAMETERS_H

#include "base/pool.h"
#include "model/config.h"

enum { PARAMETER_NAME_LIMIT = 63 };

enum parameter_kind {
    PARAMETER_EMBEDDING,  /* a table of rows */
    PARAMETER_MATRIX,     /* of a linear layer */
    PARAMETER_PROJECTION, /* a matrix that writes into the residual stream */
    PARAMETER_GAIN,       /* of a norm; starts at 1 */
    PARAMETER_BIAS,       /* starts at 0 */
};

struct parameter {
    char name[PARAMETER_NAME_LIMIT + 1];
    enum parameter_kind kind;
    int layer;         /* -1: outside the blocks */
    int ndim;          /* 1 or 2 */
    int rows, columns; /* in memory; one dimension: rows 1 */
    bool file_transposed;
    size_t offset, count; /* in numbers */
};

/* Where the parts of one block lie, as offsets into `data`. NONE: it has no such part. */
#define PARAMETER_NONE ((size_t)-1)
struct block_offsets {
    size_t norm_1, norm_1_bias, qkv, qkv_bias, projection, projection_bias;
    size_t norm_2, norm_2_bias, up, up_bias, down, down_bias;
};

struct parameters {
    struct model_config config;
    struct parameter *table;
    int n;
    struct block_offsets *blocks; /* [L] */
    size_t tokens, positions, norm, norm_bias, head;
    size_t count;
    float *data; /* [count]; NULL after parameters_plan() */
};

/* The table without the data: for counting, planning and files. The config must be checked. */
void parameters_plan(struct parameters *parameters, const struct model_config *config);

/* The table and zeroed data. STATUS_LIMIT when the machine has no such memory. */
MUST_CHECK enum status parameters_init(struct parameters *parameters,
                                       const struct model_config *config, struct error *err);
void parameters_done(struct parameters *parameters);

/* Random values as GPT-2 begins: normal, deviation 0.02, residual projections 0.02 / sqrt(2L).
 * Each number depends on the seed and its place only. */
void parameters_randomize(struct parameters *parameters, uint64_t seed, struct pool *pool);

/* NULL when there is no such name. */
const struct parameter *parameters_find(const struct parameters *parameters, const char *name);

#endif
