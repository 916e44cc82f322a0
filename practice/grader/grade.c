#include "grader/grade.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/locale.h"
#include "grader/compare.h"
#include "grader/timing.h"

enum { RESTART_LIMIT = 3, SHOWN_ELEMENTS = 64 };

/* One grading under way. */
struct grading {
    struct result *result;
    const struct grade_request *request;
    struct grader *grader;
    const struct oracle *oracle;
    struct runner runner;
    struct case_run runs[ORACLE_CASE_LIMIT];
    struct record in[ORACLE_CASE_LIMIT], out[ORACLE_CASE_LIMIT];
    bool compared[ORACLE_CASE_LIMIT]; /* out was comparable: present, shaped, typed */
    int n_runs;
    bool cut_short; /* the last case ended the grading */
};

/* ---- troubles become findings ---- */

static const char *mistake_found_by(const struct oracle *oracle, enum mistake_found found)
{
    for (int i = 0; i < oracle->n_mistakes; i++)
        if (oracle->mistakes[i].found == found) return oracle->mistakes[i].name;
    return NULL;
}

static enum check check_of_case(const struct oracle *oracle, int kind)
{
    static const enum check checks[] = {[CASE_NUMBERS] = CHECK_NUMBERS,
                                        [CASE_GRADIENT] = CHECK_GRADIENT,
                                        [CASE_EDGE] = CHECK_EDGE,
                                        [CASE_PROPERTY] = CHECK_PROPERTIES};
    return checks[oracle->kinds[kind].check];
}

/* The first "attention.c:23" in the text. */
static char *place_in(const char *text, const char *file)
{
    const size_t size = strlen(file);
    for (const char *p = text; (p = strstr(p, file)); p += size)
        if (p[size] == ':' && isdigit((unsigned char)p[size + 1]))
            return text_printf("%.*s", (int)(size + 1 + strspn(p + size + 1, "0123456789")), p);
    return NULL;
}

/* The interesting part of a sanitizer's report: "heap-buffer-overflow, attention.c:23". */
static char *sanitizer_words(const char *report, const char *file)
{
    static const char address[] = "ERROR: AddressSanitizer: ", undefined[] = "runtime error: ";
    const char *error = strstr(report, address);
    const char *start = error ? error : strstr(report, undefined);
    if (!start) return NULL;
    const char *kind = start + (error ? strlen(address) : strlen(undefined));
    while (!error && start > report && start[-1] != '\n') start--; /* the place stands before it */

    char *place = place_in(start, file);
    char *words = text_printf("%.*s%s%s", (int)strcspn(kind, error ? " \n" : "\n"), kind,
                              place ? ", " : "", place ? place : "");
    free(place);
    return words;
}

/* Run the case that crashed once more, built with sanitizers, for better words. */
static char *explain_crash(struct grading *grading, const struct record *in)
{
    struct runner runner;
    struct trouble trouble;
    struct record out = {0};
    char *words = NULL;

    if (grading->request->lane != LANE_C) return NULL;
    runner_open(&runner, grading->grader, grading->request->drill, LANE_C, RUNNER_SANITIZED,
                grading->request->source, &trouble);
    if (!trouble.kind) {
        runner_call(&runner, in, &out, 1, NULL, &trouble);
        char *file = drill_file_name(grading->request->drill, LANE_C);
        words = sanitizer_words(text_string(&runner.printed), file);
        free(file);
    }
    record_done(&out);
    runner_close(&runner);
    return words;
}

