/* drill.h -- one drill, as its folder tells it.
 *
 *   labs/15-attention/drill-01-attention/
 *       drill.yaml                      this struct
 *       task.en.md  notes.en.md         read when asked for, as are starters and references
 *       starter.LANE  reference.LANE    LANE: c, numpy.py, torch.py (or py for both)
 *
 * Adding a drill is adding a folder.
 *
 * Does not know: the oracle (grader/oracle.h), attempts, how it is shown.
 * Tests: tests/content/drill_test.c
 */
#ifndef CONTENT_DRILL_H
#define CONTENT_DRILL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "content/words.h"

enum lane { LANE_C, LANE_NUMPY, LANE_TORCH, LANE_COUNT };

const char *lane_name(enum lane lane);  /* "c", "numpy", "torch" */
const char *lane_title(enum lane lane); /* "C", "NumPy", "PyTorch" */
bool lane_parse(enum lane *lane, const char *name);

struct drill_mistake {
    char *name;
    char *en, *es; /* completes "your output equals ..." */
};

struct drill_forbidden {
    char *lane;
    char **names; /* dotted Python names */
    unsigned names_count;
};

struct drill_step {
    int level;
    char *en, *es;
};

struct drill_pair {
    char **names; /* [2] */
};

struct drill {
    char *number; /* "01" */
    char *name;   /* "attention": the folder is drill-01-attention */
    struct words title;
    int minutes;
    char *lab;
    char **rounds;
    unsigned rounds_count;
    char **skills;
    unsigned skills_count;
    char *file; /* base name of the candidate's file */
    struct drill_forbidden *forbidden;
    unsigned forbidden_count;
    struct words *hints;
    unsigned hints_count;
    struct drill_mistake *mistakes;
    unsigned mistakes_count;
    struct drill_pair *never_together;
    unsigned never_together_count;
    struct drill_step *ladder;
    unsigned ladder_count;

    char *folder; /* where it was read from; not in the file */
};

/* All drills below `labs`, by number. The caller owns them: drills_done(). A folder that cannot be
 * read fails the whole list, with its name. */
struct drills {
    struct drill **drills;
    int n_drills;
};
MUST_CHECK enum status drills_load(struct drills *drills, const char *labs, struct error *err);
void drills_done(struct drills *drills);

/* By number ("1", "01") or name. STATUS_NOT_FOUND lists what there is. */
MUST_CHECK enum status drills_find(const struct drill **drill, const struct drills *drills,
                                   const char *word, struct error *err);

MUST_CHECK enum status drill_load(struct drill **drill, const char *folder, struct error *err);
void drill_free(struct drill *drill);

/* The words of a mistake in a language; NULL when the drill does not list it. */
const char *drill_mistake_words(const struct drill *drill, const char *name, const char *language);

/* "attention.c" or "attention.py"; the caller frees it. */
char *drill_file_name(const struct drill *drill, enum lane lane);

/* Append `starter`, `reference` or `call` of a lane (falls back from numpy.py to py). */
MUST_CHECK enum status drill_read(struct text *out, const struct drill *drill, const char *what,
                                  enum lane lane, struct error *err);

/* Append `task` or `notes` in a language ("en", "es"). */
MUST_CHECK enum status drill_read_page(struct text *out, const struct drill *drill,
                                       const char *what, const char *language, struct error *err);

#endif
