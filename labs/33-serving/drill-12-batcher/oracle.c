/* Continuous batching: what a correct scheduler keeps, whatever its style.
 *
 *   waiting --admitted: whole prompt, first token--> running --one token a step--> finished
 *
 * There is no solve(). judge() follows the candidate's own log, step by step, and
 * asks at each whether the task's rules hold from where the candidate stands:
 * the running first, then first come, first served, within three budgets.
 * A wrong decision is not counted again in the steps after it.
 *
 * Source: Yu et al. 2022 (Orca); Kwon et al. 2023 (arXiv:2309.06180) for the blocks.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grader/oracle.h"

enum {
    STARVATION,
    LEAK,
    HEAD_OF_LINE,
    BY_ONE,
    SLOT_KEPT,
    ROUNDING,
    IMPOSSIBLE,
    STATIC_BATCH,
    SLOW,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [STARVATION] = {.name = "starvation", .found = FOUND_BY_JUDGE},
    [LEAK] = {.name = "block-leak", .found = FOUND_BY_JUDGE},
    [HEAD_OF_LINE] = {.name = "head-of-line-blocking", .found = FOUND_BY_JUDGE},
    [BY_ONE] = {.name = "budget-by-one", .found = FOUND_BY_JUDGE},
    [SLOT_KEPT] = {.name = "finished-slot-kept", .found = FOUND_BY_JUDGE},
    [ROUNDING] = {.name = "block-rounding", .found = FOUND_BY_JUDGE},
    [IMPOSSIBLE] = {.name = "impossible-queued", .found = FOUND_BY_JUDGE},
    [STATIC_BATCH] = {.name = "static-batch", .found = FOUND_BY_JUDGE},
    [SLOW] = {.name = "slow-step", .found = FOUND_BY_COMPLEXITY},
};

enum {
    ONE,
    TOGETHER,
    SLOTS,
    TOKENS,
    BLOCKS,
    EARLY_END,
    ONE_TOKEN,
    LARGE,
    LONG_PROMPT,
    NEVER,
    IDLE,
    MIXED,
    LONG_QUEUE,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [ONE] = {N_("one request"), CASE_PROPERTY, true},
    [TOGETHER] = {N_("requests that arrive together"), CASE_PROPERTY, true},
    [SLOTS] = {N_("more requests than slots"), CASE_PROPERTY, true},
    [TOKENS] = {N_("token budget"), CASE_PROPERTY, false},
    [BLOCKS] = {N_("block budget"), CASE_PROPERTY, false},
    [EARLY_END] = {N_("requests that end early"), CASE_PROPERTY, true},
    [ONE_TOKEN] = {N_("one new token"), CASE_PROPERTY, false},
    [LARGE] = {N_("a large request among small ones"), CASE_PROPERTY, false},
    [LONG_PROMPT] = {N_("a long prompt while others run"), CASE_PROPERTY, false},
    [NEVER] = {N_("requests that can never run"), CASE_PROPERTY, false},
    [IDLE] = {N_("steps with nothing to do"), CASE_PROPERTY, false},
    [MIXED] = {N_("a busy server"), CASE_PROPERTY, false},
    [LONG_QUEUE] = {N_("thousands that wait"), CASE_PROPERTY, false},
};

enum { OP_SERVE, OP_TIME };
enum { REQUEST_LIMIT = 5000, STEP_LIMIT = 2000, STEPS_AFTERWARDS = 8 };

/* ---- cases ---- */

struct asked {
    int arrival, n_prompt, max_new;
    int ends_after; /* new tokens after which the model ends it; max_new: never before */
};

struct scenario {
    int n_blocks, block_size, token_budget, max_running;
    int n;
    struct asked asked[REQUEST_LIMIT]; /* by arrival */
};

static int blocks_for(const struct scenario *s, int i)
{
    return (s->asked[i].n_prompt + s->asked[i].max_new + s->block_size - 1) / s->block_size;
}

static bool can_run(const struct scenario *s, int i)
{
    return s->asked[i].n_prompt <= s->token_budget && blocks_for(s, i) <= s->n_blocks;
}

