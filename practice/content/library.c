#include "content/library.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

/* ---- loading ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The .yaml files of a folder in order; none when it is absent. */
static void list_files(char ***out, int *n, const char *folder)
{
    *out = NULL;
    *n = 0;
    DIR *directory = opendir(folder);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, ".yaml")) continue;
        *out = memory_grow(*out, (size_t)*n + 1, sizeof **out);
        (*out)[(*n)++] = path_join(folder, entry->d_name);
    }
    closedir(directory);
    if (*n) qsort(*out, (size_t)*n, sizeof **out, by_path);
}

/* One loader for three kinds: read each file with `load`, append what it gives. */
#define LOAD_ALL(list, count, kind, load) \
    do { \
        char *path_ = path_join(folder, kind), **files_; \
        int n_; \
        list_files(&files_, &n_, path_); \
        (list) = memory_new((size_t)n_ + 1, sizeof *(list)); \
        for (int i_ = 0; i_ < n_; i_++) { \
            if (!status) status = load(&(list)[count], files_[i_], err); \
            if (!status) (count)++; \
            free(files_[i_]); \
        } \
        free(files_); \
        free(path_); \
    } while (0)

enum status library_load(struct library *library, const char *folder, struct error *err)
{
    enum status status = STATUS_OK;
    char *questions = path_join(folder, "questions"), *quiz = path_join(folder, "quiz.yaml");

    *library = (struct library){0};
    if (file_is_folder(questions)) status = questions_load(&library->questions, questions, err);
    LOAD_ALL(library->papers, library->n_papers, "papers", paper_load);
    LOAD_ALL(library->briefs, library->n_briefs, "briefs", brief_load);
    LOAD_ALL(library->stories, library->n_stories, "stories", story_load);
    if (!status && file_exists(quiz)) status = quiz_load(&library->quiz, quiz, err);
    free(questions);
    free(quiz);
    if (status) library_done(library);
    return status;
}

void library_done(struct library *library)
{
    questions_done(&library->questions);
    for (int i = 0; i < library->n_papers; i++) paper_free(library->papers[i]);
    for (int i = 0; i < library->n_briefs; i++) brief_free(library->briefs[i]);
    for (int i = 0; i < library->n_stories; i++) story_free(library->stories[i]);
    free(library->papers);
    free(library->briefs);
    free(library->stories);
    quiz_free(library->quiz);
    *library = (struct library){0};
}

/* ---- finding ---- */

/* "question/01/1-1" -> "01"; a word without the prefix as it is. */
static void key_of(char key[80], const char *word, const char *prefix)
{
    if (text_starts_with(word, prefix)) word += strlen(prefix);
    snprintf(key, 80, "%.*s", (int)strcspn(word, "/"), word);
}

static bool is_number(const char *number, const char *key)
{
    return strcmp(number, key) == 0 ||
           (strlen(key) == 1 && number[0] == '0' && strcmp(number + 1, key) == 0);
}

const struct question *library_question(const struct library *library, const char *word)
{
    char key[80];
    key_of(key, word, "question/");
    for (int i = 0; i < library->questions.n_questions; i++) {
        const struct question *question = library->questions.questions[i];
        if (is_number(question->number, key) || strcmp(question->name, key) == 0) return question;
    }
    return NULL;
}

const struct paper *library_paper(const struct library *library, const char *word)
{
    char key[80];
    key_of(key, word, "paper/");
    for (int i = 0; i < library->n_papers; i++)
        if (strcmp(library->papers[i]->name, key) == 0) return library->papers[i];
    return NULL;
}

const struct brief *library_brief(const struct library *library, const char *word)
{
    char key[80];
    key_of(key, word, "brief/");
    for (int i = 0; i < library->n_briefs; i++)
        if (is_number(library->briefs[i]->number, key) ||
            strcmp(library->briefs[i]->name, key) == 0)
            return library->briefs[i];
    return NULL;
}

const struct story *library_story(const struct library *library, const char *word)
{
    char key[80];
    key_of(key, word, "story/");
    for (int i = 0; i < library->n_stories; i++)
        if (is_number(library->stories[i]->number, key) ||
            strcmp(library->stories[i]->name, key) == 0)
            return library->stories[i];
    return NULL;
}

#define NODES_OF(kind) \
    if (text_starts_with(item, #kind "/")) { \
        const struct kind *found = library_##kind(library, item); \
        if (found) { \
            *n = found->nodes_count; \
            return found->nodes; \
        } \
    }

const struct question_node *library_nodes(const struct library *library, const char *item,
                                          unsigned *n)
{
    *n = 0;
    NODES_OF(question)
    NODES_OF(paper)
    NODES_OF(brief)
    NODES_OF(story)
    return NULL;
}

const struct question_node *library_node(const struct library *library, const char *item)
{
    unsigned n;
    const struct question_node *nodes = library_nodes(library, item, &n);
    for (unsigned i = 0; i < n; i++) {
        char name[80];
        const char *first = strchr(item, '/'), *second = first ? strchr(first + 1, '/') : NULL;
        if (!second) return NULL;
        char stem[80];
        snprintf(stem, sizeof stem, "%.*s", (int)(second - item), item);
        if (strcmp(library_item(name, stem, nodes[i].id), item) == 0) return &nodes[i];
    }
    return NULL;
}

const char *library_title(const struct library *library, const char *item, const char *language)
{
    const struct question *question =
        text_starts_with(item, "question/") ? library_question(library, item) : NULL;
    const struct brief *brief =
        text_starts_with(item, "brief/") ? library_brief(library, item) : NULL;
    const struct story *story =
        text_starts_with(item, "story/") ? library_story(library, item) : NULL;
    const struct paper *paper =
        text_starts_with(item, "paper/") ? library_paper(library, item) : NULL;
    const struct quiz_card *card =
        text_starts_with(item, "card/") ? quiz_card(library->quiz, item + strlen("card/")) : NULL;

    if (question) return words_in(&question->title, language);
    if (brief) return words_in(&brief->title, language);
    if (story) return words_in(&story->title, language);
    if (paper) return paper->title;
    if (card) return words_in(&card->ask, language);
    return "";
}

const char *library_item(char out[80], const char *item, const char *node)
{
    snprintf(out, 80, "%s/%s", item, node);
    for (char *c = out + strlen(item); *c; c++)
        if (*c == '.') *c = '-';
    return out;
}
