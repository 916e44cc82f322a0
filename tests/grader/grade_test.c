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

/* Another name for the same operator is the same operator. */
static void what_is_forbidden_is_forbidden_by_every_name(void **state)
{
    (void)state;
    if (!trial_has(LANE_TORCH)) skip();
    static const char names[] = "import torch\n"
                                "def layernorm_forward(x, gamma, beta, eps):\n"
                                "    y = x\n    shape = (x.shape[-1],)\n    try:\n        %s\n"
                                "    except Exception:\n        pass\n"
                                "    return y, None, None\n"
                                "def layernorm_backward(*arguments): return arguments\n";
    static const struct {
        const char *drill, *line, *words;
    } list[] = {
        {"08", "y = torch.ops.aten.native_layer_norm.default(x, shape, gamma, beta, eps)[0]",
         "native_layer_norm was used"},
        {"08", "y = torch._C._VariableFunctions.layer_norm(x, shape, gamma, beta, eps)",
         "layer_norm was used"},
        {"08", "y = getattr(torch._C, '_nn') and torch.functional.torch.layer_norm(x, shape)",
         "layer_norm was used"},
        {"08",
         "from torch.nn import functional as F; y = F.__dict__['layer_norm'](x, shape, gamma, beta)",
         "layer_norm was used"},
        {"08",
         "z = x.clone().requires_grad_(); torch.autograd.Variable._execution_engine.run_backward("
         "((z * z).sum(),), (torch.ones(()),), False, False, (z,), True, True)",
         "torch.autograd was used"},
        {"08",
         "import torch.autograd.forward_ad as f; f.enter_dual_level(); "
         "torch._VF._make_dual(x, x, level=0)",
         "torch._make_dual was used"},
        {"08",
         "y = torch.nn.TransformerEncoderLayer(x.shape[-1], 1, batch_first=True).eval()"
         "(x.reshape(1, -1, x.shape[-1]))",
         "was used"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        char *source = text_printf(names, list[i].line);
        struct result result = trial_grade(list[i].drill, LANE_TORCH, source);
        char *summary = result_summary(&result, "en");
        if (result.verdict != VERDICT_FAIL || result_first(&result)->check != CHECK_CONTRACT ||
            !strstr(summary, list[i].words))
            fail_msg("%s\n-> %s: %s", list[i].line, verdict_name(result.verdict), summary);
        free(summary);
        free(source);
        result_done(&result);
    }
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
        {LANE_NUMPY, PY_HEAD "def attention(q, k, v, c, m): return np.ones(1 << 40)\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_MEMORY, "1024 MiB"},
        {LANE_TORCH, "import torch\ndef attention(q, k, v, c, m): return torch.ones(1 << 40)\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_MEMORY, "3072 MiB"},
        /* nothing was used up: an exception like any other */
        {LANE_NUMPY, "def attention(q, k, v, c, m): raise MemoryError\n", VERDICT_FAIL,
         CHECK_NUMBERS, 0, "attention.py line 1: MemoryError"},
        {LANE_NUMPY, "def attention(q, k, v, c, m):\n    while True: print('x' * 1000)\n",
         VERDICT_LIMIT, 0, SANDBOX_LIMIT_OUTPUT, "4096 KiB"},
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

/* Grade the reference with these mistakes planted; fail unless exactly they are named. */
static void expect_hunt(const char *number, enum lane lane, unsigned chosen,
                        const struct marked *marked, const char *reference)
{
    const char *planted[MARKED_MISTAKE_LIMIT];
    struct text source = {0};
    int n = 0;

    for (int i = 0; i < marked->n_names; i++)
        if (chosen & 1u << i) planted[n++] = marked->names[i];
    assert_int_equal(marked_expand(&source, marked, reference, chosen, NULL), STATUS_OK);
    const struct grade_request request = {.drill = trial_drill(number),
                                          .lane = lane,
                                          .mode = "bugs",
                                          .source = text_string(&source),
                                          .seed = 5,
                                          .timing = true,
                                          .planted = planted,
                                          .n_planted = n};
    struct result result;
    struct text named = {0}, wanted = {0};
    grade(&result, &trial_grader, &request);
    for (int i = 0; i < n; i++) {
        bool told = false;
        text_format(&wanted, " %s", planted[i]);
        for (int k = 0; k < result.n_diagnosis; k++)
            if (strcmp(planted[i], result.diagnosis[k]) == 0) told = true;
        if (told) text_format(&named, " %s", planted[i]);
    }
    if (strcmp(text_string(&named), text_string(&wanted)) != 0 || result.n_diagnosis != n) {
        char *summary = result_summary(&result, "en");
        fail_msg("%s, %s: planted%s, named%s (%d)\n%s", number, lane_name(lane),
                 text_string(&wanted), text_string(&named), result.n_diagnosis, summary);
    }
    text_done(&named);
    text_done(&wanted);
    text_done(&source);
    result_done(&result);
}

static bool never_together(const char *number, const char *a, const char *b)
{
    const struct drill *drill = trial_drill(number);
    for (unsigned i = 0; i < drill->never_together_count; i++) {
        char *const *pair = drill->never_together[i].names;
        if ((strcmp(pair[0], a) == 0 && strcmp(pair[1], b) == 0) ||
            (strcmp(pair[0], b) == 0 && strcmp(pair[1], a) == 0))
            return true;
    }
    return false;
}

/* Hunt each pair of other mistakes together with this one; what shares a block cannot be. */
static void hunt_beside(const char *number, enum lane lane, const char *mistake)
{
    struct text reference = {0};
    struct marked marked = {0};
    if (!trial_has(lane)) return;
    assert_int_equal(drill_read(&reference, trial_drill(number), "reference", lane, NULL),
                     STATUS_OK);
    assert_int_equal(marked_init(&marked, text_string(&reference), NULL), STATUS_OK);
    const int at = marked_find(&marked, mistake);
    assert_true(at >= 0);
    for (int i = 0; i < marked.n_names; i++)
        for (int j = 0; j <= i; j++) {
            const unsigned chosen = 1u << at | 1u << i | 1u << j;
            if (i == at || j == at || (marked.apart[i] | marked.apart[j]) & chosen) continue;
            if (never_together(number, marked.names[i], marked.names[j]) ||
                never_together(number, marked.names[i], mistake) ||
                never_together(number, marked.names[j], mistake))
                continue;
            expect_hunt(number, lane, chosen, &marked, text_string(&reference));
        }
    marked_done(&marked);
    text_done(&reference);
}

static void a_slow_mistake_is_named_beside_wrong_ones(void **state)
{
    (void)state;
    hunt_beside("04", LANE_C, "copy-each-step");
    hunt_beside("04", LANE_NUMPY, "copy-each-step");
}

/* What is not found by numbers changes them when others are in too. */
static void everything_stored_is_named_beside_wrong_gradients(void **state)
{
    (void)state;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        hunt_beside("03", (enum lane)lane, "everything-stored");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_build_or_import_is_said_in_the_tools_words),
        cmocka_unit_test(a_broken_contract_is_named),
        cmocka_unit_test(what_is_forbidden_is_forbidden_by_every_name),
        cmocka_unit_test(shapes_and_non_finite_values_come_before_numbers),
        cmocka_unit_test(exceptions_and_crashes_say_where),
        cmocka_unit_test(limits_are_their_own_outcome),
        cmocka_unit_test(what_is_not_allowed_fails_for_the_candidate_and_harms_nobody),
        cmocka_unit_test(answers_that_depend_on_the_call_are_found_by_the_timed_calls),
        cmocka_unit_test(the_same_seed_gives_the_same_words),
        cmocka_unit_test(a_hunt_names_every_mistake_that_is_still_in),
        cmocka_unit_test(a_slow_mistake_is_named_beside_wrong_ones),
        cmocka_unit_test(everything_stored_is_named_beside_wrong_gradients),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
