#include "progress/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "progress/day.h"
#include "progress/sitting.h"
#include "store/query.h"

/* One item on its way through the days. */
struct track {
    const struct plan_item *item;
    int index;
    struct review_memory memory;
    double recall;        /* on the day being filled */
    bool done;            /* on the day being filled */
    bool banned;          /* a new one that cannot be seen twice in time */
    bool begun;           /* a new one that the plan began */
    int sightings_before; /* the interview */
    struct review_memory memory_before;
};

struct walk {
    const struct plan_question *question;
    bool dated;       /* the interview is today or ahead */
    int64_t last_day; /* the day before it */
    struct track *tracks;
    struct track **order; /* scratch */
};

/* ---- one day ---- */

static int by_recall(const void *a, const void *b)
{
    const struct track *x = *(struct track *const *)a, *y = *(struct track *const *)b;
    if (x->recall != y->recall) return x->recall < y->recall ? -1 : 1;
    if (x->item->weight != y->item->weight) return x->item->weight > y->item->weight ? -1 : 1;
    return x->index - y->index;
}

static int by_weight(const void *a, const void *b)
{
    const struct track *x = *(struct track *const *)a, *y = *(struct track *const *)b;
    if (x->item->weight != y->item->weight) return x->item->weight > y->item->weight ? -1 : 1;
    return x->index - y->index;
}

static int by_urgency(const void *a, const void *b)
{
    const struct track *x = *(struct track *const *)a, *y = *(struct track *const *)b;
    if (x->item->state != y->item->state) return x->item->state == PLAN_STATE_OVERTIME ? -1 : 1;
    if (x->item->minutes_left != y->item->minutes_left)
        return x->item->minutes_left - y->item->minutes_left;
    return x->index - y->index;
}

/* The tracks that `wanted` chooses, in `order` by `compare`. */
static int choose(struct walk *walk, int64_t day,
                  bool (*wanted)(const struct walk *, const struct track *, int64_t),
                  int (*compare)(const void *, const void *))
{
    int n = 0;
    for (int i = 0; i < walk->question->n_items; i++)
        if (wanted(walk, &walk->tracks[i], day)) walk->order[n++] = &walk->tracks[i];
    qsort(walk->order, (size_t)n, sizeof walk->order[0], compare);
    return n;
}

static bool is_running(const struct walk *walk, const struct track *track, int64_t day)
{
    return day == walk->question->today && track->item->state != PLAN_STATE_IDLE;
}

static bool is_due(const struct walk *walk, const struct track *track, int64_t day)
{
    (void)walk;
    return !track->done && track->memory.reviews > 0 && track->memory.due_day <= day;
}

static bool is_new(const struct walk *walk, const struct track *track, int64_t day)
{
    if (track->done || track->memory.reviews > 0 || track->banned) return false;
    /* Before an interview only what can still be seen again; after it as always. */
    return !walk->dated || day < walk->last_day || day > walk->question->interview_day;
}

/* Seen fewer than twice: due again before the interview. */
static void keep_before_interview(const struct walk *walk, struct track *track, int64_t earliest)
{
    if (!walk->dated || track->memory.reviews >= 2 || earliest > walk->last_day) return;
    if (track->memory.due_day > walk->last_day) track->memory.due_day = walk->last_day;
}

/* As if the sitting went well. */
static void see(const struct walk *walk, struct track *track, int64_t day)
{
    struct review_memory *memory = &track->memory;
    memory->memory =
        fsrs_review(&fsrs_default, memory->memory, RATING_GOOD, (double)(day - memory->last_day));
    memory->reviews++;
    memory->last_day = day;
    memory->due_day =
        day + fsrs_interval(&fsrs_default, memory->memory.stability, walk->question->retention);
    track->done = true;
    keep_before_interview(walk, track, day + 1);
}

static void add_entry(struct plan *plan, const struct track *track, enum plan_reason reason,
                      int minutes)
{
    plan->today = memory_grow(plan->today, (size_t)plan->n_today + 1, sizeof *plan->today);
    plan->today[plan->n_today++] = (struct plan_entry){
        .item = track->index,
        .reason = reason,
        .minutes = minutes,
        .recall = track->memory.reviews ? track->recall : -1.0,
    };
}

