#include "content/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "folder.h"

static const char paper[] =
    "name: one-2020\ntitle: One\nauthors: A. Author\nyear: 2020\narxiv: \"2001.00001\"\nversion: v1\n"
    "url: \"\"\nsha256: \"\"\nabout: {en: about, es: sobre}\nlabs: [\"15\"]\nskills: [attention]\n"
    "cites:\n  - {where: section 1, en: said, es: dicho}\nnodes:\n" NODE("claim") NODE("figures")
        NODE("method") NODE("experiment") NODE("untested") NODE("opinion") NODE("oral-1")
            NODE("oral-2") NODE("oral-3");

#define CARD(name) \
    "  - name: " name "\n    weight: 2\n    seconds: 30\n" \
    "    asked: {en: ['" name "'], es: ['" name "']}\n" \
    "    answer: {en: \"{users} people\", es: \"{users} personas\"}\n" \
    "    consequence: {en: c, es: c}\n"
#define BRIEF_HEAD \
    "number: \"1\"\nname: chat\ntitle: {en: Chat, es: Chat}\nminutes: 60\nlabs: []\nskills: []\n" \
    "vague: {en: Build it., es: Hazlo.}\nvariables:\n" \
    "  - {name: users, en: people, es: personas, unit: \"\", choices: [1000000, 2000000, 4000000]}\n" \
    "  - {name: turns, en: turns, es: turnos, unit: \"\", choices: [2, 4]}\n"
#define BRIEF_CARDS \
    CARD("a") \
    CARD("b") \
    CARD("c") CARD("d") CARD("e") CARD("f") CARD("g") CARD("h") CARD("i") CARD("j") CARD("k")
#define BRIEF_TAIL \
    "estimates:\n" \
    "  - {name: requests, en: r, es: r, unit: req/s, from: users*turns/86400, weight: 1}\n" \
    "  - {name: peak, en: p, es: p, unit: req/s, from: 3*requests, weight: 2}\n" \
    "nodes:\n" NODE("architecture") NODE("deep-dive") NODE("failure-1") NODE("failure-2")
static const char brief[] = BRIEF_HEAD "cards:\n" BRIEF_CARDS CARD("l") BRIEF_TAIL;

static const char story[] =
    "number: \"01\"\nname: hard-debug\ntitle: {en: A hard bug, es: Un bug}\nminutes: 10\nskills: []\n"
    "listens: {en: l, es: l}\nform: {en: f, es: f}\nexample: {en: \"\", es: \"\", evidence: []}\nnodes:\n" NODE(
        "0") NODE("1") NODE("2") NODE("3") NODE("4") NODE("5");

static const char quiz[] =
    "cards:\n  - name: shift\n    area: maths\n    lab: \"15\"\n    ask: {en: Why?, es: ¿Por qué?}\n"
    "    answer: {en: The max is 0., es: El máximo es 0.}\n    found: {en: ['max'], es: ['max']}\n"
    "    from: \"\"\n    value: 0\n    source: \"\"\n";

static void write_all(void)
{
    free(folder_write("content/questions/01-scale.yaml",
                      QUESTION("01", "scale") NODE("0") NODE("1") NODE("1.1")));
    free(folder_write("content/papers/one-2020.yaml", paper));
    free(folder_write("content/briefs/1-chat.yaml", brief));
    free(folder_write("content/stories/01-hard-debug.yaml", story));
    free(folder_write("content/quiz.yaml", quiz));
}

static void everything_is_found_by_its_items_name(void **state)
{
    (void)state;
    struct library library;
    struct error err;
    char *folder = path_join(root, "content"), item[80];
    unsigned n;
    write_all();
    if (library_load(&library, folder, &err)) fail_msg("%s", err.message);
    assert_ptr_equal(library_question(&library, "question/01"), library_question(&library, "1"));
    assert_ptr_equal(library_story(&library, "story/hard-debug"), library_story(&library, "01"));
    assert_non_null(library_paper(&library, "paper/one-2020/claim"));
    assert_non_null(library_brief(&library, "brief/1/failure-1"));
    assert_null(library_question(&library, "question/02"));
    assert_non_null(library_nodes(&library, "paper/one-2020", &n));
    assert_int_equal(n, 9);
    assert_null(library_nodes(&library, "drill/01", &n));

    assert_string_equal(library_item(item, "question/01", "1.1"), "question/01/1-1");
    assert_string_equal(library_node(&library, item)->id, "1.1");
    assert_string_equal(library_node(&library, "brief/1/deep-dive")->id, "deep-dive");
    assert_null(library_node(&library, "question/01"));
    assert_null(library_node(&library, "question/01/9"));
    assert_string_equal(library_title(&library, "question/01", "es"), "Por qué escalar");
    assert_string_equal(library_title(&library, "card/shift", "en"), "Why?");
    assert_string_equal(library_title(&library, "drill/01", "en"), "");
    library_done(&library);
    free(folder);
}

static void a_kind_that_is_absent_is_empty_and_a_broken_file_is_named(void **state)
{
    (void)state;
    struct library library;
    struct error err;
    char *folder = path_join(root, "bare");
    free(folder_write("bare/quiz.yaml", quiz));
    assert_false(library_load(&library, folder, &err));
    assert_int_equal(library.n_papers, 0);
    library_done(&library);
    free(folder_write("bare/stories/01-x.yaml", "number: 1\n"));
    assert_int_equal(library_load(&library, folder, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "01-x.yaml"));
    assert_null(library.quiz);
    free(folder);
}