static void ask(struct scenario *s, int arrival, int64_t n_prompt, int64_t max_new)
{
    CHECK(s->n < REQUEST_LIMIT && (s->n == 0 || arrival >= s->asked[s->n - 1].arrival));
    s->asked[s->n++] = (struct asked){arrival, (int)n_prompt, (int)max_new, (int)max_new};
}

/* How many steps the stated policy needs until all have finished. */
static int steps_needed(const struct scenario *s)
{
    int left[REQUEST_LIMIT] = {0}, free_blocks = s->n_blocks;
    int n_done = 0, n_running = 0, next = 0, step = 0;
    bool running[REQUEST_LIMIT] = {false};

    for (; n_done < s->n; step++) {
        CHECK(step < STEP_LIMIT);
        int tokens = n_running;
        for (int i = 0; i < next; i++) left[i] -= running[i];
        for (; next < s->n && s->asked[next].arrival <= step; next++) {
            if (!can_run(s, next)) {
                n_done++;
                continue;
            }
            if (n_running == s->max_running || blocks_for(s, next) > free_blocks ||
                tokens + s->asked[next].n_prompt > s->token_budget)
                break;
            running[next] = true;
            left[next] = s->asked[next].ends_after - 1;
            tokens += s->asked[next].n_prompt;
            free_blocks -= blocks_for(s, next);
            n_running++;
        }
        for (int i = 0; i < next; i++) {
            if (!running[i] || left[i] > 0) continue;
            running[i] = false;
            free_blocks += blocks_for(s, i);
            n_running--;
            n_done++;
        }
    }
    return step;
}

static void put_scenario(struct record *in, const struct scenario *s, struct rng *rng)
{
    const int64_t offset = rng_below(rng, REQUEST_LIMIT);
    record_add_int(in, "op", OP_SERVE);
    record_add_int(in, "n_blocks", s->n_blocks);
    record_add_int(in, "block_size", s->block_size);
    record_add_int(in, "token_budget", s->token_budget);
    record_add_int(in, "max_running", s->max_running);
    record_add_int(in, "n_steps", steps_needed(s) + STEPS_AFTERWARDS);
    int32_t *request = record_add_i32(in, "request", SHAPE(s->n));
    int32_t *arrival = record_add_i32(in, "arrival", SHAPE(s->n));
    int32_t *n_prompt = record_add_i32(in, "n_prompt", SHAPE(s->n));
    int32_t *max_new = record_add_i32(in, "max_new", SHAPE(s->n));
    int32_t *ends_after = record_add_i32(in, "ends_after", SHAPE(s->n));
    for (int i = 0; i < s->n; i++) { /* all different, neither indices nor in order of arrival */
        request[i] = (int32_t)((i * 37 + offset) % REQUEST_LIMIT * 1000 + rng_between(rng, 1, 999));
        arrival[i] = s->asked[i].arrival;
        n_prompt[i] = s->asked[i].n_prompt;
        max_new[i] = s->asked[i].max_new;
        ends_after[i] = s->asked[i].ends_after;
    }
    if (s->n > 1) { /* the smallest and the largest number are like any other */
        const int64_t smallest = rng_below(rng, s->n);
        request[smallest] = 0;
        request[(smallest + 1 + rng_below(rng, s->n - 1)) % s->n] = INT32_MAX;
    }
}

static struct scenario roomy(int max_running)
{
    return (struct scenario){
        .n_blocks = 100, .block_size = 4, .token_budget = 64, .max_running = max_running};
}

static struct scenario make_tokens(struct rng *rng)
{
    struct scenario s = roomy(8);
    s.token_budget = 12;
    ask(&s, 0, rng_between(rng, 2, 5), 9);
    ask(&s, 1, 12, 2); /* one too long beside the first */
    ask(&s, 2, 3, 3);  /* must not overtake it */
    ask(&s, 20, 5, 6);
    ask(&s, 21, 11, 2); /* fits exactly beside one other */
    for (int i = 0; i < 3; i++) ask(&s, 32, 4, rng_between(rng, 3, 6)); /* exactly the budget */
    ask(&s, 32, 1, 3);
    ask(&s, 33, 9, 2); /* three run, one begins: one too long */
    return s;
}

