#include "lora.h"

#include <stdlib.h>
#include <string.h>

#include "grader/harness/harness.h"

/* `op`, as in oracle.c */
enum { INIT, START, FORWARD, BACKWARD, STEP, MERGE, MERGE_TWICE, UNMERGE, LIFE };

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

static void put_gradients(struct record *out, const char *names[3], const struct lora *lora,
                          const float *x, const float *d_y, int N)
{
    float *d_x = output_f32(out, names[0], SHAPE(N, lora->n_in));
    float *d_A = output_f32(out, names[1], SHAPE(lora->rank, lora->n_in));
    float *d_B = output_f32(out, names[2], SHAPE(lora->n_out, lora->rank));
    lora_backward(d_x, d_A, d_B, lora, x, d_y, N);
}

/* One layer through many calls, as solve_life() of oracle.c has them. */
static void life(struct record *out, struct lora *lora, const struct record *in)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;
    const int N = (int)record_dim(in, "x", 0), M = (int)record_dim(in, "x_other", 0);
    const float *x = record_f32(in, "x"), *d_y = record_f32(in, "d_y");
    const float *x_other = record_f32(in, "x_other"), *d_y_other = record_f32(in, "d_y_other");
    const float lr = (float)record_real(in, "lr");

    lora_forward(output_f32(out, "y_0", SHAPE(N, O)), lora, x, N);
    put_gradients(out, (const char *[3]){"d_x_0", "d_A_0", "d_B_0"}, lora, x_other, d_y_other, M);
    lora_step(lora, x, d_y, lr, N);
    lora_step(lora, x_other, d_y_other, lr, M);
    put(out, "W_1", lora->W, O, I);
    put(out, "A_1", lora->A, R, I);
    put(out, "B_1", lora->B, O, R);
    lora_forward(output_f32(out, "y_1", SHAPE(M, O)), lora, x_other, M);
    put_gradients(out, (const char *[3]){"d_x_1", "d_A_1", "d_B_1"}, lora, x, d_y, N);
    lora_merge(lora);
    put(out, "W_1_merged", lora->W, O, I);
    lora_forward(output_f32(out, "y_1_merged", SHAPE(N, O)), lora, x, N);
    lora_unmerge(lora);
    put(out, "W_1_unmerged", lora->W, O, I);
    lora_step(lora, x, d_y, lr, N);
    put(out, "A_2", lora->A, R, I);
    put(out, "B_2", lora->B, O, R);
    lora_merge(lora);
    put(out, "W_2_merged", lora->W, O, I);
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
        lora.merged = true; /* a layer used before */
        lora_init(&lora, record_f32(in, "draws"));
        if (lora.merged) harness_refuse(out, "lora_init left `merged` true");
        lora_forward(output_f32(out, "y", SHAPE(N, O)), &lora, x, (int)N);
        lora_step(&lora, x, record_f32(in, "d_y"), (float)record_real(in, "lr"), (int)N);
        put_weights(out, &lora);
        break;
    case FORWARD: lora_forward(output_f32(out, "y", SHAPE(N, O)), &lora, x, (int)N); break;
    case BACKWARD:
        put_gradients(out, (const char *[3]){"d_x", "d_A", "d_B"}, &lora, x, record_f32(in, "d_y"),
                      (int)N);
        break;
    case LIFE: life(out, &lora, in); break;
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
