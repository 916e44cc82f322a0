/* verb_data.c -- lcx data: the user's data is theirs: take it away, bring it, forget it. */
#include <stdlib.h>
#include <string.h>

#include "progress/archive.h"
#include "progress/attempt.h"
#include "progress/review.h"
#include "progress/sitting.h"
#include "rounds/round.h"
#include "store/query.h"
#include "table.h"
#include "verbs.h"

static int data_export(struct app *app, int argc, char **argv);
static int data_import(struct app *app, int argc, char **argv);
static int data_forget(struct app *app, int argc, char **argv);
static int data_info(struct app *app, int argc, char **argv);
static int data_prune(struct app *app, int argc, char **argv);

static const struct option_description forget_options[] = {
    {"drill", "NN", N_("only what concerns this drill")},
    {"yes", NULL, N_("do not ask")},
    {NULL, NULL, NULL},
};
static const struct usage usage_export = {
    .name = "data export",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary =
        N_("Write everything to one archive (.tar.gz): attempts with their source, settings"),
    .details = N_("FILE must not exist; it is made whole or not at all, readable by you alone."),
    .example = "lcx data export practice.tar.gz",
};
static const struct usage usage_import = {
    .name = "data import",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary = N_("Add what an archive holds and is not here yet"),
    .details = N_("What is here already stays as it is, settings too. All of it or nothing."),
    .example = "lcx data import practice.tar.gz",
};
static const struct usage usage_forget = {
    .name = "data forget",
    .arguments = "",
    .summary = N_("Delete attempts, answers, stories, memory and settings, so that they "
                  "cannot be brought back"),
    .details = N_("Files outside the data folder, and archives that you exported, are not "
                  "touched."),
    .example = "lcx data forget --drill 01\nlcx data forget --yes",
    .options = forget_options,
};
static const struct usage usage_info = {
    .name = "data info",
    .arguments = "",
    .summary = N_("Where your data is, how much there is, how large"),
    .example = "lcx data info --json",
};
static const struct usage usage_prune = {
    .name = "data prune",
    .arguments = "",
    .summary = N_("Give back space: free pages, copies made before an upgrade, drafts of ended "
                  "rounds"),
    .example = "lcx data prune",
};
static const struct verb verbs[] = {
    {&usage_info, data_info},   {&usage_export, data_export}, {&usage_import, data_import},
    {&usage_prune, data_prune}, {&usage_forget, data_forget}, {NULL, NULL},
};
const struct usage usage_data = {
    .name = "data",
    .arguments = "",
    .summary = N_("Your data: where it is, export, import, forget"),
    .example = "lcx data info\nlcx data export practice.tar.gz",
    .verbs = verbs,
};

static int say_counts(const struct app *app, const char *what, const char *path,
                      const struct archive_counts *counts, const char *sentence)
{
    if (app->json) {
        json_t *row =
            json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "action", what,
                      "sittings", counts->sittings, "attempts", counts->attempts, "reviews",
                      counts->reviews, "settings", counts->settings, "packets", counts->packets,
                      "rounds", counts->rounds, "steps", counts->steps, "answers", counts->answers,
                      "stories", counts->stories, "drafts", counts->drafts);
        if (path) json_object_set_new(row, "file", json_string(path));
        app_json(app, row);
        return EXIT_DONE;
    }
    printf("%s\n", sentence);
    printf(_("  sittings %d, attempts %d, reviews %d, settings %d\n"), counts->sittings,
           counts->attempts, counts->reviews, counts->settings);
    printf(_("  loops %d, rounds %d, answers %d, stories %d, drafts %d\n"), counts->packets,
           counts->rounds, counts->answers, counts->stories, counts->drafts);
    return EXIT_DONE;
}

static int data_export(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_export, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;

    struct archive_counts counts = {0};
    struct error err;
    const char *path = arguments.words[0];
    if (archive_export(app->progress, path, &counts, &err)) return app_fail(app, &err);
    char *clean = app_clean(path);
    char *sentence = text_printf(_("Written to %s:"), clean);
    free(clean);
    status = say_counts(app, "export", path, &counts, sentence);
    free(sentence);
    return status;
}

static int data_import(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_import, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;

    struct archive_counts counts = {0};
    struct error err;
    const char *path = arguments.words[0];
    if (archive_import(app->progress, path, &counts, &err)) return app_fail(app, &err);
    char *clean = app_clean(path);
    char *sentence = text_printf(_("Added from %s:"), clean);
    free(clean);
    status = say_counts(app, "import", path, &counts, sentence);
    free(sentence);
    return status;
}

static int data_forget(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_forget, argc, argv, &status)) return status;

    struct error err;
    const char *word = arguments_value(&arguments, "drill"), *number = NULL;
    if (word) {
        const struct drill *drill;
        status = app_open_drills(app);
        if (status) return status;
        if (drills_find(&drill, &app->drills, word, &err)) return app_fail(app, &err);
        number = drill->number;
    }
    if (!arguments_value(&arguments, "yes")) {
        char *question =
            number
                ? text_printf(_("Forget every attempt at drill %s, for good? [y/N]"), number)
                : text_copy(_("Forget every attempt, answer, story, memory and setting, for good? "
                              "[y/N]"));
        const bool yes = app_confirm(app, question);
        free(question);
        if (!yes) {
            app_note(app, _("Nothing was deleted. (lcx data forget --yes does not ask.)"));
            return EXIT_NO;
        }
    }
    status = app_open_progress(app);
    if (status) return status;

    struct archive_counts counts = {0};
    if (archive_forget(app->progress, number, &counts, &err)) return app_fail(app, &err);
    return say_counts(app, "forget", NULL, &counts, _("Forgotten:"));
}