static struct scenario make_blocks(struct rng *rng)
{
    struct scenario s = roomy(8);
    s.n_blocks = 10;
    for (int i = 0; i < 8; i++) { /* 1 to 3 tokens more than whole blocks */
        const int64_t total = 4 * rng_between(rng, 2, 4) + rng_between(rng, 1, 3);
        const int64_t max_new = rng_between(rng, 2, 5);
        ask(&s, i / 2, total - max_new, max_new);
    }
    ask(&s, 6, 30, 10); /* all ten blocks */
    ask(&s, 7, 3, 2);
    return s;
}

static struct scenario make_early_end(struct rng *rng)
{
    struct scenario s = roomy(4);
    s.n_blocks = 9;
    for (int i = 0; i < 9; i++) {
        ask(&s, i / 3, rng_between(rng, 3, 5), 11); /* 4 blocks each: two at a time */
        s.asked[i].ends_after = (int)rng_between(rng, 1, 6);
    }
    s.asked[4].ends_after = 1;
    s.asked[7].ends_after = s.asked[7].max_new;
    return s;
}

static struct scenario make_large(struct rng *rng)
{
    struct scenario s = roomy(8);
    s.n_blocks = 12;
    s.token_budget = 32;
    for (int i = 0; i < 3; i++) ask(&s, 0, 3, 3 + i);
    ask(&s, 1, 16, 24); /* ten blocks: must wait for the first */
    for (int i = 0; i < 20; i++) ask(&s, 2 + i / 2, rng_between(rng, 2, 4), rng_between(rng, 2, 4));
    return s;
}

static struct scenario make_long_prompt(struct rng *rng)
{
    struct scenario s = roomy(8);
    s.token_budget = 16;
    for (int i = 0; i < 3; i++) ask(&s, 0, rng_between(rng, 1, 4), 8 + 2 * i);
    ask(&s, 2, 16, 3); /* the whole budget: waits until nothing runs */
    ask(&s, 3, 6, 4);
    ask(&s, 3, 9, 5);
    ask(&s, 4, 12, 2);
    return s;
}

static struct scenario make_never(struct rng *rng)
{
    struct scenario s = roomy(4);
    s.n_blocks = 6;
    s.token_budget = 10;
    ask(&s, 0, rng_between(rng, 2, 6), 4);
    ask(&s, 0, 11, 1); /* prompt over the token budget */
    ask(&s, 1, 3, 5);
    ask(&s, 2, 5, 23);  /* seven blocks of six */
    ask(&s, 3, 10, 14); /* the whole of both budgets */
    ask(&s, 4, 9, 40);
    ask(&s, 5, 4, 3);
    return s;
}

static struct scenario make_mixed(int n, struct rng *rng)
{
    struct scenario s = {.n_blocks = 24, .block_size = 8, .token_budget = 40, .max_running = 6};
    int arrival = 0;
    for (int i = 0; i < n; i++) {
        arrival += (int)rng_below(rng, 5);
        ask(&s, arrival, 1 + rng_below(rng, 40) * rng_below(rng, 40) / 40, rng_between(rng, 1, 20));
        if (rng_below(rng, 3) == 0)
            s.asked[i].ends_after = (int)rng_between(rng, 1, s.asked[i].max_new);
    }
    return s;
}

/* More wait than a queue of 4096 holds; the last arrive when many have gone. */
static struct scenario make_long_queue(struct rng *rng)
{
    struct scenario s = {.n_blocks = 400, .block_size = 4, .token_budget = 512, .max_running = 200};
    for (int i = 0; i < 4900; i++)
        ask(&s, i < 4400 ? 0 : 4, rng_between(rng, 1, 4), rng_between(rng, 1, 3));
    return s;
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    struct scenario s = roomy(8);
    switch (kind) {
    case ONE:
        s = roomy(2);
        ask(&s, 0, rng_between(rng, 3, 9), 4);
        break;
    case TOGETHER:
        for (int i = 0; i < 5; i++) ask(&s, 0, rng_between(rng, 1, 9), rng_between(rng, 2, 6));
        break;
    case SLOTS:
        s = roomy(3);
        for (int i = 0; i < 9; i++) ask(&s, i / 4, rng_between(rng, 1, 6), 2 + 3 * i % 5);
        break;
    case TOKENS: s = make_tokens(rng); break;
    case BLOCKS: s = make_blocks(rng); break;
    case EARLY_END: s = make_early_end(rng); break;
    case ONE_TOKEN:
        s = roomy(2);
        for (int i = 0; i < 7; i++) ask(&s, i / 3, rng_between(rng, 1, 6), i == 3 ? 4 : 1);
        break;
    case LARGE: s = make_large(rng); break;
    case LONG_PROMPT: s = make_long_prompt(rng); break;
    case NEVER: s = make_never(rng); break;
    case IDLE:
        ask(&s, 3, rng_between(rng, 1, 8), 3);
        ask(&s, 12, rng_between(rng, 1, 8), 5);
        ask(&s, 14, rng_between(rng, 1, 8), 2);
        ask(&s, 30, rng_between(rng, 1, 8), 3);
        break;
    case MIXED: s = make_mixed(40, rng); break;
    case LONG_QUEUE: s = make_long_queue(rng); break;
    default: CHECK(false);
    }
    put_scenario(in, &s, rng);
}

