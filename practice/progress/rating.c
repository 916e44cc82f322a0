#include "progress/rating.h"

#include <stdio.h>

#include "base/locale.h"
#include "progress/progress_internal.h"
#include "progress/review.h"
#include "store/query.h"

enum fsrs_rating rating_derive(const struct rating_facts *facts)
{
    if (facts->rehearsal) return RATING_NONE;
    if (!facts->passed)
        return facts->submissions == 0 && facts->our_faults > 0 ? RATING_NONE : RATING_AGAIN;
    if (facts->hints > 0 || facts->elapsed_ms > facts->budget_ms) return RATING_HARD;
    if (facts->submissions <= 1 && facts->elapsed_ms * 10 < facts->budget_ms * 6)
        return RATING_EASY;
    return RATING_GOOD;
}

static enum status lower(struct progress *progress, const char *sitting, enum fsrs_rating rating,
                         struct error *err)
{
    struct query query;
    enum fsrs_rating now = RATING_NONE;
    char item[ITEM_SIZE] = "";

    query_open(&query, progress->database, "SELECT rating, item FROM review WHERE sitting = ?1");
    query_bind_text(&query, 1, sitting);
    if (query_row(&query)) {
        now = (enum fsrs_rating)query_int(&query, 0);
        snprintf(item, sizeof item, "%s", query_text(&query, 1));
    }
    enum status status = query_done(&query, err);
    if (status) return status;
    if (now == RATING_NONE)
        return error_set(err, STATUS_NOT_FOUND, _("sitting %s: it has no rating"), sitting);
    if (rating >= now)
        return error_set(err, STATUS_USAGE,
                         _("sitting %s: rated %s, which can be lowered but not made %s"), sitting,
                         fsrs_rating_name(now), fsrs_rating_name(rating));

    query_open(&query, progress->database, "UPDATE review SET rating = ?2 WHERE sitting = ?1");
    query_bind_text(&query, 1, sitting);
    query_bind_int(&query, 2, rating);
    status = query_run(&query, err);
    return status ? status : review_replay(progress, item, err);
}

enum status rating_lower(struct progress *progress, const char *sitting, enum fsrs_rating rating,
                         struct error *err)
{
    CHECK(rating >= RATING_AGAIN && rating <= RATING_EASY);
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    return database_end(progress->database, lower(progress, sitting, rating, err), err);
}
