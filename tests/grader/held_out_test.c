/* Answers that no pattern was ever tuned on: does the rubric rank them, and does it see what a careful
 * reader sees?
 *
 *   tests/data/held-out/QUESTION.yaml   20 answers in each language to a question's root: ten good, ten
 *                                       bad, by writers who saw the question alone; and for each the
 *                                       items that a reader, who saw no pattern, found said or wrong
 *   docs/calibration.md                 holds the tables that this prints
 *
 *   test_grader_held_out --tables [FOLDER]    print them
 *   test_grader_held_out --misses [FOLDER]    and every pair ranked wrong, every item judged otherwise
 *
 * FOLDER holds other answers in the same form, to tune patterns on. --misses without it is for reading what the grader is weak at; a pattern changed because of what it shows makes
 * that answer worthless here, and it has to be replaced.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "content/question_schema.h"
#include "grader/rubric.h"

enum { QUESTIONS = 10, QUESTIONS_LIMIT = 64, PER_SIDE = 10, ANSWERS_LIMIT = 100 };

static const char held_out[] = SOURCE_ROOT "/tests/data/held-out";

/* ---- the file ---- */

struct answer {
    char *id; /* "en-g1" */
    bool good;
    char **said, **wrong; /* names of items */
    unsigned said_count, wrong_count;
    char *text;
};
struct answers {
    char *question;
    struct answer *answers;
    unsigned answers_count;
};

static const struct cyaml_schema_field answer_fields[] = {
    SCHEMA_TEXT("id", struct answer, id, 1, 8),
    CYAML_FIELD_BOOL("good", CYAML_FLAG_DEFAULT, struct answer, good),
    SCHEMA_LIST("said", struct answer, said, schema_word, 16),
    SCHEMA_LIST("wrong", struct answer, wrong, schema_word, 16),
    SCHEMA_TEXT("text", struct answer, text, 1, 8000),
    CYAML_FIELD_END};
static const struct cyaml_schema_value answer_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct answer, answer_fields)};
static const struct cyaml_schema_field answers_fields[] = {
    SCHEMA_TEXT("question", struct answers, question, 1, 40),
    SCHEMA_LIST("answers", struct answers, answers, answer_value, ANSWERS_LIMIT), CYAML_FIELD_END};
static const struct cyaml_schema_value answers_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct answers, answers_fields)};

/* ---- the tally ---- */

enum { ENGLISH, SPANISH, LANGUAGES };
static const char *const language_codes[] = {"en", "es"};
static const char *const language_names[] = {"English", "Spanish"};

struct ranking {
    int pairs, right;
    double good, bad; /* sums of scores */
    int n_good, n_bad;
};
struct tally {
    char names[QUESTIONS_LIMIT][64]; /* sorted */
    int n_names;
    struct ranking rankings[QUESTIONS_LIMIT][LANGUAGES];
    int items[LANGUAGES][3]
             [3]; /* [what the reader found][what the grader found], as rubric_verdict */
    int passed[LANGUAGES][2][2]; /* [good][score of 40% or more] */
};

static bool among(char *const *words, unsigned n, const char *word)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0) return true;
    return false;
}

static void tally_items(struct tally *tally, int language, const struct answer *answer,
                        const struct rubric_grade *grade, const char *name, bool misses)
{
    for (int i = 0; i < grade->n_findings; i++) {
        const struct rubric_finding *finding = &grade->findings[i];
        const char *item = finding->item->name;
        enum rubric_verdict reader = RUBRIC_NOT_FOUND;

        if (among(answer->said, answer->said_count, item)) reader = RUBRIC_FOUND;
        if (among(answer->wrong, answer->wrong_count, item)) reader = RUBRIC_CONTRADICTED;
        tally->items[language][reader][finding->verdict]++;
        if (misses && reader != finding->verdict)
            printf("%s %s: %s: reader %s, grader %s: %.*s\n", name, answer->id, item,
                   rubric_verdict_name(reader), rubric_verdict_name(finding->verdict),
                   finding->size, answer->text + finding->start);
    }
}