/* ---- judging ---- */

/* What all the cases showed: for each mistake the first words about it, and the first about
 * anything else, which is told when no mistake has a name. */
struct verdict {
    char words[N_MISTAKES + 1][400];
    int run[N_MISTAKES + 1];
    int n_admitting_busy; /* steps that admit while others run already */
    int64_t most_over;    /* by which a budget was exceeded, at most */
    bool rounding_denied; /* it looked like rounding down first, and like something else later */
};
enum { OTHER = N_MISTAKES };

enum state { AWAY, WAITING, RUNNING, FINISHED };

/* One run, followed through its log. */
struct following {
    struct verdict *verdict;
    int run;
    const char *case_name;
    struct scenario s;
    int n_steps;
    const int32_t *number, *accepted, *tokens, *after_step, *after_end, *strangers, *repeated;

    int step;
    enum state state[REQUEST_LIMIT];
    int produced[REQUEST_LIMIT], extra[REQUEST_LIMIT];
    int last_worked[REQUEST_LIMIT]; /* the last step that works on it; -1: none */
    bool admitted[REQUEST_LIMIT];   /* in this step */
    int n_before;                   /* running when the step began */
    int64_t work_tokens;

    bool leak_seen, rounding_seen;
    bool not_rounding; /* some step takes or gives back other than rounded-down blocks */
};

static void say(struct following *f, int mistake, const char *format, ...) PRINTF_LIKE(3, 4);
static void say(struct following *f, int mistake, const char *format, ...)
{
    char *words = f->verdict->words[mistake];
    va_list args;

    if (*words) return;
    const int used = snprintf(words, 400, _("case \"%s\", step %d: "), f->case_name, f->step);
    va_start(args, format);
    vsnprintf(words + used, (size_t)(400 - used), format, args);
    va_end(args);
    f->verdict->run[mistake] = f->run;
}

static int tokens_at(const struct following *f, int step, int i)
{
    return f->tokens[step * f->s.n + i];
}

static void arrivals(struct following *f)
{
    for (int i = 0; i < f->s.n; i++) {
        if (f->s.asked[i].arrival != f->step) continue;
        const int n_prompt = f->s.asked[i].n_prompt, need = blocks_for(&f->s, i);
        const bool possible = can_run(&f->s, i);
        if (possible && f->accepted[i]) f->state[i] = WAITING;
        if (possible && !f->accepted[i])
            say(f, OTHER, _("add refused request %d (prompt %d, %d blocks), which can run"),
                f->number[i], n_prompt, need);
        if (!possible && f->accepted[i])
            say(f, IMPOSSIBLE,
                _("add accepted request %d, which can never run: prompt %d for a token budget of "
                  "%d, %d blocks of %d. It would stand at the head of the queue for ever"),
                f->number[i], n_prompt, f->s.token_budget, need, f->s.n_blocks);
    }
}

static void work_on_running(struct following *f, int i, int n_tokens)
{
    if (n_tokens != 1)
        say(f, OTHER, _("request %d runs and gets %d tokens, expected 1"), f->number[i], n_tokens);
    f->produced[i]++;
}

static void work_on_waiting(struct following *f, int i, int n_tokens)
{
    if (n_tokens != f->s.asked[i].n_prompt)
        say(f, OTHER, _("request %d is admitted with %d tokens, expected its prompt of %d"),
            f->number[i], n_tokens, f->s.asked[i].n_prompt);
    f->state[i] = RUNNING;
    f->admitted[i] = true;
    f->produced[i] = 1;
}

