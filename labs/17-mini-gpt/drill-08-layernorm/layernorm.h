/* layernorm.h -- the functions to implement. */
#ifndef LAYERNORM_H
#define LAYERNORM_H

/* Normalise the C numbers of each position, then scale and shift them.
 *
 *   y             [B,T,C]   written
 *   x             [B,T,C]
 *   gamma, beta   [C]
 *
 * All buffers are row-major and do not overlap. */
void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C);

/* From the gradient of y to those of x, gamma and beta.
 *
 *   d_x               [B,T,C]   written (not added to)
 *   d_gamma, d_beta   [C]       written (not added to)
 *   x, d_y            [B,T,C]
 *   gamma             [C]
 */
void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C);

#endif
