#include "progress/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "progress/day.h"

/* One item on its way through the days. */
struct track {
    const struct plan_item *item;
    int index;
    int tree; /* of a node: its tree's index; -1 when there is none */
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

static bool can_begin(const struct walk *walk, const struct track *track, int64_t day)
{
    if (track->done || track->memory.reviews > 0 || track->banned) return false;
    /* Before an interview only what can still be seen again; after it as always. */
    return !walk->dated || day < walk->last_day || day > walk->question->interview_day;
}

static bool is_new_drill(const struct walk *walk, const struct track *track, int64_t day)
{
    return track->item->kind == PLAN_DRILL && can_begin(walk, track, day);
}

static bool is_new_tree(const struct walk *walk, const struct track *track, int64_t day)
{
    return track->item->kind == PLAN_TREE && can_begin(walk, track, day);
}

static bool is_new_card(const struct walk *walk, const struct track *track, int64_t day)
{
    return track->item->kind == PLAN_CARD && can_begin(walk, track, day);
}

/* Seen fewer than twice: due again before the interview. */
static void keep_before_interview(const struct walk *walk, struct track *track, int64_t earliest)
{
    if (!walk->dated || track->memory.reviews >= 2 || earliest > walk->last_day) return;
    if (track->memory.due_day > walk->last_day) track->memory.due_day = walk->last_day;
}

/* As if it went well. */
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

/* A tree asks nodes too that were never asked: some when it is new, one when it comes back. */
static void see_tree(const struct walk *walk, struct track *tree, int64_t day, int n_nodes)
{
    see(walk, tree, day);
    for (int i = tree->index + 1; i < walk->question->n_items && n_nodes > 0; i++) {
        struct track *node = &walk->tracks[i];
        if (node->tree != tree->index || node->memory.reviews > 0) continue;
        see(walk, node, day);
        n_nodes--;
    }
}

/* The day being filled. */
struct filling {
    struct walk *walk;
    struct plan *plan;
    struct plan_day *out;
    int used;     /* minutes */
    bool nothing; /* is on it so far */
};

static bool is_today(const struct filling *filling)
{
    return filling->out->day == filling->walk->question->today;
}

static int minutes_of(const struct plan_item *item, enum plan_reason reason)
{
    if (reason == PLAN_FINISH) return item->minutes_left;
    return reason == PLAN_REVIEW && item->again > 0 ? item->again : item->minutes;
}

/* Put it on the day; false when it does not fit. A running sitting always does. */
static bool take(struct filling *filling, struct track *track, enum plan_reason reason)
{
    const int minutes = minutes_of(track->item, reason);
    struct plan *plan = filling->plan;
    if (reason != PLAN_FINISH && !filling->nothing &&
        filling->used + minutes > filling->walk->question->daily_minutes)
        return false;
    if (is_today(filling)) {
        plan->today = memory_grow(plan->today, (size_t)plan->n_today + 1, sizeof *plan->today);
        plan->today[plan->n_today++] = (struct plan_entry){
            .item = track->index,
            .reason = reason,
            .minutes = minutes,
            .recall = track->memory.reviews ? track->recall : -1.0,
        };
    }
    filling->used += minutes;
    filling->out->minutes += minutes;
    filling->nothing = false;
    if (reason == PLAN_NEW) track->begun = true;
    if (track->item->kind == PLAN_TREE)
        see_tree(filling->walk, track, filling->out->day, reason == PLAN_NEW ? PLAN_TREE_NODES : 1);
    else see(filling->walk, track, filling->out->day);
    return true;
}

/* The first of the new ones, heaviest first, that fits; false when none does. */
static bool begin_one(struct filling *filling,
                      bool (*wanted)(const struct walk *, const struct track *, int64_t))
{
    struct walk *walk = filling->walk;
    const int n = choose(walk, filling->out->day, wanted, by_weight);
    for (int i = 0; i < n; i++)
        if (take(filling, walk->order[i], PLAN_NEW)) return true;
    return false;
}

/* The heaviest weight among the new ones of a kind, and which share of the kind was begun. */
static void stand_of(const struct filling *filling, enum plan_kind kind, double *weight,
                     double *begun)
{
    const struct walk *walk = filling->walk;
    int n = 0, seen = 0;
    *weight = -1;
    for (int i = 0; i < walk->question->n_items; i++) {
        const struct track *track = &walk->tracks[i];
        if (track->item->kind != kind) continue;
        n++;
        if (track->memory.reviews > 0) seen++;
        else if (can_begin(walk, track, filling->out->day))
            *weight = fmax(*weight, track->item->weight);
    }
    *begun = n ? (double)seen / n : 1.0;
}

static bool tree_goes_first(const struct filling *filling)
{
    double drill, tree, drills_begun, trees_begun;
    stand_of(filling, PLAN_DRILL, &drill, &drills_begun);
    stand_of(filling, PLAN_TREE, &tree, &trees_begun);
    return tree != drill ? tree > drill : trees_begun < drills_begun;
}

static void begin_new(struct filling *filling)
{
    const struct plan_question *question = filling->walk->question;
    const bool drill = !is_today(filling) || question->new_drills == 0;
    const bool tree = !is_today(filling) || question->new_trees == 0;
    const bool tree_first = tree && tree_goes_first(filling);

    if (tree_first) filling->out->fresh += begin_one(filling, is_new_tree);
    if (drill) filling->out->fresh += begin_one(filling, is_new_drill);
    if (tree && !tree_first) filling->out->fresh += begin_one(filling, is_new_tree);
    const int n = choose(filling->walk, filling->out->day, is_new_card, by_weight);
    for (int i = 0; i < n; i++)
        filling->out->cards += take(filling, filling->walk->order[i], PLAN_NEW);
}

static void fill_day(struct walk *walk, struct plan *plan, struct plan_day *out, int64_t day)
{
    const struct plan_question *question = walk->question;
    struct filling filling = {.walk = walk, .plan = plan, .out = out};

    *out = (struct plan_day){.day = day};
    filling.used = is_today(&filling) ? question->minutes_done : 0;
    filling.nothing = filling.used == 0;
    for (int i = 0; i < question->n_items; i++) {
        struct track *track = &walk->tracks[i];
        track->done = false;
        track->recall = review_recall(&track->memory, day);
    }

    int n = choose(walk, day, is_running, by_urgency);
    for (int i = 0; i < n; i++) (void)take(&filling, walk->order[i], PLAN_FINISH);

    n = choose(walk, day, is_due, by_recall);
    for (int i = 0; i < n; i++) {
        if (take(&filling, walk->order[i], PLAN_REVIEW)) out->reviews++;
        else out->backlog++;
    }
    begin_new(&filling);
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
        *track = (struct track){
            .item = &question->items[i],
            .index = i,
            .tree = track->tree,
            .memory = question->items[i].memory,
            .banned = track->banned,
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

static bool was_never_asked(const struct track *track)
{
    return track->item->kind == PLAN_NODE && track->item->memory.reviews == 0;
}

static void report_outlook(struct walk *walk, struct plan *plan)
{
    const struct plan_question *question = walk->question;
    int n = 0;
    plan->outlook = memory_new((size_t)question->n_items, sizeof *plan->outlook);
    for (int i = 0; i < question->n_items; i++)
        if (!was_never_asked(&walk->tracks[i])) walk->order[n++] = &walk->tracks[i];
    qsort(walk->order, (size_t)n, sizeof walk->order[0], by_weight);
    plan->n_outlook = n;
    for (int i = 0; i < n; i++) {
        const struct track *track = walk->order[i];
        plan->outlook[i] = (struct plan_outlook){
            .item = track->index,
            .sightings = track->sightings_before,
            .fits = track->sightings_before >= 2,
            .recall = review_recall(&track->memory_before, question->interview_day),
        };
    }
}

static void report_rounds(const struct walk *walk, struct plan *plan)
{
    const int64_t day = walk->question->interview_day;
    for (int round = 0; round < PLAN_ROUND_LIMIT; round++) {
        struct plan_recall *out = &plan->rounds[round];
        double now = 0, now_weight = 0, kept = 0, kept_weight = 0;
        for (int i = 0; i < walk->question->n_items; i++) {
            const struct track *track = &walk->tracks[i];
            const double weight = fmax(track->item->weight, 1e-9);
            if (!(track->item->rounds >> round & 1U)) continue;
            if (!was_never_asked(track)) out->items++;
            if (track->item->memory.reviews > 0) {
                out->seen++;
                now += weight * review_recall(&track->item->memory, day);
                now_weight += weight;
            }
            if (track->memory_before.reviews > 0) {
                if (!was_never_asked(track)) out->seen_kept++;
                kept += weight * review_recall(&track->memory_before, day);
                kept_weight += weight;
            }
        }
        out->recall = now_weight > 0 ? now / now_weight : -1;
        out->recall_kept = kept_weight > 0 ? kept / kept_weight : -1;
    }
}

/* The index of each node's tree. Trees stand before their nodes, which follow one another. */
static void find_trees(struct walk *walk)
{
    const struct plan_item *items = walk->question->items;
    int tree = -1;
    for (int i = 0; i < walk->question->n_items; i++) {
        if (items[i].kind == PLAN_TREE) tree = i;
        walk->tracks[i].tree = -1;
        if (items[i].kind != PLAN_NODE || !items[i].tree) continue;
        CHECK(tree >= 0 && strcmp(items[tree].id, items[i].tree) == 0);
        walk->tracks[i].tree = tree;
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
    find_trees(&walk);
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
    if (walk.dated) {
        report_outlook(&walk, plan);
        report_rounds(&walk, plan);
    }
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
