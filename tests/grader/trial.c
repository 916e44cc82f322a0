#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

struct drills trial_drills;
struct grader trial_grader;

int trial_begin(void **state)
{
    (void)state;
    struct error err = {0};
    sandbox_init(HELPERS);
    if (drills_load(&trial_drills, SOURCE_ROOT "/labs", &err)) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    trial_grader = (struct grader){.helpers = HELPERS};
    return 0;
}

int trial_end(void **state)
{
    (void)state;
    grader_done(&trial_grader);
    drills_done(&trial_drills);
    return 0;
}

const struct drill *trial_drill(const char *number)
{
    const struct drill *drill = NULL;
    struct error err = {0};
    if (drills_find(&drill, &trial_drills, number, &err)) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return drill;
}

struct result trial_grade(const char *number, enum lane lane, const char *source)
{
    const struct grade_request request = {.drill = trial_drill(number),
                                          .lane = lane,
                                          .mode = "blank",
                                          .source = source,
                                          .seed = 11,
                                          .timing = true};
    struct result result;
    grade(&result, &trial_grader, &request);
    return result;
}

bool trial_has(enum lane lane)
{
    static bool told[LANE_COUNT];
    struct lane_tools tools;
    lane_tools(&tools, lane, NULL, NULL);
    if (!tools.present && !told[lane]) fprintf(stderr, "skipped: %s\n", tools.detail);
    told[lane] = true;
    return tools.present;
}
