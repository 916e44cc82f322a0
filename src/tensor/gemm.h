/* gemm.h -- products of matrices, and the three products of a linear layer.
 *
 *              k                n                  n
 *          +-------+        +-------+          +-------+
 *        m |   a   |  x   k |   b   |   =    m |   c   |
 *          +-------+        +-------+          +-------+
 *
 * Promises: c[m,n] depends on row m of a, column n of b, K and the instruction set only: not on the
 * number of threads, not on M and N (a token's result does not depend on its neighbours), not on how
 * a and b lie in memory. Sums are in f32, in the order of k. Nothing is allocated once the pool's
 * scratch memory has grown to the largest product.
 *
 * bf16: operands are rounded to bf16, products and sums are f32. Where the machine has vdpbf16ps, that
 * instruction's way of rounding (pairs of products, denormals are zero) is what comes out; elsewhere
 * the operands are widened.
 *
 * Sizes may be 0: K = 0 gives zeros (or c, with `add`). Wrong sizes abort. Operands do not overlap c.
 * Source: Goto and van de Geijn 2008 (blocks for the caches, packed panels); Van Zee and van de Geijn
 *         2015 (the loops around one register tile).
 * Lab: 08 Tensor autograd. Tests: tests/tensor/gemm_test.c
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"

/* One operand: element [i,j] lies at data + i * row + j * column. */
struct matrix {
    const float *data;
    ptrdiff_t row, column;
};

struct matrix_bf16 {
    const uint16_t *data;
    ptrdiff_t row, column;
};

struct matrix_u8 {
    const uint8_t *data;
    ptrdiff_t row, column;
};

struct matrix_s8 {
    const int8_t *data;
    ptrdiff_t row, column;
};

/* c[M,N] = a[M,K] b[K,N], or c += with `add`. Rows of c are `c_row` floats apart, its columns lie side
 * by side. Fast when each operand has one stride of 1. */
void gemm_f32(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M,
              int N, int K, bool add);
void gemm_bf16(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix_bf16 a,
               struct matrix_bf16 b, int M, int N, int K, bool add);

/* Bytes, unsigned times signed, summed in 32 bits: exact, and so the same on every machine.
 * K <= GEMM_INT8_K_LIMIT, beyond which a sum could overflow. */
enum { GEMM_INT8_K_LIMIT = 65536 };
void gemm_int8(struct pool *pool, int32_t *c, ptrdiff_t c_row, struct matrix_u8 a,
               struct matrix_s8 b, int M, int N, int K, bool add);

/* The same by three loops, to read and to compare with. */
void gemm_f32_plain(float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M, int N,
                    int K, bool add);

/* ---- y = x w^T + bias, forward and backward ----
 *
 *   x, dx  [M,K]        w, dw  [N,K]        y, dy  [M,N]        bias, dbias  [N] or NULL
 *
 * M are tokens, K is what comes in, N what goes out. Everything is contiguous and row-major. */

void linear_forward(struct pool *pool, float *y, const float *x, const float *w, const float *bias,
                    int M, int N, int K); /* y is written */
void linear_backward_input(struct pool *pool, float *dx, const float *dy, const float *w, int M,
                           int N, int K, bool add); /* dx = dy w, or += */
void linear_backward_weight(struct pool *pool, float *dw, float *dbias, const float *dy,
                            const float *x, int M, int N,
                            int K); /* dw += dy^T x; dbias += dy's sums */

/* Weights in bf16; x and dy are rounded to bf16 on the way. Results and gradients are f32. */
void linear_forward_bf16(struct pool *pool, float *y, const float *x, const uint16_t *w,
                         const float *bias, int M, int N, int K);
void linear_backward_input_bf16(struct pool *pool, float *dx, const float *dy, const uint16_t *w,
                                int M, int N, int K, bool add);
void linear_backward_weight_bf16(struct pool *pool, float *dw, float *dbias, const float *dy,
                                 const float *x, int M, int N, int K);

#endif
