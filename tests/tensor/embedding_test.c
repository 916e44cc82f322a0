#include "tensor/embedding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static void rows_are_looked_up_and_gradients_go_back_to_them(void **state)
{
    (void)state;
    const float table[6] = {10, 11, 20, 21, 30, 31}, want[8] = {30, 31, 10, 11, 30, 31, 20, 21};
    const int32_t tokens[4] = {2, 0, 2, 1};
    const float dout[8] = {1, 2, 3, 4, 5, 6, 7, 8}, want_d[6] = {103, 104, 107, 108, 106, 108};
    float out[8], dtable[6] = {100, 100, 100, 100, 100, 100};
    embedding_forward(NULL, out, table, tokens, 4, 2);
    assert_memory_equal(out, want, sizeof out);
    embedding_backward(NULL, dtable, dout, tokens, 4, 3, 2);
    assert_memory_equal(dtable, want_d, sizeof dtable);
}

static void threads_do_not_change_a_sum(void **state)
{
    (void)state;
    enum { M = 300, V = 7, C = 201 };
    float *dout = numbers_new(M * C, 1, 1);
    int32_t tokens[M];
    for (int i = 0; i < M; i++) tokens[i] = (i * i + i / 3) % V;
    float *want = memory_new(V * C, sizeof *want);
    embedding_backward_plain(want, dout, tokens, M, V, C);
    for (int threads = 1; threads <= 4; threads++) {
        struct pool *pool;
        assert_int_equal(pool_open(&pool, threads, NULL), STATUS_OK);
        float *got = memory_new(V * C, sizeof *got), *rows = numbers_new(M * C, 2, 1);
        embedding_backward(pool, got, dout, tokens, M, V, C);
        assert_memory_equal(got, want, V * C * sizeof *got);
        embedding_forward(pool, rows, got, tokens, M, C);
        for (int i = 0; i < M; i++)
            assert_memory_equal(rows + i * C, got + tokens[i] * C, C * sizeof *got);
        free(got), free(rows);
        pool_close(pool);
    }
    free(want), free(dout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_looked_up_and_gradients_go_back_to_them),
        cmocka_unit_test(threads_do_not_change_a_sum),
    };
    NUMBERS_RUN(tests);
}
