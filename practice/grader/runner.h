/* runner.h -- a submission, running in the sandbox, asked one batch at a time.
 *
 *   runner_open    build (C) or fork from the lane's worker (NumPy, PyTorch), load
 *   runner_call    inputs in, outputs out
 *   runner_close   the end, with what it used
 *
 * Promises: whatever the submission does, each call returns: with outputs, or
 * with the trouble that ended it. The three kinds of trouble are never mixed:
 * the candidate's code is wrong, a limit was hit, it is our fault.
 * Does not know: seeds, expected values, verdicts.
 * Tests: tests/grader/runner_test.c
 */
#ifndef GRADER_RUNNER_H
#define GRADER_RUNNER_H

#include "content/drill.h"
#include "sandbox/sandbox.h"
#include "tensor/record.h"

enum trouble_kind {
    TROUBLE_NONE,
    TROUBLE_BUILD,       /* does not compile or import; message is the tool's */
    TROUBLE_CONTRACT,    /* name, arity, types, inputs modified, forbidden use */
    TROUBLE_EXCEPTION,   /* raised; the process lives on */
    TROUBLE_CRASH,       /* signal or early exit; the process is gone */
    TROUBLE_LIMIT,       /* the process is gone */
    TROUBLE_UNAVAILABLE, /* the lane's tools are missing here */
    TROUBLE_OURS,
};

struct trouble {
    enum trouble_kind kind;
    char message[2048];
    int signal; /* of a crash; 0 when it exited by itself */
    enum sandbox_limit limit;
    double limit_value, limit_used; /* in the unit of the limit: sandbox_limit_unit() */
};

/* What all gradings of one command share. The workers start at first use. */
struct worker;
struct grader {
    const char *helpers; /* folder of call-NN.o, reference-NN, worker.py, libconfine.so */
    const char *scratch; /* folder for the attempts' own folders; NULL: the sandbox's own */
    const char *python;  /* configured interpreter, or NULL */
    const char *cache;   /* folder for what need not be found out twice, or NULL */
    bool unsafe;         /* run even without namespaces and Landlock */
    char *stage;         /* copies of helpers that a run could not reach, made at need, or NULL */
    struct worker *workers[LANE_COUNT];
};
void grader_done(struct grader *grader);

/* Where a run can read the helper `name`. The caller frees *path. */
MUST_CHECK enum status grader_helper(char **path, struct grader *grader, const char *name,
                                     struct error *err);

struct runner {
    struct grader *grader;
    const struct drill *drill;
    enum lane lane;
    int channel;  /* -1: closed */
    int output;   /* what a Python child prints; -1 in the C lane, where the sandbox reads it */
    int64_t id;   /* of a Python child */
    char *folder; /* the attempt's, removed at close */
    char *source; /* NULL: the reference as shipped */
    enum runner_build { RUNNER_FAST, RUNNER_SANITIZED } build; /* the C lane is built both ways */
    struct sandbox sandbox;
    struct text printed;
    size_t printed_before; /* of it, by processes that have ended */
    double wall_s;
    double cpu_ms; /* after close */
    uint64_t memory_bytes;
};

/* Start `source`. runner_close() is needed in any case. What the build or the import printed
 * (warnings) is in runner->printed. `source` NULL: the reference as shipped (C: built before). */
void runner_open(struct runner *runner, struct grader *grader, const struct drill *drill,
                 enum lane lane, enum runner_build build, const char *source,
                 struct trouble *trouble);

/* Call it once for each of `n` inputs; outputs are the caller's (record_done). For n > 1 the batch
 * travels as one message, for timing. *elapsed_ns (may be NULL) is our clock from the first byte sent to
 * the last received. A record that came back may still carry a trouble of its own (the
 * process lives on): then its `out` is empty. */
void runner_call(struct runner *runner, const struct record *in, struct record *out, int n,
                 int64_t *elapsed_ns, struct trouble *trouble);

/* Start the same submission again after its process ended; C is not built again. */
void runner_restart(struct runner *runner, struct trouble *trouble);

/* True when the process is there for another call. */
bool runner_alive(const struct runner *runner);

/* End the process, if it lives: afterwards `printed`, cpu_ms and memory_bytes are whole. */
void runner_end(struct runner *runner);

/* End it and release everything. */
void runner_close(struct runner *runner);

/* How a lane stands here: version and interpreter or compiler, or why it is missing and what
 * mends it. Starts nothing. */
struct lane_tools {
    bool present;
    char detail[1280];
    char mend[256];
};
void lane_tools(struct lane_tools *tools, enum lane lane, const char *python, const char *cache);

#endif
