#include "train/update.h"

#include <math.h>

#include "tensor/cpu.h"

#define INLINE static inline __attribute__((always_inline))

INLINE void adam(float *restrict p, float *restrict m, float *restrict v, const float *restrict g,
                 size_t n, const struct update_adam *how)
{
    const struct update_adam h = *how;
    const float rest_1 = 1.0f - h.beta_1, rest_2 = 1.0f - h.beta_2;
    for (size_t i = 0; i < n; i++) {
        const float d = h.scale * g[i] + h.decay * p[i];
        const float first = h.beta_1 * m[i] + rest_1 * d;
        const float second = h.beta_2 * v[i] + rest_2 * d * d;
        m[i] = first;
        v[i] = second;
        p[i] = h.shrink * p[i] - h.rate * first / (sqrtf(second) / h.root_bias_2 + h.eps);
    }
}

INLINE void sgd(float *restrict p, float *restrict m, const float *restrict g, size_t n,
                const struct update_sgd *how)
{
    const struct update_sgd h = *how;
    const float old = h.first ? 0.0f : h.momentum;
    const float ahead = h.nesterov ? h.momentum : 1.0f, straight = h.nesterov ? 1.0f : 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float d = h.scale * g[i] + h.decay * p[i];
        m[i] = old * m[i] + d;
        p[i] = h.shrink * p[i] - h.rate * (straight * d + ahead * m[i]);
    }
}

INLINE void lion(float *restrict p, float *restrict m, const float *restrict g, size_t n,
                 const struct update_lion *how)
{
    const struct update_lion h = *how;
    const float rest_1 = 1.0f - h.beta_1, rest_2 = 1.0f - h.beta_2;
    for (size_t i = 0; i < n; i++) {
        const float d = h.scale * g[i], mix = h.beta_1 * m[i] + rest_1 * d;
        const float sign = (mix > 0.0f ? 1.0f : 0.0f) - (mix < 0.0f ? 1.0f : 0.0f);
        p[i] = h.shrink * p[i] - h.rate * sign;
        m[i] = h.beta_2 * m[i] + rest_2 * d;
    }
}

INLINE double square_sum(const float *x, size_t n)
{
    enum { LANES = 32 };
    double lanes[LANES] = {0}, sum = 0;
    const size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += (double)x[i + (size_t)k] * (double)x[i + (size_t)k];
    for (size_t i = whole; i < n; i++) lanes[i % LANES] += (double)x[i] * (double)x[i];
    for (int k = 0; k < LANES; k++) sum += lanes[k];
    return sum;
}

INLINE void blend(float *out, const float *x, const float *y, size_t n, float a, float b)
{
    for (size_t i = 0; i < n; i++) out[i] = a * x[i] + b * y[i];
}

/* The same body for each instruction set, and the choice among them. */
#if defined(__x86_64__)
#define EACH(result, name, body, parameters, arguments) \
    __attribute__((target("avx512f,avx512vl,avx512dq"))) static result name##_512 parameters \
    { \
        return body arguments; \
    } \
    __attribute__((target("avx2,fma"))) static result name##_256 parameters \
    { \
        return body arguments; \
    } \
    static result name##_any parameters { return body arguments; } \
    result name parameters \
    { \
        const enum isa isa = cpu_isa(); \
        if (isa == ISA_AVX512 || isa == ISA_AVX512_BF16) return name##_512 arguments; \
        if (isa == ISA_AVX2) return name##_256 arguments; \
        return name##_any arguments; \
    }
#else
#define EACH(result, name, body, parameters, arguments) \
    result name parameters { return body arguments; }
#endif

EACH(void, update_adam, adam,
     (float *p, float *m, float *v, const float *g, size_t n, const struct update_adam *how),
     (p, m, v, g, n, how))
EACH(void, update_sgd, sgd,
     (float *p, float *m, const float *g, size_t n, const struct update_sgd *how),
     (p, m, g, n, how))
EACH(void, update_lion, lion,
     (float *p, float *m, const float *g, size_t n, const struct update_lion *how),
     (p, m, g, n, how))
EACH(double, update_square_sum, square_sum, (const float *x, size_t n), (x, n))
EACH(void, update_blend, blend,
     (float *out, const float *x, const float *y, size_t n, float a, float b), (out, x, y, n, a, b))

void update_average(float *average, const float *p, size_t n, float keep)
{
    update_blend(average, average, p, n, keep, 1.0f - keep);
}
