#include "train/schedule.h"

#include <math.h>
#include <stddef.h>

const char *const schedule_names[] = {"constant", "linear", "cosine", "wsd", "inverse", NULL};

/* 0 at `from`, 1 at `to`, straight between. */
static double part(int64_t step, int64_t from, int64_t to)
{
    if (step >= to) return 1;
    if (step <= from) return 0;
    return (double)(step - from) / (double)(to - from);
}

double schedule_rate(const struct schedule *schedule, int64_t step)
{
    const double peak = schedule->peak, least = schedule->least;
    const int64_t warm_up = schedule->warm_up, steps = schedule->steps;
    if (step < warm_up) return peak * (double)(step + 1) / (double)(warm_up + 1);

    const double done = part(step, warm_up, steps);
    switch (schedule->kind) {
    case SCHEDULE_LINEAR: return peak + (least - peak) * done;
    case SCHEDULE_COSINE: return least + (peak - least) * 0.5 * (1 + cos(3.141592653589793 * done));
    case SCHEDULE_WSD: return peak + (least - peak) * part(step, steps - schedule->decay, steps);
    case SCHEDULE_INVERSE: {
        const double from = warm_up > 1 ? (double)warm_up : 1;
        const double rate = peak * sqrt(from / ((double)step > from ? (double)step : from));
        return rate > least ? rate : least;
    }
    case SCHEDULE_CONSTANT:
    case SCHEDULE_COUNT: break;
    }
    return peak;
}