/* A trouble while running case `kind`, or (kind -1) before any. */
static void note_trouble(struct grading *grading, int kind, const struct trouble *trouble)
{
    struct findings *findings = &grading->result->findings;
    const char *name = kind < 0 ? "" : _(grading->oracle->kinds[kind].name);
    struct finding *finding;

    switch (trouble->kind) {
    case TROUBLE_BUILD: findings_add(findings, CHECK_BUILD, -1, "%s", trouble->message); break;
    case TROUBLE_CONTRACT:
        finding = kind < 0 ? findings_add(findings, CHECK_CONTRACT, -1, "%s", trouble->message)
                           : findings_add(findings, CHECK_CONTRACT, kind, _("case \"%s\": %s"),
                                          name, trouble->message);
        finding->mistake = mistake_found_by(grading->oracle, FOUND_BY_CONTRACT);
        break;
    case TROUBLE_EXCEPTION:
        findings_add(findings, check_of_case(grading->oracle, kind), kind, _("case \"%s\": %s"),
                     name, trouble->message);
        break;
    case TROUBLE_CRASH: {
        char *words = kind < 0 ? NULL : explain_crash(grading, &grading->in[grading->n_runs]);
        if (kind < 0) findings_add(findings, CHECK_BUILD, -1, "%s", trouble->message);
        else
            findings_add(findings, check_of_case(grading->oracle, kind), kind,
                         _("case \"%s\": %s%s%s"), name, trouble->message, words ? ": " : "",
                         words ? words : "");
        free(words);
        break;
    }
    case TROUBLE_LIMIT:
    case TROUBLE_UNAVAILABLE:
    case TROUBLE_OURS: grading->result->trouble = *trouble; break;
    case TROUBLE_NONE: break;
    }
}

static bool ends_grading(const struct trouble *trouble)
{
    return trouble->kind == TROUBLE_LIMIT || trouble->kind == TROUBLE_UNAVAILABLE ||
           trouble->kind == TROUBLE_OURS;
}

/* ---- the cases ---- */

static void run_case(struct grading *grading, int kind, int *restarts, struct trouble *trouble)
{
    const struct oracle *oracle = grading->oracle;
    const int at = grading->n_runs;
    struct record *in = &grading->in[at], *out = &grading->out[at];
    struct rng rng;

    rng_init(&rng, grading->request->seed, (uint64_t)kind);
    oracle->make_case(in, kind, &rng);
    grading->runs[at] = (struct case_run){.kind = kind, .in = in, .out = out};

    *trouble = (struct trouble){0};
    if (!runner_alive(&grading->runner)) {
        if ((*restarts)++ == RESTART_LIMIT) {
            record_done(in);
            return;
        }
        runner_restart(&grading->runner, trouble);
    }
    if (!trouble->kind) runner_call(&grading->runner, in, out, 1, NULL, trouble);
    grading->result->n_cases++;

    grading->cut_short = ends_grading(trouble);
    if (trouble->kind) {
        note_trouble(grading, kind, trouble);
    } else if (oracle->solve) {
        struct record want = {0};
        oracle->solve(&want, in, 0);
        grading->compared[at] =
            compare_case(&grading->result->findings, oracle, kind, kind, in, &want, out);
        record_done(&want);
    } else if (out->n_fields) {
        grading->compared[at] = true;
    } else {
        findings_add(&grading->result->findings, CHECK_CONTRACT, kind,
                     _("case \"%s\": the answer is empty"), _(oracle->kinds[kind].name));
    }
    grading->n_runs++;
}

static void run_cases(struct grading *grading)
{
    struct trouble trouble = {0};
    int restarts = 0;

    CHECK(grading->oracle->n_kinds <= ORACLE_CASE_LIMIT);
    for (int kind = 0; kind < grading->oracle->n_kinds && !ends_grading(&trouble); kind++)
        if (!grading->request->visible_only || grading->oracle->kinds[kind].visible)
            run_case(grading, kind, &restarts, &trouble);
}

static void judge_cases(struct grading *grading)
{
    static const struct record nothing = {0};
    struct case_run runs[ORACLE_CASE_LIMIT];

    if (!grading->oracle->judge) return;
    for (int i = 0; i < grading->n_runs; i++) {
        runs[i] = grading->runs[i];
        if (!grading->compared[i]) runs[i].out = &nothing;
    }
    struct findings *findings = &grading->result->findings;
    const int before = findings->n;
    grading->oracle->judge(findings, runs, grading->n_runs);
    for (int i = before; i < findings->n; i++) { /* a judge counts runs; findings name kinds */
        const int at = findings->list[i].case_index;
        if (at >= 0 && at < grading->n_runs) findings->list[i].case_index = grading->runs[at].kind;
    }
}

