/* verb_content.c -- lcx content check: is what is authored whole, true to itself and fit to judge? */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "content.h"
#include "content/glossary.h"
#include "verbs.h"

const struct usage usage_content_check = {
    .name = "content check",
    .arguments = "[FILE|FOLDER]",
    .least = 0,
    .most = 1,
    .summary =
        N_("Prove that what is authored is whole, in both languages, and fit to judge people"),
    .details = N_("With one file it also prints how each of its texts scores, with the items that "
                  "are missing or contradicted. A folder is one that holds content/ and labs/, or "
                  "one of the folders in content/."),
    .example = "lcx content check\nlcx content check content/questions/01-sqrt-d.yaml",
};

static int content_check(struct app *app, int argc, char **argv);

static const struct verb content_verbs[] = {
    {&usage_content_check, content_check},
    {NULL, NULL},
};

const struct usage usage_content = {
    .name = "content",
    .arguments = "",
    .least = 0,
    .most = 0,
    .summary = N_("The questions, papers, briefs, stories and pages: check what is authored"),
    .example = "lcx content check",
    .verbs = content_verbs,
};

static const char *const kind_names[KIND_COUNT] = {
    "drill", "lab", "round", "question", "brief", "paper", "story", "quiz", "page",
};

/* ---- what the checks share ---- */

const char *content_name(const struct check *check, const char *path)
{
    const size_t size = strlen(check->root);
    return strncmp(path, check->root, size) == 0 && path[size] == '/' ? path + size + 1 : path;
}

void content_spanish(struct check *check, enum kind kind, const char *file, const char *node,
                     const char *text)
{
    const char *avoided, *better;
    if (check->glossary && glossary_avoids(&avoided, &better, check->glossary, text))
        problems_add(&check->problems[kind], file, node, "es",
                     "it says \"%s\", the glossary says \"%s\"", avoided, better);
}

void content_lab(struct check *check, enum kind kind, const char *file, const char *node,
                 const char *lab)
{
    if (*lab && check->labs && !labs_find(check->labs, lab))
        problems_add(&check->problems[kind], file, node, "", "there is no lab %s", lab);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **content_files(int *n, const char *folder, const char *suffix)
{
    char **paths = memory_new(1, sizeof *paths);
    DIR *directory = opendir(folder);
    *n = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, suffix)) continue;
        paths = memory_grow(paths, (size_t)*n + 1, sizeof *paths);
        paths[(*n)++] = path_join(folder, entry->d_name);
    }
    if (directory) closedir(directory);
    if (*n) qsort(paths, (size_t)*n, sizeof *paths, by_name);
    return paths;
}

/* ---- telling ---- */

/* The texts of one file as they scored, for its author. */
struct texts {
    struct text lines;
    json_t *rows;
};

static json_t *names_of(const struct rubric_grade *grade, enum rubric_verdict verdict)
{
    json_t *names = json_array();
    for (int i = 0; i < grade->n_findings; i++)
        if (grade->findings[i].verdict == verdict)
            json_array_append_new(names, json_string(grade->findings[i].item->name));
    return names;
}

static void hear(void *context, const struct rubric_row *row)
{
    struct texts *texts = context;
    text_format(&texts->lines, "%-8s %s %-9s ", row->node, row->language, row->text);
    rubric_describe(&texts->lines, row->grade);
    text_add(&texts->lines, "\n");
    json_array_append_new(texts->rows,
                          json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "node", row->node, "language",
                                    row->language, "text", row->text, "score", row->grade->score,
                                    "missing", names_of(row->grade, RUBRIC_NOT_FOUND),
                                    "contradicted", names_of(row->grade, RUBRIC_CONTRADICTED)));
}

static void tell_json(const struct check *check, enum kind kind, json_t *texts)
{
    const struct problems *problems = &check->problems[kind];
    json_t *rows = json_array();
    for (int i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->problems[i];
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "file", problem->file, "node",
                                              problem->node, "language", problem->language, "what",
                                              problem->what));
    }
    json_t *row = json_pack("{s:s, s:i, s:o}", "kind", kind_names[kind], "count",
                            check->count[kind], "problems", rows);
    if (texts) json_object_set(row, "texts", texts);
    app_json(check->app, row);
}

static void tell_kind(struct text *out, const struct check *check, enum kind kind)
{
    const struct problems *problems = &check->problems[kind];
    text_format(out, "%-9s %4d  ", kind_names[kind], check->count[kind]);
    if (problems->n) {
        char *n = text_printf(_("problems: %d"), problems->n);
        terminal_paint(out, &check->app->out, STYLE_BAD, n);
        free(n);
    } else {
        terminal_paint(out, &check->app->out, STYLE_GOOD, _("ok"));
    }
    text_add(out, "\n");
    for (int i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->problems[i];
        struct text line = {0};
        char *file = app_clean(problem->file), *what = app_clean(problem->what);
        text_format(&line, "%s", file);
        if (*problem->node) text_format(&line, ", %s", problem->node);
        if (*problem->language) text_format(&line, ", %s", problem->language);
        text_format(&line, ": %s", what);
        app_paragraph(check->app, out, 3, text_string(&line));
        text_done(&line);
        free(file);
        free(what);
    }
}

