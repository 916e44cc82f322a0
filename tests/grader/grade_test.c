/* What people and programs do wrong, through the whole pipeline, sandbox included. */
#include "grader/grade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "content/plant.h"
#include "trial.h"

#define C_HEAD \
    "#include \"attention.h\"\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
#define C_SIGNATURE \
    "void attention(float *out, const float *q, const float *k, const float *v," \
    " const bool *m, bool c, int B, int H, int T, int D)\n"
#define PY_HEAD "import numpy as np\n"

struct expectation {
    enum lane lane;
    const char *source;
    enum verdict verdict;
    enum check check;         /* of the finding shown, when it failed */
    enum sandbox_limit limit; /* when a limit was hit */
    const char *words;        /* in the summary */
};

static void expect_all(const struct expectation *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct expectation *e = &list[i];
        if (!trial_has(e->lane)) continue;
        struct result result = trial_grade("01", e->lane, e->source);
        char *summary = result_summary(&result, "en");
        if (result.verdict != e->verdict || !strstr(summary, e->words))
            fail_msg("%s\n-> %s: %s", e->source, verdict_name(result.verdict), summary);
        if (e->verdict == VERDICT_FAIL) assert_int_equal(result_first(&result)->check, e->check);
        if (e->verdict == VERDICT_LIMIT) assert_int_equal(result.trouble.limit, e->limit);
        free(summary);
        result_done(&result);
    }
}

static void what_does_not_build_or_import_is_said_in_the_tools_words(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_C, C_HEAD "int attention(void) { return 0; }\n", VERDICT_FAIL, CHECK_BUILD, 0,
         "conflicting types"},
        {LANE_C, C_HEAD C_SIGNATURE "{ undeclared = 1; }\n", VERDICT_FAIL, CHECK_BUILD, 0,
         "attention.c:6"},
        {LANE_C, "", VERDICT_FAIL, CHECK_BUILD, 0, "undefined reference"},
        {LANE_C, "", VERDICT_FAIL, CHECK_BUILD, 0,
         "attention.c does not define attention. attention.h declares it: void attention(float "
         "*out, const float *q, const float *k, const float *v, const bool *key_mask, bool causal, "
         "int B, int H, int T, int D)\n"},
        {LANE_C, C_HEAD "int main(void) { return 0; }\n", VERDICT_FAIL, CHECK_BUILD, 0,
         "attention.c defines main: leave it out"},
        {LANE_C, C_HEAD "void softmax(float *x);\n" C_SIGNATURE "{ softmax(out); }\n", VERDICT_FAIL,
         CHECK_BUILD, 0, "attention.c uses softmax and does not define it."},
        {LANE_NUMPY, "def attention(q) return q\n", VERDICT_FAIL, CHECK_BUILD, 0,
         "attention.py line 1"},
        {LANE_NUMPY, "import nothing_of_that_name\n", VERDICT_FAIL, CHECK_BUILD, 0,
         "nothing_of_that_name"},
        {LANE_NUMPY, "raise SystemExit(3)\n", VERDICT_FAIL, CHECK_BUILD, 0, "SystemExit"},
        {LANE_NUMPY, "import os\nos._exit(3)\n", VERDICT_FAIL, CHECK_BUILD, 0, "status 3"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
}

static void a_broken_contract_is_named(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_NUMPY, "", VERDICT_FAIL, CHECK_CONTRACT, 0, "does not define attention"},
        {LANE_NUMPY, "def attention(q, k, v): pass\n", VERDICT_FAIL, CHECK_CONTRACT, 0,
         "5 arguments"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q.tolist()\n", VERDICT_FAIL,
         CHECK_CONTRACT, 0, "list"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): pass\n", VERDICT_FAIL, CHECK_CONTRACT, 0,
         "NoneType"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q.astype(int)\n", VERDICT_FAIL,
         CHECK_CONTRACT, 0, "floating"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q.astype(complex)\n", VERDICT_FAIL,
         CHECK_CONTRACT, 0, "complex"},
        {LANE_NUMPY, "def attention(q, k, v, c, m):\n    q *= 2\n    return q\n", VERDICT_FAIL,
         CHECK_CONTRACT, 0, "modified"},
        {LANE_NUMPY,
         "import os\ndef attention(q, k, v, c, m):\n    os.write(3, b'x' * 99)\n    return q\n",
         VERDICT_FAIL, CHECK_CONTRACT, 0, "descriptor 3"},
        {LANE_C,
         C_HEAD C_SIGNATURE
         "{ ((float *)q)[0] += 1; for (int i = 0; i < B*H*T*D; i++) out[i] = 0; }\n",
         VERDICT_FAIL, CHECK_CONTRACT, 0, "modified"},
        {LANE_TORCH,
         "import torch\ndef attention(q, k, v, c, m):\n    return torch.nn.MultiheadAttention(4, 1)(q, k, v)\n",
         VERDICT_FAIL, CHECK_CONTRACT, 0, "MultiheadAttention"},
        {LANE_TORCH,
         "from torch.nn.functional import multi_head_attention_forward as f\ndef attention(q, k, v, c, m):\n    try:\n        f(q)\n    except Exception:\n        pass\n    return q\n",
         VERDICT_FAIL, CHECK_CONTRACT, 0, "multi_head_attention_forward"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
}

