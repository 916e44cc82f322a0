#include "tensor/rope.h"

#include <math.h>
#include <stdlib.h>

#include "base/locale.h"
#include "tensor/rope_kernel.h"
#include "tensor/row.h"

#define PI 3.14159265358979323846

/* ---- the tables ---- */

static double usual(double value, double otherwise) { return value != 0 ? value : otherwise; }

enum status rope_config_check(const struct rope_config *config, struct error *err)
{
    if (config->D_rotary < 2 || config->D_rotary % 2)
        return error_set(err, STATUS_USAGE, _("rope: %d numbers to turn: must be even, 2 or more"),
                         config->D_rotary);
    if (config->positions < 1)
        return error_set(err, STATUS_USAGE, _("rope: %d positions: must be 1 or more"),
                         config->positions);
    if (config->original < 0)
        return error_set(err, STATUS_USAGE, _("rope: %d original positions: must be 1 or more"),
                         config->original);
    if (!(usual(config->base, 10000) > 1) || !isfinite(config->base))
        return error_set(err, STATUS_USAGE, _("rope: a base of %g: must be above 1"), config->base);
    if (!(usual(config->factor, 1) >= 1) || !isfinite(config->factor))
        return error_set(err, STATUS_USAGE, _("rope: a factor of %g: must be 1 or more"),
                         config->factor);
    if (!(usual(config->high_frequency, 4) > usual(config->low_frequency, 1)))
        return error_set(err, STATUS_USAGE,
                         _("rope: high frequency factor %g: must be above the low one, %g"),
                         usual(config->high_frequency, 4), usual(config->low_frequency, 1));
    if (!(usual(config->beta_fast, 32) >= usual(config->beta_slow, 1)) || config->beta_slow < 0)
        return error_set(err, STATUS_USAGE,
                         _("rope: beta_fast %g: must not be below beta_slow, %g"),
                         usual(config->beta_fast, 32), usual(config->beta_slow, 1));
    if (config->attention_factor < 0 || !isfinite(config->attention_factor))
        return error_set(err, STATUS_USAGE, _("rope: an attention factor of %g: must be above 0"),
                         config->attention_factor);
    return STATUS_OK;
}

/* Which pair makes `turns` turns within `original` positions, as a real number. */
static double pair_that_turns(double turns, double base, double original, double R)
{
    return R * log(original / (turns * 2 * PI)) / (2 * log(base));
}

