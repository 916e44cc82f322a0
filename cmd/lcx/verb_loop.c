/* verb_loop.c -- lcx loop: the whole interview, two days, one packet. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/markdown.h"
#include "base/rng.h"
#include "rounds/packet.h"
#include "rounds/report.h"
#include "sit.h"
#include "verbs.h"

/* ---- start ---- */

static const struct option_description start_options[] = {
    {"track", "engineer|scientist", N_("scientists present a project instead of coding")},
    {"days", "1|2", N_("over how many days (2)")},
    {"phone-lane", "numpy|torch|c", N_("the lane of the phone round's drill (numpy)")},
    {"coding-lane", "numpy|torch|c", N_("the lane of the coding round's drills (torch)")},
    {"exam", NULL, N_("no pause, no feedback before each round's debrief")},
    {"time-factor", "X",
     N_("multiply every clock, 0.02 to 3; below 1 it is a rehearsal and never counts")},
    {"seed", "S", N_("draw the same content again")},
    {NULL, NULL, NULL},
};

static const struct usage usage_start = {
    .name = "loop start",
    .arguments = "",
    .summary = N_("Plan a whole loop; lcx loop next sits its rounds one after the other"),
    .example = "lcx loop start --track engineer --days 2 --phone-lane numpy\nlcx loop start --exam",
    .options = start_options,
};

static void show_plan(const struct app *app, const struct packet *packet,
                      const struct round *rounds, int n)
{
    struct text out = {0};
    for (int i = 0; i < n; i++) {
        const struct round_kind *kind = round_kind(rounds[i].name);
        if (!kind) continue; /* of another program */
        const bool new_day = i == 0 || packet_day(packet, i) != packet_day(packet, i - 1);
        if (app->json) {
            app_json(app, json_pack("{s:s, s:i, s:s, s:i, s:s}", "packet", packet->id, "day",
                                    packet_day(packet, i), "round", rounds[i].name, "minutes",
                                    kind->minutes, "state", round_state_name(rounds[i].state)));
            continue;
        }
        if (new_day) text_format(&out, _("Day %d\n"), packet_day(packet, i));
        text_format(&out, "  %-3s ", kind->number);
        terminal_pad(&out, _(kind->title), 28);
        text_format(&out, " %3.0f min   %s\n", kind->minutes * packet->time_factor,
                    _(round_state_name(rounds[i].state)));
    }
    app_print(app, text_string(&out));
    text_done(&out);
}

static int show_packet(struct app *app, const struct packet *packet)
{
    struct round *rounds;
    struct error err;
    int n;
    if (round_list(&rounds, &n, app->progress, packet->id, 0, &err)) return app_fail(app, &err);
    show_plan(app, packet, rounds, n);
    free(rounds);
    return EXIT_DONE;
}

