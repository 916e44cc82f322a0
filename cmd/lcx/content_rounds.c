/* content_rounds.c -- each round of both tracks can be drawn from what there is. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "content.h"
#include "rounds/draw.h"
#include "rounds/packet.h"

static void check_round(struct check *check, const char *name, const struct library *library,
                        const struct drills *drills, struct progress *progress)
{
    struct round round = {.time_factor = 1, .seed = 1};
    struct step steps[ROUND_STEP_LIMIT];
    struct error err;
    int n;
    snprintf(round.name, sizeof round.name, "%s", name);
    check->count[KIND_ROUND]++;
    if (round_draw(steps, &n, &round, library, drills, progress, &err))
        problems_add(&check->problems[KIND_ROUND], name, "", "", "%s", err.message);
}

static void check_kinds(struct check *check, const struct library *library,
                        const struct drills *drills, const char *folder)
{
    struct progress *progress;
    struct error err;
    if (progress_open(&progress, folder, &clock_system, &err)) {
        problems_add(&check->problems[KIND_ROUND], "", "", "", "%s", err.message);
        return;
    }
    for (const struct round_kind *kind = round_kinds; kind->name; kind++)
        check_round(check, kind->name, library, drills, progress);
    progress_close(progress);
}

void content_all_rounds(struct check *check)
{
    char folder[] = "/tmp/lcx-check-XXXXXX";
    char *content = path_join(check->root, "content"), *labs = path_join(check->root, "labs");
    struct library library = {0};
    struct drills drills = {0};
    struct error err;

    /* A file that cannot be read is a problem of its own kind; here it only says what it hinders. */
    if (library_load(&library, content, &err) || drills_load(&drills, labs, &err) ||
        !mkdtemp(folder)) {
        problems_add(&check->problems[KIND_ROUND], "", "", "",
                     "no round can be drawn: a file cannot be read");
    } else {
        check_kinds(check, &library, &drills, folder);
        if (folder_remove(folder, &err))
            problems_add(&check->problems[KIND_ROUND], folder, "", "", "%s", err.message);
    }
    drills_done(&drills);
    library_done(&library);
    free(content);
    free(labs);
}
