#include "content/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "folder.h"

static const char whole[] = QUESTION("01", "scale") NODE("0") NODE("1") NODE("2") NODE("1.1");
static const char anchors[] = "en: {soup: a b, wrong: c, adequate: d, excellent: e}\n"
                              "es: {soup: f g, wrong: h, adequate: i, excellent: j}\n";

static void a_question_is_read_with_its_tree_and_anchors(void **state)
{
    (void)state;
    struct question *question;
    struct anchors *read;
    struct error err;
    char *path = folder_write("01-scale.yaml", whole);
    char *beside = folder_write("01-scale.anchors.yaml", anchors);
    if (question_load(&question, path, &err)) fail_msg("%s", err.message);
    assert_int_equal(question->nodes_count, 4);
    const struct question_node *node = question_node(question, "1.1");
    assert_string_equal(words_in(&node->ask, "es"), "¿Por qué?");
    assert_string_equal(node->rubric.items[0].found.es[0], "escal & varian");
    assert_true(node->numbers[0].value == 8);
    assert_null(question_node(question, "3"));
    assert_false(anchors_load(&read, question, &err));
    assert_string_equal(read->es.excellent, "j");
    anchors_free(read);
    question_free(question);
    free(path);
    free(beside);
}

static void refuse(const char *from, const char *to, const char *why)
{
    struct question *question;
    struct error err;
    char *text = changed(whole, from, to), *path = folder_write("01-scale.yaml", text);
    if (question_load(&question, path, &err) == STATUS_OK) fail_msg("taken: %s", to);
    assert_null(question);
    if (!strstr(err.message, why)) fail_msg("%s", err.message);
    free(text);
    free(path);
}

static void what_the_form_does_not_know_is_refused(void **state)
{
    (void)state;
    refuse("minutes: 30", "minutes: 30\nminuts: 3", "minuts");
    refuse("ask: {en: Why?, es: ¿Por qué?}", "ask: {en: Why?}", "es");
    refuse("minutes: 30", "minutes: thirty", "");
}

static void what_cannot_be_is_refused_with_its_node(void **state)
{
    (void)state;
    refuse("number: \"01\"", "number: \"02\"", "02-scale.yaml");
    refuse("minutes: 30", "minutes: 300", "300");
    refuse("id: \"2\"", "id: \"1\"", "two nodes are called 1");
    refuse("id: \"1\"", "id: \"3.1\"", "no parent before it");
    refuse("id: \"0\"", "id: \"7\"", "expected 0");
    refuse("weight: 3", "weight: 4", "weight 4");
    refuse("against: scale", "against: mask", "mask, which is no item");
    refuse("source: \"\"", "source: here", "either from or source");
    refuse("from: sqrt(64)", "from: \"\"", "either from or source");
    refuse("found: {en: ['scal & varian'],", "found: {en: [],", "no line");
}

static void a_branch_comes_after_an_item_of_the_root(void **state)
{
    (void)state;
    struct question *question;
    struct error err;
    char *root_text = text_printf("%s%s", QUESTION("01", "scale") NODE("0"), "");
    char *branch = changed(NODE("1"), "after: \"\"", "after: mask");
    char *text = text_printf("%s%s", root_text, branch);
    char *path = folder_write("01-scale.yaml", text);
    assert_int_equal(question_load(&question, path, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "after mask"));
    free(root_text);
    free(branch);
    free(text);
    free(path);
}

static void levels_and_children_follow_from_the_ids(void **state)
{
    (void)state;
    assert_int_equal(question_level("0"), 0);
    assert_int_equal(question_level("2"), 1);
    assert_int_equal(question_level("1.1.1"), 3);
    assert_true(question_is_child("1", "0"));
    assert_true(question_is_child("1.1", "1"));
    assert_false(question_is_child("1.1", "0"));
    assert_false(question_is_child("1.1.1", "1"));
    assert_false(question_is_child("11", "1"));
    assert_false(question_is_child("0", "0"));
}

static void a_folder_is_read_by_number_and_found_by_number_or_name(void **state)
{
    (void)state;
    struct questions questions;
    const struct question *question;
    struct error err;
    char *folder = path_join(root, "set");
    free(folder_write("set/02-mask.yaml", QUESTION("02", "mask") NODE("0")));
    free(folder_write("set/01-scale.yaml", whole));
    free(folder_write("set/01-scale.anchors.yaml", anchors));
    free(folder_write("set/recruiter-pitch.yaml", QUESTION("recruiter-pitch", "pitch") NODE("0")));
    if (questions_load(&questions, folder, &err)) fail_msg("%s", err.message);
    assert_int_equal(questions.n_questions, 3);
    assert_string_equal(questions.questions[0]->number, "01");
    assert_false(questions_find(&question, &questions, "2", &err));
    assert_string_equal(question->name, "mask");
    assert_false(questions_find(&question, &questions, "recruiter-pitch", &err));
    assert_int_equal(questions_find(&question, &questions, "9", &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "01, 02"));
    questions_done(&questions);

    free(folder_write("set/02-other.yaml", QUESTION("02", "other") NODE("0")));
    assert_int_equal(questions_load(&questions, folder, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "the same number"));
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_read_with_its_tree_and_anchors),
        cmocka_unit_test(what_the_form_does_not_know_is_refused),
        cmocka_unit_test(what_cannot_be_is_refused_with_its_node),
        cmocka_unit_test(a_branch_comes_after_an_item_of_the_root),
        cmocka_unit_test(levels_and_children_follow_from_the_ids),
        cmocka_unit_test(a_folder_is_read_by_number_and_found_by_number_or_name),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
