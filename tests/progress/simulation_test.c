/* simulation_test.c -- a year of study, and three weeks to a date, with a learner who forgets.
 *
 * The learner's true recall follows FSRS with noise: each item's true stability is what the log
 * says times a factor of its own (log-normal), and whether it is recalled is drawn from that. What
 * is measured comes from the true one; what is planned, from the log, as in life.
 */
#include "progress/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "progress/day.h"
#include "progress/fsrs.h"

enum {
    N_DRILLS = 12,
    N_QUESTIONS = 25,
    N_NODES = 6,
    N_CARDS = 60,
    N_ITEMS = N_DRILLS + N_QUESTIONS * (1 + N_NODES) + N_CARDS,
    FIRST = 20000, /* a day */
    YEAR = 365,
    WEEKS = 21,
    MINUTES = 60,
    MOST_OVERDUE = 30,
};

struct world {
    struct plan_item items[N_ITEMS];
    char ids[N_ITEMS][24];
    double truth[N_ITEMS]; /* factor on the stability in the log */
    int tree[N_ITEMS];     /* of a node: its tree */
    struct rng rng;
};

static struct plan_item *add(struct world *world, int *n, enum plan_kind kind, int minutes,
                             double weight)
{
    struct plan_item *item = &world->items[*n];
    *item = (struct plan_item){
        .id = world->ids[*n], .kind = kind, .minutes = minutes, .weight = weight, .rounds = 1};
    world->tree[*n] = -1;
    world->truth[*n] = exp(0.3 * rng_normal(&world->rng));
    ++*n;
    return item;
}

static void make_world(struct world *world, uint64_t seed)
{
    static const int drill_minutes[N_DRILLS] = {20, 20, 20, 20, 25, 25, 30, 20, 20, 30, 40, 40};
    int n = 0;
    rng_init(&world->rng, seed, 0);
    for (int i = 0; i < N_DRILLS; i++) {
        snprintf(world->ids[n], sizeof world->ids[n], "drill/%02d", i + 1);
        add(world, &n, PLAN_DRILL, drill_minutes[i], (double)rng_between(&world->rng, 1, 3));
    }
    for (int i = 0; i < N_QUESTIONS; i++) {
        const int tree = n;
        const double weight = (double)rng_between(&world->rng, 1, 3);
        snprintf(world->ids[n], sizeof world->ids[n], "question/%02d/0", i + 1);
        add(world, &n, PLAN_TREE, 30, weight)->again = 11;
        for (int j = 0; j < N_NODES; j++) {
            snprintf(world->ids[n], sizeof world->ids[n], "question/%02d/%d", i + 1, j + 1);
            struct plan_item *node = add(world, &n, PLAN_NODE, 3, weight);
            node->tree = world->ids[tree];
            world->tree[n - 1] = tree;
        }
    }
    for (int i = 0; i < N_CARDS; i++) {
        snprintf(world->ids[n], sizeof world->ids[n], "card/card-%02d", i + 1);
        add(world, &n, PLAN_CARD, 1, 1);
    }
    assert_int_equal(n, N_ITEMS);
}

/* ---- the learner ---- */

static double true_recall(const struct world *world, int i, int64_t day)
{
    const struct review_memory *memory = &world->items[i].memory;
    if (memory->reviews == 0) return 0;
    return fsrs_recall(&fsrs_default, memory->memory.stability * world->truth[i],
                       (double)(day - memory->last_day));
}

static enum fsrs_rating sit(struct world *world, int i, int64_t day)
{
    const bool fresh = world->items[i].memory.reviews == 0;
    const double recall = fresh ? 0.6 : true_recall(world, i, day); /* studied just before */
    const double drawn = rng_uniform(&world->rng);
    if (drawn >= recall) return RATING_AGAIN;
    const double how = rng_uniform(&world->rng);
    return how < 0.15 ? RATING_HARD : how < 0.85 ? RATING_GOOD : RATING_EASY;
}

/* Whether it went well. */
static bool review(struct world *world, int i, int64_t day)
{
    struct review_memory *memory = &world->items[i].memory;
    const enum fsrs_rating rating = sit(world, i, day);
    const double elapsed = memory->reviews ? (double)(day - memory->last_day) : -1;
    memory->memory = fsrs_review(&fsrs_default, memory->memory, rating, elapsed);
    memory->reviews++;
    memory->last_day = day;
    memory->due_day = day + fsrs_interval(&fsrs_default, memory->memory.stability, 0.9);
    return rating != RATING_AGAIN;
}