static void work_on_finished(struct following *f, int i)
{
    if (++f->extra[i] >= 2)
        say(f, SLOT_KEPT, _("request %d has all its %d tokens and is still worked on"),
            f->number[i], f->produced[i]);
    else
        say(f, OTHER,
            _("request %d is worked on once more after its last token, number %d (the step that "
              "admits a request produces its first)"),
            f->number[i], f->produced[i]);
}

static bool any_waits(const struct following *f)
{
    for (int i = 0; i < f->s.n; i++)
        if (f->state[i] == WAITING || f->admitted[i]) return true;
    return false;
}

/* The log's line of this step, request by request. */
static void work(struct following *f)
{
    bool ran[REQUEST_LIMIT] = {false};
    f->n_before = 0;
    f->work_tokens = 0;
    for (int i = 0; i < f->s.n; i++) {
        ran[i] = f->state[i] == RUNNING;
        f->n_before += ran[i];
        f->admitted[i] = false;
    }
    for (int i = 0; i < f->s.n; i++) {
        const int n_tokens = tokens_at(f, f->step, i);
        if (n_tokens == 0) continue;
        f->work_tokens += n_tokens;
        switch (f->state[i]) {
        case RUNNING: work_on_running(f, i, n_tokens); break;
        case WAITING: work_on_waiting(f, i, n_tokens); break;
        case FINISHED: work_on_finished(f, i); break;
        case AWAY:
            say(f, OTHER, _("the step works on request %d, which has not arrived or was refused"),
                f->number[i]);
            break;
        }
    }
    for (int i = 0; i < f->s.n; i++) {
        if (!ran[i] || tokens_at(f, f->step, i)) continue;
        if (any_waits(f) && f->last_worked[i] > f->step)
            say(f, HEAD_OF_LINE,
                _("request %d runs and gets no token, while others wait or are admitted: nothing "
                  "may hold up a running request"),
                f->number[i]);
        else
            say(f, OTHER, _("request %d runs and gets no token; it has %d of %d"), f->number[i],
                f->produced[i], f->s.asked[i].ends_after);
    }
    if (f->strangers[f->step])
        say(f, OTHER, _("the step works on a request with a number that was never added"));
    if (f->repeated[f->step]) say(f, OTHER, _("the step lists the same request twice"));
}

static void first_come_first_served(struct following *f)
{
    for (int i = 0; i < f->s.n; i++)
        for (int j = 0; j < i && f->admitted[i]; j++)
            if (f->state[j] == WAITING) {
                say(f, STARVATION,
                    _("request %d is admitted although request %d came before it and is still "
                      "waiting: whoever overtakes can keep it waiting for ever"),
                    f->number[i], f->number[j]);
                return;
            }
}

/* Blocks and requests that hold slots in this step; those that finish in it included. */
static void held(const struct following *f, int *blocks, int *slots)
{
    *blocks = *slots = 0;
    for (int i = 0; i < f->s.n; i++)
        if (f->state[i] == RUNNING) {
            *blocks += blocks_for(&f->s, i);
            *slots += 1;
        }
}

static void budgets(struct following *f)
{
    int blocks, slots;
    held(f, &blocks, &slots);
    const int over_slots = slots - f->s.max_running;
    const int64_t over_tokens = f->work_tokens - f->s.token_budget;
    const int by_one[] = {BY_ONE, OTHER};

    for (int i = 0; i < 2; i++) { /* the name only when it is never more than one: see judge() */
        if (over_tokens > 0)
            say(f, by_one[i], _("%lld tokens in one step, token_budget is %d"),
                (long long)f->work_tokens, f->s.token_budget);
        if (over_slots > 0)
            say(f, by_one[i],
                _("%d requests hold slots, max_running is %d (a request that finishes in a step "
                  "keeps its slot until the end of that step)"),
                slots, f->s.max_running);
        if (blocks > f->s.n_blocks && (i == 1 || f->after_step[f->step] == -1))
            say(f, by_one[i], _("the running requests need %d blocks, there are %d"), blocks,
                f->s.n_blocks);
    }
    const int64_t over = over_tokens > over_slots ? over_tokens : over_slots;
    if (over > f->verdict->most_over) f->verdict->most_over = over;
}