/* ---- diagnosis: which known mistake gives exactly these outputs? ---- */

static bool reproduces(const struct grading *grading, uint32_t mistakes)
{
    bool any = false;
    for (int i = 0; i < grading->n_runs; i++) {
        if (!grading->compared[i]) continue;
        struct record other = {0};
        grading->oracle->solve(&other, &grading->in[i], mistakes);
        const bool same =
            compare_matches(grading->oracle, &grading->in[i], &other, &grading->out[i]);
        record_done(&other);
        if (!same) return false;
        any = true;
    }
    return any;
}

static void name_mistake(struct result *result, const char *name)
{
    for (int i = 0; i < result->n_diagnosis; i++)
        if (strcmp(result->diagnosis[i], name) == 0) return;
    if (result->n_diagnosis < DIAGNOSIS_LIMIT) result->diagnosis[result->n_diagnosis++] = name;
}

static void name_mask(struct grading *grading, uint32_t mask)
{
    for (int i = 0; i < grading->oracle->n_mistakes; i++)
        if (mask & 1u << i) name_mistake(grading->result, grading->oracle->mistakes[i].name);
}

/* Try every subset of `among` with at most `most` mistakes, fewest first, each together with
 * `known`: those that another check has found already. */
static bool try_subsets(struct grading *grading, uint32_t among, int most, uint32_t known)
{
    for (int size = known ? 0 : 1; size <= most; size++)
        for (uint32_t mask = among, more = 1; more; more = mask, mask = (mask - 1) & among)
            if (__builtin_popcount(mask) == size && reproduces(grading, mask | known)) {
                name_mask(grading, mask);
                return true;
            }
    return false;
}

static bool try_in_order(struct grading *grading, uint32_t among)
{
    for (int i = 0; i < grading->oracle->n_mistakes; i++)
        if (among & 1u << i && reproduces(grading, 1u << i)) {
            name_mask(grading, 1u << i);
            return true;
        }
    return false;
}

/* The mistakes of this bug hunt that are not found by numbers and are known to be in. Some of them
 * change what the others do to the numbers. */
static uint32_t known_otherwise(const struct grading *grading)
{
    uint32_t known = 0;
    for (int i = 0; i < grading->oracle->n_mistakes; i++)
        for (int k = 0; k < grading->result->n_diagnosis; k++)
            if (grading->oracle->mistakes[i].found != FOUND_BY_NUMBERS &&
                strcmp(grading->oracle->mistakes[i].name, grading->result->diagnosis[k]) == 0)
                known |= 1u << i;
    return known;
}

static bool was_planted(const struct grade_request *request, const char *name)
{
    for (int i = 0; i < request->n_planted; i++)
        if (strcmp(request->planted[i], name) == 0) return true;
    return false;
}

static void diagnose(struct grading *grading)
{
    const struct oracle *oracle = grading->oracle;
    const struct grade_request *request = grading->request;
    const struct finding *first = result_first(grading->result);
    uint32_t by_numbers = 0, planted = 0;

    if (!first || first->check == CHECK_BUILD) return;
    for (int i = 0; i < oracle->n_mistakes; i++) {
        if (oracle->mistakes[i].found != FOUND_BY_NUMBERS) continue;
        by_numbers |= 1u << i;
        if (was_planted(request, oracle->mistakes[i].name)) planted |= 1u << i;
    }
    /* A check that knows the mistake names it; in a bug hunt, every one of them. */
    if (first->mistake) name_mistake(grading->result, first->mistake);
    if (request->n_planted)
        for (int i = 0; i < grading->result->findings.n; i++)
            if (grading->result->findings.list[i].mistake)
                name_mistake(grading->result, grading->result->findings.list[i].mistake);
    if (!oracle->solve || reproduces(grading, 0)) return;
    if (request->n_planted) {
        const uint32_t known = known_otherwise(grading);
        if (known && try_subsets(grading, planted, request->n_planted, known)) return;
        try_subsets(grading, planted, request->n_planted, 0);
        return;
    }
    if (grading->result->n_diagnosis) return;
    if (try_in_order(grading, by_numbers)) return;
    try_subsets(grading, by_numbers, 2, 0);
}

