/* drill_list.c -- lcx drill list: the drills, and how they stand with the user. */
#include <string.h>
#include <unistd.h>

#include "drill.h"
#include "progress/day.h"
#include "progress/review.h"
#include "table.h"

static const struct option_description options[] = {
    {"lab", "NN", N_("only the drills of this lab")},
    {"due", NULL, N_("only those due for review today")},
    {NULL, NULL, NULL},
};

const struct usage usage_drill_list = {
    .name = "drill list",
    .arguments = "",
    .summary = N_("The drills: minutes, lab, lanes, best result, next due"),
    .example = "lcx drill list\nlcx drill list --due --json",
    .options = options,
};

struct standing {
    struct attempt_summary summary;
    struct review_memory memory;
};

/* The lanes whose tools are on this machine. */
struct lanes {
    bool present[LANE_COUNT];
    char names[64]; /* "C, NumPy" */
};

static struct lanes find_lanes(struct app *app)
{
    struct lanes lanes = {0};
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct lane_tools tools;
        lane_tools(&tools, (enum lane)lane, app_python(app), app_cache(app));
        lanes.present[lane] = tools.present;
        if (!tools.present) continue;
        if (*lanes.names) strcat(lanes.names, ", ");
        strcat(lanes.names, lane_title((enum lane)lane));
    }
    return lanes;
}

static int read_standing(struct standing *standing, struct app *app, const struct drill *drill)
{
    struct error err;
    char item[ITEM_SIZE];
    *standing = (struct standing){.summary.best_elapsed_ms = -1};
    if (!app->progress) return EXIT_DONE; /* nothing was ever sat */
    snprintf(item, sizeof item, "drill/%s", drill->number);
    if (attempt_summarize(&standing->summary, app->progress, drill->number, &err) ||
        review_memory(&standing->memory, app->progress, item, app->settings.retention, &err))
        return app_fail(app, &err);
    return EXIT_DONE;
}

static void add_json(const struct app *app, const struct drill *drill, const struct lanes *present,
                     const struct standing *standing, bool is_due)
{
    char due[16];
    json_t *row = json_object(), *lanes = json_array();
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (present->present[lane])
            json_array_append_new(lanes, json_string(lane_name((enum lane)lane)));
    const char *best = attempt_verdict_name(standing->summary.best);
    json_object_set_new(row, "drill", json_string(drill->number));
    json_object_set_new(row, "name", json_string(drill->name));
    json_object_set_new(row, "title", json_string(words_in(&drill->title, app->language)));
    json_object_set_new(row, "minutes", json_integer(drill->minutes));
    json_object_set_new(row, "lab", json_string(drill->lab));
    json_object_set_new(row, "lanes", lanes);
    json_object_set_new(row, "submissions", json_integer(standing->summary.submissions));
    json_object_set_new(row, "best", best ? json_string(best) : json_null());
    json_object_set_new(row, "best_ms",
                        standing->summary.best_elapsed_ms >= 0
                            ? json_integer(standing->summary.best_elapsed_ms)
                            : json_null());
    json_object_set_new(row, "due",
                        standing->memory.reviews
                            ? json_string(day_text(due, standing->memory.due_day))
                            : json_null());
    json_object_set_new(row, "is_due", json_boolean(is_due));
    app_json(app, row);
}

static void add_row(const struct app *app, struct table *table, const struct drill *drill,
                    const struct standing *standing, bool is_due)
{
    char clock[24], due[16];
    table_add(table, STYLE_STRONG, drill->number);
    table_add(table, STYLE_NONE, words_in(&drill->title, app->language));
    table_format(table, STYLE_NONE, _("%d min"), drill->minutes);
    table_format(table, STYLE_NONE, _("lab %s"), drill->lab);
    if (standing->summary.best_elapsed_ms >= 0)
        table_format(table, STYLE_GOOD, _("passed in %s"),
                     app_clock(clock, standing->summary.best_elapsed_ms));
    else if (standing->summary.submissions) table_add(table, STYLE_WARN, _("not passed yet"));
    else table_add(table, STYLE_DIM, _("new"));
    if (standing->memory.reviews)
        table_format(table, is_due ? STYLE_WARN : STYLE_NONE,
                     is_due ? _("due since %s") : _("due %s"),
                     day_text(due, standing->memory.due_day));
    else table_add(table, STYLE_NONE, "");
}

/* The lab's number for a number or a name. 0, or the exit status after naming those there are. */
static int find_lab(struct app *app, const char **lab)
{
    int status = app_open_labs(app);
    if (status) return status;
    const struct lab *found = labs_find(app->labs, *lab);
    if (found) {
        *lab = found->number;
        return EXIT_DONE;
    }
    struct text known = {0};
    for (unsigned i = 0; i < app->labs->labs_count; i++)
        text_format(&known, "%s%s", i ? ", " : "", app->labs->labs[i].number);
    status = app_misuse(app, _("lab %s: there is no such lab; there are: %s"), *lab,
                        text_string(&known));
    text_done(&known);
    return status;
}

int drill_list(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_list, argc, argv, &status)) return status;
    status = app_open_drills(app);
    if (!status && app_has_progress(app)) status = app_open_progress(app);
    if (status) return status;
    if (app->progress) work_settle(app, NULL);

    const char *lab = arguments_value(&arguments, "lab");
    if (lab) status = find_lab(app, &lab);
    if (status) return status;
    const bool due_only = arguments_value(&arguments, "due") != NULL;
    const int64_t today = day_of(clock_wall_ms(app->clock));
    const struct lanes lanes = find_lanes(app);
    struct table table;
    int shown = 0;
    table_init(&table, 6);
    for (int i = 0; i < app->drills.n_drills && !status; i++) {
        const struct drill *drill = app->drills.drills[i];
        struct standing standing;
        if (lab && strcmp(lab, drill->lab) != 0) continue;
        status = read_standing(&standing, app, drill);
        const bool is_due = standing.memory.reviews && standing.memory.due_day <= today;
        if (status || (due_only && !is_due)) continue;
        shown++;
        if (app->json) add_json(app, drill, &lanes, &standing, is_due);
        else add_row(app, &table, drill, &standing, is_due);
    }
    if (!status && !app->json) {
        struct text out = {0};
        table_print(&out, app, &table, 0);
        if (!shown)
            app_paragraph(app, &out, 0,
                          due_only ? _("Nothing is due.") : _("No drill belongs to that lab."));
        else {
            text_add(&out, "\n");
            text_format(&out, _("Lanes available here: %s"), lanes.names);
            text_add(&out, lanes.present[0] && lanes.present[1] && lanes.present[2]
                               ? "\n"
                               : _(" (lcx doctor says what is missing)\n"));
            app_paragraph(app, &out, 0, _("Begin: lcx drill start NN --lang c|numpy|torch"));
        }
        app_print(app, text_string(&out));
        text_done(&out);
    }
    table_done(&table);
    return status;
}
