/* content_words.c -- what is answered in words, looked at file by file. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "content.h"

enum { N_QUESTIONS = 25, N_BRIEFS = 5, N_STORIES = 10, N_CARDS = 60, CARDS_OF_AREA = 15 };

static const char *const languages[] = {"en", "es", NULL};

static void check_node(struct check *check, enum kind kind, const char *file,
                       const struct question_node *node)
{
    const struct rubric *rubric = &node->rubric;
    content_lab(check, kind, file, node->id, node->lab);
    content_spanish(check, kind, file, node->id, node->ask.es);
    content_spanish(check, kind, file, node->id, node->answer.es);
    for (unsigned i = 0; i < rubric->items_count; i++)
        content_spanish(check, kind, file, node->id, rubric->items[i].es);
    for (unsigned i = 0; i < rubric->wrong_count; i++) {
        content_spanish(check, kind, file, node->id, rubric->wrong[i].said.es);
        content_spanish(check, kind, file, node->id, rubric->wrong[i].correction.es);
    }
    for (unsigned i = 0; i < node->numbers_count; i++)
        content_spanish(check, kind, file, node->id, node->numbers[i].es);
}

static void check_nodes(struct check *check, enum kind kind, const char *file,
                        const struct question_node *nodes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) check_node(check, kind, file, &nodes[i]);
}

static void check_labs(struct check *check, enum kind kind, const char *file, char **labs,
                       unsigned n)
{
    for (unsigned i = 0; i < n; i++) content_lab(check, kind, file, "", labs[i]);
}

static int count_paragraphs(const char *text)
{
    int n = 0;
    bool inside = false;
    while (*text) {
        const size_t size = strcspn(text, "\n");
        const bool blank = strspn(text, " \t\r") >= size;
        if (!blank && !inside) n++;
        inside = !blank;
        text += size + (text[size] == '\n');
    }
    return n;
}

/* What a whiteboard question has and the sets of the rounds need not. */
static void check_whiteboard(struct check *check, const struct question *question, const char *file)
{
    struct problems *problems = &check->problems[KIND_QUESTION];
    int deepest = 0;
    for (unsigned i = 0; i < question->nodes_count; i++) {
        const struct question_node *node = &question->nodes[i];
        const int level = question_level(node->id), paragraphs = level == 0 ? 3 : 1;
        if (level > deepest) deepest = level;
        if (node->numbers_count < 2)
            problems_add(problems, file, node->id, "", "%u numbers, two are asked for",
                         node->numbers_count);
        if (node->rubric.wrong_count < 2)
            problems_add(problems, file, node->id, "", "%u wrong answers, two are asked for",
                         node->rubric.wrong_count);
        for (int l = 0; languages[l]; l++) {
            const int n = count_paragraphs(words_in(&node->answer, languages[l]));
            if (n != paragraphs)
                problems_add(problems, file, node->id, languages[l],
                             "its answer has %d paragraphs, expected %d", n, paragraphs);
        }
    }
    if (deepest < 3)
        problems_add(problems, file, "", "", "the follow-ups are %d levels deep, expected 3",
                     deepest);
}

static enum status check_question(struct check *check, const char *path, const char *file,
                                  struct error *err)
{
    struct question *question;
    struct anchors *anchors = NULL;
    enum status status = question_load(&question, path, err);
    if (status) return status;

    const bool whiteboard = isdigit((unsigned char)question->number[0]);
    check->questions++;
    if (whiteboard) check->numbered++;
    if (question->self_marked && *question->self_marked) check->self_marked++;
    const enum status found = anchors_load(&anchors, question, err);
    if (found == STATUS_NOT_FOUND)
        problems_add(&check->problems[KIND_QUESTION], file, "", "",
                     "there are no anchors beside it");
    else if (found) problems_add(&check->problems[KIND_QUESTION], file, "", "", "%s", err->message);
    rubric_prove_question(&check->problems[KIND_QUESTION], question, anchors, file,
                          check->listener);
    if (whiteboard) check_whiteboard(check, question, file);
    check_nodes(check, KIND_QUESTION, file, question->nodes, question->nodes_count);
    content_spanish(check, KIND_QUESTION, file, "", question->title.es);
    anchors_free(anchors);
    question_free(question);
    return STATUS_OK;
}

