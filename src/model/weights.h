/* weights.h -- parameters to and from files.
 *
 *   .safetensors   ours, and GPT-2's and Llama's; the shape comes from the metadata "lcx.model", or
 *                  from the config.json beside the file
 *   .bin           llama2.c's, versions 0 and 1
 *
 * GPT-2's files hold the matrices of the blocks as [in,out]; they are turned round on the way, so
 * that our files are read by others and theirs by us.
 *
 * Promises: a file is refused, with the name and both shapes, unless it holds exactly the tensors
 * that the model needs (masks that GPT-2's files carry along, and the copy of a tied head, are left
 * alone). NaN is let through: it is what the file says.
 * Does not know: tokenizers. Tests: tests/model/weights_test.c
 */
#ifndef MODEL_WEIGHTS_H
#define MODEL_WEIGHTS_H

#include "model/parameters.h"
#include "model/safetensors.h"

/* Load any of the above; the caller releases with parameters_done(). */
MUST_CHECK enum status weights_load(struct parameters *parameters, const char *path,
                                    struct error *err);

/* The config that an open file describes; `folder` is where a config.json may be (NULL: nowhere). */
MUST_CHECK enum status weights_config(struct model_config *config, const struct safetensors *file,
                                      const char *folder, struct error *err);

/* Fill `out` [count], in the order of the table, from tensors called `prefix` + name. */
MUST_CHECK enum status weights_read(const struct parameters *parameters, float *out,
                                    const struct safetensors *file, const char *prefix,
                                    struct error *err);

/* Items for safetensors_write(), one a parameter, of `data` [count]; names are `prefix` + name,
 * allocated. Returns how many were put into `items` (parameters->n). */
int weights_items(struct safetensors_item *items, const struct parameters *parameters,
                  const float *data, const char *prefix);
void weights_items_done(struct safetensors_item *items, int n);

/* Only the parameters and the config, with more metadata in `extra` (an object of strings, or NULL). */
MUST_CHECK enum status weights_save(const struct parameters *parameters, const float *data,
                                    const char *path, const json_t *extra, struct error *err);

#endif
