#include "train/train.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "model/weights.h"
#include "train/run_folder.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lcx-train-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct error err;
    return folder_remove(folder, &err) ? -1 : 0;
}

/* A few seconds of learning the corpus, with all that has state. */
static struct recipe small(const char *word, ...)
{
    static const char *const words[] = {
        "layers=2",     "width=32",       "heads=4",         "context=16",     "batch=3",
        "steps=24",     "accumulate=2",   "dropout=0.1",     "average=0.9",    "spike=50",
        "warm_up=4",    "valid_every=7",  "valid_tokens=64", "sample_every=9", "sample_tokens=20",
        "save_every=0", "layers_every=6", "log_every=1",     "threads=1"};
    struct recipe recipe;
    struct error err;
    recipe_init(&recipe);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_int_equal(recipe_word(&recipe, words[i], &err), STATUS_OK);
    va_list more;
    va_start(more, word);
    for (; word; word = va_arg(more, const char *))
        assert_int_equal(recipe_word(&recipe, word, &err), STATUS_OK);
    va_end(more);
    return recipe;
}

static bool after_eleven(void *context)
{
    int *left = context;
    return --*left == 0;
}

static char *in(const char *name) { return path_join(folder, name); }

static void run_whole(const struct recipe *recipe, const char *name)
{
    struct trainer trainer;
    struct train_observer nobody = {0};
    struct error err;
    bool done;
    char *path = in(name);
    assert_int_equal(trainer_create(&trainer, recipe, path, &err), STATUS_OK);
    assert_int_equal(trainer_run(&trainer, &nobody, &done, &err), STATUS_OK);
    assert_true(done);
    trainer_close(&trainer);
    free(path);
}

/* Byte for byte the same file in two runs. */
static void assert_same(const char *one, const char *other, const char *name)
{
    struct text a = {0}, b = {0};
    struct error err;
    char *first = in(one), *second = in(other);
    char *path_a = path_join(first, name), *path_b = path_join(second, name);
    assert_int_equal(file_read(&a, path_a, 1 << 28, &err), STATUS_OK);
    assert_int_equal(file_read(&b, path_b, 1 << 28, &err), STATUS_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    text_done(&a);
    text_done(&b);
    free(first);
    free(second);
    free(path_a);
    free(path_b);
}

static void a_resumed_run_equals_the_uninterrupted_one(void **state)
{
    (void)state;
    struct recipe recipe = small(NULL);
    struct trainer trainer;
    struct error err;
    bool done;
    char *path = in("stopped");
    run_whole(&recipe, "whole");

    int left = 11;
    struct train_observer stopping = {.context = &left, .stop = after_eleven};
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
    assert_int_equal(trainer_run(&trainer, &stopping, &done, &err), STATUS_OK);
    assert_false(done);
    assert_int_equal(trainer.step, 11);
    trainer_close(&trainer);

    char *words[] = {"threads=2"};
    struct train_observer nobody = {0};
    assert_int_equal(trainer_resume(&trainer, path, words, 1, &err), STATUS_OK);
    assert_int_equal(trainer.step, 11);
    assert_int_equal(trainer_run(&trainer, &nobody, &done, &err), STATUS_OK);
    assert_true(done);
    trainer_close(&trainer);
    assert_same("whole", "stopped", "checkpoint.safetensors");
    assert_same("whole", "stopped", "model.safetensors");
    assert_same("whole", "stopped", "best.safetensors");
    recipe_done(&recipe);
    free(path);
}

static void every_optimizer_resumes(void **state)
{
    (void)state;
    for (int i = 0; i < OPTIMIZER_COUNT; i++) {
        char *word = text_printf("optimizer=%s", optimizer_names[i]);
        char *whole = text_printf("whole-%d", i), *part = text_printf("part-%d", i);
        struct recipe recipe =
            small(word, "steps=8", "rate=0.001", i % 2 ? "numbers=bf16" : "numbers=f32", NULL);
        struct trainer trainer;
        struct error err;
        bool done;
        int left = 3;
        struct train_observer stopping = {.context = &left, .stop = after_eleven}, nobody = {0};
        char *path = in(part);
        run_whole(&recipe, whole);
        assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
        assert_int_equal(trainer_run(&trainer, &stopping, &done, &err), STATUS_OK);
        trainer_close(&trainer);
        assert_int_equal(trainer_resume(&trainer, path, NULL, 0, &err), STATUS_OK);
        assert_int_equal(trainer_run(&trainer, &nobody, &done, &err), STATUS_OK);
        trainer_close(&trainer);
        assert_same(whole, part, "checkpoint.safetensors");
        recipe_done(&recipe);
        free(word);
        free(whole);
        free(part);
        free(path);
    }
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads *= 2) {
        char *word = text_printf("threads=%d", threads), *name = text_printf("threads-%d", threads);
        struct recipe recipe = small(word, "steps=6", NULL);
        run_whole(&recipe, name);
        assert_same("threads-1", name, "model.safetensors");
        recipe_done(&recipe);
        free(word);
        free(name);
    }
}

static void what_would_change_the_run_is_refused_when_it_goes_on(void **state)
{
    (void)state;
    struct recipe recipe = small("steps=2", NULL);
    struct trainer trainer;
    struct error err;
    char *path = in("refuses");
    run_whole(&recipe, "refuses");
    char *rate[] = {"rate=0.5"}, *wrong[] = {"tempo=3"};
    assert_int_equal(trainer_resume(&trainer, path, rate, 1, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "rate"));
    assert_int_equal(trainer_resume(&trainer, path, wrong, 1, &err), STATUS_USAGE);
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_CONFLICT);
    assert_int_equal(trainer_resume(&trainer, folder, NULL, 0, &err), STATUS_NOT_FOUND);
    recipe_done(&recipe);
    free(path);
}

