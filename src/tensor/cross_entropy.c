#include "tensor/cross_entropy.h"

#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "tensor/row.h"

/* ---- plain ---- */

static double log_sum_exp(const float *x, int n)
{
    double largest = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++)
        if ((double)x[j] > largest || isnan(x[j])) largest = (double)x[j];
    if (largest == -INFINITY) return largest;
    for (int j = 0; j < n; j++) sum += exp((double)x[j] - largest);
    return largest + log(sum);
}

void cross_entropy_forward_plain(float *losses, const float *logits, const int32_t *targets, int M,
                                 int V)
{
    for (int i = 0; i < M; i++) {
        const float *x = logits + row_of(i, V);
        CHECK(targets[i] >= CROSS_ENTROPY_IGNORE && targets[i] < V);
        losses[i] = 0;
        if (targets[i] != CROSS_ENTROPY_IGNORE)
            losses[i] = (float)(log_sum_exp(x, V) - (double)x[targets[i]]);
    }
}

void cross_entropy_backward_plain(float *dlogits, const float *logits, const int32_t *targets,
                                  float scale, int M, int V)
{
    for (int i = 0; i < M; i++) {
        const float *x = logits + row_of(i, V);
        float *dx = dlogits + row_of(i, V);
        CHECK(targets[i] >= CROSS_ENTROPY_IGNORE && targets[i] < V);
        if (targets[i] == CROSS_ENTROPY_IGNORE) {
            for (int j = 0; j < V; j++) dx[j] = 0;
            continue;
        }
        const double lse = log_sum_exp(x, V);
        for (int j = 0; j < V; j++) {
            const double p = exp((double)x[j] - lse);
            dx[j] = (float)((p - (j == targets[i])) * (double)scale);
        }
    }
}

/* ---- what others call ---- */

void cross_entropy_forward(struct pool *pool, float *losses, const float *logits,
                           const int32_t *targets, int M, int V)
{
    (void)pool;
    cross_entropy_forward_plain(losses, logits, targets, M, V);
}

void cross_entropy_backward(struct pool *pool, float *dlogits, const float *logits,
                            const int32_t *targets, float scale, int M, int V)
{
    (void)pool;
    cross_entropy_backward_plain(dlogits, logits, targets, scale, M, V);
}

void cross_entropy_both(struct pool *pool, float *losses, float *dlogits, const float *logits,
                        const int32_t *targets, float scale, int M, int V)
{
    cross_entropy_forward(pool, losses, logits, targets, M, V);
    cross_entropy_backward(pool, dlogits, logits, targets, scale, M, V);
}
