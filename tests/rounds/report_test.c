#include "rounds/report.h"

#include <math.h>

#include "rounds/weak.h"
#include "stage.h"

static const struct packet_start start = {.track = "engineer",
                                          .phone_lane = "c",
                                          .coding_lane = "torch",
                                          .language = "en",
                                          .days = 2,
                                          .time_factor = 1.0,
                                          .seed = 5};

/* A packet whose phone round runs, on one step of words. */
struct seen {
    struct bench *bench;
    struct packet packet;
    struct round *rounds;
    int n;
    struct step step;
};

static void see(struct seen *seen, struct bench *bench)
{
    struct error err = {0};
    *seen = (struct seen){.bench = bench,
                          .step = {.phase = "question", .item = "question/01", .minutes = 30}};
    if (packet_begin(&seen->packet, bench->progress, &start, &err) ||
        round_list(&seen->rounds, &seen->n, bench->progress, seen->packet.id, 0, &err) ||
        round_begin(&seen->rounds[1], bench->progress, &seen->step, 1, &err) ||
        step_begin(&seen->step, bench->progress, &seen->rounds[1], NULL, &err))
        fail_msg("%s", err.message);
}

static void keep(struct seen *seen, const char *item, const char *text, double score,
                 const char *result)
{
    stage_keep(seen->bench, &seen->rounds[1], &seen->step, item, text, score, result);
}

static json_t *report_of(struct seen *seen)
{
    json_t *report;
    struct error err = {0};
    if (report_json(&report, seen->bench->progress, &seen->packet, &stage_library, "en", &err))
        fail_msg("%s", err.message);
    assert_non_null(report);
    return report;
}

static char *markdown_of(const json_t *report)
{
    struct text out = {0};
    report_markdown(&out, report);
    return text_take(&out);
}

static char *html_of(const json_t *report)
{
    struct text out = {0};
    struct error err = {0};
    if (report_html(&out, report, &err)) fail_msg("%s", err.message);
    return text_take(&out);
}

static const json_t *round_of(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "rounds"), i);
}

