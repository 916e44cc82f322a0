/* Double inside, no memory at all: the scores are computed again whenever they are needed. */
#include "attention.h"

#include <math.h>
#include <stddef.h>

static double dot(const float *a, const float *b, int n)
{
    double sum = 0.0;
    while (n-- > 0) sum += (double)*a++ * *b++;
    return sum;
}

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    for (size_t row = 0; row < (size_t)B * H * T; row++) {
        const int t = (int)(row % (size_t)T);
        const size_t bh = row / (size_t)T;
        const bool *mask = key_mask + bh / (size_t)H * (size_t)T;
        const float *keys = k + bh * T * D, *values = v + bh * T * D;
        double max = -HUGE_VAL, sum = 0.0;

        for (int s = 0; s < T; s++)
            if (mask[s] && (!causal || s <= t))
                max = fmax(max, dot(q + row * D, keys + (size_t)s * D, D) / sqrt(D));
        for (int s = 0; s < T; s++)
            if (mask[s] && (!causal || s <= t))
                sum += exp(dot(q + row * D, keys + (size_t)s * D, D) / sqrt(D) - max);
        for (int d = 0; d < D; d++) {
            double total = 0.0;
            for (int s = 0; s < T && sum > 0.0; s++)
                if (mask[s] && (!causal || s <= t)) {
                    const double score = dot(q + row * D, keys + (size_t)s * D, D) / sqrt(D);
                    total += exp(score - max) / sum * values[(size_t)s * D + d];
                }
            out[row * D + d] = (float)total;
        }
    }
}
