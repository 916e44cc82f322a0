/* drill_grade.c -- lcx drill check and lcx drill submit. */
#include <stdlib.h>

#include "base/rng.h"
#include "drill.h"

static const struct option_description check_options[] = {
    {"lang", "c|numpy|torch", N_("the lane, when the file does not belong to a sitting")},
    {"unsafe", NULL, N_("grade even where neither namespaces nor Landlock can be had")},
    {NULL, NULL, NULL},
};
const struct usage usage_drill_check = {
    .name = "drill check",
    .arguments = "NN [FILE]",
    .least = 1,
    .most = 2,
    .summary = N_("Grade the visible cases only; it does not count"),
    .example = "lcx drill check 01",
    .options = check_options,
};

static const struct option_description submit_options[] = {
    {"lang", "c|numpy|torch", N_("the lane, when the file does not belong to a sitting")},
    {"seed", "S", N_("grade with the hidden cases of this seed, as an earlier result showed it")},
    {"unsafe", NULL, N_("grade even where neither namespaces nor Landlock can be had")},
    {NULL, NULL, NULL},
};
const struct usage usage_drill_submit = {
    .name = "drill submit",
    .arguments = "NN [FILE]",
    .least = 1,
    .most = 2,
    .summary = N_("Grade with hidden cases; it counts"),
    .details = N_(
        "Exit status: 0 passed; 1 failed, or a limit was hit; 3 the lane is missing here or we failed. "
        "With --json, the attempt's result.json on one line."),
    .example = "lcx drill submit 01\nlcx drill submit 01 attention.py --lang numpy --json",
    .options = submit_options,
};

static int grade_file(struct app *app, const struct arguments *arguments, enum attempt_kind kind,
                      uint64_t seed)
{
    struct work work;
    struct result result;
    app->unsafe = arguments_value(arguments, "unsafe") != NULL;
    int status =
        work_open(&work, app, arguments->words[0], arguments->n > 1 ? arguments->words[1] : NULL,
                  arguments_value(arguments, "lang"));
    if (!status) {
        struct grader grader = work_grader(app);
        if (kind == ATTEMPT_SUBMIT) status = work_regrade(app, work.drill, &grader);
        if (!status) status = work_grade(app, &work, &grader, kind, seed, &result);
        grader_done(&grader);
        if (!status) {
            if (app->json) {
                app_json(app, result_json(&result, app->language));
            } else {
                struct text out = {0};
                work_show_result(app, &out, &work, &result);
                app_print(app, text_string(&out));
                text_done(&out);
            }
            status = work_exit_status(&result);
            result_done(&result);
        }
    }
    work_done(&work);
    return status;
}

int drill_check(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_check, argc, argv, &status)) return status;
    return grade_file(app, &arguments, ATTEMPT_CHECK, SEED_VISIBLE);
}

int drill_submit(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    double seed;
    if (!arguments_read(&arguments, app, &usage_drill_submit, argc, argv, &status)) return status;
    if (!arguments_number(&arguments, app, "seed", 0, 9007199254740991.0, -1.0, &seed))
        return EXIT_MISUSE;
    return grade_file(app, &arguments, ATTEMPT_SUBMIT, seed >= 0 ? (uint64_t)seed : random_seed());
}