static int int_of(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

/* ---- scores ---- */

static void scores_follow_the_cut_offs_and_ranges_the_evidence(void **state)
{
    (void)state;
    assert_int_equal(report_score(0), 1);
    assert_int_equal(report_score(0.349), 1);
    assert_int_equal(report_score(0.35), 2);
    assert_int_equal(report_score(0.6), 3);
    assert_int_equal(report_score(0.8), 4);
    assert_int_equal(report_score(1), 4);
    double few_low, few_high, many_low, many_high;
    report_range(&few_low, &few_high, 0.7, 3);
    report_range(&many_low, &many_high, 0.7, 60);
    assert_true(few_low < many_low && many_high < few_high);
    assert_true(many_low < 0.7 && 0.7 < many_high);
    /* Beta(43, 19): 5% 0.5947, 95% 0.7854, by its quantile function */
    assert_true(fabs(many_low - 0.5947) < 0.01 && fabs(many_high - 0.7854) < 0.01);
    report_range(&few_low, &few_high, 1, 1);
    assert_true(few_low >= 0 && few_high <= 1);
}

static void a_round_is_told_as_it_was_and_one_not_sat_has_no_score(void **state)
{
    struct seen seen;
    see(&seen, *state);
    seen.bench->clock.now_ms += 6 * MINUTE;
    keep(&seen, "question/01/0", "It is the alpha.", 0.75,
         "{\"items\":[{\"name\":\"alpha\",\"weight\":3,\"verdict\":\"found\",\"text\":\"it says "
         "alpha\",\"sentence\":\"It is the alpha.\"}]}");
    keep(&seen, "question/01/1", "", 0.25, "{\"items\":[]}");
    keep(&seen, "question/01/2", "notes", -1, NULL); /* not scored: not evidence */
    assert_int_equal(step_end(&seen.step, seen.bench->progress, &seen.rounds[1], NULL), STATUS_OK);
    json_t *report = report_of(&seen);
    assert_int_equal(json_array_size(json_object_get(report, "rounds")), 7);
    assert_null(json_object_get(round_of(report, 0), "score"));
    const json_t *phone = round_of(report, 1);
    assert_int_equal(int_of(phone, "score"), 2); /* one half */
    assert_true(int_of(phone, "score_low") <= 2 && int_of(phone, "score_high") >= 2);
    assert_int_equal(json_array_size(json_object_get(phone, "answers")), 2);
    const json_t *phase = json_array_get(json_object_get(phone, "phases"), 0);
    assert_true(json_number_value(json_object_get(phase, "minutes_used")) == 6);

    char *markdown = markdown_of(report);
    assert_non_null(strstr(markdown, "# Interview packet: engineer"));
    assert_non_null(strstr(markdown, "| 0 | Recruiter screen | not sat | |"));
    assert_non_null(strstr(markdown, "- found: it says alpha — “It is the alpha.”"));
    assert_non_null(strstr(markdown, "*passed over*"));
    assert_non_null(strstr(markdown, "6.0 of 30.0 minutes"));
    assert_null(strstr(markdown, "notes"));
    free(markdown);
    json_decref(report);
    free(seen.rounds);
}

static void an_empty_packet_has_a_report(void **state)
{
    struct seen seen;
    see(&seen, *state);
    json_t *report = report_of(&seen);
    char *html = html_of(report);
    assert_non_null(strstr(html, "None was seen."));
    free(html);
    json_decref(report);
    free(seen.rounds);
}

/* ---- hostile text ---- */

static const char *const hostile[] = {
    "<script>alert(1)</script>",
    "</blockquote></body></html><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](https://example.org/x.png)",
    "<https://example.org> https://example.org www.example.org",
    "| a | b |\n|---|---|\n| c | d |",
    "```\ncode\n```\n\n# heading\n\n---\n* list\n> quote\n1. one",
    "1. one",
    "- one",
    "+ one",
    "=====",
    "    indented",
    "* * *",
    "\t> x",
    "&lt;b&gt; &amp; &#60;b&#62;",
    "\x1b[2J\x1b]0;title\x07 \x9b\x35m bell\x07",
    "\xe2\x80\xae right to left",
    "`` ` `` \\ \\\\` **bold** __b__ ~~s~~ _x_",
    "Setext\n======",
    "<!-- comment --> <![CDATA[ x ]]> <?php ?>",
};

/* How often `needle` occurs. */
static int times(const char *text, const char *needle)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, needle)); at++) n++;
    return n;
}

static void nothing_that_was_typed_becomes_markup(void **state)
{
    struct seen seen;
    see(&seen, *state);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        json_t *result = json_pack("{s:[{s:s, s:i, s:s, s:s, s:s, s:s}]}", "items", "name", "a",
                                   "weight", 3, "verdict", "not-found", "text", "it says alpha",
                                   "sentence", "x", "correction", "y");
        json_object_set_new(json_array_get(json_object_get(result, "items"), 0), "sentence",
                            json_text(hostile[i], strlen(hostile[i])));
        char *line = json_line(result);
        char item[STEP_ITEM_SIZE];
        snprintf(item, sizeof item, "question/%02d/0", (int)i);
        struct text valid = {0};
        text_add_bytes(&valid, hostile[i], text_utf8_valid(hostile[i], strlen(hostile[i])));
        keep(&seen, item, text_string(&valid), 0, line);
        text_done(&valid);
        free(line);
        json_decref(result);
    }
    json_t *report = report_of(&seen);
    char *html = html_of(report);
    const int n = (int)(sizeof hostile / sizeof *hostile);
    static const char *const never[] = {
        "<script", "<img", "<a ",      "javascript:alert(1)\"", "<pre", "<hr", "<!--",
        "\x1b",    "\x07", "\xc2\x9b", "\xe2\x80\xae"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(html, never[i])) fail_msg("%s in %s", never[i], strstr(html, never[i]));
    assert_int_equal(times(html, "<table"), 1); /* ours */
    assert_int_equal(times(html, "<blockquote>"), n);
    assert_int_equal(times(html, "<h3"), n);
    assert_int_equal(times(html, "<h1"), 1);
    assert_int_equal(times(html, "<h2"), 1 + 7);
    assert_int_equal(times(html, "<ol"), 1); /* the weakest points */
    assert_int_equal(times(html, "</body></html>"), 1);
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;")); /* shown, not run */
    free(html);
    json_decref(report);
    free(seen.rounds);
}

