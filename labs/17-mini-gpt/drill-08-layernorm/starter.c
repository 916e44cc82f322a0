#include "layernorm.h"

void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C)
{
}

void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C)
{
}