/* ---- what to check ---- */

static void check_everything(struct check *check)
{
    content_all_drills(check);
    content_all_labs(check);
    content_all_words(check);
    content_all_pages(check);
    content_all_rounds(check);
}

/* The kind of a file by the folder that it is in: KIND_COUNT when it is none of ours. */
static enum kind kind_of(const char *path)
{
    static const struct {
        const char *folder;
        enum kind kind;
    } folders[] = {{"questions/", KIND_QUESTION},
                   {"papers/", KIND_PAPER},
                   {"briefs/", KIND_BRIEF},
                   {"stories/", KIND_STORY}};
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (text_ends_with(base, ".md")) return KIND_PAGE;
    if (strcmp(base, "quiz.yaml") == 0) return KIND_QUIZ;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const size_t size = strlen(folders[i].folder);
        if ((size_t)(base - path) >= size && strncmp(base - size, folders[i].folder, size) == 0)
            return folders[i].kind;
    }
    return KIND_COUNT;
}

static void check_path(struct check *check, enum kind kind, const char *path)
{
    if (kind == KIND_PAGE) content_page(check, path);
    else content_words(check, kind, path);
}

/* The files of one folder in content/; false when it holds none of ours. */
static bool check_some(struct check *check, const char *folder)
{
    int n;
    bool any = false;
    char **paths = content_files(&n, folder, "");
    for (int i = 0; i < n; i++) {
        const enum kind kind = kind_of(paths[i]);
        if (kind != KIND_COUNT && !text_ends_with(paths[i], ".anchors.yaml") &&
            (kind == KIND_PAGE || text_ends_with(paths[i], ".yaml"))) {
            check_path(check, kind, paths[i]);
            any = true;
        }
        free(paths[i]);
    }
    free(paths);
    return any;
}

/* Fill the check with what all kinds need. What cannot be read is a problem of its kind. */
static void check_open(struct check *check, struct app *app, const char *root)
{
    struct error err;
    *check = (struct check){.app = app, .root = text_copy(root)};
    char *glossary = path_join(root, "content/glossary.yaml");
    if (labs_load(&check->labs, root, &err))
        problems_add(&check->problems[KIND_LAB], "labs/labs.yaml", "", "", "%s", err.message);
    if (glossary_load(&check->glossary, glossary, &err))
        problems_add(&check->problems[KIND_PAGE], "content/glossary.yaml", "", "", "%s",
                     err.message);
    free(glossary);
}

static void check_done(struct check *check)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) problems_done(&check->problems[kind]);
    labs_free(check->labs);
    glossary_free(check->glossary);
    free(check->root);
}

/* Look at what was asked for. `texts` hears the scores of a single file. EXIT_MISUSE after saying
 * that the path is nothing of ours. */
static int look(struct check *check, struct app *app, const char *path, struct texts *texts,
                const struct rubric_listener *listener)
{
    char *inner = path ? path_join(path, "content") : NULL;
    const bool whole = !path || file_is_folder(inner);
    int status = EXIT_DONE;
    free(inner);

    check_open(check, app, whole && path ? path : app->content);
    if (whole) {
        check_everything(check);
    } else if (file_is_folder(path)) {
        if (!check_some(check, path))
            status =
                app_misuse(app, _("%s: there is nothing in this folder that is checked"), path);
    } else {
        char *anchored = text_copy(path);
        if (text_ends_with(path, ".anchors.yaml"))
            strcpy(anchored + strlen(path) - strlen(".anchors.yaml"), ".yaml");
        const enum kind kind = kind_of(anchored);
        if (kind == KIND_COUNT || !file_exists(anchored)) {
            status = app_misuse(app,
                                _("%s: expected a page or a file of content/questions, papers, "
                                  "briefs, stories or content/quiz.yaml"),
                                path);
        } else {
            texts->rows = json_array();
            check->listener = listener;
            check_path(check, kind, anchored);
        }
        free(anchored);
    }
    return status;
}

static int content_check(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct texts texts = {0};
    const struct rubric_listener listener = {hear, &texts};
    struct check check;
    struct text out = {0};
    int status, n = 0;
    if (!arguments_read(&arguments, app, &usage_content_check, argc, argv, &status)) return status;

    char *path = arguments.n ? realpath(arguments.words[0], NULL) : NULL;
    if (arguments.n && !path)
        return app_misuse(app, _("%s: there is no such file or folder"), arguments.words[0]);
    status = look(&check, app, path, &texts, &listener);
    for (int kind = 0; kind < KIND_COUNT && !status; kind++) {
        n += check.problems[kind].n;
        if (path && !check.count[kind] && !check.problems[kind].n) continue;
        if (app->json) tell_json(&check, (enum kind)kind, texts.rows);
        else tell_kind(&out, &check, (enum kind)kind);
    }
    if (!status && !app->json) {
        app_print(app, text_string(&texts.lines));
        app_print(app, text_string(&out));
    }
    text_done(&out);
    text_done(&texts.lines);
    json_decref(texts.rows);
    check_done(&check);
    free(path);
    return status ? status : n ? EXIT_NO : EXIT_DONE;
}

int verb_content(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_content, argc, argv);
}
