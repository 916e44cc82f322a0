#include "grader/worker.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/locale.h"
#include "grader/channel.h"
#include "grader/python.h"

enum { START_S = 60, END_S = 5, EVENT_LIMIT = 8 };

struct worker {
    struct sandbox sandbox;
    struct python python;
    char *folder;
    bool broken; /* its channel is out of step: to be started anew */
    int64_t next_id;
    struct record events[EVENT_LIMIT]; /* `ended` events that nobody has asked for yet */
    int n_events;
};

const struct sandbox_profile *worker_profile(enum lane lane)
{
    return lane == LANE_TORCH ? &sandbox_profile_torch : &sandbox_profile_numpy;
}

static int64_t in_seconds(double s) { return clock_steady_ns() + (int64_t)(s * 1e9); }

static void set_trouble(struct trouble *trouble, enum trouble_kind kind, const char *message)
{
    trouble->kind = kind;
    snprintf(trouble->message, sizeof trouble->message, "%s", message);
}

static struct worker *start(struct grader *grader, enum lane lane, struct trouble *trouble)
{
    struct error err = {0};
    struct worker *worker = memory_new(1, sizeof *worker);
    worker->sandbox.channel = -1;
    worker->next_id = 1;

    if (python_find(&worker->python, lane, grader->python, grader->cache, &err)) {
        set_trouble(trouble, TROUBLE_UNAVAILABLE, err.message);
        free(worker);
        return NULL;
    }
    if (sandbox_folder_new(&worker->folder, grader->scratch, &err)) {
        set_trouble(trouble, TROUBLE_OURS, err.message);
        python_done(&worker->python);
        free(worker);
        return NULL;
    }

    char *script = NULL, *confine = NULL;
    if (grader_helper(&script, grader, "worker.py", &err) ||
        grader_helper(&confine, grader, "libconfine.so", &err)) {
        set_trouble(trouble, TROUBLE_OURS, err.message);
        free(script);
        worker_free(worker);
        return NULL;
    }
    const char *readable[PYTHON_PREFIX_LIMIT + 3] = {script, confine};
    for (int i = 0; worker->python.prefixes[i]; i++) readable[i + 2] = worker->python.prefixes[i];
    const char *const argv[] = {worker->python.program, "-I",    "-B", script,
                                lane_name(lane),        confine, NULL};
    const struct sandbox_request request = {
        .profile = &sandbox_profile_worker,
        .argv = argv,
        .folder = worker->folder,
        .readable = readable,
        .channel = true,
        .unsafe = grader->unsafe,
    };
    struct record ready = {0};
    if (sandbox_start(&worker->sandbox, &request, &err)) {
        set_trouble(trouble, TROUBLE_UNAVAILABLE, err.message);
        worker->sandbox.channel = -1;
        worker_free(worker);
        worker = NULL;
    } else if (channel_receive(&ready, worker->sandbox.channel, in_seconds(START_S), NULL)) {
        struct sandbox_report report = {0};
        sandbox_kill(&worker->sandbox);
        if (sandbox_finish(&worker->sandbox, &report, &err))
            set_trouble(trouble, TROUBLE_OURS, err.message);
        snprintf(trouble->message, sizeof trouble->message,
                 _("the worker of the %s lane did not start: %.1500s"), lane_title(lane),
                 text_string(&report.output));
        trouble->kind = TROUBLE_OURS;
        sandbox_report_done(&report);
        worker->sandbox.channel = -1;
        worker_free(worker);
        worker = NULL;
    }
    record_done(&ready);
    free(script);
    free(confine);
    return worker;
}

struct worker *worker_get(struct grader *grader, enum lane lane, struct trouble *trouble)
{
    if (grader->workers[lane] && grader->workers[lane]->broken) {
        worker_free(grader->workers[lane]);
        grader->workers[lane] = NULL;
    }
    if (!grader->workers[lane]) grader->workers[lane] = start(grader, lane, trouble);
    return grader->workers[lane];
}