static void tally_pairs(struct ranking *ranking, const struct answers *answers,
                        const double *scores, const char *language, const char *name, bool misses)
{
    for (unsigned g = 0; g < answers->answers_count; g++)
        for (unsigned b = 0; b < answers->answers_count; b++) {
            const struct answer *good = &answers->answers[g], *bad = &answers->answers[b];
            if (!good->good || bad->good || strncmp(good->id, language, 2) != 0 ||
                strncmp(bad->id, language, 2) != 0)
                continue;
            ranking->pairs++;
            ranking->right += scores[g] > scores[b];
            if (misses && scores[g] <= scores[b])
                printf("%s: %s %.0f%% is not above %s %.0f%%\n", name, good->id, 100 * scores[g],
                       bad->id, 100 * scores[b]);
        }
}

static void tally_question(struct tally *tally, int q, const char *folder, bool misses)
{
    const char *name = tally->names[q];
    char *path = text_printf(SOURCE_ROOT "/content/questions/%s.yaml", name);
    char *held = text_printf("%s/%s.yaml", folder, name);
    double scores[ANSWERS_LIMIT];
    struct question *question = NULL;
    struct error err = {0};
    void *file = NULL;

    if (question_load(&question, path, &err) || yaml_load(&file, &answers_value, held, &err))
        fail_msg("%s", err.message);
    const struct answers *answers = file;

    for (int l = 0; l < LANGUAGES; l++) {
        struct ranking *ranking = &tally->rankings[q][l];
        struct rubric_reader *reader = NULL;
        if (rubric_open(&reader, &question->nodes[0].rubric, language_codes[l], &err))
            fail_msg("%s", err.message);
        for (unsigned a = 0; a < answers->answers_count; a++) {
            const struct answer *answer = &answers->answers[a];
            struct rubric_grade grade;
            if (strncmp(answer->id, language_codes[l], 2) != 0) continue;
            if (rubric_apply(&grade, reader, answer->text, &err)) fail_msg("%s", err.message);
            scores[a] = grade.score;
            *(answer->good ? &ranking->good : &ranking->bad) += grade.score;
            *(answer->good ? &ranking->n_good : &ranking->n_bad) += 1;
            tally->passed[l][answer->good][grade.score >= 0.4]++;
            tally_items(tally, l, answer, &grade, name, misses);
            rubric_grade_done(&grade);
        }
        tally_pairs(ranking, answers, scores, language_codes[l], name, misses);
        rubric_close(reader);
    }
    yaml_done(&answers_value, file);
    question_free(question);
    free(held);
    free(path);
}

static int compare_names(const void *a, const void *b) { return strcmp(a, b); }

static void tally_all(struct tally *tally, const char *folder, bool misses)
{
    DIR *entries = opendir(folder);
    *tally = (struct tally){0};
    if (!entries) fail_msg("%s: cannot open", folder);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (!text_ends_with(entry->d_name, ".yaml") || tally->n_names == QUESTIONS_LIMIT) continue;
        snprintf(tally->names[tally->n_names++], sizeof *tally->names, "%.*s",
                 (int)strlen(entry->d_name) - 5, entry->d_name);
    }
    closedir(entries);
    qsort(tally->names, (size_t)tally->n_names, sizeof *tally->names, compare_names);
    for (int q = 0; q < tally->n_names; q++) tally_question(tally, q, folder, misses);
}

static int percent(int part, int whole)
{
    return whole == 0 ? 0 : (int)(100.0 * part / whole + 0.5);
}

static struct ranking ranking_sum(const struct tally *tally, int language)
{
    struct ranking sum = {0};
    for (int q = 0; q < tally->n_names; q++) {
        sum.pairs += tally->rankings[q][language].pairs;
        sum.right += tally->rankings[q][language].right;
    }
    return sum;
}

/* ---- the tables ---- */

