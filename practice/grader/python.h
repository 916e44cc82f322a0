/* python.h -- which Python interpreter serves a lane.
 *
 * The first of: the configured one, python3 on PATH, /usr/bin/python3 that imports the lane's
 * library, isolated (-I), as the worker will, and that the user of a run can reach. It is asked
 * where it lives, so that one outside the system folders can be made readable in the sandbox.
 *
 * The answer is kept in a cache folder and believed while the interpreter, the library, PATH
 * and the configuration are what they were; a "no" is never kept.
 */
#ifndef GRADER_PYTHON_H
#define GRADER_PYTHON_H

#include "content/drill.h"

enum { PYTHON_PREFIX_LIMIT = 8 };

struct python {
    char *program;                           /* absolute */
    char *library_version;                   /* from its metadata, "?" when it has none */
    char *prefixes[PYTHON_PREFIX_LIMIT + 1]; /* outside /usr, NULL terminated */
};

/* `configured` and `cache` (a folder) may be NULL. STATUS_UNAVAILABLE lists the interpreters that
 * were tried, which costs an import each. */
MUST_CHECK enum status python_find(struct python *python, enum lane lane, const char *configured,
                                   const char *cache, struct error *err);
void python_done(struct python *python);

#endif