static void a_huge_answer_is_one_quotation(void **state)
{
    struct seen seen;
    see(&seen, *state);
    char *huge = memory_new(65001, 1);
    for (int i = 0; i < 65000; i++) huge[i] = "[(*_`<"[i % 6];
    keep(&seen, "question/01/0", huge, 0, NULL);
    memset(huge, 'x', 65000);
    keep(&seen, "question/01/1", huge, 0, NULL);
    json_t *report = report_of(&seen);
    char *html = html_of(report);
    assert_int_equal(times(html, "<blockquote>"), 2);
    assert_non_null(strstr(html, huge));
    assert_non_null(strstr(html, "overflow-wrap:anywhere")); /* it does not widen the page */
    free(html);
    free(huge);
    json_decref(report);
    free(seen.rounds);
}

static void the_page_needs_nothing_and_allows_nothing(void **state)
{
    struct seen seen;
    see(&seen, *state);
    json_t *report = report_of(&seen);
    char *html = html_of(report);
    assert_true(text_starts_with(html, "<!doctype html>\n<html lang=\"en\">"));
    assert_non_null(strstr(html, "http-equiv=\"Content-Security-Policy\" content=\"default-src "
                                 "'none'; style-src 'unsafe-inline'\""));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "href="));
    assert_null(strstr(html, "url("));
    free(html);
    json_decref(report);
    free(seen.rounds);
}

/* ---- weak points ---- */

#define ITEM(weight, verdict, text, sentence) \
    "{\"weight\":" weight ",\"verdict\":\"" verdict "\",\"text\":\"" text \
    "\",\"sentence\":\"" sentence "\"}"

static void the_weakest_come_first_with_their_heaviest_miss(void **state)
{
    struct seen seen;
    struct weak_point *points;
    int n;
    see(&seen, *state);
    keep(&seen, "question/01/0", "a", 0.6,
         "{\"items\":[" ITEM("1", "not-found", "light", "") "," ITEM("3", "not-found", "heavy",
                                                                     "") "]}");
    keep(&seen, "question/01/1", "b", 0.1, "{\"items\":[" ITEM("2", "not-found", "first", "") "]}");
    keep(&seen, "question/02/0", "c", 0.3,
         "{\"items\":[" ITEM("3", "not-found", "missed", "") "," ITEM("1", "contradicted", "wrong",
                                                                      "I said so.") "]}");
    keep(&seen, "question/03/0", "d", 1, "{\"items\":[" ITEM("3", "found", "all", "") "]}");
    keep(&seen, "question/04/0", "e", -1, "{\"items\":[" ITEM("3", "not-found", "x", "") "]}");
    keep(&seen, "drill/03", "f", 0.2,
         "{\"sitting\":\"x\",\"state\":\"failed\",\"diagnosis\":\"no-scale\"}");
    keep(&seen, "drill/04", "g", 1, "{\"sitting\":\"x\",\"state\":\"passed\"}");
    keep(&seen, "question/manager-weak-point/0", "h", 0,
         "{\"items\":[" ITEM("3", "not-found", "y", "") "]}");
    keep(&seen, "question/05/0", "i", 0, "[7, {\"items\": 3}]");
    assert_int_equal(weak_points(&points, &n, seen.bench->progress, seen.packet.id, 9, NULL),
                     STATUS_OK);
    assert_int_equal(n, 3);
    assert_string_equal(points[0].item, "question/01/1"); /* one for each question: its weakest */
    assert_string_equal(points[0].missing, "first");
    assert_string_equal(points[0].round, "phone");
    assert_string_equal(points[1].item, "drill/03");
    assert_non_null(strstr(points[1].missing, "no-scale"));
    assert_string_equal(points[2].missing, "wrong"); /* contradicted is worse than missed */
    assert_string_equal(points[2].sentence, "I said so.");
    weak_points_done(points, n);

    assert_int_equal(weak_points(&points, &n, seen.bench->progress, seen.packet.id, 1, NULL),
                     STATUS_OK);
    assert_int_equal(n, 1);
    weak_points_done(points, n);
    assert_int_equal(weak_points(&points, &n, seen.bench->progress, "another", 9, NULL), STATUS_OK);
    assert_int_equal(n, 0);
    weak_points_done(points, n);

    json_t *report = report_of(&seen);
    char *markdown = markdown_of(report);
    assert_non_null(strstr(markdown, "`lcx ask 01`"));
    assert_non_null(strstr(markdown, "`lcx drill start 03`"));
    free(markdown);
    json_decref(report);
    free(seen.rounds);
}