/* ---- papers, stories, quiz ---- */

typedef enum status load_any(void **out, const char *path, struct error *err);

static enum status load_paper(void **out, const char *path, struct error *err)
{
    struct paper *read;
    const enum status status = paper_load(&read, path, err);
    *out = read;
    paper_free(read);
    return status;
}

static enum status load_story(void **out, const char *path, struct error *err)
{
    struct story *read;
    const enum status status = story_load(&read, path, err);
    *out = read;
    story_free(read);
    return status;
}

static enum status load_quiz(void **out, const char *path, struct error *err)
{
    struct quiz *read;
    const enum status status = quiz_load(&read, path, err);
    *out = read;
    quiz_free(read);
    return status;
}

static enum status load_brief(void **out, const char *path, struct error *err)
{
    struct brief *read;
    const enum status status = brief_load(&read, path, err);
    *out = read;
    brief_free(read);
    return status;
}

static void refuse(load_any *load, const char *text, const char *from, const char *to,
                   const char *why)
{
    struct error err;
    void *read = root;
    char *other = changed(text, from, to), *path = folder_write("other/file.yaml", other);
    if (load(&read, path, &err) == STATUS_OK) fail_msg("taken: %s", to);
    assert_null(read);
    if (!strstr(err.message, why)) fail_msg("%s", err.message);
    free(other);
    free(path);
}

static void a_paper_has_its_phases_and_the_version_that_was_read(void **state)
{
    (void)state;
    refuse(load_paper, paper, "id: \"method\"", "id: \"methods\"", "should be method");
    refuse(load_paper, paper, "version: v1", "version: \"\"", "no version");
    refuse(load_paper, paper, "cites:\n  - {where: section 1, en: said, es: dicho}", "cites: []",
           "cites nothing");
}

static void a_story_has_five_probes_and_no_example_without_evidence(void **state)
{
    (void)state;
    refuse(load_story, story, "id: \"5\"", "id: \"6\"", "should be \"5\"");
    refuse(load_story, story, "example: {en: \"\", es: \"\"", "example: {en: We did., es: \"\"",
           "both languages");
    refuse(load_story, story, "example: {en: \"\", es: \"\"", "example: {en: We did., es: Hicimos.",
           "evidence");
}

static void cards_have_names_of_their_own(void **state)
{
    (void)state;
    char *twice = text_printf("%s%s", quiz, quiz + strlen("cards:\n"));
    refuse(load_quiz, twice, "cards:", "cards:", "two cards are called shift");
    free(twice);
    refuse(load_quiz, quiz, "es: ['max']", "es: []", "card shift has no line");
}

/* ---- briefs ---- */

static void a_brief_hides_twelve_to_sixteen_requirements(void **state)
{
    (void)state;
    refuse(load_brief, BRIEF_HEAD "cards:\n" BRIEF_CARDS BRIEF_TAIL,
           "cards:", "cards:", "11 cards");
    refuse(load_brief, brief, "seconds: 30", "seconds: 3", "card a");
    refuse(load_brief, brief, "choices: [2, 4]", "choices: []", "turns has no choices");
    refuse(load_brief, brief, "id: \"deep-dive\"", "id: \"deep\"", "should be deep-dive");
    refuse(load_brief, brief, "from: 3*requests", "from: 3*later", "unknown name");
}

static void a_seed_picks_the_choices_and_the_estimates_follow(void **state)
{
    (void)state;
    struct brief *read;
    struct expression_value *values;
    struct error err;
    char *path = folder_write("one/1-chat.yaml", brief);
    assert_false(brief_load(&read, path, &err));
    assert_false(brief_draw(&values, read, -1, &err));
    assert_true(values[0].value == 2e6 && values[1].value == 4); /* the middle ones */
    assert_true(values[2].value == 2e6 * 4 / 86400 && values[3].value == 3 * values[2].value);
    values[1].value = 8;
    assert_false(brief_compute(values, read, &err));
    assert_true(values[2].value == 2e6 * 8 / 86400);

    struct text out = {0};
    brief_fill(&out, "{users} people, {turns} turns, {unknown}, {open", values, 4);
    assert_string_equal(text_string(&out), "2M people, 8 turns, {unknown}, {open");
    text_done(&out);
    free(values);
    bool differs = false;
    for (int64_t seed = 0; seed < 8; seed++) {
        struct expression_value *again;
        assert_false(brief_draw(&values, read, seed, &err));
        assert_false(brief_draw(&again, read, seed, &err));
        assert_true(values[0].value == again[0].value && values[1].value == again[1].value);
        if (values[0].value != 2e6) differs = true;
        free(values);
        free(again);
    }
    assert_true(differs);
    brief_free(read);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_found_by_its_items_name),
        cmocka_unit_test(a_kind_that_is_absent_is_empty_and_a_broken_file_is_named),
        cmocka_unit_test(a_paper_has_its_phases_and_the_version_that_was_read),
        cmocka_unit_test(a_story_has_five_probes_and_no_example_without_evidence),
        cmocka_unit_test(cards_have_names_of_their_own),
        cmocka_unit_test(a_brief_hides_twelve_to_sixteen_requirements),
        cmocka_unit_test(a_seed_picks_the_choices_and_the_estimates_follow),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
