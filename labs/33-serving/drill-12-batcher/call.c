#include "batcher.h"

#include <stdlib.h>

#include "grader/harness/harness.h"

enum { OP_SERVE, OP_TIME };
enum { STEPS_PER_CALL = 16, ADMITTING_PER_CALL = 2, TIMED_RUNNING = 8, TIMED_SIZES = 4 };
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

static uint64_t mixed(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Number of the i-th request in this life of a batcher: no two alike. */
static int request_number(uint64_t life, uint64_t i)
{
    const uint64_t a = mixed(life), step = a >> 32 | 1;
    return (int)((a + step * i) & INT32_MAX);
}

static uint64_t digest(const struct work *work, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += mixed((uint64_t)work[i].request * 0x9E3779B97F4A7C15u + (uint64_t)work[i].n_tokens);
    return sum;
}

/* The batchers of one size, kept, so that what is timed is steps and little set-up. */
struct timed {
    int64_t series;
    int n;
    struct batcher *busy;     /* all slots are taken for ever: no step admits anybody */
    struct batcher *turnover; /* every step fills all slots, and all finish in it */
    uint64_t life;            /* of the turnover */
    uint64_t n_added, n_finished;
};

static void start_busy(struct timed *t)
{
    struct work work[TIMED_RUNNING];
    const uint64_t n = (uint64_t)t->n, life = (uint64_t)t->series;
    t->busy = batcher_new(TIMED_RUNNING, 2 * ENDLESS, 64, TIMED_RUNNING);
    for (uint64_t i = 0; i < n; i++) batcher_add(t->busy, request_number(life, i), 1, 1);
    for (int i = 0; i <= t->n / TIMED_RUNNING; i++) batcher_step(t->busy, work);
    for (uint64_t i = n; i < n + TIMED_RUNNING; i++)
        batcher_add(t->busy, request_number(life, i), 1, ENDLESS);
    batcher_step(t->busy, work);
    for (uint64_t i = n + TIMED_RUNNING; i < 2 * n + TIMED_RUNNING; i++)
        batcher_add(t->busy, request_number(life, i), 1, 4);
}

static void add_next(struct timed *t)
{
    const int request = request_number(t->life, t->n_added++);
    batcher_add(t->turnover, request, 1 + request % TIMED_RUNNING, 1);
}

/* One step, and as many added as it admitted. After n have finished it begins anew. */
static uint64_t turn_over(struct timed *t)
{
    struct work work[TIMED_RUNNING];
    if (t->n_finished >= (uint64_t)t->n || !t->turnover) {
        if (t->turnover) batcher_free(t->turnover);
        t->turnover = batcher_new(TIMED_RUNNING, 16, 64, TIMED_RUNNING);
        t->life++;
        t->n_added = t->n_finished = 0;
        while (t->n_added < (uint64_t)t->n) add_next(t);
    }
    const int n = batcher_step(t->turnover, work);
    for (int i = 0; i < TIMED_RUNNING; i++) add_next(t);
    t->n_finished += TIMED_RUNNING;
    return digest(work, n);
}

/* The batchers of a series: of a new one, in place of those of its size. */
static struct timed *find_timed(int n, int64_t series)
{
    static struct timed all[TIMED_SIZES];
    struct timed *t = all;
    while (t->n && t->n != n && t < all + TIMED_SIZES - 1) t++;
    if (t->n == n && t->series == series) return t;
    if (t->busy) batcher_free(t->busy);
    if (t->turnover) batcher_free(t->turnover);
    *t = (struct timed){.series = series, .n = n, .life = (uint64_t)series};
    start_busy(t);
    return t;
}

static void time_steps(const struct record *in, struct record *out)
{
    struct timed *t = find_timed((int)record_int(in, "n"), record_int(in, "series"));
    const int64_t calls = record_int(in, "calls");
    int64_t *digests = record_add_i64(out, "digests", SHAPE(calls));
    struct work work[TIMED_RUNNING];

    for (int64_t call = 0; call < calls; call++) {
        uint64_t sum = 0;
        for (int i = 0; i < STEPS_PER_CALL; i++) sum += digest(work, batcher_step(t->busy, work));
        for (int i = 0; i < ADMITTING_PER_CALL; i++) sum += turn_over(t);
        digests[call] = (int64_t)sum;
    }
    record_add_int(out, "admitting_per_call", ADMITTING_PER_CALL);
}

void harness_call(const struct record *in, struct record *out)
{
    if (record_int(in, "op") == OP_TIME) time_steps(in, out);
    else serve(in, out);
}
