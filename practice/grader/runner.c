#include "grader/runner.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/locale.h"
#include "grader/channel.h"
#include "grader/python.h"
#include "grader/worker.h"

enum { GRACE_S = 5 }; /* past the sandbox's own wall clock, which normally ends it */

void grader_done(struct grader *grader)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        worker_free(grader->workers[lane]);
        grader->workers[lane] = NULL;
    }
    if (!grader->stage) return;
    const enum status gone = sandbox_folder_remove(grader->stage, NULL);
    (void)gone; /* if not, the next start sweeps it */
    free(grader->stage);
    grader->stage = NULL;
}

enum status grader_helper(char **path, struct grader *grader, const char *name, struct error *err)
{
    char *from = path_join(grader->helpers, name);
    const enum status status = sandbox_stage(path, &grader->stage, from, grader->scratch, err);
    free(from);
    return status;
}

static void PRINTF_LIKE(3, 4)
    set_trouble(struct trouble *trouble, enum trouble_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    trouble->kind = kind;
    vsnprintf(trouble->message, sizeof trouble->message, format, args);
    va_end(args);
}

/* ---- C: build, then run ---- */

static const char *compiler(void)
{
    static const char *const known[] = {"/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (access(known[i], X_OK) == 0) return known[i];
    return NULL;
}

/* The compiler's words without our folders before each file name. */
static void add_shortened(struct text *out, const char *words, const struct runner *runner)
{
    const char *const folders[] = {runner->folder, runner->grader->helpers, runner->grader->stage};
    for (const char *p = words; *p;) {
        size_t skip = 0;
        for (int i = 0; i < 3 && *p == '/'; i++) {
            const size_t size = folders[i] ? strlen(folders[i]) : 0;
            if (size && strncmp(p, folders[i], size) == 0 && p[size] == '/') skip = size + 1;
        }
        if (skip) p += skip;
        else text_add_char(out, *p++);
    }
}

static void explain_limit(struct trouble *trouble, const struct sandbox_report *report)
{
    trouble->kind = TROUBLE_LIMIT;
    trouble->limit = report->limit;
    trouble->limit_value = report->limit_value;
    trouble->limit_used = report->used_value;
    if (report->limit == SANDBOX_LIMIT_CPU && trouble->limit_used < trouble->limit_value)
        trouble->limit_used = trouble->limit_value; /* the kernel counts by ticks */
}

/* Write the submission and the task's header into a fresh folder. */
static bool write_sources(struct runner *runner, struct trouble *trouble)
{
    const char *source = runner->source;
    const struct drill *drill = runner->drill;
    struct error err = {0};
    struct text header = {0};
    char *header_path = text_printf("%s/%s.h", drill->folder, drill->file);
    char *to_header = NULL, *to_source = NULL;

    enum status status = sandbox_folder_new(&runner->folder, runner->grader->scratch, &err);
    if (!status) status = file_read(&header, header_path, 1 << 20, &err);
    if (!status) {
        to_header = text_printf("%s/%s.h", runner->folder, drill->file);
        to_source = text_printf("%s/%s.c", runner->folder, drill->file);
        status = file_scratch(to_header, text_string(&header), header.size, 0644, &err);
    }
    if (!status) status = file_scratch(to_source, source, strlen(source), 0644, &err);
    if (status) set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
    text_done(&header);
    free(header_path);
    free(to_header);
    free(to_source);
    return !status;
}

/* The name after `words`, in whatever quotes this linker uses; the caller frees it. NULL: none. */
static char *name_after(const char *said, const char *words)
{
    const char *at = strstr(said, words);
    if (!at) return NULL;
    at += strlen(words);
    while (*at && !isalnum((unsigned char)*at) && *at != '_' && *at != '\n') at++;
    size_t size = 0;
    while (isalnum((unsigned char)at[size]) || at[size] == '_') size++;
    return size ? text_printf("%.*s", (int)size, at) : NULL;
}

/* "void attention(float *out, ...)", as the task's header declares it; NULL when it does not. */
static char *declaration_of(const struct runner *runner, const char *name)
{
    struct text header = {0}, words = {0};
    char *path = text_printf("%s/%s.h", runner->drill->folder, runner->drill->file);
    char *call = text_printf("%s(", name);
    if (file_read(&header, path, 1 << 20, NULL) == STATUS_OK) {
        const char *begin = text_string(&header), *at = strstr(begin, call);
        while (at && at > begin && at[-1] != ' ' && at[-1] != '*') at = strstr(at + 1, call);
        const char *end = at ? strchr(at, ';') : NULL;
        while (at && at > begin && at[-1] != '\n') at--;
        for (; end && at < end; at++)
            if (!isspace((unsigned char)*at)) text_add_char(&words, *at);
            else if (at[1] != ' ' && at[1] != '\n') text_add_char(&words, ' ');
    }
    char *declaration = words.size ? text_take(&words) : NULL;
    text_done(&words);
    text_done(&header);
    free(path);
    free(call);
    return declaration;
}

/* What the linker missed, or found twice, in our words before its own. */
static void explain_link(struct text *out, const struct runner *runner, const char *said)
{
    const char *file = runner->drill->file;
    char *twice = name_after(said, "multiple definition of ");
    if (!twice) twice = name_after(said, "duplicate symbol: ");
    char *missing = name_after(said, "undefined reference to ");
    if (!missing) missing = name_after(said, "undefined symbol: ");
    char *declaration = missing ? declaration_of(runner, missing) : NULL;

    if (twice && strcmp(twice, "main") == 0)
        text_format(out, _("%s.c defines main: leave it out, the grader calls your function.\n"),
                    file);
    if (declaration)
        text_format(out, _("%s.c does not define %s. %s.h declares it: %s\n"), file, missing, file,
                    declaration);
    else if (missing) text_format(out, _("%s.c uses %s and does not define it.\n"), file, missing);
    if (out->size) text_add_char(out, '\n');
    free(twice);
    free(missing);
    free(declaration);
}

static void build_c(struct runner *runner, struct trouble *trouble)
{
    const struct drill *drill = runner->drill;
    const char *cc = compiler();
    struct error err = {0};
    struct sandbox_report report = {0};

    if (!cc) {
        set_trouble(trouble, TROUBLE_UNAVAILABLE,
                    _("the C lane is not available here: there is no compiler in /usr/bin"));
        return;
    }
    char *name = text_printf("call-%s.o", drill->number), *object;
    enum status status = grader_helper(&object, runner->grader, name, &err);
    free(name);
    if (status) {
        set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
        return;
    }
    char *header = text_printf("%s/%s.h", runner->folder, drill->file);
    char *file = text_printf("%s/%s.c", runner->folder, drill->file);
    char *program = text_printf("%s/attempt", runner->folder);
    const char *const fast[] = {cc,   "-std=gnu17", "-O2", "-Wall", "-include", header,
                                file, object,       "-o",  program, "-lm",      NULL};
    const char *const sanitized[] = {cc,
                                     "-std=gnu17",
                                     "-O1",
                                     "-g",
                                     "-Wall",
                                     "-fsanitize=address,undefined",
                                     "-fno-sanitize-recover=undefined",
                                     "-include",
                                     header,
                                     file,
                                     object,
                                     "-o",
                                     program,
                                     "-lm",
                                     NULL};
    const char *const readable[] = {object, NULL};
    const struct sandbox_request request = {
        .profile = &sandbox_profile_compile,
        .argv = runner->build == RUNNER_SANITIZED ? sanitized : fast,
        .folder = runner->folder,
        .readable = readable,
        .unsafe = runner->grader->unsafe,
    };
    status = sandbox_start(&runner->sandbox, &request, &err);
    if (!status) status = sandbox_finish(&runner->sandbox, &report, &err);
    if (status == STATUS_UNAVAILABLE) set_trouble(trouble, TROUBLE_UNAVAILABLE, "%s", err.message);
    else if (status) set_trouble(trouble, TROUBLE_OURS, "%s", err.message);

    struct text words = {0};
    add_shortened(&words, text_string(&report.output), runner);
    text_add(&runner->printed, text_string(&words));
    if (!status && report.limit) {
        explain_limit(trouble, &report);
        snprintf(trouble->message, sizeof trouble->message, "%s", _("while compiling"));
    } else if (!status && !(report.exited && report.code == 0)) {
        struct text why = {0};
        explain_link(&why, runner, text_string(&words));
        set_trouble(trouble, TROUBLE_BUILD, "%s%s", text_string(&why), text_string(&words));
        text_done(&why);
    }
    text_done(&words);
    sandbox_report_done(&report);
    free(object);
    free(header);
    free(file);
    free(program);
}

static void start_c(struct runner *runner, struct trouble *trouble)
{
    static const char *const environment[] = {
        "ASAN_OPTIONS=detect_leaks=0:hard_rss_limit_mb=512:color=never:allocator_may_return_null=1:"
        "handle_segv=1:symbolize=1",
        "UBSAN_OPTIONS=print_stacktrace=1:color=never", NULL};
    const bool sanitized = runner->build == RUNNER_SANITIZED;
    const struct sandbox_profile *profile =
        sanitized ? &sandbox_profile_c_sanitized : &sandbox_profile_c;
    struct error err = {0};
    enum status status = STATUS_OK;
    char *program = NULL;
    if (runner->source) {
        program = text_printf("%s/attempt", runner->folder);
    } else {
        char *name = text_printf("reference-%s", runner->drill->number);
        status = grader_helper(&program, runner->grader, name, &err);
        free(name);
    }
    if (status) {
        set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
        return;
    }
    const char *const argv[] = {program, NULL};
    const char *const readable[] = {runner->source ? NULL : program, NULL}; /* its folder is */
    const struct sandbox_request request = {
        .profile = profile,
        .argv = argv,
        .environment = sanitized ? environment : NULL,
        .folder = runner->folder,
        .readable = readable,
        .channel = true,
        .unsafe = runner->grader->unsafe,
    };
    status = sandbox_start(&runner->sandbox, &request, &err);
    free(program);
    if (status) {
        set_trouble(trouble, status == STATUS_UNAVAILABLE ? TROUBLE_UNAVAILABLE : TROUBLE_OURS,
                    "%s", err.message);
        return;
    }
    runner->wall_s = profile->wall_s;
    runner->channel = runner->sandbox.channel;
}

static void open_c(struct runner *runner, struct trouble *trouble)
{
    struct error err = {0};
    if (runner->source) {
        if (write_sources(runner, trouble)) build_c(runner, trouble);
    } else if (sandbox_folder_new(&runner->folder, runner->grader->scratch, &err)) {
        set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
    }
    if (!trouble->kind) start_c(runner, trouble);
}

/* ---- both ---- */

static struct drain drain_of(struct runner *runner)
{
    if (runner->printed_before > runner->printed.size) runner->printed_before = 0; /* taken away */
    return (struct drain){.fd = runner->output,
                          .text = &runner->printed,
                          .limit_bytes = runner->printed_before +
                                         worker_profile(runner->lane)->output_stop_bytes};
}

bool runner_alive(const struct runner *runner) { return runner->channel >= 0; }

/* Of what one Python process printed, keep as much as the sandbox keeps of a C program: the
 * beginning, how much is left out, the end. */
static void cut_printed(struct runner *runner)
{
    const size_t kept = worker_profile(runner->lane)->output_bytes, head = kept / 4 * 3;
    if (runner->printed_before > runner->printed.size) runner->printed_before = 0;
    const size_t printed = runner->printed.size - runner->printed_before;
    if (printed > kept) {
        struct text cut = {0};
        const char *all = text_string(&runner->printed);
        text_add_bytes(&cut, all, runner->printed_before + head);
        text_format(&cut, _("\n[... %llu bytes left out ...]\n"),
                    (unsigned long long)(printed - kept));
        text_add_bytes(&cut, all + runner->printed.size - (kept - head), kept - head);
        text_done(&runner->printed);
        runner->printed = cut;
    }
    runner->printed_before = runner->printed.size;
}

/* The process is gone or must go: find out why, and release it. */
static void end(struct runner *runner, struct trouble *trouble)
{
    if (runner->lane == LANE_C) {
        struct sandbox_report report = {0};
        struct error err = {0};
        runner->channel = -1;
        if (sandbox_finish(&runner->sandbox, &report, &err)) {
            if (!trouble->kind || trouble->kind == TROUBLE_CRASH)
                set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
            return;
        }
        add_shortened(&runner->printed, text_string(&report.output), runner);
        runner->cpu_ms = report.cpu_ms;
        runner->memory_bytes = report.memory_peak_bytes;
        if (trouble->kind == TROUBLE_CRASH) {
            if (report.limit) {
                explain_limit(trouble, &report);
            } else if (report.exited) {
                set_trouble(trouble, TROUBLE_CRASH,
                            _("the process ended by itself with status %d before it answered"),
                            report.code);
            } else {
                set_trouble(trouble, TROUBLE_CRASH, _("the process ended by signal %d (%s)"),
                            report.signal, strsignal(report.signal));
                trouble->signal = report.signal;
            }
        }
        sandbox_report_done(&report);
        return;
    }
    struct drain drain = drain_of(runner);
    drain_rest(&drain);
    close(runner->channel);
    runner->channel = -1;
    struct worker *worker = runner->grader->workers[runner->lane];
    if (worker) worker_wait(worker, runner, trouble);
    drain_rest(&drain);
    close(runner->output);
    runner->output = -1;
    cut_printed(runner);
}

/* What a reply says of itself, as trouble; the reply's own fields are left alone. */
static void reply_trouble(const struct runner *runner, const struct record *reply,
                          struct trouble *trouble)
{
    static const struct {
        const char *field;
        enum trouble_kind kind;
    } words[] = {
        {"_forbidden", TROUBLE_CONTRACT}, {"_import", TROUBLE_BUILD},
        {"_contract", TROUBLE_CONTRACT},  {"_exception", TROUBLE_EXCEPTION},
        {"_memory", TROUBLE_LIMIT},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct array *found = record_find(reply, words[i].field);
        if (!found || found->dtype != DTYPE_U8 || found->ndim != 1) continue;
        char *said = record_text(reply, words[i].field);
        said[text_utf8_valid(said, strlen(said))] = '\0';
        if (strcmp(words[i].field, "_forbidden") == 0)
            set_trouble(trouble, TROUBLE_CONTRACT,
                        _("%s was used, and this task asks you to write that yourself"), said);
        else set_trouble(trouble, words[i].kind, "%.1800s", said);
        if (words[i].kind == TROUBLE_LIMIT) {
            trouble->limit = SANDBOX_LIMIT_MEMORY;
            trouble->limit_value =
                (double)worker_profile(runner->lane)->memory_bytes / (1024.0 * 1024.0);
            /* what was in use, or was asked for at once; refused below the limit: all of it */
            const struct array *used = record_find(reply, "_memory_bytes");
            const double used_mib = used && used->dtype == DTYPE_I64 && used->ndim == 0
                                        ? (double)record_int(reply, "_memory_bytes") / 1048576.0
                                        : 0;
            trouble->limit_used = fmax(trouble->limit_value, used_mib);
        }
        free(said);
        return;
    }
}

static void end_of_channel(struct runner *runner, enum channel_end why, struct trouble *trouble)
{
    trouble->kind = TROUBLE_CRASH; /* until the sandbox says better */
    if (why == CHANNEL_LATE && runner->lane == LANE_C) sandbox_kill(&runner->sandbox);
    end(runner, trouble);
    if (trouble->kind != TROUBLE_CRASH) return;
    if (why == CHANNEL_FLOODED) {
        trouble->message[0] = '\0';
        trouble->kind = TROUBLE_LIMIT;
        trouble->limit = SANDBOX_LIMIT_OUTPUT;
        trouble->limit_value = trouble->limit_used =
            (double)worker_profile(runner->lane)->output_stop_bytes / 1024.0;
    } else if (why == CHANNEL_LATE) {
        trouble->kind = TROUBLE_LIMIT;
        trouble->limit = SANDBOX_LIMIT_WALL;
        trouble->limit_value = trouble->limit_used = runner->wall_s;
    } else if (why == CHANNEL_MALFORMED) {
        set_trouble(trouble, TROUBLE_CONTRACT, "%s",
                    _("the answer was not readable: descriptor 3 belongs to the grader"));
    }
}

/* Fork a Python child and hear whether it could load the submission. */
static void start_python(struct runner *runner, struct trouble *trouble)
{
    struct worker *worker = worker_get(runner->grader, runner->lane, trouble);
    if (!worker) return;
    worker_run(worker, runner, runner->source, trouble);
    if (trouble->kind) return;

    struct record hello = {0};
    struct drain drain = drain_of(runner);
    const enum channel_end why =
        channel_receive(&hello, runner->channel,
                        clock_steady_ns() + (int64_t)((runner->wall_s + GRACE_S) * 1e9), &drain);
    if (why) {
        end_of_channel(runner, why, trouble);
    } else {
        /* Nothing of the candidate's has run when the confinement fails, so only here is this
         * word the worker's own. */
        const struct array *confine = record_find(&hello, "_sandbox");
        if (confine && confine->dtype == DTYPE_U8)
            set_trouble(trouble, TROUBLE_OURS, _("the sandbox could not confine the submission"));
        else reply_trouble(runner, &hello, trouble);
        if (trouble->kind) end(runner, trouble);
    }
    record_done(&hello);
}

void runner_open(struct runner *runner, struct grader *grader, const struct drill *drill,
                 enum lane lane, enum runner_build build, const char *source,
                 struct trouble *trouble)
{
    *trouble = (struct trouble){0};
    *runner = (struct runner){.grader = grader,
                              .drill = drill,
                              .lane = lane,
                              .channel = -1,
                              .output = -1,
                              .build = build,
                              .source = text_copy(source)};
    if (lane == LANE_C) {
        open_c(runner, trouble);
        return;
    }
    if (!source) {
        struct text reference = {0};
        struct error err = {0};
        if (drill_read(&reference, drill, "reference", lane, &err))
            set_trouble(trouble, TROUBLE_OURS, "%s", err.message);
        runner->source = text_take(&reference);
    }
    if (!trouble->kind) start_python(runner, trouble);
}

void runner_restart(struct runner *runner, struct trouble *trouble)
{
    CHECK(!runner_alive(runner));
    *trouble = (struct trouble){0};
    if (runner->lane == LANE_C) start_c(runner, trouble);
    else start_python(runner, trouble);
}

static bool same_arrays(const struct record *a, const struct record *b)
{
    if (a->n_fields != b->n_fields) return false;
    for (int i = 0; i < a->n_fields; i++) {
        const struct array *x = &a->fields[i].array;
        const struct array *y = record_find(b, a->fields[i].name);
        if (!y || y->dtype != x->dtype || y->ndim != x->ndim) return false;
        for (int k = 0; k < x->ndim; k++)
            if (x->dims[k] != y->dims[k]) return false;
        const size_t size = (size_t)array_count(x) * dtype_size(x->dtype);
        if (size && memcmp(x->data, y->data, size) != 0) return false;
    }
    return true;
}

void runner_call(struct runner *runner, const struct record *in, struct record *out, int n,
                 int64_t *elapsed_ns, struct trouble *trouble)
{
    struct text message = {0};
    struct record head = {0}, echo = {0}; /* the inputs, as they are after the call */
    struct drain drain = drain_of(runner);

    *trouble = (struct trouble){0};
    for (int i = 0; i < n; i++) out[i] = (struct record){0};
    record_add_int(&head, "count", n);
    record_encode(&message, &head);
    for (int i = 0; i < n; i++) record_encode(&message, &in[i]);

    const int64_t start = clock_steady_ns();
    const int64_t deadline = start + (int64_t)((runner->wall_s + GRACE_S) * 1e9);
    enum channel_end why =
        channel_send(runner->channel, message.data, message.size, deadline, &drain);
    for (int i = 0; i < n && !why; i++)
        why = channel_receive(&out[i], runner->channel, deadline, &drain);
    if (n == 1 && !why) why = channel_receive(&echo, runner->channel, deadline, &drain);
    if (elapsed_ns) *elapsed_ns = clock_steady_ns() - start;
    text_done(&message);
    record_done(&head);

    if (why) end_of_channel(runner, why, trouble);
    for (int i = 0; i < n && !trouble->kind; i++) reply_trouble(runner, &out[i], trouble);
    if (n == 1 && !trouble->kind && !same_arrays(in, &echo))
        set_trouble(trouble, TROUBLE_CONTRACT, "%s",
                    _("the inputs were modified: copy what you want to change"));
    record_done(&echo);
    if (!trouble->kind) return;
    for (int i = 0; i < n; i++) record_done(&out[i]);
}

void runner_end(struct runner *runner)
{
    struct trouble ignored = {0};
    if (runner->channel < 0) return;
    if (runner->lane == LANE_C) shutdown(runner->channel, SHUT_WR);
    end(runner, &ignored);
}

void runner_close(struct runner *runner)
{
    runner_end(runner);
    if (runner->folder) {
        enum status gone = sandbox_folder_remove(runner->folder, NULL);
        (void)gone; /* if not, the next start sweeps it */
    }
    free(runner->folder);
    free(runner->source);
    text_done(&runner->printed);
    runner->folder = runner->source = NULL;
}

/* ---- doctor ---- */

void lane_tools(struct lane_tools *tools, enum lane lane, const char *python, const char *cache)
{
    *tools = (struct lane_tools){0};
    if (lane == LANE_C) {
        const char *cc = compiler();
        tools->present = cc != NULL;
        snprintf(tools->detail, sizeof tools->detail, "%s",
                 cc ? cc : _("no C compiler in /usr/bin"));
        snprintf(tools->mend, sizeof tools->mend, "./dev up");
        return;
    }
    struct python found;
    struct error err = {0};
    if (python_find(&found, lane, python, cache, &err)) {
        snprintf(tools->detail, sizeof tools->detail, "%s", err.message);
        snprintf(tools->mend, sizeof tools->mend, "%s",
                 lane == LANE_TORCH ? "./dev up --with torch" : "./dev up");
        return;
    }
    tools->present = true;
    snprintf(tools->detail, sizeof tools->detail, "%s %s (%s)", lane_title(lane),
             found.library_version, found.program);
    python_done(&found);
}
