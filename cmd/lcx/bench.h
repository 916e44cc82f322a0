/* bench.h -- what the benchmarks of `lcx bench NAME` share: rows of measured values.
 *
 *   --json   {"bench","case","metric","value","unit","threads"}   value: the median
 *   else     a table with the range and the target, where there is one
 */
#ifndef LCX_BENCH_H
#define LCX_BENCH_H

#include "arguments.h"

enum { BENCH_RUNS_LIMIT = 100, BENCH_ROWS_LIMIT = 80 };

struct bench_row {
    char name[64];      /* "drill01/c" */
    const char *metric; /* "verdict_ms" */
    const char *unit;
    double target; /* at most; 0: none */
    int threads;
    double values[BENCH_RUNS_LIMIT];
    int n;
};

struct bench {
    const char *name;
    struct bench_row rows[BENCH_ROWS_LIMIT];
    int n_rows;
};

struct bench_row *bench_row(struct bench *bench, const char *metric, const char *unit,
                            const char *format, ...) PRINTF_LIKE(4, 5);
void bench_add(struct bench_row *row, double value);
double bench_median(const struct bench_row *row);

/* Print the rows that have values. */
void bench_print(const struct app *app, const struct bench *bench);

/* On a terminal: how far it is, and about how long it will take. */
void bench_tell(const struct app *app, int done, int all, int64_t began_ns);
void bench_told(const struct app *app); /* takes the line away */

/* Run a program and wait: milliseconds from before its start to its end. Its standard output goes
 * nowhere. `home`: its LCX_HOME. *code is its exit status, or 128 and the signal that ended it. */
MUST_CHECK enum status bench_run(double *ms, int *code, const char *const *argv, const char *home,
                                 struct error *err);

extern const struct usage usage_bench_grade;
int bench_grade(struct app *app, int argc, char **argv);
extern const struct usage usage_bench_kernels;
int bench_kernels(struct app *app, int argc, char **argv);
extern const struct usage usage_bench_tensor;
int bench_tensor(struct app *app, int argc, char **argv);
extern const struct usage usage_bench_tokenizer;
int bench_tokenizer(struct app *app, int argc, char **argv);

extern const struct usage usage_bench_train;
int bench_train(struct app *app, int argc, char **argv);

#endif
