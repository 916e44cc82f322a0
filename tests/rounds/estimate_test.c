#include "rounds/estimate.h"

#include "base/json.h"
#include "stage.h"

/* load = users * per_user tokens; share = weights / users GB; the brief's users are 2000 here. */
struct sheet {
    struct bench *bench;
    struct round round;
    struct step step;
    struct expression_value *figures;
    struct estimate estimate;
};

static const struct brief *brief(void) { return library_brief(&stage_library, "brief/1"); }

static void open_sheet(struct sheet *sheet)
{
    struct error err = {0};
    if (brief_draw(&sheet->figures, brief(), -1, &err) ||
        estimate_open(&sheet->estimate, sheet->bench->progress, &sheet->round, &sheet->step,
                      brief(), sheet->figures, &err))
        fail_msg("%s", err.message);
}

static void close_sheet(struct sheet *sheet)
{
    estimate_done(&sheet->estimate);
    free(sheet->figures);
}

static void begin_sheet(struct sheet *sheet, struct bench *bench, const char *language)
{
    *sheet = (struct sheet){.bench = bench};
    sheet->round = stage_run(bench, false, 1.0, STEP_WORKSHEET, "brief/1", &sheet->step);
    snprintf(sheet->round.language, sizeof sheet->round.language, "%s", language);
    open_sheet(sheet);
}

static enum status line(struct sheet *sheet, const char *words, struct error *err)
{
    return estimate_line(&sheet->estimate, words, err);
}

static void good(struct sheet *sheet, const char *words)
{
    struct error err = {0};
    if (line(sheet, words, &err)) fail_msg("%s: %s", words, err.message);
}

/* The findings of the end, whose score is `score`. */
static json_t *ended(struct sheet *sheet, double score)
{
    struct answer answer;
    struct error err = {0};
    json_t *result;
    if (estimate_end(&answer, &sheet->estimate, &err)) fail_msg("%s", err.message);
    assert_true(answer.score > score - 1e-9 && answer.score < score + 1e-9);
    assert_string_equal(answer.item, "brief/1/estimate");
    assert_int_equal(json_parse(&result, answer.result, strlen(answer.result), NULL), STATUS_OK);
    answer_done(&answer);
    return result;
}

static const char *text_of(const json_t *result, size_t i)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(result, "items"), i), "text"));
}

