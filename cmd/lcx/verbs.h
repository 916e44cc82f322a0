/* verbs.h -- the verbs, one file each: verb_NAME.c defines usage_NAME and verb_NAME().
 *
 * A new verb is a line here, a line in main.c's table and its file.
 */
#ifndef LCX_VERBS_H
#define LCX_VERBS_H

#include "arguments.h"

#define VERB(name) \
    extern const struct usage usage_##name; \
    int verb_##name(struct app *app, int argc, char **argv)

VERB(today);
VERB(review);
VERB(progress);
VERB(loop);
VERB(round);
VERB(ask);
VERB(design);
VERB(paper);
VERB(story);
VERB(examiner);
VERB(drill);
VERB(lab);
VERB(tokenizer);
VERB(plan);
VERB(content);
VERB(doctor);
VERB(data);
VERB(bench);
VERB(config);
VERB(train);
VERB(generate);
VERB(help);

/* All of them under one roof, in the order in which help lists them (main.c). */
extern const struct usage usage_lcx;

#endif
