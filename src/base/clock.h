/* clock.h -- what time it is, as an argument.
 *
 * Wall time (UTC milliseconds since 1970) is for what people see and for what
 * is stored; steady time is for intervals. Code that stores or plans takes a
 * `struct clock *`, so that tests and simulations bring their own.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *clock);
    int64_t now_ms; /* used by clock_fixed */
};

extern const struct clock clock_system;

/* A clock that stands still at `now_ms` until its owner moves it. */
struct clock clock_fixed(int64_t now_ms);

static inline int64_t clock_wall_ms(const struct clock *clock) { return clock->wall_ms(clock); }

/* Nanoseconds on a clock that never goes back; only differences mean something. */
int64_t clock_steady_ns(void);

/* "2026-11-23T20:31:05Z" into `out`; returns `out`. */
const char *clock_utc(char out[32], int64_t wall_ms);

#endif
