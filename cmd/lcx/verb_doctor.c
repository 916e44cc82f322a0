/* verb_doctor.c -- lcx doctor: what works on this machine, and the command that mends what does not. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "grader/grade.h"
#include "progress/archive.h"
#include "progress/review.h"
#include "sandbox/sandbox.h"
#include "table.h"
#include "verbs.h"

const struct usage usage_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = N_("What works on this machine, and how to mend what does not"),
    .details =
        N_("Looks at the sandbox, the three lanes, your data and the lessons; changes nothing. "
           "Exit status 1 when something that is needed is missing."),
    .example = "lcx doctor\nlcx doctor --json",
};

/* One thing looked at. */
struct finding_row {
    const char *kind, *id; /* "lane", "numpy": stable, for --json */
    const char *name;      /* for people */
    bool ok, needed;
    const char *detail, *mend;
};

struct doctor {
    struct app *app;
    struct table table;
    int n_missing; /* needed and not there */
};

static void report(struct doctor *doctor, const struct finding_row *row)
{
    if (!row->ok && row->needed) doctor->n_missing++;
    if (doctor->app->json) {
        json_t *object =
            json_pack("{s:s, s:s, s:b, s:b, s:s}", "kind", row->kind, "name", row->id, "ok",
                      row->ok, "needed", row->needed, "detail", row->detail ? row->detail : "");
        if (!row->ok && row->mend && *row->mend)
            json_object_set_new(object, "mend", json_string(row->mend));
        app_json(doctor->app, object);
        return;
    }
    table_add(&doctor->table,
              row->ok       ? STYLE_GOOD
              : row->needed ? STYLE_BAD
                            : STYLE_WARN,
              row->ok       ? _("yes")
              : row->needed ? _("NO")
                            : _("no"));
    table_add(&doctor->table, STYLE_STRONG, row->name);
    struct text words = {0};
    text_add(&words, row->detail ? row->detail : "");
    if (!row->ok && row->mend && *row->mend)
        text_format(&words, "%s%s %s", words.size ? "\n" : "", _("mend:"), row->mend);
    table_add(&doctor->table, STYLE_NONE, text_string(&words));
    text_done(&words);
}

static void section(struct doctor *doctor, struct text *out, const char *heading)
{
    if (doctor->app->json) return;
    app_heading(doctor->app, out, heading);
    table_init(&doctor->table, 3);
}

static void section_end(struct doctor *doctor, struct text *out)
{
    if (doctor->app->json) return;
    table_print(out, doctor->app, &doctor->table, 2);
    table_done(&doctor->table);
}

/* ---- what to type on this distribution ---- */

