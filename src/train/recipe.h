/* recipe.h -- all that is decided before a run: one table of settings, by name.
 *
 *   preset  ->  CONFIG file (YAML, name: value)  ->  name=value words         the later one counts
 *
 * The table below is the only list: the struct, the file's schema, the words, the help and the JSON
 * in the run folder are made from it. A new setting is one line.
 *
 * Promises: what recipe_check() lets through is within its bounds; unknown names are refused with
 * the nearest one.
 * Does not know: how a run is done. Tests: tests/train/recipe_test.c
 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "model/config.h"
#include "model/transformer.h"
#include "train/optimizer.h"
#include "train/schedule.h"

/* WHOLE(name, otherwise, least, most, free, meaning)   int64_t
 * REAL (name, otherwise, least, most, free, meaning)   double
 * FLAG (name, otherwise, free, meaning)                bool
 * WORD (name, otherwise, words, free, meaning)         int: a place in `words`
 * TEXT (name, otherwise, free, meaning)                char *
 * free: a resumed run may change it, since it does not change what is learned. */
#define RECIPE(WHOLE, REAL, FLAG, WORD, TEXT) \
    TEXT(data, "", false, \
         N_("the text to learn from, a file; empty: the corpus that is built in")) \
    TEXT(tokenizer, "char", false, \
         N_("char: a token a character; bpe: trained on the text; else a tokenizer's file")) \
    WHOLE(vocabulary, 1024, 257, 1 << 20, false, N_("tokens that tokenizer=bpe learns")) \
    REAL(validation, 0.1, 0, 0.5, false, N_("share of the text, its end, kept for validation")) \
    WORD(family, 0, model_family_names, false, N_("the names and files of the parameters")) \
    WHOLE(layers, 4, 1, MODEL_LAYER_LIMIT, false, N_("blocks")) \
    WHOLE(width, 128, 1, MODEL_WIDTH_LIMIT, false, N_("numbers that a position carries")) \
    WHOLE(heads, 4, 1, MODEL_WIDTH_LIMIT, false, N_("query heads")) \
    WHOLE(kv_heads, 0, 0, MODEL_WIDTH_LIMIT, false, \
          N_("key and value heads; 0: as many as heads")) \
    WHOLE(feed_forward, 0, 0, 4 * MODEL_WIDTH_LIMIT, false, \
          N_("width inside the feed-forward half; 0: 4 widths, swiglu 8/3")) \
    WHOLE(context, 64, 1, MODEL_CONTEXT_LIMIT, false, N_("positions in a window of text")) \
    WORD(position, 0, model_position_names, false, N_("how positions are told apart")) \
    WORD(norm, 0, model_norm_names, false, N_("the norm")) \
    FLAG(norm_after, false, false, N_("norms behind the sums, as at first")) \
    WORD(activation, 0, model_activation_names, false, N_("the feed-forward half's function")) \
    FLAG(bias, false, false, N_("biases in norms and linear layers")) \
    FLAG(tied, true, false, N_("the head is the token embedding")) \
    REAL(rope_base, 10000, 1.5, 1e9, false, N_("RoPE's base")) \
    REAL(dropout, 0, 0, 0.9, false, N_("share of numbers dropped in training")) \
    WHOLE(batch, 12, 1, 65536, false, N_("windows at once")) \
    WHOLE(accumulate, 1, 1, 65536, false, N_("batches whose gradients make one step")) \
    WHOLE(steps, 2000, 1, INT64_C(1) << 40, false, N_("steps in all")) \
    WORD(optimizer, 2, optimizer_names, false, N_("the optimizer")) \
    REAL(rate, 1e-3, 0, 100, false, N_("learning rate at its peak")) \
    REAL(rate_least, 1e-4, 0, 100, false, N_("learning rate at the end")) \
    WORD(schedule, 2, schedule_names, false, N_("how the rate goes from one to the other")) \
    WHOLE(warm_up, 100, 0, INT64_C(1) << 40, false, N_("steps until the peak")) \
    WHOLE(rate_decay, 0, 0, INT64_C(1) << 40, false, \
          N_("wsd: steps at the end that go down; 0: a fifth")) \
    REAL(beta1, 0.9, 0, 0.999999, false, N_("how long the mean of gradients remembers")) \
    REAL(beta2, 0.99, 0, 0.999999, false, N_("how long their squares are remembered")) \
    REAL(epsilon, 1e-8, 1e-20, 0.1, false, N_("added to the root of the squares")) \
    REAL(momentum, 0.95, 0, 0.999999, false, N_("sgd and muon")) \
    FLAG(nesterov, true, false, N_("sgd and muon: look ahead")) \
    REAL(muon_factor, 20, 0, 1e6, false, N_("muon: its rate, as a multiple of the others'")) \
    REAL(decay, 0.1, 0, 10, false, N_("weight decay of matrices and embeddings")) \
    REAL(clip, 1, 0, 1e9, false, N_("largest norm of the gradient; 0: any")) \
    REAL(average, 0, 0, 0.999999, false, N_("keep a moving average of the weights; 0: none")) \
    REAL(spike, 0, 0, 1000, false, \
         N_("skip a step whose loss is so many deviations above the usual; 0: never")) \
    WORD(numbers, 0, transformer_numbers_names, false, \
         N_("what products multiply: f32, or bf16 with f32 weights behind")) \
    WHOLE(seed, 1337, 0, INT64_C(1) << 52, false, N_("which random numbers")) \
    WHOLE(patience, 0, 0, 1000000, false, \
          N_("stop after so many validations without a better one; 0: never")) \
    WHOLE(valid_every, 250, 0, INT64_C(1) << 40, true, \
          N_("steps between validations; 0: at the end")) \
    WHOLE(valid_tokens, 16384, 0, INT64_C(1) << 40, true, \
          N_("tokens of a validation, but for the last; 0: all")) \
    WHOLE(sample_every, 500, 0, INT64_C(1) << 40, true, \
          N_("steps between samples; 0: at the end")) \
    WHOLE(sample_tokens, 200, 0, 100000, true, N_("tokens of a sample")) \
    REAL(temperature, 0.8, 0, 100, true, N_("of samples")) \
    TEXT(prompt, "\n", true, N_("what samples begin with")) \
    WHOLE(save_every, 500, 0, INT64_C(1) << 40, true, \
          N_("steps between checkpoints; 0: at the end")) \
    WHOLE(log_every, 10, 1, INT64_C(1) << 40, true, N_("steps between lines of the log")) \
    WHOLE(layers_every, 100, 0, INT64_C(1) << 40, true, \
          N_("steps between norms by layer in the log; 0: never")) \
    WHOLE(threads, 0, 0, POOL_THREADS_LIMIT, true, N_("threads; 0: one a processor"))

