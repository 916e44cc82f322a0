#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", script, NULL})

static void write_source(const char *folder, const char *name, const char *text)
{
    char *path = path_join(folder, name);
    struct error err;
    if (file_write(path, text, strlen(text), 0644, &err)) fail_msg("%s", err.message);
    free(path);
}

static void the_exit_code_and_the_words_come_back(void **state)
{
    (void)state;
    struct trial trial = {0};
    trial_run(&trial, &sandbox_profile_c, SHELL("echo out; echo err >&2; exit 7"));
    assert_true(trial.report.exited);
    assert_int_equal(trial.report.code, 7);
    assert_int_equal(trial.report.limit, SANDBOX_LIMIT_NONE);
    assert_string_equal(text_string(&trial.report.output), "out\nerr\n");
    assert_false(trial.report.output_cut);
    assert_true(trial.report.wall_ms > 0 && trial.report.wall_ms < 5000);
    trial_done(&trial);
}

static void a_signal_is_told_from_an_exit_code_that_looks_like_one(void **state)
{
    (void)state;
    struct trial trial = {0};
    trial_run(&trial, &sandbox_profile_c, SHELL("exit 139"));
    assert_true(trial.report.exited);
    assert_int_equal(trial.report.code, 139);
    trial_done(&trial);
    trial_attack(&trial, &sandbox_profile_c, "crash", NULL);
    assert_false(trial.report.exited);
    assert_int_equal(trial.report.signal, SIGSEGV);
    trial_done(&trial);
    trial_attack(&trial, &sandbox_profile_c, "abort", NULL);
    assert_false(trial.report.exited);
    assert_int_equal(trial.report.signal, SIGABRT);
    trial_done(&trial);
}

static void a_program_is_compiled_and_run_inside(void **state)
{
    (void)state;
    static const char source[] = "#include <stdio.h>\n#include <math.h>\n"
                                 "int main(int argc, char **argv) { (void)argv;\n"
                                 "    printf(\"%.3f\\n\", sqrt(1.0 + argc)); return 3; }\n";
    static const char *const compilers[] = {"/usr/bin/gcc", "/usr/bin/clang"};
    for (int i = 0; i < 2; i++) {
        if (access(compilers[i], X_OK) != 0) continue;
        const char *const build[] = {compilers[i], "-O2", "-Wall", "solution.c",
                                     "-o", "solution", "-lm", NULL};
        struct trial trial = {0};
        struct error err;
        if (sandbox_folder_new(&trial.folder, trial_parent, &err)) fail_msg("%s", err.message);
        write_source(trial.folder, "solution.c", source);
        trial_run_in(&trial, &sandbox_profile_compile, build);
        if (!trial.report.exited || trial.report.code != 0)
            fail_msg("%s: %s", compilers[i], text_string(&trial.report.output));
        sandbox_report_done(&trial.report);

        char *program = path_join(trial.folder, "solution");
        trial_run_in(&trial, &sandbox_profile_c, (const char *const[]){program, NULL});
        assert_true(trial.report.exited);
        assert_int_equal(trial.report.code, 3);
        assert_string_equal(text_string(&trial.report.output), "1.414\n");
        free(program);
        trial_done(&trial);
    }
}

static void a_program_with_address_sanitizer_starts_and_reports(void **state)
{
    (void)state;
    static const char source[] = "#include <stdlib.h>\n"
                                 "int main(void) { volatile int *p = malloc(8); p[2] = 1;\n"
                                 "    return 0; }\n";
    const char *const build[] = {"/usr/bin/gcc", "-g", "-fsanitize=address,undefined",
                                 "bad.c", "-o", "bad", NULL};
    struct trial trial = {0};
    struct error err;
    if (sandbox_folder_new(&trial.folder, trial_parent, &err)) fail_msg("%s", err.message);
    write_source(trial.folder, "bad.c", source);
    trial_run_in(&trial, &sandbox_profile_compile, build);
    assert_true(trial.report.exited && trial.report.code == 0);
    sandbox_report_done(&trial.report);
    char *program = path_join(trial.folder, "bad");
    trial_run_in(&trial, &sandbox_profile_c_sanitized, (const char *const[]){program, NULL});
    assert_non_null(strstr(text_string(&trial.report.output), "heap-buffer-overflow"));
    assert_non_null(strstr(text_string(&trial.report.output), "bad.c:2"));
    free(program);
    trial_done(&trial);
}