static int loop_start(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct packet packet;
    struct error err;
    double factor, seed;
    int status;
    if (!arguments_read(&arguments, app, &usage_start, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;
    const char *track = arguments_value(&arguments, "track"),
               *days = arguments_value(&arguments, "days"),
               *lane = arguments_value(&arguments, "phone-lane"),
               *coding = arguments_value(&arguments, "coding-lane");
    if (!arguments_number(&arguments, app, "time-factor", 0.02, 3.0, app->settings.time_factor,
                          &factor) ||
        !arguments_number(&arguments, app, "seed", 0, 9007199254740991.0, -1.0, &seed))
        return EXIT_MISUSE;
    const struct packet_start start = {
        .track = track ? track : "engineer",
        .phone_lane = lane ? lane : "numpy",
        .coding_lane = coding ? coding : "torch",
        .language = app->language,
        .days = days && *days == '1' ? 1 : 2,
        .exam = arguments_value(&arguments, "exam") != NULL,
        .time_factor = factor,
        .seed = seed >= 0 ? (int64_t)seed : (int64_t)(random_seed() >> 12),
    };
    if (packet_begin(&packet, app->progress, &start, &err)) return app_fail(app, &err);
    status = show_packet(app, &packet);
    if (!status && !app->json) {
        struct text out = {0};
        text_add(&out, _("\nSit the next round: "));
        app_command(app, &out, "lcx loop next");
        app_print(app, text_string(&out));
        text_done(&out);
    }
    return status;
}

/* ---- next, status, leave ---- */

static const struct usage usage_next = {
    .name = "loop next",
    .arguments = "",
    .summary = N_("Go on with the round that is running, or begin the loop's next one"),
    .example = "lcx loop next",
};

/* The running round, or the packet's first planned one. *found is false when there is neither. */
static enum status next_round(struct round *round, bool *found, struct app *app,
                              const struct packet *packet, struct error *err)
{
    enum status status = round_running(round, found, app->progress, err);
    if (status || *found || !packet) return status;
    struct round *rounds;
    int n;
    status = round_list(&rounds, &n, app->progress, packet->id, 0, err);
    for (int i = 0; !status && i < n && !*found; i++)
        if (rounds[i].state == ROUND_PLANNED) {
            *round = rounds[i];
            *found = true;
        }
    free(rounds);
    return status;
}

/* Say which round comes next, or end the packet when nothing of it is left to sit. */
static int close_packet(struct app *app, struct packet *packet)
{
    struct round round;
    struct error err;
    bool found;
    if (next_round(&round, &found, app, packet, &err)) return app_fail(app, &err);
    if (found) {
        const struct round_kind *kind = round_kind(round.name);
        printf(_("\nNext in this loop: %s, lcx loop next\n"), kind ? _(kind->title) : round.name);
        return EXIT_DONE;
    }
    if (packet_end(packet, app->progress, PACKET_DONE, &err)) return app_fail(app, &err);
    app_print(app, _("\nThe loop is complete. Read what a committee would: lcx loop report\n"));
    return EXIT_DONE;
}

static int loop_next(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    struct packet packet;
    struct round round;
    struct error err;
    bool in_packet, found;
    int status;
    if (!arguments_read(&arguments, app, &usage_next, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (!status) status = sit_library(app, &library);
    if (status) return status;

    enum status failed = packet_running(&packet, &in_packet, app->progress, &err);
    if (!failed) failed = next_round(&round, &found, app, in_packet ? &packet : NULL, &err);
    if (failed) {
        status = app_fail(app, &err);
    } else if (found && strcmp(round.name, "review") == 0) {
        library_done(&library);
        return verb_review(app, 0, argv);
    } else if (!found && in_packet) {
        status = close_packet(app, &packet); /* its last round was left */
    } else if (!found) {
        app_note(app, _("nothing is running; lcx loop start plans a loop, lcx round NAME sits one "
                        "round"));
        status = EXIT_NO;
    } else {
        const struct round_kind *kind = round_kind(round.name);
        struct text out = {0};
        if (kind) app_heading(app, &out, _(kind->title));
        app_print(app, text_string(&out));
        text_done(&out);
        if (round.state == ROUND_PLANNED) status = sit_begin(app, &library, &round);
        if (!status) status = sit_round(app, &library, &round);
        if (!status && in_packet && round.state == ROUND_DONE) status = close_packet(app, &packet);
    }
    library_done(&library);
    return status;
}

static const struct usage usage_status = {
    .name = "loop status",
    .arguments = "",
    .summary = N_("Where the loop stands, round by round"),
    .example = "lcx loop status",
};

static int loop_status(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct packet packet;
    struct error err;
    bool found;
    int status;
    if (!arguments_read(&arguments, app, &usage_status, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;
    if (packet_latest(&packet, &found, app->progress, &err)) return app_fail(app, &err);
    if (!found) {
        app_note(app, _("there is no loop yet; lcx loop start plans one"));
        return EXIT_NO;
    }
    return show_packet(app, &packet);
}

/* ---- report ---- */

static const struct option_description report_options[] = {
    {"html", "FILE", N_("write one self-contained page")},
    {"markdown", "FILE", N_("write the Markdown")},
    {"packet", "ID", N_("of an older loop")},
    {NULL, NULL, NULL},
};

static const struct usage usage_report = {
    .name = "loop report",
    .arguments = "",
    .summary = N_("The packet as a hiring committee would read it"),
    .details = N_("Per round what was seen, with the sentences that decided, a score of 1 to 4 and "
                  "its range; the three weakest points and what to practise next."),
    .example = "lcx loop report\nlcx loop report --html packet.html\nlcx loop report --json",
    .options = report_options,
};

static enum status write_report(const char *path, const struct text *text, struct error *err)
{
    return file_write(path, text_string(text), text->size, 0600, err);
}

static int show_report(struct app *app, const struct arguments *arguments, const json_t *report)
{
    const char *html = arguments_value(arguments, "html"),
               *markdown = arguments_value(arguments, "markdown");
    struct text text = {0}, page = {0};
    struct error err;
    enum status status = STATUS_OK;

    report_markdown(&text, report);
    if (markdown) status = write_report(markdown, &text, &err);
    if (!status && html) status = report_html(&page, report, &err);
    if (!status && html) status = write_report(html, &page, &err);
    if (!status && !html && !markdown) {
        text_clear(&page);
        status = markdown_render(&page, text_string(&text), text.size, &app->out, &err);
        if (!status) app_page(app, text_string(&page));
    }
    text_done(&text);
    text_done(&page);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

static int loop_report(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    struct packet packet;
    struct error err;
    bool found = true;
    int status;
    if (!arguments_read(&arguments, app, &usage_report, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;
    const char *id = arguments_value(&arguments, "packet");
    enum status failed = id ? packet_load(&packet, app->progress, id, &err)
                            : packet_latest(&packet, &found, app->progress, &err);
    if (failed == STATUS_NOT_FOUND) return app_misuse(app, "%s", err.message);
    if (failed) return app_fail(app, &err);
    if (!found) {
        app_note(app, _("there is no loop yet; lcx loop start plans one"));
        return EXIT_NO;
    }
    status = sit_library(app, &library);
    if (status) return status;
    json_t *report;
    if (report_json(&report, app->progress, &packet, &library, app->language, &err)) {
        status = app_fail(app, &err);
    } else if (app->json) {
        app_json(app, report);
    } else {
        status = show_report(app, &arguments, report);
        json_decref(report);
    }
    library_done(&library);
    return status;
}

static const struct usage usage_leave = {
    .name = "loop leave",
    .arguments = "",
    .summary = N_("End the running loop; its answers are kept and its report can be read"),
    .example = "lcx loop leave",
};

static int loop_leave(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct packet packet;
    struct error err;
    bool found;
    int status;
    if (!arguments_read(&arguments, app, &usage_leave, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;
    enum status failed = packet_running(&packet, &found, app->progress, &err);
    if (!failed && found) failed = packet_end(&packet, app->progress, PACKET_ABANDONED, &err);
    if (failed) return app_fail(app, &err);
    app_note(app, found ? _("the loop is left; lcx loop report shows what was seen of it")
                        : _("no loop is running"));
    return found ? EXIT_DONE : EXIT_NO;
}

static const struct verb verbs[] = {
    {&usage_start, loop_start},   {&usage_next, loop_next},   {&usage_status, loop_status},
    {&usage_report, loop_report}, {&usage_leave, loop_leave}, {NULL, NULL},
};

const struct usage usage_loop = {
    .name = "loop",
    .arguments = "",
    .summary = N_("Sit the whole interview loop: seven rounds, two days, one report"),
    .example = "lcx loop start --track engineer\nlcx loop next\nlcx loop report",
    .verbs = verbs,
};

int verb_loop(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_loop, argc, argv);
}