static bool holds_zombies(const struct following *f)
{
    for (int i = 0; i < f->s.n; i++)
        if (f->state[i] == FINISHED && f->last_worked[i] >= f->step) return true;
    return false;
}

/* What the candidate itself said was free before this step. */
static int64_t free_before(const struct following *f)
{
    return f->step ? f->after_end[f->step - 1] : f->s.n_blocks;
}

static bool behind_impossible(const struct following *f, int head)
{
    for (int i = 0; i < head; i++)
        if (f->s.asked[i].arrival <= f->step && !can_run(&f->s, i) && f->accepted[i]) return true;
    return false;
}

/* The head of the queue must not wait when it fits. */
static void head_is_admitted(struct following *f)
{
    int blocks, slots, head = 0, n_admitted = 0;
    held(f, &blocks, &slots);
    for (int i = 0; i < f->s.n; i++) n_admitted += f->admitted[i];
    if (n_admitted && f->n_before) f->verdict->n_admitting_busy++;

    while (head < f->s.n && f->state[head] != WAITING) head++;
    if (head == f->s.n) return;
    const int n_prompt = f->s.asked[head].n_prompt, need = blocks_for(&f->s, head);
    if (slots >= f->s.max_running || blocks + need > f->s.n_blocks ||
        f->work_tokens + n_prompt > f->s.token_budget)
        return;
    say(f, OTHER,
        _("request %d is first in the queue and is not admitted, although it fits: %d of %d slots, "
          "%lld of %d tokens and %d of %d blocks are taken; it needs %d tokens and %d blocks"),
        f->number[head], slots, f->s.max_running, (long long)f->work_tokens, f->s.token_budget,
        blocks, f->s.n_blocks, n_prompt, need);

    /* Room by the candidate's own account too, and nothing stuck: it did not want to. */
    if (f->n_before && free_before(f) >= need && !holds_zombies(f) && !behind_impossible(f, head))
        say(f, STATIC_BATCH,
            _("request %d could join the running ones and has to wait; no request is ever admitted "
              "while others run: the batch is filled only when it is empty"),
            f->number[head]);
}

/* Blocks that request i holds, when a part of a block is forgotten. */
static int floor_blocks(const struct following *f, int i)
{
    return (f->s.asked[i].n_prompt + f->s.asked[i].max_new) / f->s.block_size;
}

/* Compare what free_blocks() says with what was taken and given back. */
static void blocks_in_step(struct following *f)
{
    const int64_t before = free_before(f), used = before - f->after_step[f->step];
    int taken = 0, taken_floor = 0, back = 0, back_floor = 0;

    for (int i = 0; i < f->s.n; i++) {
        const bool last = f->state[i] == RUNNING && f->produced[i] == f->s.asked[i].max_new;
        if (f->admitted[i]) {
            taken += blocks_for(&f->s, i);
            taken_floor += floor_blocks(f, i);
        }
        if (last) {
            back += blocks_for(&f->s, i);
            back_floor += floor_blocks(f, i);
        }
    }
    if (used != taken_floor - back_floor) f->not_rounding = true;
    if (used == taken - back) return;
    if (used == taken_floor - back_floor && taken != taken_floor && !f->not_rounding) {
        f->rounding_seen = true;
        say(f, ROUNDING,
            _("free_blocks() says %d after it said %lld, but the requests admitted in between take "
              "%d blocks: a part of a block is a block"),
            f->after_step[f->step], (long long)before, taken);
    } else if (back && (used == taken || used == taken_floor)) {
        f->leak_seen = true;
    }
    say(f, OTHER,
        _("free_blocks() says %d, expected %lld: it was %lld, admitted requests take %d, finished "
          "ones give back %d"),
        f->after_step[f->step], (long long)(before - taken + back), (long long)before, taken, back);
}

