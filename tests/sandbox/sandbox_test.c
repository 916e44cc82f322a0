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
        const char *const build[] = {compilers[i], "-O2",      "-Wall", "solution.c",
                                     "-o",         "solution", "-lm",   NULL};
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
    const char *const build[] = {
        "/usr/bin/gcc", "-g", "-fsanitize=address,undefined", "bad.c", "-o", "bad", NULL};
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
    const char *const argv[] = {trial_attacks, "echo", NULL};
    const char *const readable[] = {trial_attacks, NULL};
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

/* A request that starts, or an error that says why not. */
static enum status run_once(const struct sandbox_request *request, struct sandbox_report *report,
                            struct error *err)
{
    struct sandbox sandbox;
    const enum status status = sandbox_start(&sandbox, request, err);
    return status ? status : sandbox_finish(&sandbox, report, err);
}

static char *folder_make_here(void)
{
    struct error err;
    char *folder;
    if (sandbox_folder_new(&folder, trial_parent, &err)) fail_msg("%s", err.message);
    return folder;
}

static void folder_drop(char *folder)
{
    struct error err;
    if (sandbox_folder_remove(folder, &err)) fail_msg("%s", err.message);
    free(folder);
}

static void what_cannot_start_is_our_fault_and_says_why(void **state)
{
    (void)state;
    char *folder = folder_make_here();
    struct sandbox_report report;
    struct error err;
    struct sandbox_request request = {.profile = &sandbox_profile_c, .folder = folder};

    request.argv = (const char *const[]){"/usr/bin/no-such-program", NULL};
    assert_int_equal(run_once(&request, &report, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "program"));
    request.argv = (const char *const[]){"true", NULL};
    assert_int_equal(run_once(&request, &report, &err), STATUS_USAGE);
    request.argv = (const char *const[]){"/usr/bin/true", NULL};
    request.readable = (const char *const[]){"/absent/library", NULL};
    assert_int_equal(run_once(&request, &report, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "/absent/library"));
    request.readable = (const char *const[]){"library", NULL};
    assert_int_equal(run_once(&request, &report, &err), STATUS_USAGE);
    request.readable = NULL;
    request.folder = "/tmp/lynx-cortex-absent";
    assert_int_equal(run_once(&request, &report, &err), STATUS_IO);
    /* nothing of all that stays in the folder */
    assert_int_equal(rmdir(folder), 0);
    free(folder);
}

static void without_walls_a_run_is_refused_unless_unsafe(void **state)
{
    (void)state;
    char *folder = folder_make_here();
    struct sandbox_report report;
    struct error err;
    struct sandbox_request request = {
        .profile = &sandbox_profile_c, .argv = SHELL("echo $$; exit 4"), .folder = folder};

    sandbox_pretend(SANDBOX_NO_WALLS);
    const enum status refused = run_once(&request, &report, &err);
    const struct error why = err;
    request.unsafe = true;
    const enum status status = run_once(&request, &report, &err);
    sandbox_pretend(trial_has_namespaces() ? SANDBOX_AS_IS : SANDBOX_NO_NAMESPACES);

    assert_int_equal(refused, STATUS_UNAVAILABLE);
    assert_non_null(strstr(why.message, "--unsafe"));
    assert_non_null(strstr(why.message, "bubblewrap"));
    if (status) fail_msg("%s", err.message);
    assert_int_equal(report.code, 4);
    assert_int_equal(report.walls, SANDBOX_WALLS_NONE);
    sandbox_report_done(&report);
    folder_drop(folder);
}

static void the_callers_environment_comes_before_ours(void **state)
{
    (void)state;
    char *folder = folder_make_here();
    struct sandbox_report report;
    struct error err;
    const char *const environment[] = {"PATH=/usr/bin", "ANSWER=42", NULL};
    const struct sandbox_request request = {
        .profile = &sandbox_profile_c,
        .argv = SHELL("echo $PATH $ANSWER $LANG; pwd; test -w $TMPDIR && test -w $HOME && echo w; "
                      "read line; echo end $?"),
        .environment = environment,
        .folder = folder};
    if (run_once(&request, &report, &err)) fail_msg("%s", err.message);
    char *expected = text_printf("/usr/bin 42 C.UTF-8\n%s\nw\nend 1\n", folder);
    assert_string_equal(text_string(&report.output), expected);
    free(expected);
    sandbox_report_done(&report);
    folder_drop(folder);
}

static void runs_beside_each_other_do_not_meet(void **state)
{
    (void)state;
    enum { RUNS = 4 };
    struct sandbox sandbox[RUNS];
    char *folder[RUNS];
    struct error err;
    const int64_t began = clock_steady_ns();
    for (int i = 0; i < RUNS; i++) {
        char *script = text_printf("sleep 0.4; echo %d; exit %d", i, i);
        folder[i] = folder_make_here();
        const struct sandbox_request request = {
            .profile = &sandbox_profile_compile, .argv = SHELL(script), .folder = folder[i]};
        if (sandbox_start(&sandbox[i], &request, &err)) fail_msg("%s", err.message);
        free(script);
    }
    for (int i = RUNS - 1; i >= 0; i--) {
        struct sandbox_report report;
        if (sandbox_finish(&sandbox[i], &report, &err)) fail_msg("%s", err.message);
        assert_int_equal(report.code, i);
        assert_int_equal(atoi(text_string(&report.output)), i);
        sandbox_report_done(&report);
        folder_drop(folder[i]);
    }
    /* all of them together, not one after the other */
    assert_true((double)(clock_steady_ns() - began) / 1e9 < RUNS * 0.4);
}

