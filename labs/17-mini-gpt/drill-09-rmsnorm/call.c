#include "rmsnorm.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t N = record_dim(in, "x", 0), C = record_dim(in, "x", 1);
    const float *x = record_f32(in, "x"), *gamma = record_f32(in, "gamma");
    const float eps = (float)record_real(in, "eps");
    float *y = output_f32(out, "y", SHAPE(N, C));
    float *d_x = output_f32(out, "d_x", SHAPE(N, C));
    float *d_gamma = output_f32(out, "d_gamma", SHAPE(C));

    rmsnorm_forward(y, x, gamma, eps, (int)N, (int)C);
    rmsnorm_backward(d_x, d_gamma, x, gamma, eps, record_f32(in, "d_y"), (int)N, (int)C);
}
