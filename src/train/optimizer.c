#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/pages.h"
#include "base/text.h"
#include "tensor/gemm.h"
#include "train/update.h"

/* Numbers of one task: fixed, so that sums have one order; four buffers of it fit the second cache. */
enum { PIECE = 1 << 14 };

const char *const optimizer_names[] = {"sgd", "adam", "adamw", "lion", "muon", NULL};

/* ---- opening ---- */

static enum status check(const struct optimizer_settings *settings, struct error *err)
{
    const double below_one[] = {settings->beta_1, settings->beta_2, settings->momentum};
    static const char *const names[] = {"beta1", "beta2", "momentum"};
    for (int i = 0; i < 3; i++)
        if (!(below_one[i] >= 0 && below_one[i] < 1))
            return error_set(err, STATUS_USAGE, _("optimizer: %s is %g, it must be in [0, 1)"),
                             names[i], below_one[i]);
    if (!(settings->eps > 0 && settings->eps < 1))
        return error_set(err, STATUS_USAGE, _("optimizer: eps is %g, it must be in (0, 1)"),
                         settings->eps);
    return STATUS_OK;
}

static bool has_second(enum optimizer_kind kind)
{
    return kind == OPTIMIZER_ADAM || kind == OPTIMIZER_ADAMW || kind == OPTIMIZER_MUON;
}

static void cut_pieces(struct optimizer *optimizer)
{
    size_t n = 0;
    for (int i = 0; i < optimizer->n_groups; i++)
        n += (optimizer->groups[i].count + PIECE - 1) / PIECE;
    optimizer->pieces = memory_new(n + 1, sizeof *optimizer->pieces);
    optimizer->sums = memory_new(n + 1, sizeof *optimizer->sums);
    for (int i = 0; i < optimizer->n_groups; i++)
        for (size_t at = 0; at < optimizer->groups[i].count; at += PIECE) {
            const size_t left = optimizer->groups[i].count - at;
            optimizer->pieces[optimizer->n_pieces++] = (struct optimizer_piece){
                i, optimizer->groups[i].offset + at, left < PIECE ? left : PIECE};
        }
}

static size_t muon_scratch(const struct optimizer_group *group)
{
    const size_t least = (size_t)(group->rows < group->columns ? group->rows : group->columns);
    return 2 * group->count + 2 * least * least;
}

enum status optimizer_init(struct optimizer *optimizer, const struct optimizer_settings *settings,
                           const struct optimizer_group *groups, int n_groups, struct error *err)
{
    *optimizer = (struct optimizer){0};
    const enum status status = check(settings, err);
    if (status) return status;
    optimizer->settings = *settings;
    optimizer->n_groups = n_groups;
    optimizer->groups = memory_new((size_t)n_groups + 1, sizeof *groups);
    memcpy(optimizer->groups, groups, (size_t)n_groups * sizeof *groups);
    for (int i = 0; i < n_groups; i++) {
        CHECK(groups[i].offset == optimizer->count);
        optimizer->count += groups[i].count;
        if (settings->kind == OPTIMIZER_MUON && groups[i].rows &&
            muon_scratch(&groups[i]) > optimizer->muon_count)
            optimizer->muon_count = muon_scratch(&groups[i]);
    }
    cut_pieces(optimizer);
    const size_t bytes = optimizer->count * sizeof(float);
    optimizer->first = pages_new(bytes);
    if (has_second(settings->kind)) optimizer->second = pages_new(bytes);
    if (optimizer->muon_count) optimizer->muon = pages_new(optimizer->muon_count * sizeof(float));
    if (optimizer->first && (optimizer->second || !has_second(settings->kind)) &&
        (optimizer->muon || !optimizer->muon_count))
        return STATUS_OK;
    optimizer_done(optimizer);
    return error_set(err, STATUS_LIMIT, _("optimizer: %.0f MiB of memory for its state"),
                     2.0 * (double)bytes / (1 << 20));
}

void optimizer_done(struct optimizer *optimizer)
{
    pages_free(optimizer->first, optimizer->count * sizeof(float));
    pages_free(optimizer->second, optimizer->count * sizeof(float));
    pages_free(optimizer->muon, optimizer->muon_count * sizeof(float));
    free(optimizer->groups);
    free(optimizer->pieces);
    free(optimizer->sums);
    *optimizer = (struct optimizer){0};
}