static void close_order_unit_and_wrong_are_told_apart(void **state)
{
    static const struct {
        const char *line, *words;
        double share;
    } rows[] = {
        {"load = 200k", "close", 1},      {"load = 0.2M tokens", "close", 1},
        {"load = 120,000", "order", 0.5}, {"load = 200M", "factor of 1000", 0.25},
        {"load = 900k", "times what", 0}, {"users = 2000", "not given", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sheet sheet;
        begin_sheet(&sheet, *state, "en");
        good(&sheet, rows[i].line);
        json_t *result = ended(&sheet, rows[i].share * 2 / 3);
        if (!strstr(text_of(result, 0), rows[i].words))
            fail_msg("%s: %s", rows[i].line, text_of(result, 0));
        json_decref(result);
        close_sheet(&sheet);
        assert_int_equal(round_end(&sheet.round, sheet.bench->progress, ROUND_DONE, NULL),
                         STATUS_OK);
    }
}

static void it_is_computed_from_the_candidates_own_assumptions(void **state)
{
    struct sheet sheet;
    begin_sheet(&sheet, *state, "en");
    good(&sheet, "users = 10M");
    good(&sheet, "  load  =  ~ 1B tokens ");
    good(&sheet, "share = 1.6 kB");
    json_t *result = ended(&sheet, 1);
    assert_non_null(strstr(text_of(result, 0), "users * per_user"));
    json_decref(result);
    close_sheet(&sheet);
}

static void what_is_said_again_replaces_what_was_said(void **state)
{
    struct sheet sheet;
    begin_sheet(&sheet, *state, "en");
    good(&sheet, "load = 1");
    good(&sheet, "load = 200k");
    json_decref(ended(&sheet, 2.0 / 3));
    close_sheet(&sheet);
}

static void another_unit_is_refused_naming_what_was_expected(void **state)
{
    struct sheet sheet;
    struct error err = {0};
    begin_sheet(&sheet, *state, "en");
    static const char *const bad[] = {"share = 8 s",
                                      "share = 8 tokens/s",
                                      "share =",
                                      "share = many",
                                      "nothing = 3",
                                      "share 8",
                                      "= 8",
                                      "",
                                      "share = 8 = 9 zebras"};
    for (size_t i = 0; i < 8; i++)
        if (line(&sheet, bad[i], &err) != STATUS_USAGE) fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(line(&sheet, "share = 8 s", &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "GB"));
    assert_int_equal(bench_ask(sheet.bench, "SELECT count(*) FROM answer"), 0);
    json_decref(ended(&sheet, 0));
    close_sheet(&sheet);
}

static void an_assumption_that_cannot_be_computed_with_is_refused(void **state)
{
    struct sheet sheet;
    struct error err = {0};
    begin_sheet(&sheet, *state, "en");
    good(&sheet, "users = 4000");
    assert_int_equal(line(&sheet, "users = 0", &err), STATUS_USAGE); /* weights / users */
    assert_true(*err.message);
    good(&sheet, "load = 400k"); /* with the 4000 of before */
    json_decref(ended(&sheet, 2.0 / 3));
    close_sheet(&sheet);
}

static void a_sheet_goes_on_where_it_was_left(void **state)
{
    struct sheet sheet;
    begin_sheet(&sheet, *state, "en");
    good(&sheet, "users = 10M");
    good(&sheet, "load = 1B");
    close_sheet(&sheet);
    bench_reopen(sheet.bench);
    open_sheet(&sheet);
    good(&sheet, "share = 1.6 kB");
    json_decref(ended(&sheet, 1));
    close_sheet(&sheet);
}

static void a_spanish_sheet_reads_a_spanish_number(void **state)
{
    struct sheet sheet;
    begin_sheet(&sheet, *state, "es");
    good(&sheet, "load = 0,2M");
    json_t *result = ended(&sheet, 2.0 / 3);
    assert_non_null(strstr(text_of(result, 0), "tokens en total"));
    json_decref(result);
    close_sheet(&sheet);
}

static void hostile_lines_are_refused_or_harmless(void **state)
{
    struct sheet sheet;
    begin_sheet(&sheet, *state, "en");
    char *huge = memory_new(60001, 1);
    memset(huge, '9', 60000);
    memcpy(huge, "load=", 5);
    static const char *const lines[] = {"load = 1e999", "load = -5",  "load = nan",
                                        "load = inf",   "load = 0",   "load = 1e-400",
                                        "\x1b[2J = 3",  "load = %s%n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) (void)!line(&sheet, lines[i], NULL);
    (void)!line(&sheet, huge, NULL);
    struct answer answer;
    struct error err = {0};
    if (estimate_end(&answer, &sheet.estimate, &err)) fail_msg("%s", err.message);
    assert_true(answer.score >= 0 && answer.score <= 1);
    answer_done(&answer);
    free(huge);
    close_sheet(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(close_order_unit_and_wrong_are_told_apart),
        STAGE_TEST(it_is_computed_from_the_candidates_own_assumptions),
        STAGE_TEST(what_is_said_again_replaces_what_was_said),
        STAGE_TEST(another_unit_is_refused_naming_what_was_expected),
        STAGE_TEST(an_assumption_that_cannot_be_computed_with_is_refused),
        STAGE_TEST(a_sheet_goes_on_where_it_was_left),
        STAGE_TEST(a_spanish_sheet_reads_a_spanish_number),
        STAGE_TEST(hostile_lines_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
