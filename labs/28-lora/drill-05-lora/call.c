#include "lora.h"

#include <stdlib.h>
#include <string.h>

#include "grader/harness/harness.h"

/* `op`, as in oracle.c */
enum { INIT, START, FORWARD, BACKWARD, STEP, MERGE, MERGE_TWICE, UNMERGE };

static float *copy_of(const struct record *in, const char *name)
{
    const size_t size = (size_t)array_count(record_find(in, name)) * sizeof(float);
    float *copy = memory_new(1, size);
    memcpy(copy, record_f32(in, name), size);
    return copy;
}

/* What `weight` [rows,columns] holds at this moment. */
static void put(struct record *out, const char *name, const float *weight, int rows, int columns)
{
    memcpy(output_f32(out, name, SHAPE(rows, columns)), weight,
           (size_t)rows * (size_t)columns * sizeof *weight);
}

static void put_weights(struct record *out, const struct lora *lora)
{
    put(out, "W", lora->W, lora->n_out, lora->n_in);
    put(out, "A", lora->A, lora->rank, lora->n_in);
    put(out, "B", lora->B, lora->n_out, lora->rank);
}

static void merge_and_unmerge(struct record *out, struct lora *lora, int64_t op, const float *x,
                              int N)
{
    const int I = lora->n_in, O = lora->n_out;
    if (op == UNMERGE) {
        lora_unmerge(lora);
        put(out, "W_never_merged", lora->W, O, I);
    }
    lora_merge(lora);
    if (op == MERGE) {
        put(out, "W_merged", lora->W, O, I);
        lora_forward(output_f32(out, "y_merged", SHAPE(N, O)), lora, x, N);
        return;
    }
    if (op == MERGE_TWICE) {
        lora_merge(lora);
        put(out, "W_merged_twice", lora->W, O, I);
    }
    lora_unmerge(lora);
    put(out, "W_unmerged", lora->W, O, I);
    lora_forward(output_f32(out, "y_unmerged", SHAPE(N, O)), lora, x, N);
    if (op == UNMERGE) {
        lora_unmerge(lora);
        put(out, "W_unmerged_twice", lora->W, O, I);
    }
}

void harness_call(const struct record *in, struct record *out)
{
    const int64_t op = record_int(in, "op");
    if (op == INIT) {
        const int64_t R = record_dim(in, "draws", 0), I = record_dim(in, "draws", 1);
        const int64_t O = record_int(in, "n_out");
        struct lora lora = {.n_in = (int)I, .n_out = (int)O, .rank = (int)R, .alpha = 1.0f};
        lora.A = output_f32(out, "A", SHAPE(R, I));
        lora.B = output_f32(out, "B", SHAPE(O, R));
        lora_init(&lora, record_f32(in, "draws"));
        return;
    }

    const int64_t N = record_dim(in, "x", 0), I = record_dim(in, "x", 1);
    const int64_t O = record_dim(in, "W", 0);
    const int64_t R = record_dim(in, op == START ? "draws" : "A", 0);
    const float *x = record_f32(in, "x");
    struct lora lora = {
        .n_in = (int)I,
        .n_out = (int)O,
        .rank = (int)R,
        .alpha = (float)record_real(in, "alpha"),
        .W = copy_of(in, "W"),
        .A = op == START ? memory_new((size_t)(R * I), sizeof(float)) : copy_of(in, "A"),
        .B = op == START ? memory_new((size_t)(O * R), sizeof(float)) : copy_of(in, "B"),
    };

    switch (op) {
    case START:
        lora_init(&lora, record_f32(in, "draws"));
        lora_forward(output_f32(out, "y", SHAPE(N, O)), &lora, x, (int)N);
        lora_step(&lora, x, record_f32(in, "d_y"), (float)record_real(in, "lr"), (int)N);
        put_weights(out, &lora);
        break;
    case FORWARD:
        lora_forward(output_f32(out, "y", SHAPE(N, O)), &lora, x, (int)N);
        break;
    case BACKWARD: {
        float *d_x = output_f32(out, "d_x", SHAPE(N, I));
        float *d_A = output_f32(out, "d_A", SHAPE(R, I));
        float *d_B = output_f32(out, "d_B", SHAPE(O, R));
        lora_backward(d_x, d_A, d_B, &lora, x, record_f32(in, "d_y"), (int)N);
        break;
    }
    case STEP:
        lora_step(&lora, x, record_f32(in, "d_y"), (float)record_real(in, "lr"), (int)N);
        put_weights(out, &lora);
        lora_forward(output_f32(out, "y", SHAPE(N, O)), &lora, x, (int)N);
        break;
    default: merge_and_unmerge(out, &lora, op, x, (int)N); break;
    }
    free(lora.W);
    free(lora.A);
    free(lora.B);
}