/* Whether /usr/bin/python3 has the library, asked outside. */
static bool python_has(const char *library)
{
    char *command = text_printf("/usr/bin/python3 -c 'import %s' >/dev/null 2>&1", library);
    const bool has = system(command) == 0;
    free(command);
    if (!has) print_message("skipped: /usr/bin/python3 has no %s\n", library);
    return has;
}

static void python_says(const struct sandbox_profile *profile, const char *script,
                        const char *expected)
{
    const char *const argv[] = {"/usr/bin/python3", "-I", "-c", script, NULL};
    struct trial trial = {0};
    trial_run(&trial, profile, argv);
    print_message("%s: %.0f ms, cpu %.0f ms, %.0f MiB\n", profile->name, trial.report.wall_ms,
                  trial.report.cpu_ms, (double)trial.report.memory_peak_bytes / (1 << 20));
    assert_string_equal(text_string(&trial.report.output), expected);
    assert_true(trial.report.exited);
    assert_int_equal(trial.report.code, 0);
    trial_done(&trial);
}

static void numpy_runs_under_its_profile(void **state)
{
    (void)state;
    if (!python_has("numpy")) return;
    python_says(&sandbox_profile_numpy,
                "import numpy as np, threading\n"
                "a = np.ones((300, 300)); b = a @ a; print(b.sum(), np.linalg.norm(np.eye(4)))\n"
                "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n",
                "27000000.0 2.0\nthread\n");
}

static void torch_runs_under_its_profile(void **state)
{
    (void)state;
    if (!python_has("torch")) return;
    python_says(&sandbox_profile_torch,
                "import torch, torch.nn.functional as F\n"
                "x = torch.ones(64, 64, requires_grad=True)\n"
                "y = F.scaled_dot_product_attention(x[None], x[None], x[None]) if hasattr(F, "
                "'scaled_dot_product_attention') else x[None]\n"
                "((x @ x).sum() + y.sum() * 0).backward(); print(x.grad[0, 0].item())\n",
                "128.0\n");
}

static void the_channel_carries_bytes_both_ways(void **state)
{
    (void)state;
    const char *const argv[] = {SANDBOX_TEST_ATTACKS, "echo", NULL};
    const char *const readable[] = {SANDBOX_TEST_ATTACKS, NULL};
    struct sandbox_request request = {
        .profile = &sandbox_profile_c, .argv = argv, .readable = readable, .channel = true};
    struct sandbox sandbox;
    struct sandbox_report report;
    struct error err;
    char *folder, answer[16] = "";

    if (sandbox_folder_new(&folder, trial_parent, &err)) fail_msg("%s", err.message);
    request.folder = folder;
    if (sandbox_start(&sandbox, &request, &err)) fail_msg("%s", err.message);
    assert_true(descriptor_write(sandbox.channel, "hello", 5));
    ssize_t n = read(sandbox.channel, answer, sizeof answer);
    if (n != 5) {
        if (sandbox_finish(&sandbox, &report, &err)) fail_msg("%s", err.message);
        fail_msg("no echo: %s (code %d, signal %d)", text_string(&report.output), report.code,
                 report.signal);
    }
    assert_memory_equal(answer, "HELLO", 5);
    /* the far end sees the close, and ends by itself; then we see its end */
    assert_int_equal(shutdown(sandbox.channel, SHUT_WR), 0);
    assert_int_equal(read(sandbox.channel, answer, sizeof answer), 0);
    if (sandbox_finish(&sandbox, &report, &err)) fail_msg("%s", err.message);
    assert_true(report.exited);
    assert_int_equal(report.code, 0);
    sandbox_report_done(&report);
    if (sandbox_folder_remove(folder, &err)) fail_msg("%s", err.message);
    free(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_code_and_the_words_come_back),
        cmocka_unit_test(a_signal_is_told_from_an_exit_code_that_looks_like_one),
        cmocka_unit_test(a_program_is_compiled_and_run_inside),
        cmocka_unit_test(a_program_with_address_sanitizer_starts_and_reports),
        cmocka_unit_test(numpy_runs_under_its_profile),
        cmocka_unit_test(torch_runs_under_its_profile),
        cmocka_unit_test(the_channel_carries_bytes_both_ways),
    };
    trial_begin(argc, argv);
    return trial_end(cmocka_run_group_tests(tests, NULL, NULL));
}
