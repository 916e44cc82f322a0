/* llama2c.h -- the .bin files of llama2.c: a Llama in f32, tensors in a fixed order.
 *
 *   version 0   7 x i32: C, F, L, H, KVH, V (negative: the head is not tied), T
 *               | embedding | norms | wq wk wv wo | norms | w1 w2 w3 | norm
 *               | two tables of cosines and sines, which we make ourselves | head
 *   version 1   "ak42" | i32 1 | the 7 (V positive) | u8 tied | zeros up to 256
 *               | norms, norms, norm | embedding | wq wk wv wo | w1 w2 w3 | head
 *
 * Little-endian. Each group holds all layers. RoPE turns neighbours (ROPE_INTERLEAVED).
 *
 * Promises: a size in the file is believed only if the file is exactly that large.
 * Source: github.com/karpathy/llama2.c, export.py and run.c
 * Tests: tests/model/llama2c_test.c, tests/fuzz/fuzz_llama2c.c
 */
#ifndef MODEL_LLAMA2C_H
#define MODEL_LLAMA2C_H

#include "model/parameters.h"

/* The caller releases with parameters_done(). STATUS_FORMAT names what does not fit; version 2
 * (8 bits) is refused as such. */
MUST_CHECK enum status llama2c_load(struct parameters *parameters, const char *path,
                                    struct error *err);

/* The same for bytes in memory. */
MUST_CHECK enum status llama2c_parse(struct parameters *parameters, const void *bytes, size_t size,
                                     struct error *err);

#endif
