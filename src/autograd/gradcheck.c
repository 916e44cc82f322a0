#include "autograd/gradcheck.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/locale.h"
#include "base/text.h"

/* A kink at x keeps the two slopes apart; at a smooth place the gap shrinks with the step. */
enum { STEP_SMALLER = 8, STEPS_SMALLER = 2 };
static const double gap_kept = 0.75;

struct work {
    const struct gradcheck *check;
    double eps, atol, rtol;
    double *x;             /* [n], one element moved at a time */
    double *y;             /* [m] at x */
    double *above, *below; /* [m] at x + h, x - h */
    double *backward;      /* [m,n] */
};

/* The slopes of all outputs along one input, for one step. */
struct slope {
    double left, right, central;
};

static double moved(const struct gradcheck *check, double x, double h)
{
    return check->single ? (double)(float)(x + h) : x + h;
}

/* Evaluate at both sides of x[j]; the steps that were really taken, after rounding. */
static void look_aside(struct work *work, size_t j, double h, double *up, double *down)
{
    const struct gradcheck *check = work->check;
    const double kept = work->x[j];
    work->x[j] = moved(check, kept, h);
    *up = work->x[j] - kept;
    check->forward(check->context, work->above, work->x);
    work->x[j] = moved(check, kept, -h);
    *down = kept - work->x[j];
    check->forward(check->context, work->below, work->x);
    work->x[j] = kept;
}

static struct slope slope_of(const struct work *work, size_t i, double up, double down)
{
    const double y = work->y[i], above = work->above[i], below = work->below[i];
    return (struct slope){(y - below) / down, (above - y) / up, (above - below) / (up + down)};
}

static double allowed(const struct work *work, double numeric)
{
    return work->atol + work->rtol * fabs(numeric);
}

static bool agrees(const struct work *work, double backward, double numeric)
{
    return isfinite(backward) && isfinite(numeric) &&
           fabs(backward - numeric) <= allowed(work, numeric);
}

static bool is_between(const struct work *work, double backward, struct slope s)
{
    const double low = fmin(s.left, s.right), high = fmax(s.left, s.right);
    return isfinite(low) && isfinite(high) && backward >= low - allowed(work, low) &&
           backward <= high + allowed(work, high);
}

static bool has_gap(const struct work *work, struct slope s)
{
    return fabs(s.right - s.left) > allowed(work, fmax(fabs(s.left), fabs(s.right)));
}

enum verdict { VERDICT_RIGHT, VERDICT_KINK, VERDICT_WRONG };

/* Smaller steps: does a kink beside x go away, or does one at x stay? `slope` is what the widest step
 * said, and becomes what a closer look says. work->above and below are overwritten. */
static enum verdict look_closer(struct work *work, size_t i, size_t j, double backward,
                                struct slope *slope)
{
    const struct slope wide = *slope;
    const bool same = agrees(work, backward, wide.central);
    double h = work->eps;
    for (int k = 0; k < STEPS_SMALLER; k++) {
        double up, down;
        h /= STEP_SMALLER;
        look_aside(work, j, h, &up, &down);
        if (up <= 0 || down <= 0) break; /* the step was rounded away */
        *slope = slope_of(work, i, up, down);
        if (has_gap(work, *slope)) continue;
        if (!agrees(work, backward, slope->central)) return VERDICT_WRONG;
        return same ? VERDICT_RIGHT : VERDICT_KINK;
    }
    const double gap = fabs(slope->right - slope->left), before = fabs(wide.right - wide.left);
    if (gap > gap_kept * before && is_between(work, backward, *slope)) return VERDICT_KINK;
    return same ? VERDICT_RIGHT : VERDICT_WRONG;
}

static void element_name(const struct gradcheck *check, size_t j, char *name, size_t size)
{
    size_t first = 0;
    for (size_t k = 0; k < check->n_inputs; k++) {
        if (j < first + check->inputs[k].n) {
            snprintf(name, size, "%s[%zu]", check->inputs[k].name, j - first);
            return;
        }
        first += check->inputs[k].n;
    }
    snprintf(name, size, "x[%zu]", j);
}