/* A new tree is asked as in a round (rounds/walk.h): the root, then a branch, deeper while it goes well,
 * five in all; "1" > "1.1" > "1.1.1" and "2" > "2.1" > "2.1.1". After a weak answer to the root
 * either branch may come first. */
static void review_all_of(struct world *world, int i, int64_t day)
{
    const bool is_new = world->items[i].memory.reviews == 0;
    const bool good = review(world, i, day);
    if (world->items[i].kind != PLAN_TREE) return;
    if (!is_new) { /* comes back with a follow-up that was never asked */
        int node = i + 1;
        while (node <= i + N_NODES && world->items[node].memory.reviews) node++;
        if (node <= i + N_NODES) review(world, node, day);
        return;
    }
    int branch = !good && rng_below(&world->rng, 2) ? 1 : 0;
    for (int asked = 1, branches = 0, depth = 0; asked < 5 && branches < 2; asked++) {
        const bool well = review(world, i + 1 + 3 * branch + depth, day);
        if (well && depth < 2) {
            depth++;
            continue;
        }
        branch = 1 - branch;
        branches++;
        depth = 0;
    }
}

/* What is done on a day, one after another, as the plan says it again after each. */
typedef int study_day(struct world *world, int64_t day, int64_t interview, int at_most);

static int by_the_plan(struct world *world, int64_t day, int64_t interview, int at_most)
{
    struct plan plan;
    const struct plan_question question = {.items = world->items,
                                           .n_items = N_ITEMS,
                                           .today = day,
                                           .interview_day = interview,
                                           .daily_minutes = at_most,
                                           .retention = 0.9,
                                           .n_days = 1};
    int minutes = 0;
    plan_make(&plan, &question);
    for (int i = 0; i < plan.n_today; i++) {
        minutes += plan.today[i].minutes;
        review_all_of(world, plan.today[i].item, day);
    }
    plan_done(&plan);
    return minutes;
}

static int again_of(const struct plan_item *item)
{
    return item->again ? item->again : item->minutes;
}

/* Begin a new one when there is room, one drill and one tree a day; the minutes it took. */
static int begin(struct world *world, int i, int64_t day, int left, bool begun[])
{
    if (i < 0 || world->items[i].memory.reviews) return 0;
    const struct plan_item *item = &world->items[i];
    if (begun[item->kind] || item->minutes > left) return 0;
    begun[item->kind] = item->kind != PLAN_CARD;
    review_all_of(world, i, day);
    return item->minutes;
}

/* First come, first served: reviews in the order in which they fell due, then new ones in the order
 * of their numbers; the same minutes, the same limits on new ones. */
static int first_come(struct world *world, int64_t day, int64_t interview, int at_most)
{
    (void)interview;
    int minutes = 0;
    for (;;) {
        int next = -1;
        for (int i = 0; i < N_ITEMS; i++) {
            const struct review_memory *memory = &world->items[i].memory;
            if (memory->reviews == 0 || memory->due_day > day || memory->last_day == day) continue;
            if (minutes + again_of(&world->items[i]) > at_most) continue;
            if (next < 0 || memory->due_day < world->items[next].memory.due_day) next = i;
        }
        if (next < 0) break;
        minutes += again_of(&world->items[next]);
        review_all_of(world, next, day);
    }
    /* Drill 01, question 01, drill 02, ... */
    bool begun[PLAN_CARD + 1] = {false};
    for (int i = 0; i < N_QUESTIONS; i++) {
        const int both[] = {i < N_DRILLS ? i : -1, N_DRILLS + i * (1 + N_NODES)};
        for (int j = 0; j < 2; j++) minutes += begin(world, both[j], day, at_most - minutes, begun);
    }
    for (int i = N_ITEMS - N_CARDS; i < N_ITEMS; i++)
        minutes += begin(world, i, day, at_most - minutes, begun);
    return minutes;
}

/* ---- a year ---- */

struct year {
    int days, most_minutes, most_overdue, all_begun; /* all_begun: on which day of the year */
    long minutes;
};