static void fill_day(struct walk *walk, struct plan *plan, struct plan_day *out, int64_t day)
{
    const struct plan_question *question = walk->question;
    const bool first = day == question->today;
    int used = first ? question->minutes_done : 0;
    int fresh_left = first && question->new_done > 0 ? 0 : 1;
    bool nothing = used == 0;

    *out = (struct plan_day){.day = day};
    for (int i = 0; i < question->n_items; i++) {
        struct track *track = &walk->tracks[i];
        track->done = false;
        track->recall = review_recall(&track->memory, day);
    }

    int n = choose(walk, day, is_running, by_urgency);
    for (int i = 0; i < n; i++) {
        struct track *track = walk->order[i];
        const int minutes = track->item->minutes_left;
        add_entry(plan, track, PLAN_FINISH, minutes);
        used += minutes;
        out->minutes += minutes;
        nothing = false;
        see(walk, track, day);
    }

    n = choose(walk, day, is_due, by_recall);
    for (int i = 0; i < n; i++) {
        struct track *track = walk->order[i];
        const int minutes = track->item->minutes;
        if (!nothing && used + minutes > question->daily_minutes) {
            out->backlog++;
            continue;
        }
        if (first) add_entry(plan, track, PLAN_REVIEW, minutes);
        used += minutes;
        out->minutes += minutes;
        out->reviews++;
        nothing = false;
        see(walk, track, day);
    }

    n = choose(walk, day, is_new, by_weight);
    for (int i = 0; i < n && fresh_left > 0; i++) {
        struct track *track = walk->order[i];
        const int minutes = track->item->minutes;
        if (!nothing && used + minutes > question->daily_minutes) continue;
        if (first) add_entry(plan, track, PLAN_NEW, minutes);
        used += minutes;
        out->minutes += minutes;
        out->fresh++;
        nothing = false;
        track->begun = true;
        see(walk, track, day);
        fresh_left--;
    }
}

/* ---- all days ---- */

static void remember_for_interview(struct walk *walk)
{
    for (int i = 0; i < walk->question->n_items; i++) {
        struct track *track = &walk->tracks[i];
        track->sightings_before = track->memory.reviews;
        track->memory_before = track->memory;
    }
}

static void walk_days(struct walk *walk, struct plan *plan, int n_days)
{
    const struct plan_question *question = walk->question;
    for (int i = 0; i < question->n_items; i++) {
        struct track *track = &walk->tracks[i];
        const bool banned = track->banned;
        *track = (struct track){
            .item = &question->items[i],
            .index = i,
            .memory = question->items[i].memory,
            .banned = banned,
        };
        if (track->memory.reviews > 0) keep_before_interview(walk, track, question->today);
    }
    plan->n_today = 0;
    for (int d = 0; d < n_days; d++) {
        const int64_t day = question->today + d;
        struct plan_day filled;
        if (walk->dated && day == question->interview_day) remember_for_interview(walk);
        fill_day(walk, plan, &filled, day);
        if (d < question->n_days) plan->days[d] = filled;
    }
    if (walk->dated && question->interview_day >= question->today + n_days)
        remember_for_interview(walk);
}

/* The lightest item that was begun in vain, or NULL. */
static struct track *begun_in_vain(struct walk *walk)
{
    struct track *lightest = NULL;
    for (int i = 0; i < walk->question->n_items; i++) {
        struct track *track = &walk->tracks[i];
        if (!track->begun || track->sightings_before == 0 || track->sightings_before >= 2) continue;
        if (!lightest || by_weight(&track, &lightest) > 0) lightest = track;
    }
    return lightest;
}

static void report_outlook(struct walk *walk, struct plan *plan)
{
    const struct plan_question *question = walk->question;
    plan->outlook = memory_new((size_t)question->n_items, sizeof *plan->outlook);
    plan->n_outlook = question->n_items;
    for (int i = 0; i < question->n_items; i++) walk->order[i] = &walk->tracks[i];
    qsort(walk->order, (size_t)question->n_items, sizeof walk->order[0], by_weight);
    for (int i = 0; i < question->n_items; i++) {
        const struct track *track = walk->order[i];
        plan->outlook[i] = (struct plan_outlook){
            .item = track->index,
            .sightings = track->sightings_before,
            .fits = track->sightings_before >= 2,
            .recall = review_recall(&track->memory_before, question->interview_day),
        };
    }
}

