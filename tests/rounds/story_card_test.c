#include "rounds/story_card.h"

#include "stage.h"

static struct story_card read_card(struct bench *bench, const char *bytes, size_t size)
{
    struct story_card card;
    struct error err = {0};
    char *path = path_join(bench->folder, "card.md");
    assert_int_equal(file_write(path, bytes, size, 0600, NULL), STATUS_OK);
    if (story_card_read(&card, path, &err)) fail_msg("%s", err.message);
    free(path);
    return card;
}

static struct story_card card_of(struct bench *bench, const char *bytes)
{
    return read_card(bench, bytes, strlen(bytes));
}

static void a_card_is_read_in_either_language(void **state)
{
    struct story_card card = card_of(
        *state, "# My story\r\n<!-- a hint\nover lines -->\n## Situation\n\nIt burned.\n\nAll "
                "night. <!-- inner -->\n\n##   tarea  \nPut it out.\n## Nothing we know\nnoise\n"
                "## Renuncia\nWater instead of foam.");
    assert_string_equal(card.title, "My story");
    assert_string_equal(card.parts[STORY_SITUATION], "It burned.\n\nAll night.");
    assert_string_equal(card.parts[STORY_TASK], "Put it out.");
    assert_string_equal(card.parts[STORY_TRADE_OFF], "Water instead of foam.");
    assert_string_equal(card.parts[STORY_ACTION], "");
    struct text spoken = {0};
    story_card_spoken(&spoken, &card);
    assert_non_null(strstr(text_string(&spoken), "Put it out."));
    assert_null(strstr(text_string(&spoken), "noise"));
    text_done(&spoken);
    story_card_done(&card);
}

static void the_form_is_an_empty_card_in_both_languages(void **state)
{
    for (int i = 0; i < 2; i++) {
        struct text form = {0};
        story_card_form(&form, library_story(&stage_library, "story/01"), i ? "es" : "en");
        assert_non_null(strstr(text_string(&form), i ? "## Situación" : "## Situation"));
        struct story_card card = card_of(*state, text_string(&form));
        assert_string_equal(card.title, i ? "Historia 1" : "Story 1");
        for (int part = 0; part < STORY_PARTS; part++) assert_string_equal(card.parts[part], "");
        story_card_done(&card);
        text_done(&form);
    }
}

static void odd_files_are_read_without_harm(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = {{"", 0},        {"\0\0\0", 3},
                 {"<!--", 4},    {"##", 2},
                 {"## ", 3},     {"\xff\xfe## T", 6},
                 {"# ", 2},      {"\n\n\n", 3},
                 {"## Task", 7}, {"## Task\n## Task\nx", 17}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct story_card card = read_card(*state, files[i].bytes, files[i].size);
        for (int part = 0; part < STORY_PARTS; part++) assert_non_null(card.parts[part]);
        story_card_done(&card);
    }
    struct bench *bench = *state;
    struct story_card card;
    struct error err = {0};
    char *path = path_join(bench->folder, "none.md");
    assert_int_equal(story_card_read(&card, path, &err), STATUS_NOT_FOUND);
    free(path);
}

/* ---- checks ---- */

static bool is_good(struct bench *bench, const struct story_card *card, const char *words)
{
    struct story_check *checks;
    struct error err = {0};
    int n;
    bool found = false, good = false;
    if (story_card_check(&checks, &n, card, bench->progress, &err)) fail_msg("%s", err.message);
    for (int i = 0; i < n; i++)
        if (strstr(checks[i].words, words)) {
            found = true;
            good = checks[i].good;
        }
    if (!found) {
        for (int i = 0; i < n; i++) print_message("%s\n", checks[i].words);
        fail_msg("no check says %s", words);
    }
    story_checks_done(checks, n);
    return good;
}

static char *whole_card(const char *action, const char *trade_off, const char *evidence)
{
    return text_printf("# T\n## Situation\nThe run died at step 400.\n## Task\nFind out why.\n"
                       "## Action\n%s\n## Result\nThe loss fell by 12 per cent.\n## Trade-off\n%s\n"
                       "## Today\nI would log more.\n## Evidence\n%s\n",
                       action, trade_off, evidence);
}