static void report_wrong(const struct work *work, struct gradcheck_report *report, size_t i,
                         size_t j, struct slope s, double *worst)
{
    const double backward = work->backward[i * work->check->n + j];
    const double excess = fabs(backward - s.central) / allowed(work, s.central);
    report->wrong++;
    /* NaN is worse than any number, and the first of its kind stays. */
    if (report->wrong > 1 && (isnan(*worst) || (!isnan(excess) && excess <= *worst))) return;
    *worst = excess;
    report->output = i, report->input = j;
    report->backward = backward, report->numeric = s.central;
    report->left = s.left, report->right = s.right;
}

static void report_describe(const struct work *work, struct gradcheck_report *report)
{
    char name[128];
    element_name(work->check, report->input, name, sizeof name);
    snprintf(report->message, sizeof report->message,
             _("%s, output %zu: the backward pass says %.9g, central differences %.9g (left %.9g, "
               "right %.9g); %.3g is allowed; %zu of %zu elements are wrong"),
             name, report->output, report->backward, report->numeric, report->left, report->right,
             allowed(work, report->numeric), report->wrong, report->checked);
}

static void check_column(struct work *work, struct gradcheck_report *report, size_t j,
                         struct slope *slopes, double *worst)
{
    const size_t n = work->check->n, m = work->check->m;
    double up, down;
    look_aside(work, j, work->eps, &up, &down);
    CHECK(up > 0 && down > 0); /* x is so large that eps is nothing beside it: scale the problem */
    for (size_t i = 0; i < m; i++) slopes[i] = slope_of(work, i, up, down);

    for (size_t i = 0; i < m; i++) {
        const double backward = work->backward[i * n + j];
        const bool same = agrees(work, backward, slopes[i].central);
        report->checked++;
        if (same && !has_gap(work, slopes[i])) continue;
        const enum verdict verdict = look_closer(work, i, j, backward, &slopes[i]);
        if (verdict == VERDICT_KINK) report->kinks++;
        if (verdict == VERDICT_WRONG) report_wrong(work, report, i, j, slopes[i], worst);
    }
}

/* Fills work->backward; false when two runs differ. */
static bool run_backward(struct work *work, struct gradcheck_report *report, double *dy,
                         double *again)
{
    const struct gradcheck *check = work->check;
    const size_t n = check->n;
    for (size_t i = 0; i < check->m; i++) {
        double *row = work->backward + i * n;
        memset(dy, 0, check->m * sizeof *dy);
        memset(again, 0, n * sizeof *again);
        dy[i] = 1;
        check->backward(check->context, row, dy, work->x);
        check->backward(check->context, again, dy, work->x);
        for (size_t j = 0; j < n; j++) {
            if (memcmp(&row[j], &again[j], sizeof *row) == 0) continue;
            char name[128];
            element_name(check, j, name, sizeof name);
            report->wrong = 1;
            report->output = i, report->input = j, report->backward = row[j];
            snprintf(report->message, sizeof report->message,
                     _("%s, output %zu: two backward passes differ, %.17g and %.17g: is something "
                       "random, or kept from the first?"),
                     name, i, row[j], again[j]);
            return false;
        }
    }
    return true;
}

static double or_default(double value, double otherwise) { return value > 0 ? value : otherwise; }

bool gradcheck_run(const struct gradcheck *check, struct gradcheck_report *report)
{
    const size_t n = check->n, m = check->m;
    CHECK(n > 0 && m > 0 && m <= SIZE_MAX / n);
    *report = (struct gradcheck_report){0};
    struct work work = {check,
                        or_default(check->eps, check->single ? 0x1p-7 : 1e-6),
                        or_default(check->atol, check->single ? 1e-3 : 1e-5),
                        or_default(check->rtol, 1e-3),
                        memory_new(n, sizeof(double)),
                        memory_new(m, sizeof(double)),
                        memory_new(m, sizeof(double)),
                        memory_new(m, sizeof(double)),
                        memory_new(m * n, sizeof(double))};
    double *dy = memory_new(m, sizeof *dy), *again = memory_new(n, sizeof *again);
    struct slope *slopes = memory_new(m, sizeof *slopes);
    double worst = 0;

    for (size_t j = 0; j < n; j++) work.x[j] = moved(check, check->x[j], 0);
    check->forward(check->context, work.y, work.x);
    if (run_backward(&work, report, dy, again)) {
        for (size_t j = 0; j < n; j++) check_column(&work, report, j, slopes, &worst);
        if (report->wrong) report_describe(&work, report);
    }
    free(work.x), free(work.y), free(work.above), free(work.below), free(work.backward);
    free(dy), free(again), free(slopes);
    return report->wrong == 0;
}