void plan_make(struct plan *plan, const struct plan_question *question)
{
    CHECK(question->n_items >= 0 && question->n_items <= PLAN_ITEM_LIMIT);
    CHECK(question->n_days >= 1 && question->n_days <= PLAN_DAY_LIMIT);
    CHECK(question->daily_minutes > 0 && question->retention > 0.0 && question->retention < 1.0);
    for (int i = 0; i < question->n_items; i++)
        CHECK(question->items[i].minutes > 0 && question->items[i].weight >= 0.0);

    const int64_t ahead =
        question->interview_day == DAY_NONE ? -1 : question->interview_day - question->today;
    struct walk walk = {
        .question = question,
        .dated = ahead >= 0,
        .last_day = question->interview_day - 1,
        .tracks = memory_new((size_t)question->n_items, sizeof *walk.tracks),
        .order = memory_new((size_t)question->n_items, sizeof *walk.order),
    };
    *plan = (struct plan){
        .n_days = question->n_days,
        .days = memory_new((size_t)question->n_days, sizeof *plan->days),
    };
    int n_days = question->n_days;
    if (ahead + 1 > n_days) n_days = ahead + 1 > PLAN_DAY_LIMIT ? PLAN_DAY_LIMIT : (int)ahead + 1;

    /* Leaving one out frees its minutes for the others, so the days are walked again. */
    walk_days(&walk, plan, n_days);
    struct track *vain;
    while (walk.dated && ahead < PLAN_DAY_LIMIT && (vain = begun_in_vain(&walk))) {
        vain->banned = true;
        walk_days(&walk, plan, n_days);
    }

    plan->left_out = plan->days[0].backlog;
    plan->minutes = plan->days[0].minutes;
    if (walk.dated) report_outlook(&walk, plan);
    free(walk.tracks);
    free(walk.order);
}

void plan_done(struct plan *plan)
{
    free(plan->today);
    free(plan->days);
    free(plan->outlook);
    *plan = (struct plan){0};
}

/* ---- from the database ---- */

static int minutes_up(int64_t ms) { return (int)((ms + 59999) / 60000); }

enum status plan_item_read(struct plan_item *item, struct progress *progress, double retention,
                           struct error *err)
{
    CHECK(text_starts_with(item->id, "drill/"));
    struct sitting sitting;
    bool found;
    enum status status = review_memory(&item->memory, progress, item->id, retention, err);
    if (!status)
        status = sitting_running(&sitting, &found, progress, item->id + strlen("drill/"), err);
    if (status) return status;

    item->state = PLAN_STATE_IDLE;
    item->minutes_left = 0;
    if (!found) return STATUS_OK;
    const struct sitting_time time = sitting_time(&sitting, clock_wall_ms(progress->clock));
    item->state = time.left_ms > 0 ? PLAN_STATE_RUNNING : PLAN_STATE_OVERTIME;
    item->minutes_left = minutes_up(time.left_ms);
    sitting_done(&sitting);
    return STATUS_OK;
}

enum status plan_done_today(int *minutes_done, int *new_done, struct progress *progress,
                            int64_t today, struct error *err)
{
    struct sitting *sittings;
    struct query query;
    int n;
    int64_t done_ms = 0;

    *minutes_done = *new_done = 0;
    enum status status = sitting_list(&sittings, &n, progress, NULL, 0, err);
    if (status) return status;
    const int64_t now = clock_wall_ms(progress->clock);
    for (int i = 0; i < n; i++) {
        if (day_of(sittings[i].started_ms) != today) continue;
        /* A forgotten sitting in overtime is no practice: twice the drill's time at most. */
        const struct sitting_time time = sitting_time(&sittings[i], now);
        const int64_t most = 2 * time.budget_ms;
        done_ms += time.elapsed_ms < most ? time.elapsed_ms : most;
    }
    sitting_list_done(sittings, n);
    *minutes_done = (int)(done_ms / 60000);

    query_open(&query, progress->database, "SELECT min(started_ms) FROM sitting GROUP BY drill");
    while (query_row(&query))
        if (day_of(query_int(&query, 0)) == today) ++*new_done;
    return query_done(&query, err);
}