struct optimizer_group *optimizer_groups(const struct parameters *parameters, double decay,
                                         bool muon)
{
    struct optimizer_group *groups = memory_new((size_t)parameters->n, sizeof *groups);
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->table[i];
        groups[i] = (struct optimizer_group){.offset = p->offset, .count = p->count, .rate = 1};
        if (p->ndim == 2) groups[i].decay = decay;
        if (muon && p->ndim == 2 && p->layer >= 0) {
            groups[i].rows = p->rows;
            groups[i].columns = p->columns;
        }
    }
    return groups;
}

/* ---- sums ---- */

struct summing {
    struct optimizer *optimizer;
    const float *numbers;
};

static void sum_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct summing *summing = context;
    const struct optimizer_piece *piece = &summing->optimizer->pieces[i];
    summing->optimizer->sums[i] = update_square_sum(summing->numbers + piece->offset, piece->count);
}

void optimizer_square_sums(struct optimizer *optimizer, double *out, const float *numbers,
                           struct pool *pool)
{
    struct summing summing = {optimizer, numbers};
    pool_run(pool, sum_piece, &summing, optimizer->n_pieces);
    for (int i = 0; i < optimizer->n_groups; i++) out[i] = 0;
    for (int i = 0; i < optimizer->n_pieces; i++)
        out[optimizer->pieces[i].group] += optimizer->sums[i];
}

/* ---- updates ---- */

struct updating {
    struct optimizer *optimizer;
    float *p, *g;
    double rate, scale;
    int64_t t;
};

static void adam_piece(const struct updating *updating, const struct optimizer_piece *piece)
{
    struct optimizer *optimizer = updating->optimizer;
    const struct optimizer_settings *settings = &optimizer->settings;
    const struct optimizer_group *group = &optimizer->groups[piece->group];
    const double rate = updating->rate * group->rate, t = (double)updating->t;
    const bool coupled = settings->kind == OPTIMIZER_ADAM;
    const struct update_adam how = {
        .rate = (float)(rate / (1 - pow(settings->beta_1, t))),
        .shrink = coupled ? 1.0f : (float)(1 - rate * group->decay),
        .decay = coupled ? (float)group->decay : 0.0f,
        .beta_1 = (float)settings->beta_1,
        .beta_2 = (float)settings->beta_2,
        .eps = (float)settings->eps,
        .root_bias_2 = (float)sqrt(1 - pow(settings->beta_2, t)),
        .scale = (float)updating->scale,
    };
    const size_t at = piece->offset;
    update_adam(updating->p + at, optimizer->first + at, optimizer->second + at, updating->g + at,
                piece->count, &how);
}

static void sgd_piece(const struct updating *updating, const struct optimizer_piece *piece)
{
    struct optimizer *optimizer = updating->optimizer;
    const struct optimizer_group *group = &optimizer->groups[piece->group];
    const struct update_sgd how = {
        .rate = (float)(updating->rate * group->rate),
        .shrink = 1.0f,
        .decay = (float)group->decay,
        .momentum = (float)optimizer->settings.momentum,
        .scale = (float)updating->scale,
        .nesterov = optimizer->settings.nesterov,
        .first = updating->t == 1,
    };
    const size_t at = piece->offset;
    update_sgd(updating->p + at, optimizer->first + at, updating->g + at, piece->count, &how);
}

static void lion_piece(const struct updating *updating, const struct optimizer_piece *piece)
{
    struct optimizer *optimizer = updating->optimizer;
    const struct optimizer_group *group = &optimizer->groups[piece->group];
    const double rate = updating->rate * group->rate;
    const struct update_lion how = {
        .rate = (float)rate,
        .shrink = (float)(1 - rate * group->decay),
        .beta_1 = (float)optimizer->settings.beta_1,
        .beta_2 = (float)optimizer->settings.beta_2,
        .scale = (float)updating->scale,
    };
    const size_t at = piece->offset;
    update_lion(updating->p + at, optimizer->first + at, updating->g + at, piece->count, &how);
}