static char *forbidden_names(const struct drill *drill, enum lane lane)
{
    struct text names = {0};
    for (unsigned i = 0; i < drill->forbidden_count; i++) {
        if (strcmp(drill->forbidden[i].lane, lane_name(lane)) != 0) continue;
        for (unsigned j = 0; j < drill->forbidden[i].names_count; j++)
            text_format(&names, "%s\n", drill->forbidden[i].names[j]);
    }
    return text_take(&names);
}

void worker_run(struct worker *worker, struct runner *runner, const char *source,
                struct trouble *trouble)
{
    const struct sandbox_profile *profile = worker_profile(runner->lane);
    struct error err = {0};
    struct text call = {0};
    struct record request = {0};
    int channel[2] = {-1, -1}, output[2] = {-1, -1};

    if (drill_read(&call, runner->drill, "call", runner->lane, &err)) {
        set_trouble(trouble, TROUBLE_OURS, err.message);
        return;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output) != 0) {
        set_trouble(trouble, TROUBLE_OURS, strerror(errno));
        if (channel[0] >= 0) close(channel[0]), close(channel[1]);
        text_done(&call);
        return;
    }
    char *confine = sandbox_child_options(&worker->sandbox, profile,
                                          (const char *const *)worker->python.prefixes, NULL);
    char *forbidden = forbidden_names(runner->drill, runner->lane);
    char *file = drill_file_name(runner->drill, runner->lane);
    runner->id = worker->next_id++;
    runner->wall_s = profile->wall_s;
    record_add_text(&request, "verb", "run");
    record_add_int(&request, "id", runner->id);
    record_add_text(&request, "file", file);
    record_add_text(&request, "source", source);
    record_add_text(&request, "call", text_string(&call));
    record_add_text(&request, "forbidden", forbidden);
    record_add_text(&request, "confine", confine);
    record_add_real(&request, "wall_s", profile->wall_s);
    record_add_int(&request, "memory_bytes", (int64_t)profile->memory_bytes);

    const int theirs[2] = {channel[1], output[1]};
    if (channel_send_with(worker->sandbox.channel, &request, theirs, 2)) {
        runner->channel = channel[0];
        runner->output = output[0];
    } else {
        worker->broken = true;
        set_trouble(trouble, TROUBLE_OURS, _("the lane's worker has gone"));
        close(channel[0]);
        close(output[0]);
    }
    close(channel[1]);
    close(output[1]);
    free(confine);
    free(forbidden);
    free(file);
    text_done(&call);
    record_done(&request);
}

/* Find the `ended` event of a child among those that came, or wait for it. */
static bool next_ended(struct worker *worker, int64_t id, struct record *event, double wait_s)
{
    for (int i = 0; i < worker->n_events; i++) {
        if (record_int(&worker->events[i], "id") != id) continue;
        *event = worker->events[i];
        worker->events[i] = worker->events[--worker->n_events];
        return true;
    }
    const int64_t deadline = in_seconds(wait_s);
    while (!channel_receive(event, worker->sandbox.channel, deadline, NULL)) {
        if (!record_find(event, "id") || !record_find(event, "status") ||
            !record_find(event, "cpu_ms") || !record_find(event, "memory_bytes") ||
            !record_find(event, "limit")) {
            record_done(event);
            return false;
        }
        if (record_int(event, "id") == id) return true;
        if (worker->n_events == EVENT_LIMIT) record_done(&worker->events[--worker->n_events]);
        worker->events[worker->n_events++] = *event;
    }
    return false;
}