/* ---- time ---- */

/* Timing has a process, and so a processor limit, of its own. */
static bool fresh_process(struct grading *grading, struct trouble *trouble)
{
    struct result *result = grading->result;
    runner_end(&grading->runner);
    if (!result->printed) {
        result->printed = text_take(&grading->runner.printed);
        result->cpu_ms = grading->runner.cpu_ms;
        result->memory_bytes = grading->runner.memory_bytes;
    }
    runner_restart(&grading->runner, trouble);
    return !trouble->kind;
}

/* What a call that belongs to no case did wrong. */
static void note_timed_trouble(struct grading *grading, const struct trouble *trouble)
{
    if (ends_grading(trouble)) {
        grading->result->trouble = *trouble;
        return;
    }
    findings_add(&grading->result->findings, CHECK_COMPLEXITY, -1, _("while it was timed: %s"),
                 trouble->message);
}

static void time_complexity(struct grading *grading)
{
    const struct complexity *rule = &grading->oracle->complexity;
    struct result *result = grading->result;
    const bool wrong_expected = result->findings.n > 0;
    struct trouble trouble = {0};
    struct growth growth = {0};

    if (fresh_process(grading, &trouble))
        timing_complexity(&growth, &grading->runner, grading->oracle, grading->request->seed,
                          wrong_expected, &trouble);
    if (trouble.kind) {
        note_timed_trouble(grading, &trouble);
        return;
    }
    if (growth.wrong_n) {
        findings_add(
            &result->findings, CHECK_NUMBERS, -1,
            _("when it was timed with size %lld, an answer was wrong (%lld calls in a "
              "row): timed calls are compared too, at every size, and each has inputs of its "
              "own"),
            (long long)growth.wrong_n, (long long)growth.wrong_calls);
        return;
    }
    result->exponent = growth.exponent;
    result->exponent_limit = rule->limit;
    if (result->exponent > rule->limit)
        findings_add(&result->findings, CHECK_COMPLEXITY, -1,
                     _("%s grows like n^%.2f, expected about n^%.1f"), _(rule->what),
                     result->exponent, rule->expected)
            ->mistake = rule->mistake;
}

/* A ratio, never a gate: what stops the measurement only leaves it out. */
static void time_speed(struct grading *grading)
{
    const struct grade_request *request = grading->request;
    struct result *result = grading->result;
    struct trouble trouble = {0};
    struct runner reference;
    struct speed speed = {0};

    if (!fresh_process(grading, &trouble)) return;
    runner_open(&reference, grading->grader, request->drill, request->lane, RUNNER_FAST, NULL,
                &trouble);
    if (!trouble.kind)
        timing_speed(&speed, &grading->runner, &reference, grading->oracle, request->seed,
                     &trouble);
    runner_close(&reference);
    result->speed_ratio = speed.ratio;
    result->speed_low = speed.low;
    result->speed_high = speed.high;
    result->call_us = speed.call_us;
    result->reference_us = speed.reference_us;
    if (speed.wrong)
        findings_add(&result->findings, CHECK_NUMBERS, -1, "%s",
                     _("when called many times in a row it answers differently: each call must "
                       "depend on its own inputs only"));
}

/* In a bug hunt a slow mistake is looked for even while others are still in. */
static bool wants_complexity(const struct grading *grading)
{
    const struct complexity *rule = &grading->oracle->complexity;
    const struct result *result = grading->result;
    if (!grading->request->timing || result->trouble.kind || !rule->sizes[0]) return false;
    if (!grading->oracle->make_timed) return false;
    return !result->findings.n || (rule->mistake && was_planted(grading->request, rule->mistake));
}

/* ---- what is shown of the failing case ---- */

static int64_t input_size(const struct record *in)
{
    int64_t size = 0;
    for (int i = 0; i < in->n_fields; i++) size += array_count(&in->fields[i].array);
    return size;
}

