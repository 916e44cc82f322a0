/* worksheet.h -- a candidate's assumptions by name, each with its unit and where it came from.
 *
 *   "users=10M"   a file   figures of a model and a GPU (shape.h)   defaults
 *        └───────────┴──────────────┴──────────────────────────────────┴──> value[], origin[]
 *
 * What is given goes before the tables, the tables before the defaults. `rate` replaces users and
 * turns; `params`, `layers`, `kv_heads`, `head_dim` stand for a model, `memory` and `flops` for a GPU.
 *
 * A later origin replaces an earlier one, and what belongs to it: gpu=h200 on the command line drops the
 * memory, FLOP/s, price and decode rate that a file gave for another GPU.
 *
 * Promises: after worksheet_fill() every value that capacity.h needs is there, finite and within
 * its bounds; a value in a wrong unit is refused, with both named.
 * Does not know: what is computed.
 * Tests: tests/plan/worksheet_test.c
 */
#ifndef PLAN_WORKSHEET_H
#define PLAN_WORKSHEET_H

#include "base/error.h"
#include "plan/shape.h"
#include "plan/unit.h"

enum worksheet_key {
    KEY_USERS,
    KEY_TURNS,
    KEY_RATE,
    KEY_PEAK,
    KEY_PROMPT,
    KEY_CACHED,
    KEY_OUTPUT,
    KEY_TTFT,
    KEY_TPOT,
    KEY_ACCEPTED,
    KEY_PARAMS,
    KEY_ACTIVE,
    KEY_EXPERTS,
    KEY_EXPERTS_USED,
    KEY_LAYERS,
    KEY_HEADS,
    KEY_KV_HEADS,
    KEY_HEAD_DIM,
    KEY_DTYPE,
    KEY_KV_DTYPE,
    KEY_MEMORY,
    KEY_BANDWIDTH,
    KEY_FLOPS,
    KEY_NODE_FLOPS,
    KEY_INTERCONNECT,
    KEY_GPUS,
    KEY_TP,
    KEY_PP,
    KEY_RESERVE,
    KEY_RESERVE_GPU,
    KEY_DECODE,
    KEY_BATCH,
    KEY_BANDWIDTH_USE,
    KEY_MFU,
    KEY_HEADROOM,
    KEY_PRICE,
    WORKSHEET_KEYS
};

enum worksheet_origin {
    ORIGIN_NONE,    /* there is no value */
    ORIGIN_DEFAULT, /* an assumption of ours */
    ORIGIN_TABLE,   /* the model's or the GPU's row */
    ORIGIN_FILE,
    ORIGIN_WORD, /* key=value */
};

/* How a value is written for people. */
enum figure {
    FIGURE_PLAIN, /* 0.82, 8 */
    FIGURE_COUNT, /* 22,222 */
    FIGURE_SHORT, /* 833k */
    FIGURE_BYTES, /* 440 GB, 9.8 TB */
    FIGURE_KIB,   /* 320 KiB */
    FIGURE_TIME,  /* 8 s, 25 ms */
    FIGURE_RATIO, /* 75% */
    FIGURE_NODES, /* 71.2 */
    FIGURE_USD,   /* $44,640, $0.00056 */
};

struct worksheet_entry {
    const char *name;
    enum unit unit, per;
    double scale; /* value = base unit * scale: price is in USD an hour */
    enum figure figure;
    const char *symbol;  /* behind the number, for people and JSON: "tok/s" */
    double low, high;    /* both included */
    bool whole;          /* a whole number */
    const char *meaning; /* N_() */
};
extern const struct worksheet_entry worksheet_entries[WORKSHEET_KEYS];

struct worksheet {
    double value[WORKSHEET_KEYS];
    enum worksheet_origin origin[WORKSHEET_KEYS];
    char model[64], gpu[64]; /* "" when not named */
};

void worksheet_init(struct worksheet *sheet);

/* Set one by name; "model" and "gpu" name a row. STATUS_USAGE: no such key, not a number, a wrong unit
 * ("output: expected tokens, got 300 ms"), out of its bounds. In Spanish an ambiguous number is
 * refused: 10.000 could be ten. */
MUST_CHECK enum status worksheet_set(struct worksheet *sheet, const char *key, const char *value,
                                     enum number_style style, enum worksheet_origin origin,
                                     struct error *err);

/* Set all that a YAML file of `key: value` gives; numbers are read the English way, whatever the
 * language. Errors read path:line. */
MUST_CHECK enum status worksheet_load(struct worksheet *sheet, const char *path, struct error *err);

/* Take the rest from the tables and the defaults. STATUS_USAGE names what is missing. */
MUST_CHECK enum status worksheet_fill(struct worksheet *sheet, const struct shapes *shapes,
                                      struct error *err);

bool worksheet_has(const struct worksheet *sheet, enum worksheet_key key);

/* Append a value as people read it: "10M", "25 ms", "60 GB". */
void figure_text(struct text *out, enum figure figure, const char *symbol, double value,
                 enum number_style style);

/* Take "22,222 tok/s" for a figure of this unit: the value times `scale`. A bare number is taken
 * unless it is bytes, a time or FLOP/s. STATUS_USAGE says what was expected, after `name`. */
MUST_CHECK enum status figure_read(double *out, const char *name, const char *words, enum unit unit,
                                   enum unit per, double scale, enum number_style style,
                                   struct error *err);

#endif
