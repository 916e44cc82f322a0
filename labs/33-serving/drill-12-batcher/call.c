#include "batcher.h"

#include <stdlib.h>

#include "grader/harness/harness.h"

enum { OP_SERVE, OP_TIME };
enum { STEPS_PER_CALL = 16, ADMITTING_PER_CALL = 2, TIMED_RUNNING = 8 };
enum { ENDLESS = 100000000 }; /* one block holds ENDLESS */

/* ---- requests arrive, the model runs, a log of what was decided ---- */

struct serving {
    int n_requests, max_running;
    const int32_t *request, *arrival, *n_prompt, *max_new, *ends_after;
    int *produced; /* tokens that the model has made for each */
    struct work *work;
    int next; /* where index_of() looks first */
};

/* Admissions come in the order of arrival: look from the one after the last found. */
static int index_of(struct serving *s, int request)
{
    for (int n = 0; n < s->n_requests; n++) {
        const int i = s->next;
        s->next = i + 1 < s->n_requests ? i + 1 : 0;
        if (s->request[i] == request) return i;
    }
    return -1;
}

/* Write what one step does into tokens [n_requests]; false when its length is impossible. */
static bool run_model(struct serving *s, struct batcher *batcher, int32_t *tokens,
                      int32_t *strangers, int32_t *repeated, struct record *out)
{
    const int n = batcher_step(batcher, s->work);
    if (n < 0 || n > s->max_running) {
        harness_refuse(out, "batcher_step returned %d, but work has room for %d (max_running)", n,
                       s->max_running);
        return false;
    }
    for (int i = 0; i < s->n_requests; i++) tokens[i] = 0;
    *strangers = *repeated = 0;
    for (int k = 0; k < n; k++) {
        const int i = index_of(s, s->work[k].request);
        if (i < 0) {
            *strangers += 1;
        } else {
            if (tokens[i] != 0) *repeated += 1;
            tokens[i] += s->work[k].n_tokens;
        }
    }
    for (int i = 0; i < s->n_requests; i++)
        if (tokens[i] > 0) s->produced[i]++;
    return true;
}

static void serve(const struct record *in, struct record *out)
{
    const int n_requests = (int)record_dim(in, "request", 0);
    const int n_steps = (int)record_int(in, "n_steps");
    struct serving s = {
        .n_requests = n_requests,
        .max_running = (int)record_int(in, "max_running"),
        .request = record_i32(in, "request"),
        .arrival = record_i32(in, "arrival"),
        .n_prompt = record_i32(in, "n_prompt"),
        .max_new = record_i32(in, "max_new"),
        .ends_after = record_i32(in, "ends_after"),
    };
    s.produced = memory_new((size_t)n_requests, sizeof *s.produced);
    s.work = memory_new((size_t)s.max_running + 1, sizeof *s.work);

    int32_t *accepted = output_i32(out, "accepted", SHAPE(n_requests));
    int32_t *tokens = output_i32(out, "tokens", SHAPE(n_steps, n_requests));
    int32_t *after_step = output_i32(out, "free_after_step", SHAPE(n_steps));
    int32_t *after_end = output_i32(out, "free_after_end", SHAPE(n_steps));
    int32_t *strangers = output_i32(out, "strangers", SHAPE(n_steps));
    int32_t *repeated = output_i32(out, "repeated", SHAPE(n_steps));

    struct batcher *batcher =
        batcher_new((int)record_int(in, "n_blocks"), (int)record_int(in, "block_size"),
                    (int)record_int(in, "token_budget"), s.max_running);
    if (!batcher) harness_refuse(out, "batcher_new returned NULL");
    for (int step = 0; batcher && step < n_steps; step++) {
        int32_t *now = tokens + (int64_t)step * n_requests;
        for (int i = 0; i < n_requests; i++)
            if (s.arrival[i] == step)
                accepted[i] = batcher_add(batcher, s.request[i], s.n_prompt[i], s.max_new[i]);
        if (!run_model(&s, batcher, now, &strangers[step], &repeated[step], out)) break;
        after_step[step] = batcher_free_blocks(batcher);
        for (int i = 0; i < n_requests; i++)
            if (now[i] > 0 && s.produced[i] == s.ends_after[i] && s.ends_after[i] < s.max_new[i])
                batcher_end(batcher, s.request[i]);
        after_end[step] = batcher_free_blocks(batcher);
    }
    if (batcher) batcher_free(batcher);
    free(s.work);
    free(s.produced);
}

/* ---- the time of a step, with n requests that wait and up to n that have finished ---- */

/* All slots are taken for ever: no step admits anybody. */
static struct batcher *busy_batcher(int n)
{
    struct work work[TIMED_RUNNING];
    struct batcher *batcher = batcher_new(TIMED_RUNNING, 2 * ENDLESS, 64, TIMED_RUNNING);
    int number = 0;
    for (int i = 0; i < n; i++) batcher_add(batcher, number++, 1, 1);
    for (int i = 0; i <= n / TIMED_RUNNING; i++) batcher_step(batcher, work);
    for (int i = 0; i < TIMED_RUNNING; i++) batcher_add(batcher, number++, 1, ENDLESS);
    batcher_step(batcher, work);
    for (int i = 0; i < n; i++) batcher_add(batcher, number++, 1, 4);
    return batcher;
}

/* Every step fills all slots, and all finish in it. */
struct turnover {
    struct batcher *batcher;
    int n, number, n_finished;
};

/* One step, and as many added as it admitted. After n have finished it begins anew. */
static int turn_over(struct turnover *t)
{
    struct work work[TIMED_RUNNING];
    if (!t->batcher || t->n_finished >= t->n) {
        if (t->batcher) batcher_free(t->batcher);
        t->batcher = batcher_new(TIMED_RUNNING, 2, 64, TIMED_RUNNING);
        t->number = t->n_finished = 0;
        while (t->number < t->n) batcher_add(t->batcher, t->number++, 1, 1);
    }
    const int n_tokens = batcher_step(t->batcher, work);
    for (int i = 0; i < TIMED_RUNNING; i++) batcher_add(t->batcher, t->number++, 1, 1);
    t->n_finished += TIMED_RUNNING;
    return n_tokens;
}

static void time_steps(const struct record *in, struct record *out)
{
    static struct batcher *busy; /* kept, so that what is timed is steps and little set-up */
    static struct turnover turnover;
    const int n = (int)record_int(in, "n");
    const int64_t calls = record_int(in, "calls");
    struct work work[TIMED_RUNNING];
    int64_t n_tokens = 0;

    if (n != turnover.n) {
        if (busy) batcher_free(busy);
        if (turnover.batcher) batcher_free(turnover.batcher);
        busy = busy_batcher(n);
        turnover = (struct turnover){.n = n};
    }
    for (int64_t call = 0; call < calls; call++) {
        for (int i = 0; i < STEPS_PER_CALL; i++) n_tokens += batcher_step(busy, work);
        for (int i = 0; i < ADMITTING_PER_CALL; i++) n_tokens += turn_over(&turnover);
    }
    record_add_int(out, "n_tokens", n_tokens);
}

void harness_call(const struct record *in, struct record *out)
{
    if (record_int(in, "op") == OP_TIME) time_steps(in, out);
    else serve(in, out);
}
