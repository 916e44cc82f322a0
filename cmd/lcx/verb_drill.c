/* verb_drill.c -- lcx drill: sit a coding drill, be graded. Its verbs are in drill_*.c. */
#include "drill.h"
#include "verbs.h"

static const struct verb verbs[] = {
    {&usage_drill_start, drill_start},
    {&usage_drill_check, drill_check},
    {&usage_drill_submit, drill_submit}, {&usage_drill_prove, drill_prove},   {NULL, NULL},
};

const struct usage usage_drill = {
    .name = "drill",
    .arguments = "",
    .summary = N_("Sit a coding drill in C, NumPy or PyTorch, and be graded"),
    .example = "lcx drill list\nlcx drill start 01 --lang numpy\nlcx drill submit 01",
    .verbs = verbs,
};

int verb_drill(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_drill, argc, argv);
}
