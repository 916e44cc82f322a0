/* rope.h -- rotary positions: each pair of numbers of a head turns by an angle that grows with it.
 *
 *   frequency[i] = base^(-2i / R)        R = D_rotary, i = 0 .. R/2 - 1; numbers from R on stay
 *   angle        = position * frequency[i]
 *   (a, b)  ->   (a cos - b sin, a sin + b cos)
 *
 *   ROPE_INTERLEAVED   pair i is (x[2i], x[2i + 1])        llama2.c, GGUF "norm"
 *   ROPE_HALF          pair i is (x[i], x[i + R/2])        Hugging Face, "neox"
 *
 * Going from one layout to the other needs a permutation of the query and key weights.
 *
 * Longer contexts than the model was trained on (`original` positions), by `factor`:
 *   ROPE_LINEAR    frequency / factor
 *   ROPE_NTK       base * factor^(R / (R - 2))
 *   ROPE_DYNAMIC   the same with (factor * length / original - factor + 1) for factor, when the
 *                  length is above `original`, else plain. The base depends on the length, so a
 *                  table is for one length: a longer text needs a new table, and all its keys
 *                  turned with that one. Keep cached keys unturned, or turn them back first.
 *   ROPE_YARN      fast pairs stay, slow pairs are divided by factor, a ramp between; cosine and
 *                  sine are multiplied by attention_factor
 *   ROPE_LLAMA3    by wavelength: short stay, long are divided, smooth between
 *
 * Promises: q . k depends on the difference of the positions only; without YaRN's attention_factor
 * the turn keeps the norm; a factor of 1 is plain RoPE in every scaling but the dynamic one, which
 * follows the length even then. Angles are taken in double.
 * Does not know: attention, caches.
 * Source: Su et al. 2021 (arXiv:2104.09864); Peng et al. 2023 (arXiv:2309.00071) for YaRN.
 * Lab: 16 Positional encodings. Tests: tests/tensor/rope_test.c
 */
#ifndef TENSOR_ROPE_H
#define TENSOR_ROPE_H

#include <stddef.h>

#include "base/error.h"
#include "base/pool.h"

enum rope_layout { ROPE_HALF, ROPE_INTERLEAVED };

enum rope_scaling { ROPE_NONE, ROPE_LINEAR, ROPE_NTK, ROPE_DYNAMIC, ROPE_YARN, ROPE_LLAMA3 };

/* How to turn. Zero in a field means its usual value, given behind it. */
struct rope_config {
    int D_rotary;  /* even, 2 or more; at most D */
    int positions; /* 0 .. positions - 1 are in the table */
    enum rope_layout layout;
    double base; /* 10000 */
    enum rope_scaling scaling;
    double factor;           /* 1; at least 1 */
    int original;            /* positions trained on; `positions` */
    double attention_factor; /* YaRN: 0.1 ln(factor) + 1 */
    double beta_fast;     /* YaRN: 32 turns within `original`: a pair that turns more often stays */
    double beta_slow;     /* YaRN: 1 turn: a pair that turns less often is divided */
    double low_frequency; /* llama3: 1, wavelengths above original / this are divided */
    double high_frequency; /* llama3: 4, wavelengths below original / this stay */
};

struct rope {
    float *cosine, *sine; /* [positions, D_rotary / 2]; attention_factor is in them */
    int positions, D_rotary;
    enum rope_layout layout;
    double attention_factor; /* 1 without YaRN */
};

/* Make the tables: 4 * positions * D_rotary bytes. STATUS_USAGE when the values make no sense,
 * STATUS_LIMIT when there is not that much memory. */
MUST_CHECK enum status rope_init(struct rope *rope, const struct rope_config *config,
                                 struct error *err);
void rope_done(struct rope *rope);

/* The frequencies in radians a position, [D_rotary / 2]; returns the attention factor. The config
 * must have passed rope_config_check(). */
double rope_frequencies(double *out, const struct rope_config *config);
MUST_CHECK enum status rope_config_check(const struct rope_config *config, struct error *err);

/* What is turned: x [B,T,H,D], possibly inside a wider buffer. */
struct rope_dims {
    int B, T, H, D;
    ptrdiff_t row;        /* floats from one position to the next; 0: H * D */
    ptrdiff_t batch;      /* floats from one sequence to the next; 0: T * row */
    int first;            /* position of t = 0 */
    const int *positions; /* [B,T] instead of first + t, or NULL */
};

/* Turn x in place. Positions outside the table abort. */
void rope_forward(struct pool *pool, float *x, const struct rope *rope,
                  const struct rope_dims *dims);

/* The gradient with regard to what was turned, in place: it turns the other way. */
void rope_backward(struct pool *pool, float *dx, const struct rope *rope,
                   const struct rope_dims *dims);

/* Move keys that were turned already by `delta` positions, either way (dims.first and
 * dims.positions are not looked at). |delta| must be in the table. */
void rope_shift(struct pool *pool, float *x, const struct rope *rope, int delta,
                const struct rope_dims *dims);

/* Sinusoidal positions of Vaswani et al. 2017: out[t,2i] = sin(t / 10000^(2i/C)), out[t,2i+1] = cos
 * of the same. out [T,C] written, C even. */
void sinusoidal_positions(float *out, int T, int C);

/* ALiBi's slopes (Press et al. 2021): for H a power of two, 2^(-8 (h + 1) / H); else those of the
 * power of two below, then every other one of the power above. out [H] written. */
void alibi_slopes(float *out, int H);

#endif
