#include "plan/capacity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/locale.h"

static struct shapes shapes;

/* The worked example with some keys replaced, "key=value" each, ending in NULL. */
static void plan(struct capacity *capacity, struct worksheet *sheet, const char *const *changes)
{
    struct error err = {0};
    worksheet_init(sheet);
    if (worksheet_load(sheet, SOURCE_ROOT "/content/plans/chatbot.yaml", &err))
        fail_msg("%s", err.message);
    for (; changes && *changes; changes++) {
        char *key = text_copy(*changes), *equals = strchr(key, '=');
        *equals = '\0';
        if (worksheet_set(sheet, key, equals + 1, NUMBER_ENGLISH, ORIGIN_WORD, &err))
            fail_msg("%s", err.message);
        free(key);
    }
    if (worksheet_fill(sheet, &shapes, &err)) fail_msg("%s", err.message);
    capacity_compute(capacity, sheet);
}
#define PLAN(capacity, sheet, ...) plan(capacity, sheet, (const char *const[]){__VA_ARGS__, NULL})

static void says(const struct capacity *capacity, enum capacity_step step, const char *words)
{
    const struct capacity_info *info = &capacity_infos[step];
    struct text text = {0};
    figure_text(&text, info->figure, info->symbol, capacity->value[step], NUMBER_ENGLISH);
    if (strcmp(text_string(&text), words) != 0)
        fail_msg("%s: %s, expected %s (%.17g)", info->name, text_string(&text), words,
                 capacity->value[step]);
    text_done(&text);
}

/* Every figure of the worked example, to its digits. */
static void the_worked_example_comes_out_to_its_digits(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, NULL);
    says(&c, STEP_REQUESTS, "926 req/s");
    says(&c, STEP_PEAK, "2,778 req/s");
    says(&c, STEP_DECODE, "833k tok/s");
    says(&c, STEP_PREFILL, "833k tok/s");
    says(&c, STEP_LATENCY, "8 s");
    says(&c, STEP_IN_FLIGHT, "22,222");
    says(&c, STEP_KV_TOKEN, "320 KiB");
    says(&c, STEP_TOKENS, "1,350 tok");
    says(&c, STEP_KV_SEQUENCE, "0.44 GB");
    says(&c, STEP_KV_TOTAL, "9.8 TB");
    says(&c, STEP_NODE_MEMORY, "640 GB");
    says(&c, STEP_WEIGHTS, "140 GB");
    assert_true(sheet.value[KEY_RESERVE] == 60e9);
    says(&c, STEP_LEFT, "440 GB");
    says(&c, STEP_SEQUENCES, "994");
    says(&c, STEP_NODES_MEMORY, "22.4");
    says(&c, STEP_DECODE_NODE, "20k tok/s");
    says(&c, STEP_NODES_DECODE, "41.7");
    says(&c, STEP_FLOP_TOKEN, "140 GFLOP");
    assert_true(sheet.value[KEY_MFU] == 0.5 && sheet.value[KEY_NODE_FLOPS] == 7.9e15);
    says(&c, STEP_NODES_PREFILL, "29.5");
    says(&c, STEP_NODES_NEEDED, "71.2");
    assert_true(sheet.value[KEY_HEADROOM] == 1.3);
    says(&c, STEP_NODES, "93");
    says(&c, STEP_GPUS, "744");
    assert_true(fabs(sheet.value[KEY_PRICE] - 2.5) < 1e-12);
    says(&c, STEP_USD_DAY, "$44,640");
    says(&c, STEP_USD_MTOK, "$1.86");
    says(&c, STEP_USD_REQUEST, "$0.00056");
    says(&c, STEP_USD_ACCEPTED, "$0.00068");
    assert_true(c.fits && c.binding == BINDING_DECODE && !c.roofline);
    assert_true(fabs(c.binding_ratio - 3.185) < 0.001);
    for (int i = 0; i < CAPACITY_WARNINGS; i++) assert_false(c.warned[i]);
}

static void without_the_prefix_cache_it_is_208_nodes(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, "cached=0%");
    says(&c, STEP_NODES, "208");
    says(&c, STEP_USD_MTOK, "$4.16");
    assert_true(c.binding == BINDING_PREFILL);
}

