#include "tensor/embedding.h"

#include <string.h>

#include "base/error.h"
#include "tensor/norm_kernel.h"
#include "tensor/row.h"

void embedding_backward_plain(float *dtable, const float *dout, const int32_t *tokens, int M, int V,
                              int C)
{
    for (int i = 0; i < M; i++) {
        CHECK(tokens[i] >= 0 && tokens[i] < V);
        const float *from = dout + row_of(i, C);
        float *to = dtable + row_of(tokens[i], C);
        for (int j = 0; j < C; j++) to[j] += from[j];
    }
}

/* ---- forward: rows are shared out ---- */

enum { ROWS_A_TASK = 64, COLUMNS_A_TASK = 64 };

struct gather {
    float *out;
    const float *table;
    const int32_t *tokens;
    int M, C;
};

static void gather_rows(void *context, int task, int worker)
{
    const struct gather *g = context;
    const int first = task * ROWS_A_TASK;
    const int last = first + ROWS_A_TASK < g->M ? first + ROWS_A_TASK : g->M;
    (void)worker;

    for (int i = first; i < last; i++) {
        CHECK(g->tokens[i] >= 0);
        memcpy(g->out + row_of(i, g->C), g->table + row_of(g->tokens[i], g->C),
               (size_t)g->C * sizeof(float));
    }
}

void embedding_forward(struct pool *pool, float *out, const float *table, const int32_t *tokens,
                       int M, int C)
{
    struct gather g = {out, table, tokens, M, C};
    pool_run(pool, gather_rows, &g, (M + ROWS_A_TASK - 1) / ROWS_A_TASK);
}

/* ---- backward: columns are shared out, so that each sum keeps the order of the rows ---- */

struct scatter {
    void (*add)(float *to, const float *from, int n);
    float *dtable;
    const float *dout;
    const int32_t *tokens;
    int M, V, C;
};

static void scatter_columns(void *context, int task, int worker)
{
    const struct scatter *s = context;
    const int first = task * COLUMNS_A_TASK;
    const int n = s->C - first < COLUMNS_A_TASK ? s->C - first : COLUMNS_A_TASK;
    (void)worker;

    for (int i = 0; i < s->M; i++) {
        CHECK(s->tokens[i] >= 0 && s->tokens[i] < s->V);
        const float *from = s->dout + row_of(i, s->C) + first;
        float *to = s->dtable + row_of(s->tokens[i], s->C) + first;
        s->add(to, from, n);
    }
}

void embedding_backward(struct pool *pool, float *dtable, const float *dout, const int32_t *tokens,
                        int M, int V, int C)
{
    struct scatter s = {norm_kernel()->add, dtable, dout, tokens, M, V, C};
    pool_run(pool, scatter_columns, &s, (C + COLUMNS_A_TASK - 1) / COLUMNS_A_TASK);
}