static void study_a_year(struct year *year, struct world *world, int at_most)
{
    *year = (struct year){0};
    for (int d = 0; d < YEAR; d++) {
        const int64_t day = FIRST + d;
        /* One day in seven is missed, and two weeks in summer. */
        if (rng_below(&world->rng, 7) == 0 || (d >= 200 && d < 214)) continue;
        const int minutes = by_the_plan(world, day, DAY_NONE, at_most);
        bool all_begun = true;
        if (minutes > year->most_minutes) year->most_minutes = minutes;
        year->minutes += minutes;
        year->days++;
        for (int i = 0; i < N_ITEMS; i++) {
            const struct plan_item *item = &world->items[i];
            const int overdue = (int)(day - item->memory.due_day);
            if (item->memory.reviews == 0) all_begun = all_begun && item->kind == PLAN_NODE;
            else if (overdue > year->most_overdue) year->most_overdue = overdue;
        }
        if (all_begun && !year->all_begun) year->all_begun = d + 1;
    }
}

static void a_year_keeps_its_load_and_drops_nothing(void **state)
{
    (void)state;
    static struct world world;
    static const int loads[] = {60, 60, 60, 45};
    for (int run = 0; run < 4; run++) {
        struct year year;
        int seen = 0, asked = 0, least = YEAR;
        double recall = 0;
        make_world(&world, (uint64_t)run + 1);
        study_a_year(&year, &world, loads[run]);
        for (int i = 0; i < N_ITEMS; i++) {
            const struct plan_item *item = &world.items[i];
            if (item->memory.reviews == 0) continue;
            seen++;
            asked += item->kind == PLAN_NODE;
            recall += true_recall(&world, i, FIRST + YEAR);
            if (item->kind != PLAN_NODE && item->memory.reviews < least)
                least = item->memory.reviews;
        }
        recall /= seen;
        print_message("year %d: %d of %d items (nodes: %d of %d were asked), %d days of %.1f min, "
                      "at most %d of %d; all begun by day %d, each at least %d times; at most %d "
                      "days past due; true recall at the end %.3f\n",
                      run + 1, seen, N_ITEMS, asked, N_QUESTIONS * N_NODES, year.days,
                      (double)year.minutes / year.days, year.most_minutes, loads[run],
                      year.all_begun, least, year.most_overdue, recall);
        assert_true(year.most_minutes <= loads[run]);
        assert_true(year.most_overdue <= MOST_OVERDUE);
        /* No skill is dropped: every drill, tree and card was begun and repeated. */
        assert_true(year.all_begun > 0 && least >= 3);
        assert_true(seen - asked == N_ITEMS - N_QUESTIONS * N_NODES);
        assert_true(recall > 0.85);
    }
}

/* ---- three weeks to a date ---- */

/* True recall on the interview's day over everything there is to know, what was never seen at 0:
 * by weight, and *plain without. */
static double recall_after(study_day *study, uint64_t seed, double *plain)
{
    static struct world world;
    make_world(&world, seed);
    for (int d = 0; d < WEEKS; d++) {
        const int minutes = study(&world, FIRST + d, FIRST + WEEKS, MINUTES);
        assert_true(minutes <= MINUTES);
    }
    double sum = 0, weights = 0;
    *plain = 0;
    for (int i = 0; i < N_ITEMS; i++) {
        const double weight = world.items[i].weight;
        sum += weight * true_recall(&world, i, FIRST + WEEKS);
        weights += weight;
        *plain += true_recall(&world, i, FIRST + WEEKS) / N_ITEMS;
    }
    return sum / weights;
}

static void three_weeks_by_the_plan_beat_first_come(void **state)
{
    (void)state;
    enum { RUNS = 10 };
    double planned = 0, first = 0, planned_plain = 0, first_plain = 0;
    int better = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        double plain, plain_without;
        const double with = recall_after(by_the_plan, seed, &plain);
        const double without = recall_after(first_come, seed, &plain_without);
        print_message("  %2d: %.4f by the plan, %.4f first come\n", (int)seed, with, without);
        better += with > without;
        planned += with / RUNS;
        first += without / RUNS;
        planned_plain += plain / RUNS;
        first_plain += plain_without / RUNS;
    }
    print_message(
        "three weeks: recall on the date by weight %.3f by the plan, %.3f first come first "
        "served; better in %d of %d; without weights %.3f and %.3f\n",
        planned, first, better, RUNS, planned_plain, first_plain);
    assert_true(planned > first);
    assert_true(better >= 8);
    assert_true(planned_plain > first_plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_keeps_its_load_and_drops_nothing),
        cmocka_unit_test(three_weeks_by_the_plan_beat_first_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
