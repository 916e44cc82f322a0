/* verb_drill.c -- lcx drill: sit a coding drill, be graded. Its verbs are in drill_*.c. */
#include "drill.h"
#include "verbs.h"

static const struct verb verbs[] = {
    {&usage_drill_list, drill_list},     {&usage_drill_start, drill_start},
    {&usage_drill_watch, drill_watch},   {&usage_drill_check, drill_check},
    {&usage_drill_submit, drill_submit}, {&usage_drill_hint, drill_hint},
    {&usage_drill_show, drill_show},     {&usage_drill_notes, drill_notes},
    {&usage_drill_pause, drill_pause},   {&usage_drill_resume, drill_resume},
    {&usage_drill_reset, drill_reset},   {&usage_drill_history, drill_history},
    {&usage_drill_prove, drill_prove},   {NULL, NULL},
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
