/* rng.h -- counter-based random numbers: Philox 4x32 with 10 rounds.
 *
 *   number = philox(key = seed, counter = (position, stream))
 *
 * Promises: the same (seed, stream, position) gives the same number on every
 * machine; streams do not overlap. Not for secrets: see random_seed().
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * Tests: tests/base/rng_test.c (the paper's known-answer vectors)
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t seed;
    uint64_t stream;
    uint64_t position; /* blocks of four numbers drawn so far */
    uint32_t block[4];
    int left;       /* numbers of `block` not yet handed out */
    bool has_spare; /* rng_normal() makes two at a time */
    double spare;
};

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);

uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
double rng_uniform(struct rng *rng);           /* [0, 1), 53 bits */
double rng_normal(struct rng *rng);            /* mean 0, deviation 1, below 6.7 */
int64_t rng_below(struct rng *rng, int64_t n); /* 0..n-1 without bias; n > 0 */
int64_t rng_between(struct rng *rng, int64_t low, int64_t high); /* both ends included */

/* One block of Philox 4x32-10. */
void philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* A fresh seed from the operating system, below 2^53 so that JSON keeps it. */
uint64_t random_seed(void);

#endif