static void a_changed_text_is_seen(void **state)
{
    (void)state;
    char *text = in("text.txt"), *path = in("changed"), *data = text_printf("data=%s", text);
    struct text words = {0};
    struct error err;
    for (int i = 0; i < 300; i++) text_format(&words, "word %d and ", i % 17);
    assert_int_equal(file_write(text, words.data, words.size, 0600, &err), STATUS_OK);
    struct recipe recipe = small(data, "steps=2", NULL);
    struct trainer trainer;
    run_whole(&recipe, "changed");
    words.data[7] = '0';
    assert_int_equal(file_write(text, words.data, words.size, 0600, &err), STATUS_OK);
    assert_int_equal(trainer_resume(&trainer, path, NULL, 0, &err), STATUS_CONFLICT);
    text_done(&words);
    recipe_done(&recipe);
    free(text);
    free(path);
    free(data);
}

static void it_learns(void **state)
{
    (void)state;
    struct recipe recipe = small("steps=400", "dropout=0", "average=0", "accumulate=1", "batch=8",
                                 "rate=0.01", "sample_tokens=0", NULL);
    struct trainer trainer;
    struct error err;
    struct train_step first, step;
    char *path = in("learns");
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
    trainer_step(&trainer, &first);
    for (int i = 1; i < 400; i++) trainer_step(&trainer, &step);
    assert_true(first.loss > 4); /* about log(V): it knows nothing */
    if (step.smooth > 2.8)
        fail_msg("loss %g after 400 steps", step.smooth); /* letters and their neighbours */
    trainer_close(&trainer);
    recipe_done(&recipe);
    free(path);
}

/* With a threshold of almost nothing, whatever is above the mean is a spike: nothing moves then. */
static void a_spike_is_skipped(void **state)
{
    (void)state;
    struct recipe recipe = small("spike=0.000001", "steps=200", "average=0", NULL);
    struct trainer trainer;
    struct error err;
    struct train_step step;
    char *path = in("spikes");
    int n = 0;
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
    const size_t bytes = trainer.parameters.count * sizeof(float);
    float *before = memory_new(1, bytes);
    for (int i = 0; i < 100; i++) {
        memcpy(before, trainer.parameters.data, bytes);
        trainer_step(&trainer, &step);
        assert_true(i >= 50 || !step.skipped);
        if (step.skipped) assert_memory_equal(before, trainer.parameters.data, bytes);
        else assert_memory_not_equal(before, trainer.parameters.data, bytes);
        n += step.skipped;
        for (size_t k = 0; k < trainer.parameters.count; k++)
            assert_true(trainer.gradients[k] == 0);
    }
    assert_true(n > 0 && n < 50);
    assert_int_equal(trainer.n_skipped, n);
    assert_int_equal(trainer.step, 100);
    assert_int_equal(trainer.optimizer.step, 100 - n);
    free(before);
    trainer_close(&trainer);
    recipe_done(&recipe);
    free(path);
}

static void it_stops_when_validation_gets_no_better(void **state)
{
    (void)state;
    struct recipe recipe = small("rate=0", "rate_least=0", "decay=0", "patience=2", "steps=1000",
                                 "valid_every=5", NULL);
    struct trainer trainer;
    struct error err;
    struct train_observer nobody = {0};
    bool done;
    char *path = in("patience");
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
    assert_int_equal(trainer_run(&trainer, &nobody, &done, &err), STATUS_OK);
    assert_true(done);
    assert_int_equal(trainer.step, 15); /* the first is the best, then two that are not */
    trainer_close(&trainer);
    recipe_done(&recipe);
    free(path);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    struct recipe recipe = small("layers_every=0", "numbers=bf16", NULL);
    struct trainer trainer;
    struct error err;
    struct train_step step;
    char *path = in("allocates");
    assert_int_equal(trainer_create(&trainer, &recipe, path, &err), STATUS_OK);
    trainer_step(&trainer, &step); /* scratch memory grows to what it needs */
    const struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 5; i++) trainer_step(&trainer, &step);
    const struct mallinfo2 after = mallinfo2();
    assert_int_equal(after.uordblks, before.uordblks);
    assert_int_equal(after.hblkhd, before.hblkhd);
    trainer_close(&trainer);
    recipe_done(&recipe);
    free(path);
}

static void a_log_is_cut_behind_the_checkpoint(void **state)
{
    (void)state;
    static const char lines[] = "{\"kind\":\"start\",\"step\":0}\n{\"kind\":\"step\",\"step\":5}\n"
                                "{\"kind\":\"step\",\"step\":6}\n{\"kind\":\"end\",\"step\":5}\n"
                                "{\"kind\":\"st";
    struct error err;
    struct text left = {0};
    char *path = in("log.jsonl");
    assert_int_equal(file_write(path, lines, strlen(lines), 0600, &err), STATUS_OK);
    assert_int_equal(run_log_trim(folder, 5, &err), STATUS_OK);
    assert_int_equal(file_read(&left, path, 1 << 20, &err), STATUS_OK);
    assert_string_equal(text_string(&left),
                        "{\"kind\":\"start\",\"step\":0}\n{\"kind\":\"step\",\"step\":5}\n");
    text_done(&left);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resumed_run_equals_the_uninterrupted_one),
        cmocka_unit_test(every_optimizer_resumes),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(what_would_change_the_run_is_refused_when_it_goes_on),
        cmocka_unit_test(a_changed_text_is_seen),
        cmocka_unit_test(it_learns),
        cmocka_unit_test(a_spike_is_skipped),
        cmocka_unit_test(it_stops_when_validation_gets_no_better),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(a_log_is_cut_behind_the_checkpoint),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
