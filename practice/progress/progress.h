/* progress.h -- the one database of a person's practice.
 *
 *   setting    language, interview date, ...          settings.h
 *   sitting    one start of a drill, with its clock   sitting.h
 *   attempt    one check or submission, with source   attempt.h
 *   review     the log that memory is replayed from   review.h
 *
 * Opening it makes the folder and the tables where they are missing, migrates older ones
 * (store/database.h), marks attempts whose grader died as interrupted, and ends the sittings whose
 * time is over, once their work at zero is stored (sitting_overdue).
 *
 * Any number of processes may have it open. Nothing here prints or sends anything anywhere.
 * Does not know: drills' content, how they are graded.
 * Tests: tests/progress/progress_test.c
 */
#ifndef PROGRESS_PROGRESS_H
#define PROGRESS_PROGRESS_H

#include "base/clock.h"
#include "base/error.h"
#include "store/database.h"

enum { ID_SIZE = 37, DRILL_SIZE = 16, LANE_SIZE = 8, MODE_SIZE = 8 };

struct progress {
    struct database *database;
    const struct clock *clock; /* borrowed: whoever opened it may move it */
    char *folder;
};

/* Open the data of `folder` (NULL: home_data_folder()). `clock` is borrowed until the close.
 * Errors as database_open(). */
MUST_CHECK enum status progress_open(struct progress **out, const char *folder,
                                     const struct clock *clock, struct error *err);
void progress_close(struct progress *progress); /* harmless on NULL */

/* What opening does with the passing of time, again: attempts whose grader died become
 * interrupted, sittings whose time is over and whose snapshot was taken are ended and rated. A
 * watcher calls it after zero. */
MUST_CHECK enum status progress_settle(struct progress *progress, struct error *err);

/* A fresh random id, "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx", into `out`; returns `out`. */
const char *progress_id(char out[ID_SIZE]);

/* The schema this program knows, and its version. */
int progress_schema(void);
const char *progress_version(void);

/* What database_open() gets; for tests and tools. */
const struct database_schema *progress_database_schema(void);

#endif
