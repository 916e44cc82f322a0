#include "agenda.h"

#include <stdlib.h>
#include <string.h>

#include "progress/day.h"
#include "progress/sitting.h"

char *agenda_item_id(const struct drill *drill) { return text_printf("drill/%s", drill->number); }

static enum status read_items(struct agenda *agenda, struct app *app, struct error *err)
{
    const struct drills *drills = &app->drills;
    agenda->items = memory_new((size_t)drills->n_drills, sizeof *agenda->items);
    for (int i = 0; i < drills->n_drills; i++) {
        struct plan_item *item = &agenda->items[agenda->n++];
        item->id = agenda_item_id(drills->drills[i]);
        item->minutes = drills->drills[i]->minutes;
        item->weight = drills->drills[i]->rounds_count;
        const enum status status =
            plan_item_read(item, app->progress, app->settings.retention, err);
        if (status) return status;
    }
    return STATUS_OK;
}

int agenda_make(struct agenda *agenda, struct app *app, int n_days)
{
    *agenda = (struct agenda){0};
    int failed = app_open_drills(app);
    if (!failed) failed = app_open_progress(app);
    if (failed) return failed;

    struct error err;
    agenda->today = day_of(clock_wall_ms(app->clock));
    int new_done = 0;
    enum status status =
        plan_done_today(&agenda->minutes_done, &new_done, app->progress, agenda->today, &err);
    if (!status) status = read_items(agenda, app, &err);
    if (status) {
        agenda_done(agenda);
        return app_fail(app, &err);
    }
    const struct plan_question question = {
        .items = agenda->items,
        .n_items = agenda->n,
        .today = agenda->today,
        .interview_day = app->settings.interview_day,
        .daily_minutes = app->settings.daily_minutes,
        .retention = app->settings.retention,
        .minutes_done = agenda->minutes_done,
        .new_done = new_done,
        .n_days = n_days,
    };
    plan_make(&agenda->plan, &question);
    return EXIT_DONE;
}

void agenda_done(struct agenda *agenda)
{
    plan_done(&agenda->plan);
    for (int i = 0; i < agenda->n; i++) free((void *)agenda->items[i].id);
    free(agenda->items);
    *agenda = (struct agenda){0};
}

const char *agenda_lane(char out[LANE_SIZE], struct app *app)
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