/* One layer, one head of one number, one byte each: every product can be done on paper. */
static void a_plan_small_enough_for_paper(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    struct error err = {0};
    static const char *const words[] = {
        "rate",          "10 req/s",  "peak",   "1x",          "prompt",   "8",
        "output",        "4",         "ttft",   "1s",          "tpot",     "1s",
        "params",        "100",       "layers", "1",           "kv_heads", "1",
        "head_dim",      "1",         "dtype",  "fp8",         "kv_dtype", "fp8",
        "memory",        "320 bytes", "flops",  "1000 FLOP/s", "price",    "1 USD/h",
        "gpus_per_node", "1",         "tp",     "1",           "reserve",  "20 bytes",
        "decode",        "20 tok/s",  "mfu",    "100%",        "headroom", "2x"};
    worksheet_init(&sheet);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i += 2)
        if (worksheet_set(&sheet, words[i], words[i + 1], NUMBER_ENGLISH, ORIGIN_WORD, &err))
            fail_msg("%s", err.message);
    if (worksheet_fill(&sheet, &shapes, &err)) fail_msg("%s", err.message);
    capacity_compute(&c, &sheet);
    assert_true(c.value[STEP_IN_FLIGHT] == 50);   /* 10 req/s x 5 s */
    assert_true(c.value[STEP_KV_TOKEN] == 2);     /* a key and a value */
    assert_true(c.value[STEP_KV_SEQUENCE] == 20); /* x (8 + 4/2) */
    assert_true(c.value[STEP_LEFT] == 200);       /* 320 - 100 - 20 */
    assert_true(c.value[STEP_SEQUENCES] == 10);
    assert_true(c.value[STEP_NODES_MEMORY] == 5);
    assert_true(c.value[STEP_NODES_DECODE] == 2);   /* 40 tok/s over 20 */
    assert_true(c.value[STEP_NODES_PREFILL] == 16); /* 80 tok/s over 1000/200 */
    assert_true(c.value[STEP_NODES] == 36);         /* 18 x 2 */
    assert_true(fabs(c.value[STEP_USD_DAY] - 864) < 1e-9);
    assert_true(isnan(c.value[STEP_USD_ACCEPTED]));
}

static void the_roofline_keeps_a_step_within_tpot(void **state)
{
    (void)state;
    struct capacity c, more, forced;
    struct worksheet sheet;
    PLAN(&c, &sheet, "gpu=h200");
    assert_true(c.roofline && c.value[STEP_STEP_TIME] <= 0.025);
    PLAN(&more, &sheet, "gpu=h200", "tpot=40ms");
    assert_true(more.value[STEP_BATCH] >= c.value[STEP_BATCH]);
    PLAN(&forced, &sheet, "gpu=h200", "batch=1");
    /* batch 1: all weights and one sequence at 60% of 8 x 4.8 TB/s */
    const double bytes = 140e9 + forced.value[STEP_KV_SEQUENCE];
    assert_true(fabs(forced.value[STEP_STEP_TIME] / (bytes / (8 * 4.8e12 * 0.6)) - 1) < 1e-12);
    assert_true(fabs(forced.value[STEP_DECODE_NODE] * forced.value[STEP_STEP_TIME] - 1) < 1e-12);
}

static void a_mixture_reads_the_experts_that_a_batch_uses(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, "model=mixtral-8x7b", "batch=1");
    const double bytes = 12879925248.0 * 2 + c.value[STEP_KV_SEQUENCE];
    assert_true(fabs(c.value[STEP_STEP_TIME] / (bytes / (8 * 3.35e12 * 0.6)) - 1) < 1e-9);
    assert_true(c.value[STEP_FLOP_TOKEN] == 2 * 12879925248.0);
    says(&c, STEP_WEIGHTS, "93.4 GB"); /* all of them have to be there */
}

static void replicas_and_nodes_divide_in_both_directions(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, "model=llama-3.1-8b", "tp=1"); /* eight replicas in a node */
    assert_true(fabs(c.value[STEP_WEIGHTS] / (8 * 16060522496.0) - 1) < 1e-12);
    assert_true(fmod(c.value[STEP_SEQUENCES], 8) == 0);
    PLAN(&c, &sheet, "model=llama-3.1-405b", "pp=2"); /* one replica in two nodes */
    assert_true(fabs(c.value[STEP_WEIGHTS] / 405853388800.0 - 1) < 1e-12);
    assert_true(fmod(c.value[STEP_NODES], 2) == 0);
    assert_true(c.warned[WARNING_PIPELINE]);
    PLAN(&c, &sheet, "tp=3", "dtype=int4"); /* two replicas, two GPUs idle */
    says(&c, STEP_NODE_MEMORY, "480 GB");
    assert_true(c.warned[WARNING_IDLE] && c.warning[WARNING_IDLE][0] == 2);
}