static void completeness_numbers_and_trade_off_are_checked(void **state)
{
    struct bench *bench = *state;
    char *text = whole_card("I looked at the ranks one by one.",
                            "I chose a restart rather than a "
                            "patch.",
                            "https://example.org/x");
    struct story_card card = card_of(bench, text);
    assert_true(is_good(bench, &card, "all parts are there"));
    assert_true(is_good(bench, &card, "rejected"));
    assert_true(is_good(bench, &card, "2 numbers"));
    assert_false(is_good(bench, &card, "seconds when spoken")); /* far too short */
    assert_true(is_good(bench, &card, "evidence: 1 link"));
    story_card_done(&card);
    free(text);

    card = card_of(bench, "# T\n## Trade-off\nIt was fine.\n");
    assert_false(is_good(bench, &card, "Situation: nothing yet"));
    assert_false(is_good(bench, &card, "rejected"));
    assert_false(is_good(bench, &card, "0 numbers"));
    assert_false(is_good(bench, &card, "evidence: 0 links"));
    story_card_done(&card);
}

static void two_minutes_are_the_length_of_a_story(void **state)
{
    struct bench *bench = *state;
    for (int sentences = 10; sentences <= 120; sentences += 50) { /* 6 words, 2.4 s each */
        struct text action = {0};
        for (int i = 0; i < sentences; i++) text_add(&action, "I looked at all the logs. ");
        char *text = whole_card(text_string(&action), "x", "");
        struct story_card card = card_of(bench, text);
        assert_int_equal(is_good(bench, &card, "seconds when spoken"), sentences == 60);
        story_card_done(&card);
        free(text);
        text_done(&action);
    }
}

static void evidence_has_to_exist(void **state)
{
    struct bench *bench = *state;
    char attempt[ID_SIZE];
    memcpy(attempt, bench_begin(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_SUBMIT),
           ID_SIZE);
    char hash[64] = "";
    char *make =
        text_printf("cd %s && git init -q repository && cd repository && git -c user.name=x "
                    "-c user.email=x@example.org commit -q --allow-empty -m x && "
                    "git rev-parse HEAD",
                    bench->folder);
    FILE *git = popen(make, "r");
    assert_non_null(git);
    assert_int_equal(fscanf(git, "%63s", hash), 1);
    assert_int_equal(pclose(git), 0);
    free(make);
    char *evidence = text_printf("- attempt %s\n* run %s\ncommit %s/repository %s\n"
                                 "https://example.org/x\n",
                                 attempt, bench->folder, bench->folder, hash);
    char *text = whole_card("x", "x", evidence);
    struct story_card card = card_of(bench, text);
    assert_true(is_good(bench, &card, "evidence: 4 links"));
    story_card_done(&card);
    free(text);
    free(evidence);

    evidence = text_printf("attempt nobody\nrun /nowhere\ncommit %s abcdef0\ncommit /x zz\n"
                           "http://example.org\n%%s%%n\ncommit %s/repository 0123456789abcdef",
                           bench->folder, bench->folder);
    text = whole_card("x", "x", evidence);
    card = card_of(bench, text);
    assert_false(is_good(bench, &card, "there is no attempt nobody"));
    assert_false(is_good(bench, &card, "there is no folder /nowhere"));
    assert_false(is_good(bench, &card, "is no repository"));
    assert_false(is_good(bench, &card, "has no commit 0123456789abcdef"));
    assert_false(is_good(bench, &card, "not understood: http://example.org"));
    assert_false(is_good(bench, &card, "evidence: 0 links"));
    story_card_done(&card);
    free(text);
    free(evidence);
}

static void its_file_is_private_and_named_after_the_archetype(void **state)
{
    struct bench *bench = *state;
    char *path, *folder = path_join(bench->folder, "stories");
    assert_int_equal(
        story_card_path(&path, bench->progress, library_story(&stage_library, "story/02"), NULL),
        STATUS_OK);
    assert_true(text_ends_with(path, "/stories/02-story-2.md"));
    assert_int_equal(scratch_mode(folder), 0700);
    free(folder);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_card_is_read_in_either_language),
        STAGE_TEST(the_form_is_an_empty_card_in_both_languages),
        STAGE_TEST(odd_files_are_read_without_harm),
        STAGE_TEST(completeness_numbers_and_trade_off_are_checked),
        STAGE_TEST(two_minutes_are_the_length_of_a_story),
        STAGE_TEST(evidence_has_to_exist),
        STAGE_TEST(its_file_is_private_and_named_after_the_archetype),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