static void explain_end(struct runner *runner, const struct record *event, struct trouble *trouble)
{
    const struct sandbox_profile *profile = worker_profile(runner->lane);
    const int state = (int)record_int(event, "status");
    const double mib = 1024.0 * 1024.0;
    char *limit = record_text(event, "limit");

    trouble->kind = TROUBLE_LIMIT;
    if (strcmp(limit, "memory") == 0) {
        trouble->limit = SANDBOX_LIMIT_MEMORY;
        trouble->limit_value = (double)profile->memory_bytes / mib;
        trouble->limit_used = (double)runner->memory_bytes / mib;
    } else if (strcmp(limit, "wall") == 0) {
        trouble->limit = SANDBOX_LIMIT_WALL;
        trouble->limit_value = trouble->limit_used = profile->wall_s;
    } else if (WIFSIGNALED(state) && WTERMSIG(state) == SIGXCPU) {
        trouble->limit = SANDBOX_LIMIT_CPU;
        trouble->limit_value = profile->cpu_s;
        trouble->limit_used = fmax(profile->cpu_s, runner->cpu_ms / 1000); /* counted by ticks */
    } else if (WIFSIGNALED(state) && WTERMSIG(state) == SIGXFSZ) {
        trouble->limit = SANDBOX_LIMIT_FILE;
        trouble->limit_value = trouble->limit_used = (double)profile->file_bytes / mib;
    } else {
        trouble->kind = TROUBLE_CRASH;
        if (WIFSIGNALED(state)) {
            trouble->signal = WTERMSIG(state);
            snprintf(trouble->message, sizeof trouble->message,
                     _("the process ended by signal %d (%s)"), trouble->signal,
                     strsignal(trouble->signal));
        } else {
            snprintf(trouble->message, sizeof trouble->message,
                     _("the process ended by itself with status %d before it answered"),
                     WEXITSTATUS(state));
        }
    }
    free(limit);
}

/* The worker itself is gone: a limit that all of its sandbox has, or our fault. */
static void explain_broken(struct worker *worker, struct trouble *trouble)
{
    struct sandbox_report report = {0};
    struct error err = {0};
    sandbox_kill(&worker->sandbox);
    const enum status status = sandbox_finish(&worker->sandbox, &report, &err);
    worker->sandbox.channel = -1; /* finished: worker_free() must not do it again */
    worker->broken = true;
    if (!status && report.limit) {
        trouble->kind = TROUBLE_LIMIT;
        trouble->limit = report.limit;
        trouble->limit_value = report.limit_value;
        trouble->limit_used = report.used_value;
    } else {
        set_trouble(trouble, TROUBLE_OURS, _("the lane's worker has gone"));
    }
    sandbox_report_done(&report);
}

void worker_wait(struct worker *worker, struct runner *runner, struct trouble *trouble)
{
    struct record event = {0};
    bool ended = next_ended(worker, runner->id, &event, END_S);

    if (!ended) {
        struct record kill = {0};
        record_add_text(&kill, "verb", "kill");
        record_add_int(&kill, "id", runner->id);
        ended = channel_send_with(worker->sandbox.channel, &kill, NULL, 0) &&
                next_ended(worker, runner->id, &event, END_S);
        record_done(&kill);
    }
    if (!ended) {
        explain_broken(worker, trouble);
        return;
    }
    runner->cpu_ms = record_real(&event, "cpu_ms");
    runner->memory_bytes = (uint64_t)record_int(&event, "memory_bytes");
    if (trouble->kind == TROUBLE_CRASH) explain_end(runner, &event, trouble);
    record_done(&event);
}

void worker_free(struct worker *worker)
{
    if (!worker) return;
    struct sandbox_report report = {0};
    if (worker->sandbox.channel >= 0) {
        sandbox_kill(&worker->sandbox);
        enum status ignored = sandbox_finish(&worker->sandbox, &report, NULL);
        (void)ignored; /* it is gone either way */
        sandbox_report_done(&report);
    }
    for (int i = 0; i < worker->n_events; i++) record_done(&worker->events[i]);
    if (worker->folder) {
        enum status ignored = sandbox_folder_remove(worker->folder, NULL);
        (void)ignored; /* the next start sweeps */
        free(worker->folder);
    }
    python_done(&worker->python);
    free(worker);
}
