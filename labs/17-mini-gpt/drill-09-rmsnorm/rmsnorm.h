/* rmsnorm.h -- the functions to implement. */
#ifndef RMSNORM_H
#define RMSNORM_H

/* Divide the C numbers of each row by their root mean square, then scale them.
 *
 *   y       [N,C]   written
 *   x       [N,C]
 *   gamma   [C]
 *
 * All buffers are row-major and do not overlap. */
void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C);

/* From the gradient of y to those of x and gamma.
 *
 *   d_x       [N,C]   written (not added to)
 *   d_gamma   [C]     written (not added to)
 *   x, d_y    [N,C]
 *   gamma     [C]
 */
void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C);

#endif
