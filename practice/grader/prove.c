#include "grader/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content/marked.h"

struct proof {
    struct grader *grader;
    const struct drill *drill;
    enum lane lane;
    uint64_t seed;
    const char *language;
    prove_told *told;
    void *context;
    int failed;
};

/* `mistake` NULL: the verdict alone decides. */
static void prove_one(struct proof *proof, const char *name, const char *source, bool should_pass,
                      const char *mistake)
{
    const struct grade_request request = {
        .drill = proof->drill,
        .lane = proof->lane,
        .mode = "blank",
        .source = source,
        .seed = proof->seed,
        .timing = true,
    };
    struct result result;
    grade(&result, proof->grader, &request);

    char *summary = result_summary(&result, proof->language);
    struct prove_row row = {
        .drill = proof->drill,
        .lane = proof->lane,
        .verdict = result.verdict,
        .diagnosis = result.n_diagnosis == 1 ? result.diagnosis[0] : NULL,
        .total_ms = result.total_ms,
        .summary = summary,
    };
    snprintf(row.name, sizeof row.name, "%s", name);
    row.ok = result.verdict == (should_pass ? VERDICT_PASS : VERDICT_FAIL) &&
             (!mistake || (row.diagnosis && strcmp(row.diagnosis, mistake) == 0));
    if (!row.ok) proof->failed++;
    proof->told(proof->context, &row);
    free(summary);
    result_done(&result);
}

/* drill.yaml, the oracle and the reference must list the same mistakes. */
static enum status check_names(const struct drill *drill, const struct marked *marked,
                               const struct oracle *oracle, enum lane lane, struct error *err)
{
    for (unsigned i = 0; i < drill->mistakes_count; i++) {
        const char *name = drill->mistakes[i].name;
        bool known = false;
        for (int j = 0; j < oracle->n_mistakes; j++)
            if (strcmp(oracle->mistakes[j].name, name) == 0) known = true;
        if (!known)
            return error_set(err, STATUS_FORMAT, "%s: the oracle does not know the mistake %s",
                             drill->folder, name);
        if (marked_find(marked, name) < 0)
            return error_set(err, STATUS_FORMAT,
                             "%s: the %s reference does not mark the mistake %s", drill->folder,
                             lane_title(lane), name);
    }
    for (int i = 0; i < marked->n_names; i++)
        if (!drill_mistake_words(drill, marked->names[i], "en"))
            return error_set(err, STATUS_FORMAT,
                             "%s: drill.yaml does not list the mistake %s of the "
                             "%s reference",
                             drill->folder, marked->names[i], lane_title(lane));
    if (oracle->n_mistakes != (int)drill->mistakes_count)
        return error_set(err, STATUS_FORMAT, "%s: %u mistakes in drill.yaml, %d in the oracle",
                         drill->folder, drill->mistakes_count, oracle->n_mistakes);
    return STATUS_OK;
}

enum status prove(int *failed, struct grader *grader, const struct drill *drill, enum lane lane,
                  uint64_t seed, const char *language, prove_told *told, void *context,
                  struct error *err)
{
    struct proof proof = {grader, drill, lane, seed, language, told, context, 0};
    struct text reference = {0}, starter = {0};
    struct marked marked = {0};
    const struct oracle *oracle = oracle_find(drill->name);

    enum status status = drill_read(&reference, drill, "reference", lane, err);
    if (!status) status = drill_read(&starter, drill, "starter", lane, err);
    if (!status) status = marked_init(&marked, text_string(&reference), err);
    if (!status && !oracle)
        status = error_set(err, STATUS_NOT_FOUND,
                           "%s: this build has no oracle for it: run ./dev build", drill->folder);
    if (!status) status = check_names(drill, &marked, oracle, lane, err);
    if (!status) {
        prove_one(&proof, "reference", text_string(&reference), true, NULL);
        prove_one(&proof, "starter", text_string(&starter), false, NULL);
        prove_one(&proof, "empty", "", false, NULL);
    }
    for (int i = 0; !status && i < marked.n_names; i++) {
        struct text mutant = {0};
        char name[64];
        snprintf(name, sizeof name, "mutant:%s", marked.names[i]);
        status = marked_expand(&mutant, &marked, text_string(&reference), 1u << i, err);
        if (!status) prove_one(&proof, name, text_string(&mutant), false, marked.names[i]);
        text_done(&mutant);
    }
    *failed = proof.failed;
    marked_done(&marked);
    text_done(&reference);
    text_done(&starter);
    return status;
}
