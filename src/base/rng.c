#include "base/rng.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

void philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0];
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1,
                                  (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
    *rng = (struct rng){.seed = seed, .stream = stream};
}

uint32_t rng_u32(struct rng *rng)
{
    if (rng->left == 0) {
        const uint32_t counter[4] = {(uint32_t)rng->position, (uint32_t)(rng->position >> 32),
                                     (uint32_t)rng->stream, (uint32_t)(rng->stream >> 32)};
        const uint32_t key[2] = {(uint32_t)rng->seed, (uint32_t)(rng->seed >> 32)};
        philox(rng->block, counter, key);
        rng->position++;
        rng->left = 4;
    }
    return rng->block[4 - rng->left--];
}

uint64_t rng_u64(struct rng *rng)
{
    const uint64_t high = rng_u32(rng);
    return high << 32 | rng_u32(rng);
}

double rng_uniform(struct rng *rng) { return (double)(rng_u64(rng) >> 11) * 0x1p-53; }

/* Box and Muller: two numbers from one angle and one radius, 32 bits each. */
double rng_normal(struct rng *rng)
{
    if (rng->has_spare) {
        rng->has_spare = false;
        return rng->spare;
    }
    const double u = ((double)rng_u32(rng) + 1.0) * 0x1p-32; /* (0, 1] */
    const double angle = 6.283185307179586 * 0x1p-32 * (double)rng_u32(rng);
    const double radius = sqrt(-2.0 * log(u));
    double sine, cosine;
    sincos(angle, &sine, &cosine);
    rng->spare = radius * sine;
    rng->has_spare = true;
    return radius * cosine;
}

int64_t rng_below(struct rng *rng, int64_t n)
{
    CHECK(n > 0);
    const uint64_t range = (uint64_t)n;
    const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
    uint64_t draw;
    do draw = rng_u64(rng);
    while (draw >= limit);
    return (int64_t)(draw % range);
}

int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    return low + rng_below(rng, high - low + 1);
}

uint64_t random_seed(void)
{
    uint64_t seed = 0;
    CHECK(getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed);
    return seed >> 11;
}