static void update_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct updating *updating = context;
    const struct optimizer_piece *piece = &updating->optimizer->pieces[i];
    const enum optimizer_kind kind = updating->optimizer->settings.kind;
    if (kind == OPTIMIZER_MUON && updating->optimizer->groups[piece->group].rows)
        return; /* later, a matrix at a time */
    switch (kind) {
    case OPTIMIZER_SGD: sgd_piece(updating, piece); break;
    case OPTIMIZER_LION: lion_piece(updating, piece); break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
    case OPTIMIZER_MUON: adam_piece(updating, piece); break;
    case OPTIMIZER_COUNT: CHECK(false);
    }
    memset(updating->g + piece->offset, 0, piece->count * sizeof(float));
}

/* X <- a X + (b A + c A A) X with A = X X', five times: singular values go to about 1. X is the one
 * with fewer rows than columns; else the other way round. */
void optimizer_orthogonalize(float *x, int rows, int columns, float *scratch, struct pool *pool)
{
    enum { STEPS = 5 };
    const float a = 3.4445f, b = -4.7750f, c = 2.0315f;
    const bool wide = rows <= columns;
    const int m = wide ? rows : columns, n = wide ? columns : rows;
    const size_t count = (size_t)rows * (size_t)columns, square = (size_t)m * (size_t)m;
    float *next = scratch, *gram = scratch + count, *both = gram + square;

    const double norm = sqrt(update_square_sum(x, count)) + 1e-7;
    update_blend(x, x, x, count, (float)(1 / norm), 0.0f);
    for (int step = 0; step < STEPS; step++) {
        /* element [i,k] of X as an m x n matrix, wherever it lies */
        const ptrdiff_t row = wide ? columns : 1, column = wide ? 1 : columns;
        const struct matrix X = {x, row, column}, Xt = {x, column, row};
        const struct matrix A = {gram, m, 1}, P = {both, m, 1};
        gemm_f32(pool, gram, m, X, Xt, m, m, n, false);
        gemm_f32(pool, both, m, A, A, m, m, m, false);
        update_blend(both, gram, both, square, b, c);
        if (wide) gemm_f32(pool, next, n, P, X, m, n, m, false);
        else { /* its transpose, so that columns lie side by side: X' P, P is symmetric */
            gemm_f32(pool, next, m, Xt, P, n, m, m, false);
        }
        update_blend(x, x, next, count, a, 1.0f);
    }
}

static void muon_group(const struct updating *updating, const struct optimizer_group *group,
                       struct pool *pool)
{
    struct optimizer *optimizer = updating->optimizer;
    const float momentum = (float)optimizer->settings.momentum;
    const float scale = (float)updating->scale;
    float *direction = optimizer->muon, *scratch = direction + group->count;
    float *m = optimizer->first + group->offset, *p = updating->p + group->offset;
    float *g = updating->g + group->offset;

    update_blend(m, m, g, group->count, momentum, (1.0f - momentum) * scale);
    if (optimizer->settings.nesterov)
        update_blend(direction, m, g, group->count, momentum, (1.0f - momentum) * scale);
    else memcpy(direction, m, group->count * sizeof *m);
    optimizer_orthogonalize(direction, group->rows, group->columns, scratch, pool);

    const double rate = updating->rate * group->rate * optimizer->settings.muon_factor;
    const double tall = (double)group->rows / group->columns;
    update_blend(p, p, direction, group->count, (float)(1 - rate * group->decay),
                 (float)(-rate * sqrt(tall > 1 ? tall : 1)));
    memset(g, 0, group->count * sizeof *g);
}

void optimizer_update(struct optimizer *optimizer, float *p, float *g, double rate, double scale,
                      struct pool *pool)
{
    struct updating updating = {optimizer, p, g, rate, scale, ++optimizer->step};
    pool_run(pool, update_piece, &updating, optimizer->n_pieces);
    if (optimizer->settings.kind != OPTIMIZER_MUON) return;
    for (int i = 0; i < optimizer->n_groups; i++)
        if (optimizer->groups[i].rows) muon_group(&updating, &optimizer->groups[i], pool);
}