struct recipe {
#define WHOLE(name, otherwise, least, most, free, meaning) int64_t name;
#define REAL(name, otherwise, least, most, free, meaning) double name;
#define FLAG(name, otherwise, free, meaning) bool name;
#define WORD(name, otherwise, words, free, meaning) int name;
#define TEXT(name, otherwise, free, meaning) char *name;
    RECIPE(WHOLE, REAL, FLAG, WORD, TEXT)
#undef WHOLE
#undef REAL
#undef FLAG
#undef WORD
#undef TEXT
};

/* Every setting as it is without being told. */
void recipe_init(struct recipe *recipe);
void recipe_done(struct recipe *recipe);

/* Several settings at once, on top of what is there: "tiny" (a minute), "shakespeare-char"
 * (nanoGPT's configuration for a CPU), "llama-tiny", "gpt2-124m". STATUS_USAGE. */
MUST_CHECK enum status recipe_preset(struct recipe *recipe, const char *name, struct error *err);
extern const char *const recipe_preset_names[]; /* ends with NULL */

/* One setting by its name. STATUS_USAGE says what may stand there. */
MUST_CHECK enum status recipe_set(struct recipe *recipe, const char *name, const char *value,
                                  struct error *err);

/* "name=value". */
MUST_CHECK enum status recipe_word(struct recipe *recipe, const char *word, struct error *err);

/* A file of `name: value` lines; `preset: NAME` in it comes first, wherever it stands. */
MUST_CHECK enum status recipe_file(struct recipe *recipe, const char *path, struct error *err);

/* The names of settings that differ and may not when a run is resumed, appended to `out`. */
void recipe_differences(struct text *out, const struct recipe *a, const struct recipe *b);

json_t *recipe_json(const struct recipe *recipe); /* new reference */
MUST_CHECK enum status recipe_from_json(struct recipe *recipe, const json_t *object,
                                        struct error *err);

/* One line a setting: name, value, meaning. */
void recipe_each(const struct recipe *recipe,
                 void (*each)(void *context, const char *name, const char *value,
                              const char *meaning),
                 void *context);

/* What the recipe says about the model, for a vocabulary of V, checked. STATUS_USAGE. */
MUST_CHECK enum status recipe_model(struct model_config *config, const struct recipe *recipe, int V,
                                    struct error *err);
struct schedule recipe_schedule(const struct recipe *recipe);
struct optimizer_settings recipe_optimizer(const struct recipe *recipe);

#endif