static json_t *array_json(const struct array *array)
{
    json_t *shape = json_array(), *object = json_object();
    for (int i = 0; i < array->ndim; i++)
        json_array_append_new(shape, json_integer(array->dims[i]));
    json_object_set_new(object, "dtype", json_string(dtype_name(array->dtype)));
    json_object_set_new(object, "shape", shape);
    const int64_t count = array_count(array);
    if (count > SHOWN_ELEMENTS) return object;
    json_t *values = json_array();
    for (int64_t i = 0; i < count; i++) {
        const double x = array_at(array, i);
        json_array_append_new(values, array->dtype == DTYPE_F32 || array->dtype == DTYPE_F64
                                          ? json_real(x)
                                          : json_integer((json_int_t)x));
    }
    json_object_set_new(object, "values", values);
    return object;
}

static bool case_has_finding(const struct result *result, int kind)
{
    for (int i = 0; i < result->findings.n; i++)
        if (result->findings.list[i].case_index == kind) return true;
    return false;
}

/* The smallest input on which the check that is told failed. */
static bool case_failed(const struct result *result, int kind)
{
    const struct finding *first = result_first(result);
    for (int i = 0; first && i < result->findings.n; i++)
        if (result->findings.list[i].case_index == kind &&
            result->findings.list[i].check == first->check)
            return true;
    return false;
}

static void show_failing_input(struct grading *grading)
{
    int smallest = -1;
    for (int i = 0; i < grading->n_runs; i++) {
        if (!case_failed(grading->result, grading->runs[i].kind)) continue;
        if (smallest < 0 || input_size(&grading->in[i]) < input_size(&grading->in[smallest]))
            smallest = i;
    }
    if (smallest < 0 || grading->request->exam) return;

    json_t *fields = json_object(), *object = json_object();
    const struct record *in = &grading->in[smallest];
    for (int i = 0; i < in->n_fields; i++)
        json_object_set_new(fields, in->fields[i].name, array_json(&in->fields[i].array));
    json_object_set_new(object, "case",
                        json_string(grading->oracle->kinds[grading->runs[smallest].kind].name));
    json_object_set_new(object, "inputs", fields);
    grading->result->failing_input = json_line(object);
    json_decref(object);
}

/* ---- the whole ---- */

static void settle(struct grading *grading)
{
    struct result *result = grading->result;
    for (int i = 0; i < grading->n_runs; i++)
        result->n_passed += !case_has_finding(result, grading->runs[i].kind);
    if (result->trouble.kind && result->n_passed)
        result->n_passed--; /* the one that was cut short */
    const bool reached_timing =
        grading->request->timing && !result->findings.n && !result->trouble.kind;

    if (result->trouble.kind == TROUBLE_OURS) result->verdict = VERDICT_ERROR;
    else if (result->trouble.kind == TROUBLE_UNAVAILABLE) result->verdict = VERDICT_UNAVAILABLE;
    else if (result->findings.n) result->verdict = VERDICT_FAIL;
    else if (result->trouble.kind == TROUBLE_LIMIT) result->verdict = VERDICT_LIMIT;
    else result->verdict = VERDICT_PASS;

    const bool ran = grading->n_runs > 0;
    if (ran) result->checks[CHECK_BUILD] = CHECK_PASSED;
    for (int check = CHECK_CONTRACT; ran && check <= CHECK_NUMBERS; check++)
        result->checks[check] = CHECK_PASSED;
    for (int i = 0; i < grading->n_runs; i++)
        result->checks[check_of_case(grading->oracle, grading->runs[i].kind)] = CHECK_PASSED;
    for (int i = 0; ran && i < grading->oracle->n_rules; i++)
        if (grading->oracle->rules[i].gradient) result->checks[CHECK_GRADIENT] = CHECK_PASSED;
    if (reached_timing && result->exponent_limit > 0)
        result->checks[CHECK_COMPLEXITY] = CHECK_PASSED;
    if (reached_timing && result->speed_ratio > 0) result->checks[CHECK_SPEED] = CHECK_PASSED;
    for (int i = 0; i < result->findings.n; i++)
        result->checks[result->findings.list[i].check] = CHECK_FAILED;

    /* What stands behind the first failure and did not fail itself was not really examined. */
    const struct finding *first = result_first(result);
    for (int check = 0; check < CHECK_COUNT; check++)
        if (first && check > (int)first->check && result->checks[check] == CHECK_PASSED)
            result->checks[check] = CHECK_NOT_RUN;
}