static void more_of_anything_never_needs_fewer_nodes(void **state)
{
    (void)state;
    static const char *const more[] = {
        "users=20M",     "turns=9",       "peak=4x",      "prompt=2000",      "output=400",
        "cached=50%",    "ttft=2s",       "tpot=40ms",    "decode=10k tok/s", "mfu=30%",
        "headroom=1.5x", "kv_dtype=fp32", "reserve=200GB"};
    struct capacity base, c;
    struct worksheet sheet;
    PLAN(&base, &sheet, NULL);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        PLAN(&c, &sheet, more[i]);
        if (!c.fits || c.value[STEP_NODES] < base.value[STEP_NODES]) fail_msg("%s", more[i]);
    }
}

static void no_traffic_needs_nothing(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, "users=0");
    says(&c, STEP_NODES, "0");
    says(&c, STEP_USD_DAY, "$0.00");
    assert_true(isnan(c.value[STEP_USD_REQUEST]));
}

static void what_does_not_fit_has_no_nodes_and_says_why(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, "model=llama-3.1-405b");
    assert_true(!c.fits && c.warned[WARNING_WEIGHTS] && isnan(c.value[STEP_NODES]));
    PLAN(&c, &sheet, "reserve=499.9GB");
    assert_true(!c.fits && c.warned[WARNING_NO_ROOM] && isnan(c.value[STEP_SEQUENCES]));
}

static void each_warning_has_its_cause(void **state)
{
    (void)state;
    static const struct {
        const char *change, *second;
        enum capacity_warning warning;
    } causes[] = {
        {"cached=100%", NULL, WARNING_NO_PREFILL},
        {"prompt=0", NULL, WARNING_NO_PREFILL},
        {"kv_heads=4", NULL, WARNING_TP_HEADS},
        {"tp=16", NULL, WARNING_TP_NODE},
        {"interconnect=64GB/s", NULL, WARNING_LINK},
        {"tp=5", NULL, WARNING_IDLE},
        {"tpot=5ms", NULL, WARNING_TPOT},
        {"decode=100k tok/s", NULL, WARNING_ROOFLINE},
        {"gpu=h100", "batch=900", WARNING_STEP},
        {"ttft=5ms", NULL, WARNING_TTFT},
        {"prompt=60k", "cached=0%", WARNING_ATTENTION},
        {"pp=2", NULL, WARNING_PIPELINE},
        {"headroom=1x", NULL, WARNING_HEADROOM},
    };
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct capacity c;
        struct worksheet sheet;
        struct text words = {0};
        const char *const changes[] = {causes[i].change, causes[i].second, NULL};
        plan(&c, &sheet, changes);
        if (!c.warned[causes[i].warning]) fail_msg("%s", causes[i].change);
        capacity_warning_text(&words, &c, causes[i].warning, NUMBER_ENGLISH);
        assert_true(words.size > 20);
        text_done(&words);
    }
}

static void an_estimate_is_close_at_one_figure_or_of_the_right_order(void **state)
{
    (void)state;
    assert_int_equal(capacity_check(90, 93).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(98, 93).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(20e3, 22222).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(1000, 994).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(2, 1.86).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(100, 93).verdict, VERDICT_ORDER);
    assert_int_equal(capacity_check(55, 93).verdict, VERDICT_ORDER);
    assert_int_equal(capacity_check(186, 93).verdict, VERDICT_ORDER);
    assert_int_equal(capacity_check(30, 93).verdict, VERDICT_WRONG);
    assert_int_equal(capacity_check(300, 93).verdict, VERDICT_WRONG);
    assert_int_equal(capacity_check(0, 93).verdict, VERDICT_WRONG);
    assert_int_equal(capacity_check(0, 0).verdict, VERDICT_CLOSE);
    assert_int_equal(capacity_check(1, 0).verdict, VERDICT_WRONG);
}

static void a_unit_error_is_named(void **state)
{
    (void)state;
    static const double factors[] = {8, 24, 60, 1000, 1024, 3600, 86400};
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++)
        for (int up = 0; up < 2; up++) {
            const double estimate = up ? 93 * factors[i] : 93 / factors[i];
            const struct capacity_check check = capacity_check(estimate, 93);
            assert_int_equal(check.verdict, VERDICT_UNIT);
            assert_true(check.factor == factors[i] && check.reason);
        }
}

static void read_estimate(struct capacity_estimate *estimate, const char *words)
{
    struct error err = {0};
    if (capacity_estimate_read(estimate, words, NUMBER_ENGLISH, &err)) fail_msg("%s", err.message);
}

