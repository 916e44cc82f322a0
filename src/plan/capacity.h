/* capacity.h -- from a worksheet to nodes and dollars, step by step.
 *
 *   traffic   requests, peak, decode and prefill tok/s, latency, in flight (Little: rate x latency)
 *   memory    KV of a token, of a sequence, of all; weights; what is left; sequences a node
 *   nodes     memory | decode + prefill, which share the node; the larger; times headroom
 *   cost      a day, per 1M output tokens, per request, per accepted answer
 *
 * Without a decode rate, a roofline gives it: a step of batch b on one replica takes
 *
 *   max( (weights read + b/pp * KV of a sequence) / (tp * bandwidth * bandwidth_use),
 *        2 * active * b/pp / (tp * flops * mfu) )
 *
 * and yields b tokens; the batch is the largest that fits and keeps the step within tpot. Of a mixture's
 * routed weights the share 1 - (1 - used/experts)^(b/pp) is read.
 *
 * Not counted: attention in prefill (a warning says when that matters), communication, pipeline
 * bubbles, prefix-cache memory.
 *
 * Promises: pure; every step that is known is finite and >= 0; once something does not fit, the steps
 * that would follow are unknown (NAN) and a warning says why.
 * Does not know: how anything is printed; what a good answer is.
 * Source: Little 1961; Kaplan et al. 2020 (arXiv:2001.08361), section 2.1, for 2 FLOP a parameter.
 * Tests: tests/plan/capacity_test.c
 */
#ifndef PLAN_CAPACITY_H
#define PLAN_CAPACITY_H

#include "plan/worksheet.h"

enum capacity_step {
    STEP_REQUESTS,
    STEP_PEAK,
    STEP_DECODE,
    STEP_PREFILL,
    STEP_LATENCY,
    STEP_IN_FLIGHT,

    STEP_KV_TOKEN,
    STEP_TOKENS,
    STEP_KV_SEQUENCE,
    STEP_KV_TOTAL,
    STEP_WEIGHTS,
    STEP_NODE_MEMORY,
    STEP_LEFT,
    STEP_SEQUENCES,

    STEP_BATCH,
    STEP_STEP_TIME,
    STEP_DECODE_NODE,
    STEP_FLOP_TOKEN,
    STEP_PREFILL_NODE,
    STEP_NODES_MEMORY,
    STEP_NODES_DECODE,
    STEP_NODES_PREFILL,
    STEP_NODES_NEEDED,
    STEP_NODES,
    STEP_GPUS,

    STEP_USD_DAY,
    STEP_USD_MTOK,
    STEP_USD_REQUEST,
    STEP_USD_ACCEPTED,
    CAPACITY_STEPS
};

enum capacity_group { GROUP_TRAFFIC, GROUP_MEMORY, GROUP_NODES, GROUP_COST };

struct capacity_info {
    const char *name; /* as in --check and JSON */
    enum capacity_group group;
    enum unit unit, per;
    double scale; /* value = base unit * scale: usd_day is USD a day */
    enum figure figure;
    const char *symbol;
    const char *meaning; /* N_() */
};
extern const struct capacity_info capacity_infos[CAPACITY_STEPS];

enum capacity_binding { BINDING_UNKNOWN, BINDING_MEMORY, BINDING_DECODE, BINDING_PREFILL };

enum capacity_warning {
    WARNING_WEIGHTS,    /* the weights are larger than a replica's memory: bytes, bytes */
    WARNING_NO_ROOM,    /* not one sequence fits: bytes left, bytes of one */
    WARNING_NO_PREFILL, /* no prompt is computed at all */
    WARNING_TP_HEADS,   /* tp over kv_heads: KV is kept several times */
    WARNING_TP_NODE,    /* tensor parallel leaves the node */
    WARNING_LINK,       /* tensor parallel over a slow link: bytes/s */
    WARNING_IDLE,       /* GPUs of a node that no replica uses: how many */
    WARNING_TPOT,       /* even alone, a token takes longer than tpot: seconds, seconds */
    WARNING_STEP,       /* at this batch a step takes longer than tpot: seconds, seconds */
    WARNING_ROOFLINE,   /* the given decode rate is above the hardware's: tok/s, tok/s */
    WARNING_TTFT,       /* one prompt alone takes longer than ttft: seconds, seconds */
    WARNING_ATTENTION,  /* attention adds so much to prefill: ratio */
    WARNING_PIPELINE,   /* bubbles are not counted */
    WARNING_HEADROOM,   /* none */
    CAPACITY_WARNINGS
};

struct capacity {
    double value[CAPACITY_STEPS]; /* NAN: not known, or not part of this plan */
    bool roofline;                /* the decode rate was computed */
    bool fits;

    enum capacity_binding binding;
    double binding_ratio;    /* the binding constraint over the other one, in nodes */
    double decode_share;     /* of decode + prefill */
    double nodes_no_prefill; /* what one gets when prefill is forgotten */

    bool warned[CAPACITY_WARNINGS];
    double warning[CAPACITY_WARNINGS][2];
};

/* Compute all steps. The sheet has been filled (worksheet_fill). */
void capacity_compute(struct capacity *out, const struct worksheet *sheet);

/* How the step is computed from keys and earlier steps: "peak_rate x output". The same in every language.
 * `replicas` are those of a node (a fraction when one spans several), `gpus_used` the GPUs they use. */
const char *capacity_formula(const struct capacity *capacity, const struct worksheet *sheet,
                             enum capacity_step step);

/* Append what a warning says. */
void capacity_warning_text(struct text *out, const struct capacity *capacity,
                           enum capacity_warning warning, enum number_style style);
extern const char *const capacity_warning_names[CAPACITY_WARNINGS];

/* ---- a candidate's estimate ---- */

enum capacity_verdict {
    VERDICT_CLOSE, /* equal at one significant figure */
    VERDICT_ORDER, /* within a factor of two */
    VERDICT_UNIT,  /* off by a factor that a unit explains, or given in another unit */
    VERDICT_WRONG,
};
extern const char *const capacity_verdict_names[]; /* "close", "order", "unit", "wrong" */

struct capacity_check {
    enum capacity_verdict verdict;
    double ratio;       /* estimate / computed */
    double factor;      /* VERDICT_UNIT: 1000, 1024, 8, 60, ...; 0: another unit altogether */
    const char *reason; /* N_(): what is usually behind that factor */
};

/* Compare. Close: nearer than half a unit of the computed value's first figure (93 takes 88 to 98).
 * A unit factor is recognised within 15 per cent, either way round. */
struct capacity_check capacity_check(double estimate, double computed);

enum { ESTIMATE_LIMIT = CAPACITY_STEPS };

struct capacity_estimate {
    int n;
    struct {
        enum capacity_step step;
        double value; /* NAN: in a wrong unit */
        char words[64], why[256];
    } lines[ESTIMATE_LIMIT];
};

/* Read "nodes=93,gpus=744,kv_total=9.8TB". STATUS_USAGE: no such step, twice the same, nothing at all;
 * a wrong unit is no error here but a verdict. */
MUST_CHECK enum status capacity_estimate_read(struct capacity_estimate *estimate, const char *words,
                                              enum number_style style, struct error *err);

/* True when the estimate says how many nodes, or what they cost, and nowhere counts prefill, though this
 * plan has some. *explains: its nodes are what one gets without prefill. */
bool capacity_lacks_prefill(const struct capacity_estimate *estimate,
                            const struct capacity *capacity, bool *explains);

#endif