/* The visible cases once more with sanitizers: what they see is told even when the numbers are right. */
static void check_sanitized(struct grading *grading)
{
    struct runner runner;
    struct trouble trouble;

    runner_open(&runner, grading->grader, grading->request->drill, LANE_C, RUNNER_SANITIZED,
                grading->request->source, &trouble);
    for (int i = 0; i < grading->n_runs && !trouble.kind; i++) {
        struct record out = {0};
        runner_call(&runner, &grading->in[i], &out, 1, NULL, &trouble);
        record_done(&out);
        if (trouble.kind != TROUBLE_CRASH) continue;
        char *file = drill_file_name(grading->request->drill, LANE_C);
        char *words = sanitizer_words(text_string(&runner.printed), file);
        findings_add(&grading->result->findings, CHECK_EDGE, grading->runs[i].kind,
                     _("case \"%s\", built with sanitizers: %s"),
                     _(grading->oracle->kinds[grading->runs[i].kind].name),
                     words ? words : trouble.message);
        free(words);
        free(file);
    }
    runner_close(&runner);
}

void grade(struct result *result, struct grader *grader, const struct grade_request *request)
{
    const int64_t start = clock_steady_ns();
    struct grading *grading = memory_new(1, sizeof *grading);
    struct trouble trouble = {0};

    *result = (struct result){.drill = request->drill,
                              .oracle = oracle_find(request->drill->name),
                              .lane = request->lane,
                              .mode = request->mode,
                              .exam = request->exam,
                              .visible_only = request->visible_only,
                              .seed = request->seed,
                              .planted = request->planted,
                              .n_planted = request->n_planted};
    grading->result = result;
    grading->request = request;
    grading->grader = grader;
    grading->oracle = result->oracle;
    if (!result->oracle) {
        result->trouble.kind = TROUBLE_OURS;
        snprintf(result->trouble.message, sizeof result->trouble.message,
                 _("this build has no oracle for drill %s: run ./dev build"),
                 request->drill->number);
        result->verdict = VERDICT_ERROR;
        free(grading);
        return;
    }

    runner_open(&grading->runner, grader, request->drill, request->lane, RUNNER_FAST,
                request->source, &trouble);
    result->build_ms = (double)(clock_steady_ns() - start) / 1e6;
    if (trouble.kind) {
        note_trouble(grading, -1, &trouble);
    } else {
        run_cases(grading);
        judge_cases(grading);
        if (wants_complexity(grading)) time_complexity(grading);
        if (result->findings.n) diagnose(grading);
        if (request->visible_only && request->lane == LANE_C && !result->findings.n &&
            !result->trouble.kind)
            check_sanitized(grading);
        if (request->speed && grading->oracle->make_timed && grading->oracle->speed_n &&
            !result->findings.n && !result->trouble.kind)
            time_speed(grading);
        if (!result->n_diagnosis) {
            const struct finding *first = result_first(result);
            if (first && first->mistake) name_mistake(result, first->mistake);
        }
        show_failing_input(grading);
    }
    runner_end(&grading->runner);
    if (!result->printed) result->printed = text_take(&grading->runner.printed);
    result->cpu_ms = grading->runner.cpu_ms;
    result->memory_bytes = grading->runner.memory_bytes;
    runner_close(&grading->runner);
    settle(grading);
    for (int i = 0; i < grading->n_runs; i++) {
        record_done(&grading->in[i]);
        record_done(&grading->out[i]);
    }
    result->total_ms = (double)(clock_steady_ns() - start) / 1e6;
    free(grading);
}