static void an_estimate_is_read_line_by_line(void **state)
{
    (void)state;
    struct capacity_estimate e;
    struct error err;
    read_estimate(&e, "in_flight=22,222,kv_total=9.8 TB, usd_day=$44,640,usd_mtok=1.86,"
                      "latency=8000 tokens,usd_request=$0.00056");
    assert_int_equal(e.n, 6);
    assert_true(e.lines[0].step == STEP_IN_FLIGHT && e.lines[0].value == 22222);
    assert_true(e.lines[1].value == 9.8e12);
    assert_true(e.lines[2].value == 44640);
    assert_true(fabs(e.lines[3].value - 1.86) < 1e-12);
    assert_true(isnan(e.lines[4].value));
    assert_string_equal(e.lines[4].why, "expected a time, got 8000 tokens");
    assert_true(fabs(e.lines[5].value - 0.00056) < 1e-12);
    read_estimate(&e, "usd_day=44640 USD/day,usd_mtok=$1.86 per 1M tokens");
    assert_true(fabs(e.lines[0].value - 44640) < 1e-6 && fabs(e.lines[1].value - 1.86) < 1e-9);
    assert_int_equal(capacity_estimate_read(&e, "in_flight=22.222", NUMBER_SPANISH, &err),
                     STATUS_USAGE);
    assert_int_equal(capacity_estimate_read(&e, "", NUMBER_ENGLISH, &err), STATUS_USAGE);
    assert_int_equal(capacity_estimate_read(&e, "nodes", NUMBER_ENGLISH, &err), STATUS_USAGE);
    assert_int_equal(capacity_estimate_read(&e, "cats=3", NUMBER_ENGLISH, &err), STATUS_USAGE);
    assert_int_equal(capacity_estimate_read(&e, "nodes=3,nodes=4", NUMBER_ENGLISH, &err),
                     STATUS_USAGE);
}

static void an_estimate_without_prefill_is_found(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    struct capacity_estimate e;
    bool explains;
    PLAN(&c, &sheet, NULL);
    assert_true(c.nodes_no_prefill == 55); /* 41.7 x 1.3 */
    read_estimate(&e, "nodes=55");
    assert_true(capacity_lacks_prefill(&e, &c, &explains) && explains);
    read_estimate(&e, "gpus=440");
    assert_true(capacity_lacks_prefill(&e, &c, &explains) && explains);
    read_estimate(&e, "nodes_memory=22,nodes_decode=42,nodes=93");
    assert_true(capacity_lacks_prefill(&e, &c, &explains) && !explains);
    read_estimate(&e, "nodes=55,nodes_prefill=0");
    assert_true(capacity_lacks_prefill(&e, &c, &explains));
    read_estimate(&e, "nodes=93,nodes_prefill=30");
    assert_false(capacity_lacks_prefill(&e, &c, &explains));
    read_estimate(&e, "in_flight=22k");
    assert_false(capacity_lacks_prefill(&e, &c, &explains));
    PLAN(&c, &sheet, "cached=100%");
    read_estimate(&e, "nodes=55");
    assert_false(capacity_lacks_prefill(&e, &c, &explains));
}

static void every_step_has_a_name_and_a_formula(void **state)
{
    (void)state;
    struct capacity c;
    struct worksheet sheet;
    PLAN(&c, &sheet, NULL);
    for (int i = 0; i < CAPACITY_STEPS; i++) {
        assert_non_null(capacity_infos[i].name);
        assert_true(*capacity_formula(&c, &sheet, (enum capacity_step)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(capacity_infos[i].name, capacity_infos[j].name);
    }
}

int main(void)
{
    locale_init("en", "/nonexistent");
    struct error err;
    if (shapes_load(&shapes, SOURCE_ROOT "/content", NULL, &err)) fail_msg("%s", err.message);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_comes_out_to_its_digits),
        cmocka_unit_test(without_the_prefix_cache_it_is_208_nodes),
        cmocka_unit_test(a_plan_small_enough_for_paper),
        cmocka_unit_test(the_roofline_keeps_a_step_within_tpot),
        cmocka_unit_test(a_mixture_reads_the_experts_that_a_batch_uses),
        cmocka_unit_test(replicas_and_nodes_divide_in_both_directions),
        cmocka_unit_test(more_of_anything_never_needs_fewer_nodes),
        cmocka_unit_test(no_traffic_needs_nothing),
        cmocka_unit_test(what_does_not_fit_has_no_nodes_and_says_why),
        cmocka_unit_test(each_warning_has_its_cause),
        cmocka_unit_test(an_estimate_is_close_at_one_figure_or_of_the_right_order),
        cmocka_unit_test(a_unit_error_is_named),
        cmocka_unit_test(an_estimate_is_read_line_by_line),
        cmocka_unit_test(an_estimate_without_prefill_is_found),
        cmocka_unit_test(every_step_has_a_name_and_a_formula),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shapes_done(&shapes);
    return failed;
}