/* Requests that have all their tokens are finished; what `end` gave back is compared. */
static void retire(struct following *f)
{
    int back = 0, back_floor = 0, ended = -1;
    for (int i = 0; i < f->s.n; i++) {
        const struct asked *asked = &f->s.asked[i];
        if (f->state[i] != RUNNING || f->produced[i] < asked->ends_after) continue;
        f->state[i] = FINISHED;
        if (asked->ends_after == asked->max_new) continue;
        back += blocks_for(&f->s, i);
        back_floor += floor_blocks(f, i);
        ended = i;
    }
    const int64_t returned = (int64_t)f->after_end[f->step] - f->after_step[f->step];
    if (returned == back) return;
    if (returned == 0 && back_floor > 0) f->leak_seen = true;
    if (ended >= 0)
        say(f, OTHER, _("free_blocks() rose by %lld with end(%d), expected %d"),
            (long long)returned, f->number[ended], back);
    else say(f, OTHER, _("free_blocks() changed by %lld between two steps"), (long long)returned);
}

/* After the last step. */
static void the_end(struct following *f)
{
    int expected = f->s.n_blocks;
    f->step = f->n_steps - 1;
    for (int i = 0; i < f->s.n; i++) {
        if (f->state[i] == RUNNING)
            expected -= f->rounding_seen ? floor_blocks(f, i) : blocks_for(&f->s, i);
        if (f->state[i] == WAITING || f->state[i] == RUNNING)
            say(f, OTHER, _("request %d has %d of its %d tokens after the last step"), f->number[i],
                f->produced[i], f->s.asked[i].ends_after);
    }
    if (f->rounding_seen && f->not_rounding) f->verdict->rounding_denied = true;
    if (f->leak_seen && f->after_end[f->step] < expected)
        say(f, LEAK,
            _("%d blocks are free after the last step, expected %d: requests finished or were "
              "ended and did not give back what they held"),
            f->after_end[f->step], expected);
}

static void follow(struct following *f)
{
    for (int i = 0; i < f->s.n; i++) f->last_worked[i] = -1;
    for (int step = 0; step < f->n_steps; step++)
        for (int i = 0; i < f->s.n; i++)
            if (tokens_at(f, step, i)) f->last_worked[i] = step;

    for (f->step = 0; f->step < f->n_steps; f->step++) {
        arrivals(f);
        work(f);
        first_come_first_served(f);
        budgets(f);
        head_is_admitted(f);
        blocks_in_step(f);
        retire(f);
    }
    the_end(f);
}

static void read_run(struct following *f, const struct record *in, const struct record *out)
{
    f->s.n_blocks = (int)record_int(in, "n_blocks");
    f->s.block_size = (int)record_int(in, "block_size");
    f->s.token_budget = (int)record_int(in, "token_budget");
    f->s.max_running = (int)record_int(in, "max_running");
    f->s.n = (int)record_dim(in, "request", 0);
    f->n_steps = (int)record_int(in, "n_steps");
    for (int i = 0; i < f->s.n; i++)
        f->s.asked[i] =
            (struct asked){record_i32(in, "arrival")[i], record_i32(in, "n_prompt")[i],
                           record_i32(in, "max_new")[i], record_i32(in, "ends_after")[i]};
    f->number = record_i32(in, "request");
    f->accepted = record_i32(out, "accepted");
    f->tokens = record_i32(out, "tokens");
    f->after_step = record_i32(out, "free_after_step");
    f->after_end = record_i32(out, "free_after_end");
    f->strangers = record_i32(out, "strangers");
    f->repeated = record_i32(out, "repeated");
}