static bool is_like(const char *release, const char *family)
{
    for (const char *line = release; line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (text_starts_with(line, "ID=") || text_starts_with(line, "ID_LIKE=")) {
            const size_t size = strcspn(line, "\n");
            char *copy = text_printf("%.*s", (int)size, line);
            const bool found = strstr(copy, family) != NULL;
            free(copy);
            if (found) return true;
        }
    return false;
}

/* "sudo apt-get install python3-numpy"; the caller frees it. */
static char *install_command(const char *debian, const char *fedora)
{
    struct text release = {0};
    struct error err;
    if (file_read(&release, "/etc/os-release", 1 << 16, &err)) text_clear(&release);
    const char *sudo = geteuid() == 0 ? "" : "sudo ";
    const char *words = text_string(&release);
    char *command;
    if (is_like(words, "debian") || is_like(words, "ubuntu"))
        command = text_printf("%sapt-get install %s", sudo, debian);
    else if (is_like(words, "fedora") || is_like(words, "rhel"))
        command = text_printf("%sdnf install %s", sudo, fedora);
    else command = text_printf(_("install with your package manager: %s"), debian);
    text_done(&release);
    return command;
}

/* ---- the sections ---- */

static void look_at_sandbox(struct doctor *doctor, struct text *out)
{
    static const char *const ids[SANDBOX_LAYERS] = {"helper", "limits", "namespaces", "landlock",
                                                    "cgroup"};
    enum { HELPER, LIMITS, NAMESPACES, LANDLOCK };
    struct sandbox_layer layers[SANDBOX_LAYERS];
    sandbox_init(doctor->app->helpers);
    const int n = sandbox_probe(layers, SANDBOX_LAYERS);

    section(doctor, out, _("Sandbox: what runs your code"));
    for (int i = 0; i < n; i++) {
        char *command = NULL;
        const bool wall = i == NAMESPACES || i == LANDLOCK;
        if (i == NAMESPACES && !layers[i].present && access("/usr/bin/bwrap", X_OK) != 0)
            command = install_command("bubblewrap", "bubblewrap");
        /* one of the two walls is enough */
        const bool needed =
            i <= LIMITS || (wall && !layers[NAMESPACES].present && !layers[LANDLOCK].present);
        report(doctor, &(struct finding_row){.kind = "sandbox",
                                             .id = ids[i],
                                             .name = layers[i].name,
                                             .ok = layers[i].present,
                                             .needed = needed,
                                             .detail = layers[i].detail,
                                             .mend = command ? command : layers[i].mend});
        free(command);
    }
    section_end(doctor, out);
}

/* Grade the reference of the first drill of the lane: what doctor calls good has been tried.
 * False with why in `tools`. */
static bool try_lane(struct lane_tools *tools, struct doctor *doctor, const struct drills *drills,
                     enum lane lane)
{
    struct app *app = doctor->app;
    struct grader grader = {
        .helpers = app->helpers, .python = app_python(app), .unsafe = app->unsafe};
    struct text source = {0};
    struct error err = {0};
    bool works = true;
    for (int i = 0; i < drills->n_drills; i++) {
        if (drill_read(&source, drills->drills[i], "reference", lane, &err)) continue;
        const struct grade_request request = {.drill = drills->drills[i],
                                              .lane = lane,
                                              .mode = "blank",
                                              .source = text_string(&source),
                                              .seed = SEED_VISIBLE};
        struct result result;
        grade(&result, &grader, &request);
        works = result.verdict == VERDICT_PASS;
        if (!works) {
            char *summary = result_summary(&result, app->language);
            snprintf(tools->detail, sizeof tools->detail, _("cannot be graded: %s"),
                     result.trouble.message[0] ? result.trouble.message : summary);
            tools->mend[0] = '\0';
            free(summary);
        }
        result_done(&result);
        break;
    }
    text_done(&source);
    grader_done(&grader);
    return works;
}

static void look_at_lanes(struct doctor *doctor, struct text *out)
{
    static const char *const debian[LANE_COUNT] = {"gcc libc6-dev", "python3-numpy",
                                                   "python3-torch"};
    static const char *const fedora[LANE_COUNT] = {"gcc glibc-devel", "python3-numpy",
                                                   "python3-torch"};
    const struct app *app = doctor->app;
    const char *python = app_python(app);

    section(doctor, out, _("Lanes: what a drill can be written in"));
    bool any = false;
    struct lane_tools tools[LANE_COUNT];
    bool works[LANE_COUNT];
    struct drills drills = {0};
    struct error err = {0};
    char *folder = path_join(app->content, "labs");
    const bool loaded = drills_load(&drills, folder, &err) == STATUS_OK; /* else told below */
    free(folder);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        lane_tools(&tools[lane], (enum lane)lane, python, NULL);
        works[lane] = tools[lane].present;
        if (works[lane] && loaded)
            works[lane] = try_lane(&tools[lane], doctor, &drills, (enum lane)lane);
        any = any || works[lane];
    }
    if (loaded) drills_done(&drills);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        char *command = install_command(debian[lane], fedora[lane]);
        report(doctor, &(struct finding_row){.kind = "lane",
                                             .id = lane_name((enum lane)lane),
                                             .name = lane_title((enum lane)lane),
                                             .ok = works[lane],
                                             .needed = !any || lane != LANE_TORCH,
                                             .detail = tools[lane].detail,
                                             .mend = tools[lane].present ? NULL : command});
        free(command);
    }
    section_end(doctor, out);
}

