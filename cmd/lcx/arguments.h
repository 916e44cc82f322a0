/* arguments.h -- how a verb describes itself, and how its words are read.
 *
 *   --name value   --name=value   --flag   --   word
 *
 * One description serves --help, the parser, the completions and the manual page. Options and
 * words come in any order; after `--` everything is a word. A name that is not known is answered
 * with the nearest one.
 */
#ifndef LCX_ARGUMENTS_H
#define LCX_ARGUMENTS_H

#include "app.h"

enum { ARGUMENTS_OPTION_LIMIT = 16 };

struct option_description {
    const char *name;    /* without the dashes */
    const char *value;   /* "FILE", or "c|numpy|torch": only these are taken; NULL: a flag */
    const char *summary; /* N_(): one line */
};

struct verb;

struct usage {
    const char *name;                         /* "lab", "drill start" */
    const char *arguments;                    /* "[NN]", "NN [FILE]"; "" for none */
    int least, most;                          /* how many words */
    const char *summary;                      /* N_(): one line, no full stop */
    const char *details;                      /* N_(): paragraphs; NULL: none */
    const char *example;                      /* lines that can be typed */
    const struct option_description *options; /* ends with a NULL name; NULL: none */
    const struct verb *verbs;                 /* ends with a NULL usage; NULL: none */
};

struct verb {
    const struct usage *usage;
    int (*run)(struct app *app, int argc,
               char **argv); /* argv[0] is the first word after the verb */
};

struct arguments {
    const struct usage *usage;
    int n;
    char **words;                               /* borrowed from argv */
    const char *values[ARGUMENTS_OPTION_LIMIT]; /* by place in usage->options; NULL: not given */
};

/* Read the words of a verb. True: go on. False: *exit_status is to be returned at once
 * (help was asked for and printed, or the words are wrong and that was said). */
MUST_CHECK bool arguments_read(struct arguments *arguments, const struct app *app,
                               const struct usage *usage, int argc, char **argv, int *exit_status);

/* The value of an option; "" for a flag that was given; NULL when it was not. */
const char *arguments_value(const struct arguments *arguments, const char *name);

/* A value that must be a number within the bounds; `otherwise` when not given. False after
 * saying what is wrong. */
MUST_CHECK bool arguments_number(const struct arguments *arguments, const struct app *app,
                                 const char *name, double low, double high, double otherwise,
                                 double *value);

/* Find the verb that argv[0] names among usage->verbs and run it. Without a word: help. */
int verbs_run(struct app *app, const struct usage *usage, int argc, char **argv);

/* Print the help of a verb; with --json a row for it and for each verb below it. */
void usage_print(const struct app *app, const struct usage *usage);

/* Append the help of a verb. */
void usage_describe(const struct app *app, struct text *out, const struct usage *usage);

#endif
