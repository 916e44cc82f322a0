/* content_pages.c -- what is read: drills, labs, pages. Both languages say as much, links lead
 * somewhere, and the Spanish is the glossary's. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/markdown.h"
#include "content.h"
#include "content/page.h"

static bool read_page(struct text *out, struct check *check, enum kind kind, const char *path)
{
    struct error err;
    if (!file_read(out, path, MARKDOWN_SIZE_LIMIT, &err)) return true;
    problems_add(&check->problems[kind], content_name(check, path), "", "", "%s", err.message);
    return false;
}

/* A link that leads to a file beside the page. */
struct links {
    struct check *check;
    enum kind kind;
    const char *path;
};

static void check_link(void *context, const char *link)
{
    const struct links *links = context;
    char *folder = text_copy(links->path), *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    char *target = path_join(folder, link);
    target[strcspn(target, "#")] = '\0';
    if (!file_exists(target) && !file_is_folder(target))
        problems_add(&links->check->problems[links->kind], content_name(links->check, links->path),
                     "", "", "its link to %s leads nowhere", link);
    free(target);
    free(folder);
}

static void check_text(struct check *check, enum kind kind, const char *path, const char *language,
                       const struct text *text)
{
    struct links links = {check, kind, path};
    struct error err;
    if (page_links(text_string(text), text->size, check_link, &links, &err))
        problems_add(&check->problems[kind], content_name(check, path), "", "", "%s", err.message);
    if (strcmp(language, "es") == 0)
        content_spanish(check, kind, content_name(check, path), "", text_string(text));
}

/* Two files that are the same page. */
static void check_pair(struct check *check, enum kind kind, const char *english,
                       const char *spanish)
{
    struct text en = {0}, es = {0};
    const bool both = read_page(&en, check, kind, english);
    if (read_page(&es, check, kind, spanish) && both) {
        const struct page_shape a = page_shape(text_string(&en), en.size);
        const struct page_shape b = page_shape(text_string(&es), es.size);
        if (a.headings != b.headings || a.blocks != b.blocks)
            problems_add(&check->problems[kind], content_name(check, spanish), "", "es",
                         "%d headings and %d blocks of code, the English page has %d and %d",
                         b.headings, b.blocks, a.headings, a.blocks);
        check_text(check, kind, english, "en", &en);
        check_text(check, kind, spanish, "es", &es);
    }
    text_done(&en);
    text_done(&es);
}

void content_page(struct check *check, const char *path)
{
    struct text text = {0};
    const bool spanish = strstr(path, "/es/") || text_ends_with(path, ".es.md");
    check->count[KIND_PAGE]++;
    if (read_page(&text, check, KIND_PAGE, path))
        check_text(check, KIND_PAGE, path, spanish ? "es" : "en", &text);
    text_done(&text);
}

/* ---- drills ---- */

void content_all_drills(struct check *check)
{
    static const char *const pages[] = {"task", "notes"};
    char *labs = path_join(check->root, "labs");
    struct drills drills = {0};
    struct error err;
    if (drills_load(&drills, labs, &err))
        problems_add(&check->problems[KIND_DRILL], "labs", "", "", "%s", err.message);
    for (int i = 0; i < drills.n_drills; i++) {
        const struct drill *drill = drills.drills[i];
        const char *file = content_name(check, drill->folder);
        check->count[KIND_DRILL]++;
        content_lab(check, KIND_DRILL, file, "", drill->lab);
        content_spanish(check, KIND_DRILL, file, "", drill->title.es);
        for (unsigned j = 0; j < drill->hints_count; j++)
            content_spanish(check, KIND_DRILL, file, "hints", drill->hints[j].es);
        for (unsigned j = 0; j < drill->mistakes_count; j++)
            content_spanish(check, KIND_DRILL, file, drill->mistakes[j].name,
                            drill->mistakes[j].es);
        for (unsigned j = 0; j < drill->ladder_count; j++)
            content_spanish(check, KIND_DRILL, file, "ladder", drill->ladder[j].es);
        for (int j = 0; j < 2; j++) {
            char *english = text_printf("%s/%s.en.md", drill->folder, pages[j]);
            char *spanish = text_printf("%s/%s.es.md", drill->folder, pages[j]);
            check_pair(check, KIND_DRILL, english, spanish);
            free(english);
            free(spanish);
        }
    }
    drills_done(&drills);
    free(labs);
}

/* ---- labs ---- */

void content_all_labs(struct check *check)
{
    if (!check->labs) return;
    for (unsigned i = 0; i < check->labs->labs_count; i++) {
        const struct lab *lab = &check->labs->labs[i];
        char *english = lab_page(check->root, lab, "en");
        char *spanish = lab_page(check->root, lab, "es");
        check->count[KIND_LAB]++;
        content_spanish(check, KIND_LAB, "labs/labs.yaml", lab->number, lab->title.es);
        for (unsigned j = 0; j < lab->prepares_count; j++)
            content_spanish(check, KIND_LAB, "labs/labs.yaml", lab->number,
                            lab->prepares[j].what.es);
        if (english && spanish) check_pair(check, KIND_LAB, english, spanish);
        else if (english || spanish)
            problems_add(&check->problems[KIND_LAB],
                         content_name(check, english ? english : spanish), "",
                         english ? "es" : "en", "the page is missing in this language");
        free(english);
        free(spanish);
    }
}

/* ---- the pages in content/en and content/es ---- */

static void check_pages_of(struct check *check, const char *language, const char *other)
{
    char *folder = text_printf("%s/content/%s", check->root, language);
    int n;
    char **paths = content_files(&n, folder, ".md");
    for (int i = 0; i < n; i++) {
        char *twin =
            text_printf("%s/content/%s/%s", check->root, other, strrchr(paths[i], '/') + 1);
        if (!file_exists(twin))
            problems_add(&check->problems[KIND_PAGE], content_name(check, paths[i]), "", other,
                         "the page is missing in this language");
        else if (strcmp(language, "en") == 0) check_pair(check, KIND_PAGE, paths[i], twin);
        check->count[KIND_PAGE]++;
        free(twin);
        free(paths[i]);
    }
    free(paths);
    free(folder);
}

void content_all_pages(struct check *check)
{
    check_pages_of(check, "en", "es");
    check_pages_of(check, "es", "en");
}