static void put_rankings(struct text *out, const struct tally *tally)
{
    text_format(out, "| Question | English: pairs right | good, bad (mean score) | "
                     "Spanish: pairs right | good, bad |\n|---|---|---|---|---|\n");
    for (int q = 0; q < tally->n_names; q++) {
        text_format(out, "| %s |", tally->names[q]);
        for (int l = 0; l < LANGUAGES; l++) {
            const struct ranking *r = &tally->rankings[q][l];
            text_format(out, " %d of %d | %.0f%%, %.0f%% |", r->right, r->pairs,
                        100 * r->good / r->n_good, 100 * r->bad / r->n_bad);
        }
        text_format(out, "\n");
    }
    text_format(out, "| **all** |");
    for (int l = 0; l < LANGUAGES; l++) {
        struct ranking sum = ranking_sum(tally, l);
        text_format(out, " **%d of %d, %.1f%%** | |", sum.right, sum.pairs,
                    100.0 * sum.right / sum.pairs);
    }
    text_format(out, "\n");
}

static void put_items(struct text *out, const struct tally *tally)
{
    static const char *const reader[] = {"not said", "said", "said wrongly"};
    static const int order[] = {RUBRIC_FOUND, RUBRIC_NOT_FOUND, RUBRIC_CONTRADICTED};

    for (int l = 0; l < LANGUAGES; l++) {
        text_format(out,
                    "\n| %s: the reader found it | grader: found | not found | contradicted |\n"
                    "|---|---|---|---|\n",
                    language_names[l]);
        for (int i = 0; i < 3; i++) {
            const int *row = tally->items[l][order[i]];
            int sum = row[0] + row[1] + row[2];
            text_format(out, "| %s | %d (%d%%) | %d (%d%%) | %d (%d%%) |\n", reader[order[i]],
                        row[RUBRIC_FOUND], percent(row[RUBRIC_FOUND], sum), row[RUBRIC_NOT_FOUND],
                        percent(row[RUBRIC_NOT_FOUND], sum), row[RUBRIC_CONTRADICTED],
                        percent(row[RUBRIC_CONTRADICTED], sum));
        }
    }
}

static void put_passed(struct text *out, const struct tally *tally)
{
    text_format(out, "\n| Answer | 40%% or more | less |\n|---|---|---|\n");
    for (int l = 0; l < LANGUAGES; l++)
        for (int good = 1; good >= 0; good--)
            text_format(out, "| %s, %s | %d | %d |\n", language_names[l], good ? "good" : "bad",
                        tally->passed[l][good][1], tally->passed[l][good][0]);
}

static char *tables(const struct tally *tally)
{
    struct text out = {0};
    put_rankings(&out, tally);
    put_items(&out, tally);
    put_passed(&out, tally);
    return text_take(&out);
}

/* ---- tests ---- */

static void ranks_95_of_100_pairs(void **state)
{
    struct tally tally;
    (void)state;
    tally_all(&tally, held_out, false);
    assert_int_equal(tally.n_names, QUESTIONS);
    for (int l = 0; l < LANGUAGES; l++) {
        struct ranking sum = ranking_sum(&tally, l);
        assert_int_equal(sum.pairs, QUESTIONS * PER_SIDE * PER_SIDE);
        assert_true(100 * sum.right >= 95 * sum.pairs);
    }
}

static void docs_hold_the_tables(void **state)
{
    struct tally tally;
    struct text page = {0};
    struct error err = {0};

    (void)state;
    tally_all(&tally, held_out, false);
    char *expected = tables(&tally);
    if (file_read(&page, SOURCE_ROOT "/docs/calibration.md", 1 << 20, &err))
        fail_msg("%s", err.message);
    if (!strstr(text_string(&page), expected))
        fail_msg("docs/calibration.md does not hold what --tables prints");
    text_done(&page);
    free(expected);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_95_of_100_pairs),
        cmocka_unit_test(docs_hold_the_tables),
    };
    if (argc > 1) {
        struct tally tally;
        tally_all(&tally, argc > 2 ? argv[2] : held_out, strcmp(argv[1], "--misses") == 0);
        char *all = tables(&tally);
        fputs(all, stdout);
        free(all);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
