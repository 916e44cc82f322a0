#include "agenda.h"

#include <stdlib.h>
#include <string.h>

#include "progress/day.h"
#include "progress/sitting.h"
#include "sit.h"

static enum status make_plan(struct agenda *agenda, struct app *app, int n_days, struct error *err)
{
    agenda->today = day_of(clock_wall_ms(app->clock));
    enum status status = plan_done_today(&agenda->done, app->progress, agenda->today, err);
    if (!status)
        status = study_read(&agenda->study, &agenda->library, &app->drills, app->progress,
                            app->settings.retention, err);
    if (status) return status;
    const struct plan_question question = {
        .items = agenda->study.items,
        .n_items = agenda->study.n,
        .today = agenda->today,
        .interview_day = app->settings.interview_day,
        .daily_minutes = app->settings.daily_minutes,
        .retention = app->settings.retention,
        .minutes_done = agenda->done.minutes,
        .new_drills = agenda->done.new_drills,
        .new_trees = study_new_trees(&agenda->study, agenda->today),
        .n_days = n_days,
    };
    plan_make(&agenda->plan, &question);
    return STATUS_OK;
}

int agenda_make(struct agenda *agenda, struct app *app, int n_days)
{
    *agenda = (struct agenda){0};
    int failed = app_open_drills(app);
    if (!failed) failed = app_open_progress(app);
    if (!failed) failed = sit_library(app, &agenda->library);
    if (failed) return failed;

    struct error err;
    if (make_plan(agenda, app, n_days, &err)) {
        agenda_done(agenda);
        return app_fail(app, &err);
    }
    return EXIT_DONE;
}

void agenda_done(struct agenda *agenda)
{
    plan_done(&agenda->plan);
    study_done(&agenda->study);
    library_done(&agenda->library);
    *agenda = (struct agenda){0};
}

const char *agenda_title(const struct agenda *agenda, const struct app *app, int item)
{
    if (item < agenda->study.n_drills)
        return words_in(&app->drills.drills[item]->title, app->language);
    return library_title(&agenda->library, agenda->study.items[item].id, app->language);
}

const char *agenda_number(char out[24], const struct plan_item *item)
{
    const char *number = strchr(item->id, '/') + 1;
    snprintf(out, 24, "%.*s", (int)strcspn(number, "/"), number);
    return out;
}

/* The lane that the user took last, or "numpy". */
static const char *last_lane(char out[LANE_SIZE], struct app *app)
{
    struct sitting *sittings;
    int n = 0;
    struct error err;
    snprintf(out, LANE_SIZE, "numpy");
    if (sitting_list(&sittings, &n, app->progress, NULL, 1, &err)) return out;
    if (n) snprintf(out, LANE_SIZE, "%s", sittings[0].lane);
    sitting_list_done(sittings, n);
    return out;
}

const char *agenda_command(char out[64], struct app *app, const struct plan_item *item,
                           enum plan_reason reason)
{
    char number[24], lane[LANE_SIZE];
    agenda_number(number, item);
    if (item->kind == PLAN_DRILL)
        snprintf(out, 64, "lcx drill start %s --lang %s", number, last_lane(lane, app));
    else if (item->kind == PLAN_TREE && reason == PLAN_NEW) snprintf(out, 64, "lcx ask %s", number);
    else snprintf(out, 64, "lcx review");
    return out;
}

const char *agenda_kind(const struct plan_item *item)
{
    static const char *const names[] = {[PLAN_DRILL] = "drill",
                                        [PLAN_TREE] = "question",
                                        [PLAN_NODE] = "node",
                                        [PLAN_CARD] = "card"};
    return names[item->kind];
}

char *agenda_left_out(const struct agenda *agenda, const struct app *app)
{
    enum { MOST = 6 }; /* names; the heaviest are the ones to worry about */
    struct text names = {0};
    int named = 0, others = 0;
    for (int i = 0; i < agenda->plan.n_outlook; i++) {
        const struct plan_outlook *outlook = &agenda->plan.outlook[i];
        const struct plan_item *item = &agenda->study.items[outlook->item];
        char number[24];
        if (outlook->fits) continue;
        if (item->kind > PLAN_TREE || named == MOST) {
            others++;
            continue;
        }
        text_format(&names, item->kind == PLAN_DRILL ? _("%sdrill %s %s") : _("%squestion %s %s"),
                    named++ ? ", " : "", agenda_number(number, item),
                    agenda_title(agenda, app, outlook->item));
    }
    if (others && named)
        text_format(&names,
                    ngettext(" and %d other item", " and %d other items", (unsigned long)others),
                    others);
    else if (others)
        text_format(&names, ngettext("%d item", "%d items", (unsigned long)others), others);
    return names.data ? text_take(&names) : text_copy("");
}