/* The log comes from another process: look at its shape before its numbers. */
static bool is_log(const struct record *in, const struct record *out)
{
    static const char *const names[] = {"free_after_step", "free_after_end", "strangers",
                                        "repeated"};
    const int64_t n = record_dim(in, "request", 0), n_steps = record_int(in, "n_steps");
    const struct array *tokens = record_find(out, "tokens");
    const struct array *accepted = record_find(out, "accepted");

    if (!tokens || tokens->dtype != DTYPE_I32 || tokens->ndim != 2 || tokens->dims[0] != n_steps ||
        tokens->dims[1] != n || !accepted || accepted->dtype != DTYPE_I32 ||
        array_count(accepted) != n)
        return false;
    for (int i = 0; i < 4; i++) {
        const struct array *a = record_find(out, names[i]);
        if (!a || a->dtype != DTYPE_I32 || array_count(a) != n_steps) return false;
    }
    return true;
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    struct verdict verdict = {0};
    bool named = false;

    for (int i = 0; i < n_runs; i++) {
        struct following f = {
            .verdict = &verdict, .run = i, .case_name = _(kinds[runs[i].kind].name)};
        if (!runs[i].out->n_fields) continue; /* it did not run, which is told elsewhere */
        if (!is_log(runs[i].in, runs[i].out)) {
            finding_add(findings, CASE_PROPERTY, i, NULL,
                        _("case \"%s\": the answer is not a log of its steps"), f.case_name);
            continue;
        }
        read_run(&f, runs[i].in, runs[i].out);
        follow(&f);
    }
    if (verdict.most_over > 1) *verdict.words[BY_ONE] = '\0';
    if (verdict.rounding_denied) *verdict.words[ROUNDING] = '\0';
    if (verdict.n_admitting_busy) *verdict.words[STATIC_BATCH] = '\0';
    for (int m = 0; m < N_MISTAKES; m++) {
        if (!*verdict.words[m]) continue;
        named = true;
        finding_add(findings, CASE_PROPERTY, verdict.run[m], mistakes[m].name, "%s",
                    verdict.words[m]);
    }
    if (!named && *verdict.words[OTHER])
        finding_add(findings, CASE_PROPERTY, verdict.run[OTHER], NULL, "%s", verdict.words[OTHER]);
}

/* Many calls inside one are steps with n requests waiting and up to n finished: most admit nobody,
 * some fill all slots. A single call is a whole run of n requests. */
static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    if (calls > 1) {
        record_add_int(in, "op", OP_TIME);
        record_add_int(in, "n", n);
        record_add_int(in, "calls", calls);
    } else {
        const struct scenario s = make_mixed((int)n, rng);
        put_scenario(in, &s, rng);
    }
}

/* ---- time ---- */

/* The timed requests of a series, as call.c and call.py make them: every life of a batcher has
 * numbers of its own, which are all different. */
static uint64_t mixed(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t request_number(uint64_t life, uint64_t i)
{
    const uint64_t a = mixed(life), step = a >> 32 | 1;
    return (a + step * i) & INT32_MAX;
}

/* What one entry of a step adds to the digest, in any order. */
static uint64_t entry(uint64_t request, uint64_t n_tokens)
{
    return mixed(request * 0x9E3779B97F4A7C15u + n_tokens);
}

/* How many of the steps that admit there are in each lane's call is in the record's answer. */
static bool timed_right(const struct record *in, const struct record *out, int64_t call)
{
    enum { STEPS_PER_CALL = 16, SLOTS_TIMED = 8 };
    const struct array *digests = record_find(out, "digests");
    const struct array *admitting = record_find(out, "admitting_per_call");
    const int64_t n = record_int(in, "n"), number = record_int(in, "done") + call;
    const uint64_t series = (uint64_t)record_int(in, "series");
    uint64_t want = 0;

    if (!digests || digests->dtype != DTYPE_I64 || call >= array_count(digests)) return false;
    if (!admitting || array_count(admitting) != 1) return false;
    const int64_t per_call = array_at(admitting, 0) == 2.0 ? 2 : 1;
    for (uint64_t i = 0; i < SLOTS_TIMED; i++) /* those that run for ever: a token each */
        want += STEPS_PER_CALL * entry(request_number(series, (uint64_t)n + i), 1);
    for (int64_t k = 0; k < per_call; k++) { /* the next eight of the queue: a prompt each */
        const int64_t step = number * per_call + k, steps_of_life = n / SLOTS_TIMED;
        const uint64_t life = series + 1 + (uint64_t)(step / steps_of_life);
        const uint64_t first = (uint64_t)(step % steps_of_life) * SLOTS_TIMED;
        for (uint64_t i = first; i < first + SLOTS_TIMED; i++) {
            const uint64_t request = request_number(life, i);
            want += entry(request, 1 + request % SLOTS_TIMED);
        }
    }
    return (uint64_t)((const int64_t *)digests->data)[call] == want;
}

const struct oracle oracle_batcher = {
    .name = "batcher",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .make_case = make_case,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 40,
    .complexity = {.what = N_("time of a step against the number of requests waiting or finished"),
                   .sizes = {64, 256, 1024, 4096},
                   .c_times = 4,
                   .expected = 0.0,
                   .limit = 0.5,
                   .calls_inside = true,
                   .right = timed_right,
                   .mistake = "slow-step"},
};