static void a_run_can_be_ended_before_it_has_begun(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        char *folder = folder_make_here();
        struct sandbox sandbox;
        struct sandbox_report report;
        struct error err;
        const struct sandbox_request request = {
            .profile = &sandbox_profile_c, .argv = SHELL("while :; do :; done"), .folder = folder};
        if (sandbox_start(&sandbox, &request, &err)) fail_msg("%s", err.message);
        usleep((useconds_t)i * 1000);
        sandbox_kill(&sandbox);
        sandbox_kill(&sandbox);
        if (sandbox_finish(&sandbox, &report, &err)) fail_msg("%s", err.message);
        assert_false(report.exited);
        assert_int_equal(report.signal, SIGKILL);
        sandbox_report_done(&report);
        assert_int_equal(sandbox_finish(&sandbox, &report, &err), STATUS_USAGE);
        sandbox_kill(&sandbox);
        assert_int_equal(rmdir(folder), 0); /* nothing is left in it */
        free(folder);
    }
}

/* uid 0's files often lie where nobody else can look: /root is closed. */
static void what_only_we_can_reach_is_brought_to_the_run(void **state)
{
    (void)state;
    char *closed = path_join(trial_parent, "closed"), *file = path_join(closed, "words");
    struct error err;
    struct sandbox_report report;
    char *folder = NULL;
    if (folder_make(closed, 0700, &err) || file_write(file, "found", 5, 0644, &err) ||
        sandbox_folder_new(&folder, closed, &err))
        fail_msg("%s", err.message);
    const char *const readable[] = {file, NULL};
    char *script = text_printf("cat %s; echo in > result; echo out > %s", file, file);
    const struct sandbox_request request = {.profile = &sandbox_profile_compile,
                                            .argv = SHELL(script),
                                            .folder = folder,
                                            .readable = readable};
    const enum status status = run_once(&request, &report, &err);
    if (!trial_is_plain() && !trial_has_namespaces()) {
        /* nothing to be done here but to say so */
        assert_int_equal(status, STATUS_UNAVAILABLE);
        assert_non_null(strstr(err.message, "chmod"));
    } else {
        struct text text = {0};
        if (status) fail_msg("%s", err.message);
        assert_memory_equal(text_string(&report.output), "found", 5);
        assert_int_not_equal(report.code, 0); /* it was readable, no more */
        if (sandbox_collect(&text, folder, "result", 100, &err)) fail_msg("%s", err.message);
        assert_string_equal(text_string(&text), "in\n");
        text_done(&text);
        sandbox_report_done(&report);
    }
    free(script);
    folder_drop(folder);
    if (sandbox_folder_remove(closed, &err)) fail_msg("%s", err.message);
    free(file);
    free(closed);
}

static void the_probe_tells_of_every_layer(void **state)
{
    (void)state;
    struct sandbox_layer layers[SANDBOX_LAYERS];
    assert_int_equal(sandbox_probe(layers, SANDBOX_LAYERS), SANDBOX_LAYERS);
    for (int i = 0; i < SANDBOX_LAYERS; i++) {
        print_message("%-20s %-3s %s%s%s\n", layers[i].name, layers[i].present ? "yes" : "no",
                      layers[i].detail, layers[i].mend[0] ? " -> " : "", layers[i].mend);
        assert_true(layers[i].detail[0] != '\0');
        assert_true(layers[i].present || layers[i].mend[0] != '\0');
    }
    assert_true(layers[0].present && layers[1].present);
    assert_int_equal(layers[2].present, trial_has_namespaces());
    assert_int_equal(sandbox_probe(layers, 1), 1);
}

static void a_missing_helper_is_said(void **state)
{
    (void)state;
    char *folder = folder_make_here();
    struct sandbox_report report;
    struct error err;
    const struct sandbox_request request = {
        .profile = &sandbox_profile_c, .argv = SHELL("true"), .folder = folder};
    sandbox_init("/absent");
    const enum status status = run_once(&request, &report, &err);
    sandbox_init(getenv("LCX_HELPERS") ? getenv("LCX_HELPERS") : SANDBOX_TEST_HELPERS);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    assert_non_null(strstr(err.message, "/absent/lcx-confine"));
    assert_int_equal(rmdir(folder), 0);
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
        cmocka_unit_test(what_cannot_start_is_our_fault_and_says_why),
        cmocka_unit_test(without_walls_a_run_is_refused_unless_unsafe),
        cmocka_unit_test(the_callers_environment_comes_before_ours),
        cmocka_unit_test(runs_beside_each_other_do_not_meet),
        cmocka_unit_test(a_run_can_be_ended_before_it_has_begun),
        cmocka_unit_test(what_only_we_can_reach_is_brought_to_the_run),
        cmocka_unit_test(the_probe_tells_of_every_layer),
        cmocka_unit_test(a_missing_helper_is_said),
    };
    trial_begin(argc, argv);
    return trial_end(cmocka_run_group_tests(tests, NULL, NULL));
}