static void shapes_and_non_finite_values_come_before_numbers(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q.swapaxes(1, 2)\n", VERDICT_FAIL,
         CHECK_SHAPE, 0, "swapped"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q[0]\n", VERDICT_FAIL, CHECK_SHAPE, 0,
         "3 axes instead of 4"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return q * float('nan')\n", VERDICT_FAIL,
         CHECK_FINITE, 0, "nan"},
        {LANE_C, C_HEAD C_SIGNATURE "{ }\n", VERDICT_FAIL, CHECK_FINITE, 0, "nan"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return v\n", VERDICT_FAIL, CHECK_NUMBERS, 0,
         "no mask"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
}

static void exceptions_and_crashes_say_where(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_NUMPY,
         "def f(q):\n    return q[99]\ndef attention(q, k, v, c, m):\n    return f(q)\n",
         VERDICT_FAIL, CHECK_NUMBERS, 0, "attention.py line 2: IndexError"},
        {LANE_NUMPY, "import os\ndef attention(q, k, v, c, m): os._exit(0)\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "status 0"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): return attention(q, k, v, c, m)\n",
         VERDICT_FAIL, CHECK_NUMBERS, 0, "RecursionError"},
        {LANE_C, C_HEAD C_SIGNATURE "{\n    *(volatile int *)0 = 1;\n}\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "attention.c:7"},
        {LANE_C, C_HEAD C_SIGNATURE "{ for (int i = 0; i < 1000000; i++) out[i] = q[0]; }\n",
         VERDICT_FAIL, CHECK_NUMBERS, 0, "heap-buffer-overflow"},
        {LANE_C, C_HEAD C_SIGNATURE "{ abort(); }\n", VERDICT_FAIL, CHECK_NUMBERS, 0, "signal 6"},
        {LANE_C, C_HEAD C_SIGNATURE "{ _exit(5); }\n", VERDICT_FAIL, CHECK_NUMBERS, 0, "status 5"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
}

static void limits_are_their_own_outcome(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_C, C_HEAD C_SIGNATURE "{ for (volatile int i = 0;; i++) {} }\n", VERDICT_LIMIT, 0,
         SANDBOX_LIMIT_CPU, "5 s allowed"},
        {LANE_C,
         C_HEAD C_SIGNATURE
         "{ for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); } }\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_MEMORY, "512 MiB"},
        {LANE_NUMPY,
         PY_HEAD
         "def attention(q, k, v, c, m):\n    return [np.ones(50_000_000) for _ in range(100)]\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_MEMORY, "1024 MiB"},
        {LANE_NUMPY, "def attention(q, k, v, c, m):\n    while True: print('x' * 1000)\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_OUTPUT, "64 KiB"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
}

static void what_is_not_allowed_fails_for_the_candidate_and_harms_nobody(void **state)
{
    (void)state;
    static const struct expectation list[] = {
        {LANE_NUMPY, "import socket\ndef attention(q, k, v, c, m): socket.socket()\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "PermissionError"},
        {LANE_NUMPY, "import os\ndef attention(q, k, v, c, m): os.fork()\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "PermissionError"},
        {LANE_NUMPY, "import os\ndef attention(q, k, v, c, m): os.kill(os.getppid(), 9)\n",
         VERDICT_FAIL, CHECK_NUMBERS, 0, "PermissionError"},
        {LANE_NUMPY, "def attention(q, k, v, c, m): open('/etc/passwd', 'a')\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "Error"},
        {LANE_NUMPY,
         "import os\ndef attention(q, k, v, c, m): open('/proc/%d/mem' % os.getppid(), 'rb')\n",
         VERDICT_FAIL, CHECK_NUMBERS, 0, "Error"},
    };
    expect_all(list, sizeof list / sizeof list[0]);
    /* and the same worker goes on serving others */
    struct text reference = {0};
    assert_int_equal(drill_read(&reference, trial_drill("01"), "reference", LANE_NUMPY, NULL),
                     STATUS_OK);
    if (trial_has(LANE_NUMPY)) {
        struct result result = trial_grade("01", LANE_NUMPY, text_string(&reference));
        assert_int_equal(result.verdict, VERDICT_PASS);
        result_done(&result);
    }
    text_done(&reference);
}

/* A solution that is right only while it is watched. */
static void answers_that_depend_on_the_call_are_found_by_the_timed_calls(void **state)
{
    (void)state;
    if (!trial_has(LANE_NUMPY)) skip();
    struct text source = {0};
    assert_int_equal(drill_read(&source, trial_drill("01"), "reference", LANE_NUMPY, NULL),
                     STATUS_OK);
    text_add(&source, "\nright, seen = attention, []\n"
                      "def attention(q, k, v, causal, key_mask):\n"
                      "    seen.append(1)\n"
                      "    if len(seen) > 20:\n"
                      "        return seen[0] if not isinstance(seen[0], int) else q * 0\n"
                      "    return right(q, k, v, causal, key_mask)\n");
    const struct grade_request request = {.drill = trial_drill("01"),
                                          .lane = LANE_NUMPY,
                                          .mode = "blank",
                                          .source = text_string(&source),
                                          .seed = 3,
                                          .timing = true,
                                          .speed = true};
    struct result result;
    grade(&result, &trial_grader, &request);
    assert_int_equal(result.verdict, VERDICT_FAIL);
    result_done(&result);
    text_done(&source);
}

static void the_same_seed_gives_the_same_words(void **state)
{
    (void)state;
    struct result a =
        trial_grade("01", LANE_C, C_HEAD C_SIGNATURE "{ memcpy(out, v, sizeof *v * B*H*T*D); }\n");
    struct result b =
        trial_grade("01", LANE_C, C_HEAD C_SIGNATURE "{ memcpy(out, v, sizeof *v * B*H*T*D); }\n");
    assert_string_equal(result_first(&a)->message, result_first(&b)->message);
    result_done(&a);
    result_done(&b);
}

static void a_hunt_names_every_mistake_that_is_still_in(void **state)
{
    (void)state;
    for (int i = 0; i < trial_drills.n_drills; i++) {
        const struct drill *drill = trial_drills.drills[i];
        for (uint64_t seed = 1; seed <= 3; seed++) {
            const enum lane lane = (enum lane)(seed % LANE_COUNT);
            struct plant plant;
            struct text source = {0};
            struct error err = {0};
            if (!trial_has(lane)) continue;
            if (plant_bugs(&plant, &source, drill, lane, seed, &err)) fail_msg("%s", err.message);
            const struct grade_request request = {.drill = drill,
                                                  .lane = lane,
                                                  .mode = "bugs",
                                                  .source = text_string(&source),
                                                  .seed = 5,
                                                  .timing = true,
                                                  .planted = plant.names,
                                                  .n_planted = plant.n};
            struct result result;
            grade(&result, &trial_grader, &request);
            assert_int_equal(result.verdict, VERDICT_FAIL);
            if (!result.n_diagnosis)
                fail_msg("drill %s, %s, seed %d: nothing named", drill->number, lane_name(lane),
                         (int)seed);
            for (int k = 0; k < result.n_diagnosis; k++) {
                bool planted = false;
                for (int p = 0; p < plant.n; p++)
                    if (strcmp(plant.names[p], result.diagnosis[k]) == 0) planted = true;
                if (!planted)
                    fail_msg("drill %s, %s, seed %d: %s was not planted", drill->number,
                             lane_name(lane), (int)seed, result.diagnosis[k]);
            }
            result_done(&result);
            text_done(&source);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_build_or_import_is_said_in_the_tools_words),
        cmocka_unit_test(a_broken_contract_is_named),
        cmocka_unit_test(shapes_and_non_finite_values_come_before_numbers),
        cmocka_unit_test(exceptions_and_crashes_say_where),
        cmocka_unit_test(limits_are_their_own_outcome),
        cmocka_unit_test(what_is_not_allowed_fails_for_the_candidate_and_harms_nobody),
        cmocka_unit_test(answers_that_depend_on_the_call_are_found_by_the_timed_calls),
        cmocka_unit_test(the_same_seed_gives_the_same_words),
        cmocka_unit_test(a_hunt_names_every_mistake_that_is_still_in),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
