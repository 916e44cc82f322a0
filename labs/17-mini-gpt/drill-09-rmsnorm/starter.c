#include "rmsnorm.h"

void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C) {}

void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C)
{
}