/* Sound, by reading all of it; how large; what could be given back. */
static void look_at_database(struct doctor *doctor, struct progress *progress)
{
    struct error err = {0};
    enum status status = database_verify(progress->database, &err);
    if (!status) status = review_verify(progress, &err);
    report(
        doctor,
        &(struct finding_row){
            .kind = "data",
            .id = "integrity",
            .name = _("database"),
            .ok = !status,
            .needed = true,
            .detail = status ? err.message : _("read whole, and sound"),
            .mend = _("keep a copy of the folder; lcx data export FILE saves what is readable")});

    struct database_facts facts;
    if (database_facts(progress->database, &facts, &err)) return;
    const double mib = 1048576;
    const int64_t prunable = facts.free_bytes + facts.copies_bytes;
    char *detail =
        prunable >= (1 << 20)
            ? text_printf(_("%.1f MiB, of which %.1f MiB can go: lcx data prune"),
                          (double)(facts.size_bytes + facts.copies_bytes) / mib,
                          (double)prunable / mib)
            : text_printf(_("%.1f MiB, nothing to prune"), (double)facts.size_bytes / mib);
    report(doctor,
           &(struct finding_row){
               .kind = "data", .id = "size", .name = _("size"), .ok = true, .detail = detail});
    free(detail);

    struct archive_file_facts files;
    archive_file_facts(&files, progress);
    detail = text_printf(_("stories %d, drafts %d, %.1f KiB"), files.stories, files.drafts,
                         (double)files.size_bytes / 1024);
    report(doctor,
           &(struct finding_row){
               .kind = "data", .id = "files", .name = _("files"), .ok = true, .detail = detail});
    free(detail);
}

static void look_at_data(struct doctor *doctor, struct text *out)
{
    struct app *app = doctor->app;
    section(doctor, out, _("Your data"));
    report(
        doctor,
        &(struct finding_row){
            .kind = "data", .id = "folder", .name = _("folder"), .ok = true, .detail = app->data});
    struct error err;
    struct progress *progress = app->progress;
    if (!app_has_progress(app)) {
        report(doctor, &(struct finding_row){.kind = "data",
                                             .id = "integrity",
                                             .name = _("database"),
                                             .ok = true,
                                             .detail = _("none yet: it is made at first use")});
    } else if (!progress && progress_open(&progress, NULL, app->clock, &err)) {
        report(doctor, &(struct finding_row){.kind = "data",
                                             .id = "integrity",
                                             .name = _("database"),
                                             .needed = true,
                                             .detail = err.message});
    } else {
        look_at_database(doctor, progress);
        if (progress != app->progress) progress_close(progress);
    }
    section_end(doctor, out);
}

static void look_at_content(struct doctor *doctor, struct text *out)
{
    struct app *app = doctor->app;
    struct error err;
    section(doctor, out, _("Lessons"));

    struct labs *labs;
    const enum status no_labs = labs_load(&labs, app->content, &err);
    char *detail = no_labs ? text_copy(err.message)
                           : text_printf(_("%u, from %s"), labs->labs_count, app->content);
    report(doctor,
           &(struct finding_row){.kind = "content",
                                 .id = "labs",
                                 .name = _("labs"),
                                 .ok = !no_labs,
                                 .needed = true,
                                 .detail = detail,
                                 .mend = _("install lynx-cortex again, or set LCX_CONTENT")});
    free(detail);
    labs_free(labs);

    struct drills drills = {0};
    char *folder = path_join(app->content, "labs");
    const enum status no_drills = drills_load(&drills, folder, &err);
    detail = no_drills ? text_copy(err.message) : text_printf("%d", drills.n_drills);
    report(doctor,
           &(struct finding_row){.kind = "content",
                                 .id = "drills",
                                 .name = _("drills"),
                                 .ok = !no_drills && drills.n_drills > 0,
                                 .needed = true,
                                 .detail = detail,
                                 .mend = _("install lynx-cortex again, or set LCX_CONTENT")});
    free(detail);
    if (!no_drills) drills_done(&drills);
    free(folder);
    section_end(doctor, out);
}

int verb_doctor(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_doctor, argc, argv, &status)) return status;

    struct doctor doctor = {.app = app};
    struct text out = {0};
    look_at_sandbox(&doctor, &out);
    look_at_lanes(&doctor, &out);
    look_at_data(&doctor, &out);
    look_at_content(&doctor, &out);
    if (!app->json) {
        text_add(&out, "\n");
        if (doctor.n_missing) {
            char *line = text_printf(ngettext("%d thing that is needed is missing.",
                                              "%d things that are needed are missing.",
                                              (unsigned long)doctor.n_missing),
                                     doctor.n_missing);
            app_paragraph(app, &out, 0, line);
            free(line);
        } else {
            app_paragraph(app, &out, 0, _("All that is needed is here."));
        }
        app_print(app, text_string(&out));
    }
    text_done(&out);
    return doctor.n_missing ? EXIT_NO : EXIT_DONE;
}