static void what_the_candidate_corrected_is_told_as_corrected(void **state)
{
    struct seen seen;
    struct error err = {0};
    see(&seen, *state);
    struct answer answer = stage_answer(
        seen.bench, &seen.rounds[1], &seen.step, "question/01/0", "It is the beta.", 0,
        "{\"items\":[{\"name\":\"alpha\",\"weight\":3,\"verdict\":\"not-found\",\"text\":\"says "
        "alpha\"},{\"name\":\"beta\",\"weight\":1,\"verdict\":\"not-found\",\"text\":\"says beta\"}]}");
    if (answer_confirm(&answer, seen.bench->progress,
                       "{\"alpha\":\"found\",\"beta\":\"not-found\"}", 0.75, &err))
        fail_msg("%s", err.message);
    answer_done(&answer);

    json_t *report = report_of(&seen);
    char *markdown = markdown_of(report);
    assert_non_null(strstr(markdown, "- found: says alpha *(corrected by you)*\n"));
    assert_non_null(strstr(markdown, "- not found: says beta\n"));
    assert_non_null(strstr(markdown, "Missing: says beta. ")); /* no longer alpha */
    free(markdown);
    json_decref(report);
    free(seen.rounds);
}

static void of_equals_an_error_comes_before_an_omission_and_a_skipped_one_last(void **state)
{
    struct seen seen;
    struct weak_point *points;
    int n;
    see(&seen, *state);
    keep(&seen, "question/01/0", "", 0,
         "{\"items\":[{\"name\":\"a\",\"weight\":3,\"verdict\":\"not-found\",\"text\":\"a\"}]}");
    keep(&seen, "question/02/0", "x", 0,
         "{\"items\":[{\"name\":\"a\",\"weight\":3,\"verdict\":\"not-found\",\"text\":\"a\"}]}");
    keep(&seen, "question/03/0", "x", 0,
         "{\"items\":[{\"name\":\"a\",\"weight\":1,\"verdict\":\"contradicted\",\"text\":\"a\"}]}");
    keep(&seen, "drill/04", "x.py", 0, "{\"state\":\"given-up\",\"submitted\":0}");
    assert_int_equal(weak_points(&points, &n, seen.bench->progress, seen.packet.id, 9, NULL),
                     STATUS_OK);
    assert_int_equal(n, 4);
    assert_string_equal(points[0].item, "question/03/0");
    assert_string_equal(points[1].item, "question/02/0");
    assert_string_equal(points[2].item, "question/01/0");
    assert_string_equal(points[3].missing, "nothing was handed in");
    weak_points_done(points, n);
    free(seen.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(scores_follow_the_cut_offs_and_ranges_the_evidence),
        STAGE_TEST(a_round_is_told_as_it_was_and_one_not_sat_has_no_score),
        STAGE_TEST(an_empty_packet_has_a_report),
        STAGE_TEST(nothing_that_was_typed_becomes_markup),
        STAGE_TEST(a_huge_answer_is_one_quotation),
        STAGE_TEST(the_page_needs_nothing_and_allows_nothing),
        STAGE_TEST(the_weakest_come_first_with_their_heaviest_miss),
        STAGE_TEST(what_the_candidate_corrected_is_told_as_corrected),
        STAGE_TEST(of_equals_an_error_comes_before_an_omission_and_a_skipped_one_last),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
