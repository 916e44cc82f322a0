#include "progress/readiness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "progress/review.h"
#include "store/query.h"

/* Gamma(shape, 1) for shape >= 1: Marsaglia and Tsang 2000, "A simple method for generating gamma
 * variables". */
static double draw_gamma(struct rng *rng, double shape)
{
    const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = rng_normal(rng);
        const double root = 1.0 + c * x;
        if (root <= 0.0) continue;
        const double v = root * root * root;
        const double u = 1.0 - rng_uniform(rng); /* (0, 1] */
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

static double draw_beta(struct rng *rng, double a, double b)
{
    const double x = draw_gamma(rng, a);
    const double y = draw_gamma(rng, b);
    return x / (x + y);
}

static bool tried(const struct readiness_skill *skill)
{
    return skill->passes + skill->fails > 0.0;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct readiness readiness_of(const struct readiness_skill *skills, int n, uint64_t seed)
{
    CHECK(n > 0);
    struct readiness out = {0};
    double draws[READINESS_DRAWS] = {0};
    double total = 0.0, unknown = 0.0;

    for (int i = 0; i < n; i++) {
        CHECK(skills[i].weight > 0.0 && skills[i].passes >= 0.0 && skills[i].fails >= 0.0);
        total += skills[i].weight;
    }
    for (int i = 0; i < n; i++) {
        const struct readiness_skill *skill = &skills[i];
        const double share = skill->weight / total;
        if (!tried(skill)) {
            unknown += share;
            continue;
        }
        const double a = 1.0 + skill->passes, b = 1.0 + skill->fails;
        struct rng rng;
        rng_init(&rng, seed, (uint64_t)i + 1);
        out.n_tried++;
        out.mean += share * skill->recall * a / (a + b);
        for (int k = 0; k < READINESS_DRAWS; k++)
            draws[k] += share * skill->recall * draw_beta(&rng, a, b);
    }
    if (unknown > 0.0) {
        struct rng rng;
        rng_init(&rng, seed, 0);
        out.mean += unknown * 0.5;
        for (int k = 0; k < READINESS_DRAWS; k++) draws[k] += unknown * rng_uniform(&rng);
    }
    qsort(draws, READINESS_DRAWS, sizeof draws[0], ascending);
    out.low = draws[READINESS_DRAWS / 20];
    out.high = draws[READINESS_DRAWS - 1 - READINESS_DRAWS / 20];
    return out;
}

/* Read "passes, fails" for the text that is bound. */
static enum status read_results(struct readiness_skill *skill, struct progress *progress,
                                const char *sql, const char *bound, struct error *err)
{
    struct query query;
    query_open(&query, progress->database, sql);
    query_bind_text(&query, 1, bound);
    if (query_row(&query)) {
        skill->passes = query_real(&query, 0);
        skill->fails = query_real(&query, 1);
    }
    return query_done(&query, err);
}

static enum status drill_results(struct readiness_skill *skill, struct progress *progress,
                                 const char *item, struct error *err)
{
    /* Only rated sittings say something: rehearsals and our own faults have no review. */
    return read_results(skill, progress,
                        "SELECT total(CASE WHEN state <> 'passed' THEN 0 WHEN hints > 0 THEN 0.25"
                        "             WHEN exam THEN 1 ELSE 0.5 END),"
                        " total(CASE WHEN state = 'passed' THEN 0 WHEN exam THEN 1 ELSE 0.5 END)"
                        " FROM sitting JOIN review ON review.sitting = sitting.id"
                        " WHERE 'drill/' || drill = ?1",
                        item, err);
}

static enum status word_results(struct readiness_skill *skill, struct progress *progress,
                                const char *item, struct error *err)
{
    char *sql =
        text_printf("SELECT total(CASE WHEN score < %g THEN 0 WHEN exam THEN 1 ELSE 0.5 END),"
                    " total(CASE WHEN score >= %g THEN 0 WHEN exam THEN 1 ELSE 0.5 END)"
                    " FROM answer JOIN round ON round.id = answer.round"
                    " WHERE score IS NOT NULL AND time_factor >= 1 AND item GLOB ?1 || '/*'",
                    READINESS_PASS, READINESS_PASS);
    const enum status status = read_results(skill, progress, sql, item, err);
    free(sql);
    return status;
}

/* The mean over the item itself and what is below it; 0 when nothing was reviewed. */
static enum status mean_recall(double *mean, struct progress *progress, const char *item,
                               int64_t day, struct error *err)
{
    struct query query;
    double sum = 0;
    int n = 0;
    enum status status = STATUS_OK;

    query_open(&query, progress->database,
               "SELECT DISTINCT item FROM review WHERE item = ?1 OR item GLOB ?1 || '/*'");
    query_bind_text(&query, 1, item);
    while (!status && query_row(&query)) {
        double recall;
        status = review_recall_on(&recall, progress, query_text(&query, 0), day, err);
        sum += recall;
        n++;
    }
    const enum status read = query_done(&query, status ? NULL : err);
    *mean = n ? sum / n : 0;
    return status ? status : read;
}

enum status readiness_evidence(struct readiness_skill *skill, struct progress *progress,
                               const char *item, int64_t day, struct error *err)
{
    skill->recall = skill->passes = skill->fails = 0.0;
    const enum status status = text_starts_with(item, "drill/")
                                   ? drill_results(skill, progress, item, err)
                                   : word_results(skill, progress, item, err);
    if (status || !tried(skill)) return status;
    return mean_recall(&skill->recall, progress, item, day, err);
}