static enum status check_paper(struct check *check, const char *path, const char *file,
                               struct error *err)
{
    struct paper *paper;
    const enum status status = paper_load(&paper, path, err);
    if (status) return status;

    if (strcmp(paper->name, "cold") != 0 && (!*paper->version || !paper->cites_count))
        problems_add(&check->problems[KIND_PAPER], file, "", "",
                     "it names no version that was read, or cites nothing from it");
    rubric_prove_paper(&check->problems[KIND_PAPER], paper, file, check->listener);
    check_nodes(check, KIND_PAPER, file, paper->nodes, paper->nodes_count);
    check_labs(check, KIND_PAPER, file, paper->labs, paper->labs_count);
    content_spanish(check, KIND_PAPER, file, "", paper->about.es);
    for (unsigned i = 0; i < paper->cites_count; i++)
        content_spanish(check, KIND_PAPER, file, paper->cites[i].where, paper->cites[i].es);
    paper_free(paper);
    return STATUS_OK;
}

static enum status check_brief(struct check *check, const char *path, const char *file,
                               struct error *err)
{
    struct brief *brief;
    const enum status status = brief_load(&brief, path, err);
    if (status) return status;

    rubric_prove_brief(&check->problems[KIND_BRIEF], brief, file, check->listener);
    check_nodes(check, KIND_BRIEF, file, brief->nodes, brief->nodes_count);
    check_labs(check, KIND_BRIEF, file, brief->labs, brief->labs_count);
    content_spanish(check, KIND_BRIEF, file, "", brief->title.es);
    content_spanish(check, KIND_BRIEF, file, "", brief->vague.es);
    for (unsigned i = 0; i < brief->variables_count; i++)
        content_spanish(check, KIND_BRIEF, file, brief->variables[i].name, brief->variables[i].es);
    for (unsigned i = 0; i < brief->cards_count; i++) {
        content_spanish(check, KIND_BRIEF, file, brief->cards[i].name, brief->cards[i].answer.es);
        content_spanish(check, KIND_BRIEF, file, brief->cards[i].name,
                        brief->cards[i].consequence.es);
    }
    for (unsigned i = 0; i < brief->estimates_count; i++)
        content_spanish(check, KIND_BRIEF, file, brief->estimates[i].name, brief->estimates[i].es);
    brief_free(brief);
    return STATUS_OK;
}

static enum status check_story(struct check *check, const char *path, const char *file,
                               struct error *err)
{
    struct story *story;
    const enum status status = story_load(&story, path, err);
    if (status) return status;

    rubric_prove_story(&check->problems[KIND_STORY], story, file, check->listener);
    check_nodes(check, KIND_STORY, file, story->nodes, story->nodes_count);
    content_spanish(check, KIND_STORY, file, "", story->title.es);
    content_spanish(check, KIND_STORY, file, "", story->listens.es);
    content_spanish(check, KIND_STORY, file, "", story->form.es);
    content_spanish(check, KIND_STORY, file, "", story->example.es);
    story_free(story);
    return STATUS_OK;
}

static enum status check_quiz(struct check *check, const char *path, const char *file,
                              struct error *err)
{
    static const char *const areas[] = {"maths", "statistics", "ml", "systems"};
    struct problems *problems = &check->problems[KIND_QUIZ];
    unsigned of_area[4] = {0};
    struct quiz *quiz;
    const enum status status = quiz_load(&quiz, path, err);
    if (status) return status;

    rubric_prove_quiz(problems, quiz, file);
    for (unsigned i = 0; i < quiz->cards_count; i++) {
        const struct quiz_card *card = &quiz->cards[i];
        bool known = false;
        for (int a = 0; a < 4; a++)
            if (strcmp(card->area, areas[a]) == 0) {
                of_area[a]++;
                known = true;
            }
        if (!known)
            problems_add(problems, file, card->name, "",
                         "area %s: expected maths, statistics, ml or systems", card->area);
        content_lab(check, KIND_QUIZ, file, card->name, card->lab);
        content_spanish(check, KIND_QUIZ, file, card->name, card->ask.es);
        content_spanish(check, KIND_QUIZ, file, card->name, card->answer.es);
    }
    if (quiz->cards_count != N_CARDS)
        problems_add(problems, file, "", "", "%u cards, expected %d", quiz->cards_count, N_CARDS);
    else
        for (int a = 0; a < 4; a++)
            if (of_area[a] != CARDS_OF_AREA)
                problems_add(problems, file, "", "", "%u cards of %s, expected %d", of_area[a],
                             areas[a], CARDS_OF_AREA);
    check->count[KIND_QUIZ] += (int)quiz->cards_count;
    quiz_free(quiz);
    return STATUS_OK;
}

