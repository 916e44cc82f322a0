/* oracle.h -- what a drill's oracle.c gives the grader.
 *
 *   make_case   seed -> inputs            what the candidate's process receives
 *   solve       inputs -> outputs         float64; also with known mistakes switched on
 *   judge       inputs, outputs -> words  properties that need no reference
 *   make_timed  n -> inputs               for complexity and speed
 *
 * The candidate's process gets inputs only. Its outputs are compared with
 * solve()'s here: every field that solve() writes must be there with the same
 * shape, and its numbers within the tolerance. When they differ, solve() is run
 * with each mistake in turn; one that reproduces all outputs names the mistake.
 *
 * An oracle never calls the engine, and is deterministic in (index, rng).
 * It is found by the build: labs/NN-lab/drill-NN-name/oracle.c defines
 * `const struct oracle oracle_NAME`, NAME being the folder's with '_' for '-'.
 */
#ifndef GRADER_ORACLE_H
#define GRADER_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/locale.h" /* judge() writes in the user's language */
#include "base/rng.h"
#include "tensor/record.h"

enum { ORACLE_MISTAKE_LIMIT = 32, ORACLE_CASE_LIMIT = 64, TIMED_SIZES = 4 };

/* What a case examines: decides where its failure stands in the order of checks
 * (shape and finite come first for every case). */
enum case_check { CASE_NUMBERS, CASE_GRADIENT, CASE_EDGE, CASE_PROPERTY };

struct case_kind {
    /* N_("padding mask"): shown to the candidate, so it names a category. In result.json it
     * stands as it is; in messages, and in what judge() writes, _(name). */
    const char *name;
    enum case_check check;
    bool visible; /* also part of `lcx drill check` */
};

/* One output field's rule, where the default (CHECK of its case, rtol 1e-4, atol 1e-5,
 * widened by the square root of `reduction`) is not right. */
struct output_rule {
    const char *field;
    bool gradient;     /* a derivative: failures are reported under `gradient` */
    bool exact;        /* tokens, indices: equal or not */
    double rtol, atol; /* 0: the default */
    int64_t (*reduction)(const struct record *in); /* terms in the longest sum; NULL: 1 */
    const char *axes; /* letters of its axes, "BHTD": named in messages; NULL: numbered */
};

/* A mistake that solve() can reproduce, or that another check finds. */
struct mistake {
    const char *name; /* "no-scale": the same in drill.yaml and in the references */
    enum mistake_found {
        FOUND_BY_NUMBERS,    /* solve(..., 1u << index) reproduces it */
        FOUND_BY_JUDGE,      /* judge() names it */
        FOUND_BY_COMPLEXITY, /* the fitted exponent is too large */
        FOUND_BY_CONTRACT,   /* e.g. inputs modified */
    } found;
};

/* Where judge() writes. `mistake` is a name from the list or NULL. */
struct findings;
void finding_add(struct findings *findings, enum case_check check, int case_index,
                 const char *mistake, const char *format, ...) PRINTF_LIKE(5, 6);

/* One executed case, as judge() sees it. `out` is empty when the case failed to run. */
struct case_run {
    int kind;
    const struct record *in;
    const struct record *out;
};

struct oracle {
    const char *name; /* the folder's, e.g. "attention" */

    const struct case_kind *kinds;
    int n_kinds;
    const struct mistake *mistakes;
    int n_mistakes;
    const struct output_rule *rules;
    int n_rules;

    /* Fill `in` with case `kind`. The generator is keyed by (seed, kind) already. Two kinds that
     * must share numbers (a property over a pair) re-key it with rng_init(rng, rng->seed, n). */
    void (*make_case)(struct record *in, int kind, struct rng *rng);

    /* Write the expected outputs in float64 (or exact integers) for the inputs, with
     * the mistakes of the bit mask made (0: right). NULL when only judge() decides.
     * Overflow of a float32 program is reproduced by the mistake itself (exp(x) is
     * infinite above 88.72). */
    void (*solve)(struct record *out, const struct record *in, uint32_t mistakes);

    /* Properties over all executed cases; NULL when there are none. Fields of `out` are the
     * candidate's: those that solve() writes have been checked for presence, shape and
     * dtype kind when the case's `out` is not empty; anything else must be looked at with record_find(). */
    void (*judge)(struct findings *findings, const struct case_run *runs, int n_runs);

    /* Inputs whose cost grows with n. Used for the speed ratio (at speed_n) and,
     * when complexity is set, for the fit over four sizes. */
    void (*make_timed)(struct record *in, int64_t n, int calls, struct rng *rng);
    int64_t speed_n;

    struct complexity {
        const char *what;           /* N_("time of one append"): shown */
        int64_t sizes[TIMED_SIZES]; /* 0: no complexity check */
        int64_t c_times;            /* in the C lane, sizes are so many times larger; 0: the same */
        double expected, limit;     /* exponents; above `limit` fails */
        bool calls_inside; /* the call itself repeats `calls` times (field of the record) */
        /* With calls_inside: whether the answer of call number `call` of a timed record is right.
         * The record also has `done`, how many calls of its series came before, and `series`, a
         * number of the series' own, from which the child makes every call's own inputs, so that
         * no answer is of use again. It answers for all of its calls, not knowing which are
         * looked at. `out` is the candidate's: look before reading. */
        bool asked_apart; /* answering takes time of its own: only records whose field `asked` is 1
                             are to be answered, and they are not measured */
        bool (*right)(const struct record *in, const struct record *out, int64_t call);
        const char *mistake; /* named when it fails; NULL: none */
    } complexity;
};

/* The oracle of a drill, by its name ("kv-cache"); NULL when the build does not have it. */
const struct oracle *oracle_find(const char *name);

#endif