static double limit(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double rope_frequencies(double *out, const struct rope_config *config)
{
    const int pairs = config->D_rotary / 2;
    const double R = config->D_rotary;
    const double factor = usual(config->factor, 1);
    const double original = config->original ? config->original : config->positions;
    double base = usual(config->base, 10000);
    const double base_trained = base;

    /* With one pair the exponent is infinite; its frequency is 1 whatever the base. */
    if (config->D_rotary > 2 && config->scaling == ROPE_NTK) base *= pow(factor, R / (R - 2));
    if (config->D_rotary > 2 && config->scaling == ROPE_DYNAMIC && config->positions > original)
        base *= pow(factor * config->positions / original - (factor - 1), R / (R - 2));
    for (int i = 0; i < pairs; i++) out[i] = pow(base, -2.0 * i / R);

    if (config->scaling == ROPE_LINEAR)
        for (int i = 0; i < pairs; i++) out[i] /= factor;

    if (config->scaling == ROPE_LLAMA3) {
        const double low = usual(config->low_frequency, 1);
        const double high = usual(config->high_frequency, 4);
        for (int i = 0; i < pairs; i++) {
            const double turns = original * out[i] / (2 * PI); /* original / wavelength */
            const double keep = limit((turns - low) / (high - low), 0, 1);
            out[i] = keep * out[i] + (1 - keep) * out[i] / factor;
        }
    }

    if (config->scaling != ROPE_YARN) return 1;
    double first = floor(pair_that_turns(usual(config->beta_fast, 32), base_trained, original, R));
    double last = ceil(pair_that_turns(usual(config->beta_slow, 1), base_trained, original, R));
    first = first < 0 ? 0 : first;
    last = last > R - 1 ? R - 1 : last;
    if (first == last) last += 0.001;
    for (int i = 0; i < pairs; i++) {
        const double divide = limit((i - first) / (last - first), 0, 1);
        out[i] = out[i] * (1 - divide) + out[i] / factor * divide;
    }
    return usual(config->attention_factor, 0.1 * log(factor) + 1);
}

enum status rope_init(struct rope *rope, const struct rope_config *config, struct error *err)
{
    *rope = (struct rope){0};
    enum status status = rope_config_check(config, err);
    if (status) return status;

    const int pairs = config->D_rotary / 2;
    const size_t n = row_of(config->positions, pairs);
    double *frequency = malloc((size_t)pairs * sizeof *frequency);
    float *tables = malloc(2 * n * sizeof *tables);
    if (!frequency || !tables) {
        free(frequency);
        free(tables);
        return error_set(err, STATUS_LIMIT, _("rope: no memory for %d positions of %d numbers"),
                         config->positions, config->D_rotary);
    }
    *rope = (struct rope){.cosine = tables,
                          .sine = tables + n,
                          .positions = config->positions,
                          .D_rotary = config->D_rotary,
                          .layout = config->layout};
    rope->attention_factor = rope_frequencies(frequency, config);
    for (int t = 0; t < config->positions; t++)
        for (int i = 0; i < pairs; i++) {
            const size_t at = row_of(t, pairs) + (size_t)i;
            rope->cosine[at] = (float)(cos(t * frequency[i]) * rope->attention_factor);
            rope->sine[at] = (float)(sin(t * frequency[i]) * rope->attention_factor);
        }
    free(frequency);
    return STATUS_OK;
}

void rope_done(struct rope *rope)
{
    free(rope->cosine); /* sine lies in the same allocation */
    *rope = (struct rope){0};
}

/* ---- turning ---- */

struct turn {
    const struct rope_kernel *kernel;
    float *x;
    const struct rope *rope;
    const struct rope_dims *dims;
    ptrdiff_t row, batch;
    bool shift;
    int delta;
    float sign;  /* -1: the other way */
    float scale; /* of cosine and sine */
};

static void turn_rows(void *context, int task, int worker)
{
    const struct turn *turn = context;
    const struct rope_dims *dims = turn->dims;
    const struct rope *rope = turn->rope;
    const int pairs = rope->D_rotary / 2;
    const int each = kernel_rows_a_task(dims->H * dims->D), n = dims->B * dims->T;
    const int first = task * each, last = first + each < n ? first + each : n;
    (void)worker;

    for (int i = first; i < last; i++) {
        const int b = i / dims->T, t = i % dims->T;
        int position = dims->positions ? dims->positions[i] : dims->first + t;
        if (turn->shift) position = turn->delta;
        CHECK(position >= 0 && position < rope->positions);

        float *x = turn->x + b * turn->batch + t * turn->row;
        const size_t at = row_of(position, pairs);
        turn->kernel->turn(x, dims->H, dims->D, rope->cosine + at, rope->sine + at, turn->sign,
                           turn->scale, pairs, rope->layout);
    }
}

static void run(struct pool *pool, struct turn *turn)
{
    const struct rope_dims *dims = turn->dims;
    CHECK(turn->rope->D_rotary <= dims->D);
    turn->row = dims->row ? dims->row : (ptrdiff_t)dims->H * dims->D;
    turn->batch = dims->batch ? dims->batch : dims->T * turn->row;
    turn->kernel = rope_kernel();
    pool_run(pool, turn_rows, turn,
             kernel_tasks(dims->B * dims->T, kernel_rows_a_task(dims->H * dims->D)));
}

void rope_forward(struct pool *pool, float *x, const struct rope *rope,
                  const struct rope_dims *dims)
{
    struct turn turn = {.x = x, .rope = rope, .dims = dims, .sign = 1, .scale = 1};
    run(pool, &turn);
}

void rope_backward(struct pool *pool, float *dx, const struct rope *rope,
                   const struct rope_dims *dims)
{
    struct turn turn = {.x = dx, .rope = rope, .dims = dims, .sign = -1, .scale = 1};
    run(pool, &turn);
}

void rope_shift(struct pool *pool, float *x, const struct rope *rope, int delta,
                const struct rope_dims *dims)
{
    struct turn turn = {.x = x, .rope = rope, .dims = dims, .shift = true};
    turn.delta = abs(delta);
    turn.sign = delta < 0 ? -1 : 1;
    turn.scale = (float)(1 / rope->attention_factor); /* the keys carry it already */
    run(pool, &turn);
}

/* ---- other ways to say where a token is ---- */

void sinusoidal_positions(float *out, int T, int C)
{
    CHECK(C % 2 == 0);
    for (int t = 0; t < T; t++)
        for (int i = 0; i < C / 2; i++) {
            const double angle = t * pow(10000, -2.0 * i / C);
            out[row_of(t, C) + (size_t)(2 * i)] = (float)sin(angle);
            out[row_of(t, C) + (size_t)(2 * i + 1)] = (float)cos(angle);
        }
}

void alibi_slopes(float *out, int H)
{
    int power = 1;
    while (power * 2 <= H) power *= 2;
    for (int h = 0; h < H; h++) {
        const double exponent =
            h < power ? -8.0 * (h + 1) / power : -8.0 * (2 * (h - power) + 1) / (2 * power);
        out[h] = (float)pow(2, exponent);
    }
}
