/* shape.h -- the models and GPUs that a plan may name, from tables with sources.
 *
 *   content/tables/models.yaml  <──  models.yaml in the user's data folder
 *   content/tables/gpus.yaml    <──  gpus.yaml     a row of the same name replaces the keys it gives,
 *                                                  any other name adds a row
 *
 * Memory and rates are SI (80 GB is 80e9 bytes), FLOP/s are dense (no sparsity). A price is an
 * assumption and its row says so.
 *
 * Promises: every row has a source; a wrong or missing value is an error with file and line.
 * Does not know: what is done with the figures.
 * Tests: tests/plan/shape_test.c
 */
#ifndef PLAN_SHAPE_H
#define PLAN_SHAPE_H

#include "base/error.h"

struct model_shape {
    char *name, *source;
    double layers, d_model, heads, kv_heads, head_dim, ffn, vocab;
    double parameters;            /* all of them, embeddings included */
    double active;                /* that a token passes; equal to parameters when dense */
    double experts, experts_used; /* of a mixture; 0 when dense */
};

struct gpu_shape {
    char *name, *source;
    double memory;       /* bytes */
    double bandwidth;    /* bytes/s */
    double bf16, fp8;    /* dense FLOP/s; fp8 is 0 when there is none */
    double interconnect; /* bytes/s to its neighbours in the node, both directions together */
    char *link;          /* "NVLink", "PCIe 4.0" */
    double price;        /* USD per second */
    char *price_source;
};

struct shapes {
    int n_models, n_gpus;
    struct model_shape *models;
    struct gpu_shape *gpus;
};

/* Read the tables. `content` holds tables/; `data` is the user's folder, NULL or without the files:
 * nothing is overridden. STATUS_FORMAT with path:line for a wrong row; *shapes is empty then. */
MUST_CHECK enum status shapes_load(struct shapes *shapes, const char *content, const char *data,
                                   struct error *err);
void shapes_done(struct shapes *shapes);

/* The row of that name, whatever its case; NULL when there is none. */
const struct model_shape *shapes_model(const struct shapes *shapes, const char *name);
const struct gpu_shape *shapes_gpu(const struct shapes *shapes, const char *name);

/* The parameters that a Llama-like decoder of this shape has: untied embeddings, q k v o,
 * three FFN matrices (in each expert, with a router), norms. `active` counts the used experts. */
double model_parameters(const struct model_shape *model, bool active);

#endif
