/* config.h -- the shape of a language model: what kind of blocks, and how many of what size.
 *
 *   tokens [B,T] -> embedding (+ position) -> L blocks -> norm -> head -> logits [B,T,V]
 *
 *   block, norm first    x = x + attention(norm(x));  x = x + feed_forward(norm(x))
 *   block, norm after    x = norm(x + attention(x));  x = norm(x + feed_forward(x))
 *
 * Every choice can be combined with every other; the family only says what the parameters are
 * called and how files hold them.
 *
 * Promises: a config that model_config_check() lets through fits: sizes divide, nothing overflows,
 * everything is within the limits below.
 * Does not know: values of parameters, training.
 * Source: Radford et al. 2019 (GPT-2), Touvron et al. 2023 (arXiv:2302.13971).
 * Lab: 17. Tests: tests/model/config_test.c
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "tensor/rope.h"

enum {
    MODEL_LAYER_LIMIT = 256,
    MODEL_WIDTH_LIMIT = 1 << 16,
    MODEL_VOCABULARY_LIMIT = 1 << 22,
    MODEL_CONTEXT_LIMIT = 1 << 20,
};

enum model_family { MODEL_FAMILY_GPT2, MODEL_FAMILY_LLAMA, MODEL_FAMILY_COUNT };
enum model_position {
    MODEL_POSITION_LEARNED,
    MODEL_POSITION_SINUSOIDAL,
    MODEL_POSITION_ROPE,
    MODEL_POSITION_ALIBI,
    MODEL_POSITION_NONE,
    MODEL_POSITION_COUNT
};
enum model_norm { MODEL_NORM_LAYER, MODEL_NORM_RMS, MODEL_NORM_COUNT };
enum model_activation {
    MODEL_ACTIVATION_GELU, /* tanh form */
    MODEL_ACTIVATION_GELU_EXACT,
    MODEL_ACTIVATION_SILU,
    MODEL_ACTIVATION_RELU,
    MODEL_ACTIVATION_SWIGLU,
    MODEL_ACTIVATION_COUNT
};
extern const char *const model_family_names[]; /* "gpt2", "llama"; each ends with NULL */
extern const char
    *const model_position_names[];           /* "learned", "sinusoidal", "rope", "alibi", "none" */
extern const char *const model_norm_names[]; /* "layer", "rms" */
extern const char
    *const model_activation_names[];            /* "gelu", "gelu_exact", "silu", "relu", "swiglu" */
extern const char *const model_scaling_names[]; /* "none", "linear", "ntk", ... */
extern const char *const model_layout_names[];  /* "half", "interleaved" */

struct model_config {
    enum model_family family;
    int L;   /* layers */
    int C;   /* width */
    int H;   /* query heads */
    int KVH; /* key/value heads; H is a multiple */
    int D;   /* numbers per head */
    int F;   /* feed-forward width */
    int V;   /* vocabulary */
    int T;   /* context: positions at most */
    enum model_position position;
    enum model_norm norm;
    bool norm_after; /* the older place, behind the sum; no norm before the head then */
    float norm_eps;
    enum model_activation activation;
    bool bias; /* in norms and linear layers */
    bool tied; /* the head is the token embedding */
    float rope_base;
    enum rope_layout rope_layout;
    enum rope_scaling rope_scaling;
    float rope_factor;          /* how much longer than it was trained for; 1: not */
    int rope_trained_positions; /* before scaling; 0: T */
    float dropout;              /* after the embedding and each half of a block, in training */
};

/* STATUS_USAGE with the value and the bound when something does not fit. */
MUST_CHECK enum status model_config_check(const struct model_config *config, struct error *err);

/* "gpt2-124m", "gpt2-355m", "gpt2-774m", "gpt2-1.5b", "llama-1.1b", "shakespeare-char",
 * "stories260k". False when there is no such preset. */
MUST_CHECK bool model_config_preset(struct model_config *config, const char *name);
extern const char *const model_preset_names[]; /* ends with NULL */

/* ---- what it costs ---- */

int64_t model_config_parameters(const struct model_config *config);

/* Operations for one token of a forward pass that attends to S positions: two for each weight of a
 * matrix product, and attention's 4 * S * H * D a layer. A backward pass costs twice that. */
double model_config_flops(const struct model_config *config, int S);

/* Bytes of keys and values for one position, in f32. */
int64_t model_config_cache_bytes(const struct model_config *config);

/* ---- as text ---- */

/* New reference. Every field is there, under its name in the struct. */
json_t *model_config_json(const struct model_config *config);

/* From model_config_json()'s form: every field must be there and fit; others are refused.
 * STATUS_FORMAT. */
MUST_CHECK enum status model_config_from_json(struct model_config *config, const json_t *object,
                                              struct error *err);

/* From the config.json that comes beside weights of GPT-2 and Llama ("model_type"). STATUS_FORMAT
 * names what is missing or is not supported. */
MUST_CHECK enum status model_config_from_huggingface(struct model_config *config,
                                                     const json_t *object, struct error *err);

/* The place of a word in names that end with NULL; -1 when it is not there. */
int model_name_find(const char *const *names, const char *word);

#endif
