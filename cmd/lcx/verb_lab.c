/* verb_lab.c -- lcx lab: the curriculum's table, one lab's page, and the landscape of the loop. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "table.h"
#include "verbs.h"

const struct usage usage_lab = {
    .name = "lab",
    .arguments = "[NN]",
    .least = 0,
    .most = 1,
    .summary = N_("The labs and the interview rounds that each prepares; or one lab's page"),
    .details = N_("NN is a lab's number or name. `lcx lab landscape` is about the interview loop "
                  "itself: its rounds, how long they take, what is graded."),
    .example = "lcx lab\nlcx lab 15\nlcx lab landscape --lang es",
};

/* ---- facts ---- */

static json_t *lab_row(const struct app *app, const struct lab *lab)
{
    json_t *prepares = json_array(), *drills = json_array();
    for (unsigned i = 0; i < lab->prepares_count; i++)
        json_array_append_new(prepares,
                              json_pack("{s:s, s:s}", "round", round_name(lab->prepares[i].round),
                                        "what", words_in(&lab->prepares[i].what, app->language)));
    for (unsigned i = 0; i < lab->drills_count; i++)
        json_array_append_new(drills, json_string(lab->drills[i]));
    char *page = lab_page(app->content, lab, app->language);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "lab", lab->number, "name", lab->name,
                            "title", words_in(&lab->title, app->language), "prepares", prepares,
                            "drills", drills, "page", page ? json_string(page) : json_null());
    free(page);
    return row;
}

/* ---- for people ---- */

static char *prepared_rounds(const struct app *app, const struct lab *lab)
{
    struct text rounds = {0};
    for (unsigned i = 0; i < lab->prepares_count; i++)
        text_format(&rounds, "%s%s: %s", i ? "; " : "", round_name(lab->prepares[i].round),
                    words_in(&lab->prepares[i].what, app->language));
    return text_take(&rounds);
}

static void list_labs(const struct app *app)
{
    struct text out = {0};
    struct table table;
    table_init(&table, 4);
    bool pages = false;
    for (unsigned i = 0; i < app->labs->labs_count; i++) {
        const struct lab *lab = &app->labs->labs[i];
        char *page = lab_page(app->content, lab, app->language),
             *rounds = prepared_rounds(app, lab);
        table_add(&table, STYLE_STRONG, lab->number);
        table_add(&table, STYLE_NONE, page ? "*" : "");
        table_add(&table, STYLE_NONE, words_in(&lab->title, app->language));
        table_add(&table, STYLE_DIM, rounds);
        pages = pages || page;
        free(page);
        free(rounds);
    }
    table_print(&out, app, &table, 0);
    table_done(&table);
    text_add(&out, "\n");
    if (pages) app_paragraph(app, &out, 0, _("* has a page here: lcx lab NN"));
    app_paragraph(app, &out, 0, _("The interview loop itself: lcx lab landscape"));
    app_page(app, text_string(&out));
    text_done(&out);
}

/* A lab without a page still says what it prepares. */
static void show_row(const struct app *app, struct text *out, const struct lab *lab)
{
    char *title = text_printf("%s · %s", lab->number, words_in(&lab->title, app->language));
    app_heading(app, out, title);
    free(title);
    struct table table;
    table_init(&table, 2);
    for (unsigned i = 0; i < lab->prepares_count; i++) {
        table_add(&table, STYLE_STRONG, round_name(lab->prepares[i].round));
        table_add(&table, STYLE_NONE, words_in(&lab->prepares[i].what, app->language));
    }
    table_print(out, app, &table, 0);
    table_done(&table);
    text_add(out, "\n");
    app_paragraph(app, out, 0, _("This lab has no page yet."));
}

static int show_page(const struct app *app, const char *path)
{
    struct text out = {0};
    struct error err;
    const enum status status = app_markdown(app, &out, path, &err);
    if (!status) app_page(app, text_string(&out));
    text_done(&out);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

static int show_lab(const struct app *app, const struct lab *lab)
{
    if (app->json) {
        app_json(app, lab_row(app, lab));
        return EXIT_DONE;
    }
    char *page = lab_page(app->content, lab, app->language);
    if (page) {
        const int status = show_page(app, page);
        free(page);
        return status;
    }
    struct text out = {0};
    show_row(app, &out, lab);
    app_print(app, text_string(&out));
    text_done(&out);
    return EXIT_DONE;
}

static int show_landscape(const struct app *app)
{
    char *path = text_printf("%s/content/%s/landscape.md", app->content, app->language);
    int status;
    if (app->json) {
        app_json(app, json_pack("{s:s, s:s}", "page", path, "name", "landscape"));
        status = EXIT_DONE;
    } else {
        status = show_page(app, path);
    }
    free(path);
    return status;
}

int verb_lab(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_lab, argc, argv, &status)) return status;
    if (arguments.n && strcmp(arguments.words[0], "landscape") == 0) return show_landscape(app);
    status = app_open_labs(app);
    if (status) return status;

    if (arguments.n) {
        const struct lab *lab = labs_find(app->labs, arguments.words[0]);
        if (!lab)
            return app_misuse(app, _("lab %s: there is no such lab; lcx lab lists them"),
                              arguments.words[0]);
        return show_lab(app, lab);
    }
    if (!app->json) {
        list_labs(app);
        return EXIT_DONE;
    }
    for (unsigned i = 0; i < app->labs->labs_count; i++)
        app_json(app, lab_row(app, &app->labs->labs[i]));
    return EXIT_DONE;
}