/* How much there is now. */
static enum status count(struct archive_counts *counts, struct app *app, struct error *err)
{
    *counts = (struct archive_counts){0};
    struct sitting *sittings;
    struct attempt *attempts;
    struct review *reviews;
    enum status status = sitting_list(&sittings, &counts->sittings, app->progress, NULL, 0, err);
    if (status) return status;
    sitting_list_done(sittings, counts->sittings);
    status = attempt_list(&attempts, &counts->attempts, app->progress, NULL, NULL, 0, err);
    if (status) return status;
    attempt_list_done(attempts, counts->attempts);
    status = review_list(&reviews, &counts->reviews, app->progress, NULL, err);
    if (status) return status;
    free(reviews);
    struct query query;
    query_open(&query, app->progress->database,
               "SELECT (SELECT count(*) FROM packet), (SELECT count(*) FROM round),"
               " (SELECT count(*) FROM answer)");
    if (query_row(&query)) {
        counts->packets = (int)query_int(&query, 0);
        counts->rounds = (int)query_int(&query, 1);
        counts->answers = (int)query_int(&query, 2);
    }
    return query_done(&query, err);
}

static int data_info(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_info, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;

    struct error err;
    struct database_facts facts;
    struct archive_counts counts;
    if (database_facts(app->progress->database, &facts, &err)) return app_fail(app, &err);
    if (count(&counts, app, &err)) return app_fail(app, &err);
    struct archive_file_facts files;
    archive_file_facts(&files, app->progress);
    if (app->json) {
        app_json(
            app,
            json_pack("{s:s, s:i, s:I, s:I, s:i, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}",
                      "folder", app->progress->folder, "schema", facts.schema, "size_bytes",
                      (json_int_t)facts.size_bytes, "free_bytes", (json_int_t)facts.free_bytes,
                      "copies", facts.n_copies, "copies_bytes", (json_int_t)facts.copies_bytes,
                      "sittings", counts.sittings, "attempts", counts.attempts, "reviews",
                      counts.reviews, "packets", counts.packets, "rounds", counts.rounds, "answers",
                      counts.answers, "stories", files.stories, "drafts", files.drafts,
                      "files_bytes", (json_int_t)files.size_bytes));
        return EXIT_DONE;
    }
    struct table table;
    table_init(&table, 2);
    table_add(&table, STYLE_NONE, _("folder"));
    char *folder = app_clean(app->progress->folder);
    table_add(&table, STYLE_STRONG, folder);
    free(folder);
    table_add(&table, STYLE_NONE, _("size"));
    table_format(&table, STYLE_NONE, _("%.1f MiB, of which %.1f MiB can be given back"),
                 (double)facts.size_bytes / 1048576, (double)facts.free_bytes / 1048576);
    table_add(&table, STYLE_NONE, _("holds"));
    table_format(&table, STYLE_NONE, _("sittings %d, attempts %d, reviews %d"), counts.sittings,
                 counts.attempts, counts.reviews);
    table_add(&table, STYLE_NONE, "");
    table_format(&table, STYLE_NONE, _("loops %d, rounds %d, answers %d"), counts.packets,
                 counts.rounds, counts.answers);
    table_add(&table, STYLE_NONE, _("files"));
    table_format(&table, STYLE_NONE, _("stories %d, drafts %d, %.1f KiB"), files.stories,
                 files.drafts, (double)files.size_bytes / 1024);
    table_add(&table, STYLE_NONE, _("format"));
    table_format(&table, STYLE_NONE, _("schema %d; lcx %s knows %d"), facts.schema, LCX_VERSION,
                 progress_schema());
    if (facts.n_copies) {
        table_add(&table, STYLE_NONE, _("copies"));
        table_format(&table, STYLE_NONE, _("%d from before an upgrade, %.1f MiB"), facts.n_copies,
                     (double)facts.copies_bytes / 1048576);
    }
    struct text out = {0};
    table_print(&out, app, &table, 0);
    app_print(app, text_string(&out));
    text_done(&out);
    table_done(&table);
    return EXIT_DONE;
}

static int data_prune(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_prune, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;

    struct error err;
    struct database *database = app->progress->database;
    struct database_facts before, after;
    int n_drafts;
    if (drafts_sweep(&n_drafts, app->progress, clock_wall_ms(app->clock) + 1, &err) ||
        database_facts(database, &before, &err) || database_remove_copies(database, &err) ||
        database_compact(database, &err) || database_facts(database, &after, &err))
        return app_fail(app, &err);
    const int64_t freed =
        before.size_bytes + before.copies_bytes - after.size_bytes - after.copies_bytes;
    if (app->json)
        app_json(app, json_pack("{s:s, s:I, s:I, s:i}", "action", "prune", "freed_bytes",
                                (json_int_t)(freed > 0 ? freed : 0), "size_bytes",
                                (json_int_t)after.size_bytes, "drafts", n_drafts));
    else
        printf(_("%.1f MiB given back; %.1f MiB are left\n"),
               freed > 0 ? (double)freed / 1048576 : 0.0, (double)after.size_bytes / 1048576);
    return EXIT_DONE;
}

int verb_data(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_data, argc, argv);
}