void content_words(struct check *check, enum kind kind, const char *path)
{
    const char *file = content_name(check, path);
    struct error err;
    enum status status = STATUS_OK;
    if (kind != KIND_QUIZ) check->count[kind]++;
    switch (kind) {
    case KIND_QUESTION: status = check_question(check, path, file, &err); break;
    case KIND_PAPER: status = check_paper(check, path, file, &err); break;
    case KIND_BRIEF: status = check_brief(check, path, file, &err); break;
    case KIND_STORY: status = check_story(check, path, file, &err); break;
    case KIND_QUIZ: status = check_quiz(check, path, file, &err); break;
    default: check_failed("a kind that is answered in words", __FILE__, __LINE__);
    }
    if (!status) return;
    const char *what = err.message; /* without the path: the problem says it */
    if (text_starts_with(what, path)) what += strlen(path) + strspn(what + strlen(path), ": ");
    problems_add(&check->problems[kind], file, "", "", "%s", what);
}

/* ---- all of them ---- */

static void check_folder(struct check *check, enum kind kind, const char *folder)
{
    char *whole = text_printf("%s/content/%s", check->root, folder);
    int n;
    char **paths = content_files(&n, whole, ".yaml");
    for (int i = 0; i < n; i++) {
        if (!text_ends_with(paths[i], ".anchors.yaml")) content_words(check, kind, paths[i]);
        free(paths[i]);
    }
    free(paths);
    free(whole);
}

/* The whiteboard questions are numbered without a gap; at most one question in ten is marked by the
 * candidate. */
static void check_set(struct check *check)
{
    struct problems *problems = &check->problems[KIND_QUESTION];
    char *folder = path_join(check->root, "content/questions");
    int n;
    char **paths = content_files(&n, folder, ".yaml");
    for (int number = 1; number <= N_QUESTIONS; number++) {
        char beginning[16];
        int found = 0;
        snprintf(beginning, sizeof beginning, "/%02d-", number);
        for (int i = 0; i < n; i++)
            if (!text_ends_with(paths[i], ".anchors.yaml") &&
                text_starts_with(strrchr(paths[i], '/'), beginning))
                found++;
        if (found != 1)
            problems_add(problems, "content/questions", "", "", "%d questions are numbered %02d",
                         found, number);
    }
    if (check->numbered > N_QUESTIONS)
        problems_add(problems, "content/questions", "", "", "%u whiteboard questions, expected %d",
                     check->numbered, N_QUESTIONS);
    if (check->self_marked * 10 > check->questions)
        problems_add(problems, "content/questions", "", "",
                     "%u of %u questions are marked by the candidate, at most one in ten may be",
                     check->self_marked, check->questions);
    for (int i = 0; i < n; i++) free(paths[i]);
    free(paths);
    free(folder);
}

static void expect(struct check *check, enum kind kind, const char *folder, int least)
{
    if (check->count[kind] < least)
        problems_add(&check->problems[kind], folder, "", "", "%d files, expected %d at least",
                     check->count[kind], least);
}

void content_all_words(struct check *check)
{
    char *quiz = path_join(check->root, "content/quiz.yaml");
    check_folder(check, KIND_QUESTION, "questions");
    check_set(check);
    check_folder(check, KIND_BRIEF, "briefs");
    expect(check, KIND_BRIEF, "content/briefs", N_BRIEFS);
    check_folder(check, KIND_PAPER, "papers");
    expect(check, KIND_PAPER, "content/papers", 1);
    check_folder(check, KIND_STORY, "stories");
    expect(check, KIND_STORY, "content/stories", N_STORIES);
    content_words(check, KIND_QUIZ, quiz);
    free(quiz);
}
