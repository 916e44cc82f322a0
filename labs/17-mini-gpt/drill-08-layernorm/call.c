#include "layernorm.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "x", 0), T = record_dim(in, "x", 1),
                  C = record_dim(in, "x", 2);
    const float *x = record_f32(in, "x"), *gamma = record_f32(in, "gamma");
    const float eps = (float)record_real(in, "eps");
    float *y = output_f32(out, "y", SHAPE(B, T, C));
    float *d_x = output_f32(out, "d_x", SHAPE(B, T, C));
    float *d_gamma = output_f32(out, "d_gamma", SHAPE(C));
    float *d_beta = output_f32(out, "d_beta", SHAPE(C));

    layernorm_forward(y, x, gamma, record_f32(in, "beta"), eps, (int)B, (int)T, (int)C);
    layernorm_backward(d_x, d_gamma, d_beta, x, gamma, eps, record_f32(in, "d_y"), (int)B, (int)T,
                       (int)C);
}
