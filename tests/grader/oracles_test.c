/* What every oracle promises, tried on all of them as the drill folders list them.
 *
 *   make_case    the same for the same seed, other numbers for another
 *   solve        finite; every mistake is visible, and no two look alike
 *   judge        silent about what is right, in float64 and rounded to float32
 */
#include "grader/oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "content/drill.h"
#include "grader/compare.h"
#include "grader/grade.h"

enum { SEEDS = 5, JUDGED_SEEDS = 20, RULE_LIMIT = 64 };
static const double visible_tolerances = 5.0; /* a mistake stands out by more than these */

static struct drills drills;
static int n_breaches;

/* Told and counted, so that one run names them all. */
static void PRINTF_LIKE(2, 3) breach(const struct drill *drill, const char *format, ...)
{
    char words[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    print_error("drill %s: %s\n", drill->number, words);
    n_breaches++;
}

static int begin(void **state)
{
    (void)state;
    struct error err = {0};
    if (!drills_load(&drills, SOURCE_ROOT "/labs", &err)) return 0;
    print_error("%s\n", err.message);
    return -1;
}

static int end(void **state)
{
    (void)state;
    drills_done(&drills);
    return 0;
}

typedef void on_oracle(const struct drill *drill, const struct oracle *oracle);

static void for_each_oracle(on_oracle *look)
{
    n_breaches = 0;
    assert_true(drills.n_drills >= 10);
    for (int i = 0; i < drills.n_drills; i++) {
        const struct oracle *oracle = oracle_find(drills.drills[i]->name);
        if (!oracle) fail_msg("drill %s has no oracle", drills.drills[i]->number);
        look(drills.drills[i], oracle);
    }
    assert_int_equal(n_breaches, 0);
}

/* Seeds of submissions: never that of the visible cases, so whatever they show is hidden. */
static uint64_t seed_at(int i) { return SEED_VISIBLE + 7919u * (uint64_t)(i + 1); }

static void make(struct record *in, const struct oracle *oracle, int kind, uint64_t seed)
{
    struct rng rng;
    *in = (struct record){0};
    rng_init(&rng, seed, (uint64_t)kind);
    oracle->make_case(in, kind, &rng);
}

static bool same_bytes(const struct record *a, const struct record *b)
{
    struct text x = {0}, y = {0};
    record_encode(&x, a);
    record_encode(&y, b);
    const bool same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    text_done(&x);
    text_done(&y);
    return same;
}

/* All cases of one seed, with the outputs of some mistakes. */
struct solved {
    struct record in[ORACLE_CASE_LIMIT], out[ORACLE_CASE_LIMIT];
    int n;
};

static struct solved *solve_all(const struct oracle *oracle, uint64_t seed, uint32_t mistakes)
{
    struct solved *solved = memory_new(1, sizeof *solved);
    solved->n = oracle->n_kinds;
    for (int kind = 0; kind < oracle->n_kinds; kind++) {
        make(&solved->in[kind], oracle, kind, seed);
        if (oracle->solve) oracle->solve(&solved->out[kind], &solved->in[kind], mistakes);
    }
    return solved;
}

static void solved_free(struct solved *solved)
{
    for (int i = 0; i < solved->n; i++) {
        record_done(&solved->in[i]);
        record_done(&solved->out[i]);
    }
    free(solved);
}

static bool is_float(const struct array *array)
{
    return array->dtype == DTYPE_F32 || array->dtype == DTYPE_F64;
}

/* ---- what it says of itself ---- */

static void look_at_lists(const struct drill *drill, const struct oracle *oracle)
{
    int visible = 0;
    assert_true(oracle->n_kinds > 0 && oracle->n_kinds <= ORACLE_CASE_LIMIT);
    for (int i = 0; i < oracle->n_kinds; i++) {
        const char *name = oracle->kinds[i].name;
        if (!name || !*name) breach(drill, "kind %d has no name", i);
        for (int j = 0; j < i; j++)
            if (strcmp(name, oracle->kinds[j].name) == 0)
                breach(drill, "two kinds are called \"%s\"", name);
        if (oracle->kinds[i].visible) visible++;
    }
    if (visible == 0 || visible == oracle->n_kinds)
        breach(drill, "%d of %d kinds are visible, some must be and some must not", visible,
               oracle->n_kinds);

    if (oracle->n_mistakes < 5 || oracle->n_mistakes > ORACLE_MISTAKE_LIMIT)
        breach(drill, "%d mistakes, expected 5 to %d", oracle->n_mistakes, ORACLE_MISTAKE_LIMIT);
    for (int i = 0; i < oracle->n_mistakes; i++) {
        if (!drill_mistake_words(drill, oracle->mistakes[i].name, "en"))
            breach(drill, "drill.yaml has no words for %s", oracle->mistakes[i].name);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(oracle->mistakes[i].name, oracle->mistakes[j].name);
    }
    for (int i = 0; i < oracle->n_rules; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(oracle->rules[i].field, oracle->rules[j].field);
    if (!oracle->solve && !oracle->judge) breach(drill, "neither solve() nor judge()");
}

static void kinds_and_mistakes_are_named_once_and_some_cases_are_hidden(void **state)
{
    (void)state;
    for_each_oracle(look_at_lists);
}

/* A rule for a field that no case has would be a slip of the pen. */
static void look_at_rules(const struct drill *drill, const struct oracle *oracle)
{
    if (!oracle->solve) return;
    struct solved *solved = solve_all(oracle, 1, 0);
    for (int i = 0; i < oracle->n_rules; i++) {
        bool found = false;
        for (int k = 0; k < solved->n; k++) {
            const struct array *array = record_find(&solved->out[k], oracle->rules[i].field);
            if (!array) continue;
            found = true;
            if (oracle->rules[i].axes && (int)strlen(oracle->rules[i].axes) != array->ndim)
                breach(drill, "%s has %d axes, its rule names \"%s\"", oracle->rules[i].field,
                       array->ndim, oracle->rules[i].axes);
        }
        if (!found) breach(drill, "no case has %s", oracle->rules[i].field);
    }
    solved_free(solved);
}

static void every_rule_is_about_an_output_and_its_axes(void **state)
{
    (void)state;
    for_each_oracle(look_at_rules);
}

/* ---- inputs ---- */

static void look_at_seeds(const struct drill *drill, const struct oracle *oracle)
{
    for (int kind = 0; kind < oracle->n_kinds; kind++) {
        const enum case_check check = oracle->kinds[kind].check;
        struct record first;
        bool differs = false;
        make(&first, oracle, kind, seed_at(0));
        for (int s = 0; s < SEEDS; s++) {
            struct record a, b;
            make(&a, oracle, kind, seed_at(s));
            make(&b, oracle, kind, seed_at(s));
            if (!same_bytes(&a, &b))
                breach(drill, "\"%s\" is not the same twice", oracle->kinds[kind].name);
            if (!same_bytes(&a, &first)) differs = true;
            record_done(&a);
            record_done(&b);
        }
        record_done(&first);
        /* an edge may be one fixed case: an empty text has no numbers to draw */
        if (!differs && (check == CASE_NUMBERS || check == CASE_GRADIENT))
            breach(drill, "\"%s\" is the same for %d seeds", oracle->kinds[kind].name, SEEDS);
    }
}

static void cases_depend_on_the_seed_and_on_nothing_else(void **state)
{
    (void)state;
    for_each_oracle(look_at_seeds);
}

static void look_at_timed(const struct drill *drill, const struct oracle *oracle)
{
    /* calls inside one message may share their words: only the length is to differ there */
    const int64_t sizes[] = {oracle->speed_n,
                             oracle->complexity.calls_inside ? 0 : oracle->complexity.sizes[0]};
    if (!oracle->make_timed || !oracle->speed_n) breach(drill, "its speed cannot be measured");
    for (int i = 0; oracle->make_timed && i < 2; i++) {
        if (!sizes[i]) continue;
        struct record a = {0}, b = {0};
        struct rng rng;
        rng_init(&rng, 3, 1);
        oracle->make_timed(&a, sizes[i], 1, &rng);
        oracle->make_timed(&b, sizes[i], 1, &rng);
        if (same_bytes(&a, &b)) breach(drill, "two timed calls have the same inputs");
        record_done(&a);
        record_done(&b);
    }
}

static void timed_calls_never_repeat_their_inputs(void **state)
{
    (void)state;
    for_each_oracle(look_at_timed);
}

/* ---- outputs ---- */

static void look_at_right_outputs(const struct drill *drill, const struct oracle *oracle)
{
    for (int s = 0; oracle->solve && s < SEEDS; s++) {
        struct solved *solved = solve_all(oracle, seed_at(s), 0);
        for (int kind = 0; kind < solved->n; kind++) {
            const struct record *out = &solved->out[kind];
            assert_true(out->n_fields > 0);
            for (int f = 0; f < out->n_fields; f++) {
                const struct array *array = &out->fields[f].array;
                assert_true(array->dtype != DTYPE_F32);
                for (int64_t i = 0; i < array_count(array); i++)
                    if (!isfinite(array_at(array, i)))
                        breach(drill, "\"%s\": %s is not finite", oracle->kinds[kind].name,
                               out->fields[f].name);
            }
        }
        solved_free(solved);
    }
}

static void right_outputs_are_finite(void **state)
{
    (void)state;
    for_each_oracle(look_at_right_outputs);
}

/* The same oracle with every tolerance `factor` times as wide. */
struct widened {
    struct oracle oracle;
    struct output_rule rules[RULE_LIMIT];
};

static void widen(struct widened *widened, const struct oracle *oracle, double factor)
{
    *widened = (struct widened){.oracle = *oracle};
    int n = 0;
    for (; n < oracle->n_rules; n++) widened->rules[n] = oracle->rules[n];
    for (int kind = 0; kind < oracle->n_kinds; kind++) {
        struct record in, out = {0};
        make(&in, oracle, kind, 1);
        oracle->solve(&out, &in, 0);
        for (int f = 0; f < out.n_fields; f++) {
            bool known = false;
            for (int i = 0; i < n; i++)
                if (strcmp(widened->rules[i].field, out.fields[f].name) == 0) known = true;
            assert_true(n < RULE_LIMIT);
            if (!known) {
                char *kept = text_copy(out.fields[f].name); /* given back by narrow() */
                widened->rules[n++] = (struct output_rule){.field = kept};
            }
        }
        record_done(&in);
        record_done(&out);
    }
    for (int i = 0; i < n; i++) {
        struct output_rule *rule = &widened->rules[i];
        rule->rtol = factor * (rule->rtol > 0 ? rule->rtol : 1e-4);
        rule->atol = factor * (rule->atol > 0 ? rule->atol : 1e-5);
    }
    widened->oracle.rules = widened->rules;
    widened->oracle.n_rules = n;
}

static void narrow(struct widened *widened, const struct oracle *oracle)
{
    for (int i = oracle->n_rules; i < widened->oracle.n_rules; i++)
        free((char *)widened->rules[i].field);
}

/* True when the outputs differ in some case. */
static bool differ(const struct oracle *oracle, const struct solved *a, const struct solved *b)
{
    for (int kind = 0; kind < a->n; kind++)
        if (!compare_matches(oracle, &a->in[kind], &a->out[kind], &b->out[kind])) return true;
    return false;
}

static void look_at_mistakes(const struct drill *drill, const struct oracle *oracle)
{
    if (!oracle->solve) return;
    struct widened widened;
    widen(&widened, oracle, visible_tolerances);
    for (int s = 0; s < SEEDS; s++) {
        struct solved *made[ORACLE_MISTAKE_LIMIT] = {0};
        struct solved *right = solve_all(oracle, seed_at(s), 0);
        for (int i = 0; i < oracle->n_mistakes; i++) {
            const struct mistake *mistake = &oracle->mistakes[i];
            if (mistake->found != FOUND_BY_NUMBERS) continue;
            made[i] = solve_all(oracle, seed_at(s), 1u << i);
            if (!differ(&widened.oracle, right, made[i]))
                breach(drill, "seed %llu: no case shows %s by %g tolerances",
                       (unsigned long long)seed_at(s), mistake->name, visible_tolerances);
            for (int j = 0; j < i; j++)
                if (made[j] && !differ(oracle, made[i], made[j]))
                    breach(drill, "seed %llu: %s and %s look alike", (unsigned long long)seed_at(s),
                           mistake->name, oracle->mistakes[j].name);
        }
        for (int i = 0; i < oracle->n_mistakes; i++)
            if (made[i]) solved_free(made[i]);
        solved_free(right);
    }
    narrow(&widened, oracle);
}

static void every_mistake_is_plain_to_see_and_like_no_other(void **state)
{
    (void)state;
    for_each_oracle(look_at_mistakes);
}

/* ---- no false alarm ---- */

/* What a perfect float32 program returns: the right outputs, rounded once. */
static void round_outputs(struct record *out, const struct record *exact)
{
    for (int f = 0; f < exact->n_fields; f++) {
        const struct array *from = &exact->fields[f].array;
        const int64_t count = array_count(from);
        const enum dtype dtype = is_float(from) ? DTYPE_F32 : from->dtype;
        void *data = record_add(out, exact->fields[f].name, dtype, from->ndim, from->dims);
        if (dtype != DTYPE_F32) memcpy(data, from->data, (size_t)count * dtype_size(dtype));
        else
            for (int64_t i = 0; i < count; i++) ((float *)data)[i] = (float)array_at(from, i);
    }
}

/* Drill 07 leaves the tokens of many draws to its judge: drawn here as the task says, the first
 * token at which the running sum of the probabilities is above the draw. */
static void add_tokens(struct record *out, const struct record *in)
{
    const struct array *probs = record_find(out, "probs"), *draws = record_find(in, "draws");
    if (!probs || !draws || probs->ndim != 2 || record_find(out, "tokens")) return;
    const int64_t B = probs->dims[0], V = probs->dims[1];
    int64_t *tokens = record_add_i64(out, "tokens", SHAPE(B));
    probs = record_find(out, "probs");
    for (int64_t b = 0; b < B; b++) {
        double sum = 0.0;
        for (int64_t v = 0; v < V; v++) {
            if (array_at(probs, b * V + v) == 0.0) continue;
            sum += array_at(probs, b * V + v);
            tokens[b] = v;
            if (sum > array_at(draws, b)) break;
        }
    }
}

/* Drill 03 judges the log of calls: that of a forward pass, and of each segment run again from
 * its kept input and gone back through. */
static void add_calls(struct record *out, const struct record *in)
{
    if (!record_find(in, "every") || record_find(out, "calls")) return;
    const int64_t L = record_dim(in, "w", 0), every = record_int(in, "every");
    int64_t *log = memory_new((size_t)(3 * L), sizeof *log), n = 0;
    for (int64_t i = 0; i < L; i++) log[n++] = i + 1;
    for (int64_t first = (L - 1) / every * every; first >= 0; first -= every) {
        const int64_t last = first + every < L ? first + every : L;
        for (int64_t i = first; i < last - 1; i++) log[n++] = i + 1;
        for (int64_t i = last - 1; i >= first; i--) log[n++] = -(i + 1);
    }
    memcpy(record_add_i64(out, "calls", SHAPE(n)), log, (size_t)n * sizeof *log);
    free(log);
}

/* Which outputs a judge is given: those of all kinds, of the visible ones, of all but one. */
enum chosen { CHOSEN_ALL = -1, CHOSEN_VISIBLE = -2 };

/* `chosen` from 0 on: that case failed to run, or all of them when it is their number. */
static void expect_silence(const struct drill *drill, const struct oracle *oracle,
                           const struct solved *solved, int chosen, const char *what)
{
    static const struct record nothing;
    struct case_run runs[ORACLE_CASE_LIMIT];
    struct findings findings = {0};
    int n = 0;
    for (int kind = 0; kind < solved->n; kind++) {
        if (chosen == CHOSEN_VISIBLE && !oracle->kinds[kind].visible) continue;
        const bool ran = chosen != kind && chosen != solved->n;
        runs[n++] = (struct case_run){
            .kind = kind, .in = &solved->in[kind], .out = ran ? &solved->out[kind] : &nothing};
    }
    oracle->judge(&findings, runs, n);
    if (findings.n) breach(drill, "%s: %s", what, findings_first(&findings)->message);
    findings_done(&findings);
}

static void look_at_judge(const struct drill *drill, const struct oracle *oracle)
{
    if (!oracle->solve) return;
    for (int s = 0; s < JUDGED_SEEDS; s++) {
        struct solved *exact = solve_all(oracle, seed_at(s), 0);
        struct solved *rounded = solve_all(oracle, seed_at(s), 0);
        struct findings findings = {0};
        for (int kind = 0; kind < exact->n; kind++) {
            record_done(&rounded->out[kind]);
            round_outputs(&rounded->out[kind], &exact->out[kind]);
            assert_true(compare_case(&findings, oracle, kind, kind, &exact->in[kind],
                                     &exact->out[kind], &rounded->out[kind]));
            add_tokens(&exact->out[kind], &exact->in[kind]);
            add_tokens(&rounded->out[kind], &rounded->in[kind]);
            add_calls(&exact->out[kind], &exact->in[kind]);
            add_calls(&rounded->out[kind], &rounded->in[kind]);
        }
        if (findings.n)
            breach(drill, "seed %llu: rounding is found: %s", (unsigned long long)seed_at(s),
                   findings_first(&findings)->message);
        if (oracle->judge) {
            expect_silence(drill, oracle, exact, CHOSEN_ALL, "float64");
            expect_silence(drill, oracle, rounded, CHOSEN_ALL, "float32");
            expect_silence(drill, oracle, rounded, CHOSEN_VISIBLE, "visible cases only");
            for (int k = 0; s == 0 && k <= exact->n; k++)
                expect_silence(drill, oracle, rounded, k, "a case that did not run");
        }
        solved_free(exact);
        solved_free(rounded);
    }
}

static void what_is_right_raises_no_alarm(void **state)
{
    (void)state;
    for_each_oracle(look_at_judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_mistakes_are_named_once_and_some_cases_are_hidden),
        cmocka_unit_test(every_rule_is_about_an_output_and_its_axes),
        cmocka_unit_test(cases_depend_on_the_seed_and_on_nothing_else),
        cmocka_unit_test(timed_calls_never_repeat_their_inputs),
        cmocka_unit_test(right_outputs_are_finite),
        cmocka_unit_test(every_mistake_is_plain_to_see_and_like_no_other),
        cmocka_unit_test(what_is_right_raises_no_alarm),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
