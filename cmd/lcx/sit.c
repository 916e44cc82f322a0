/* sit.c -- a round from its first step to its debrief. */
#include "sit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "rounds/packet.h"
#include "rounds/paper_copy.h"

int sit_library(struct app *app, struct library *library)
{
    struct error err;
    char *folder = path_join(app->content, "content");
    const enum status status = library_load(library, folder, &err);
    free(folder);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

/* A part that ends with one answer has it: we died before the step was ended. */
static bool has_its_answer(struct sit *sit, const struct step *step)
{
    struct answer *answers;
    int n;
    bool has = false;
    if (step->kind == STEP_WORDS) return false; /* the walk knows */
    if (answer_list(&answers, &n, sit->app->progress, sit->round->id, step->place, NULL))
        return false;
    for (int i = 0; i < n; i++) has = has || answers[i].score >= 0;
    answer_list_done(answers, n);
    return has;
}

static enum sit_end sit_step(struct sit *sit, struct step *step)
{
    if (has_its_answer(sit, step)) return SIT_DONE;
    switch (step->kind) {
    case STEP_WORDS: return sit_words(sit, step);
    case STEP_DRILL: return sit_drill(sit, step);
    case STEP_CARDS: return sit_cards(sit, step);
    case STEP_WORKSHEET: return sit_worksheet(sit, step);
    }
    return SIT_TROUBLE;
}

static void announce(const struct sit *sit, const struct step *step)
{
    char clock[48];
    struct text out = {0};
    char *title = step_title(sit->library, step->phase, step->item, sit->round->language);
    sit_clock(sit, step, clock);
    char *heading = text_printf("%d/%d  %s   %s", step->place + 1, sit->n_steps, title, clock);
    app_print(sit->app, "\n");
    app_heading(sit->app, &out, heading);
    app_print(sit->app, text_string(&out));
    text_done(&out);
    free(heading);
    free(title);
}

/* The figures of the brief that the round is about, when it is about one. */
static enum status draw_figures(struct sit *sit, struct error *err)
{
    const struct brief *one = NULL;
    for (int i = 0; i < sit->n_steps; i++) {
        const struct brief *brief = text_starts_with(sit->steps[i].item, "brief/")
                                        ? library_brief(sit->library, sit->steps[i].item)
                                        : NULL;
        const bool needs_one =
            sit->steps[i].kind == STEP_CARDS || sit->steps[i].kind == STEP_WORKSHEET;
        if ((needs_one && !brief) || (brief && one && brief != one))
            return error_set(err, STATUS_NOT_FOUND,
                             _("%s: these lessons do not have it; lcx round leave ends the round"),
                             sit->steps[i].item);
        if (brief) one = brief;
    }
    if (!one) return STATUS_OK;
    sit->n_figures = (int)(one->variables_count + one->estimates_count);
    return brief_draw(&sit->figures, one, sit->round->seed, err);
}

static enum sit_end go_through(struct sit *sit)
{
    struct error err;
    app_print(sit->app,
              _("A line that is only a dot ends an answer; :e opens your editor, :? tells "
                "the rest.\n"));
    for (int i = 0; i < sit->n_steps; i++) {
        struct step *step = &sit->steps[i];
        if (step->ended_ms) continue;
        if (step->paused_ms && step_resume(step, sit->app->progress, sit->round, &err)) break;
        if (step_begin(step, sit->app->progress, sit->round, NULL, &err)) break;
        announce(sit, step);
        const enum sit_end end = sit_step(sit, step);
        if (end != SIT_DONE) return end;
        if (step_end(step, sit->app->progress, sit->round, &err)) break;
        if (i + 1 == sit->n_steps) return SIT_DONE;
    }
    if (sit->n_steps && sit->steps[sit->n_steps - 1].ended_ms) return SIT_DONE;
    app_fail(sit->app, &err);
    return SIT_TROUBLE;
}

/* Which paper the round is about, and where the candidate has it, before its clock runs. SIT_LEFT when
 * the candidate leaves here. */
static enum sit_end introduce_paper(struct sit *sit)
{
    const struct paper *paper =
        sit->n_steps ? library_paper(sit->library, sit->steps[0].item) : NULL;
    struct error err;
    char *path;
    bool there;
    if (!paper || !*paper->arxiv || sit->steps[0].started_ms) return SIT_DONE;
    if (paper_copy_path(&path, &there, sit->app->progress, paper, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    char *words = text_printf(_("The paper: %s. %s, %d, arXiv:%s%s."), paper->title, paper->authors,
                              paper->year, paper->arxiv, paper->version);
    char *where = there
                      ? text_printf(_("Your copy: %s"), path)
                      : text_printf(_("You have no copy of it here: lcx paper %s --fetch gets it, "
                                      "--file FILE brings yours, lcx paper cold takes any text."),
                                    paper->name);
    sit_say(sit, 0, words);
    sit_say(sit, 0, where);
    free(where);
    free(words);
    free(path);
    return sit_wait(sit,
                    _("Have it open; you read it against the clock. Enter starts the clock. "));
}

/* How the time was divided between the two halves of the phone round. */
static void show_balance(const struct sit *sit)
{
    if (strcmp(sit->round->name, "phone") != 0) return;
    double minutes[2] = {0};
    for (int i = 0; i < sit->n_steps && i < 2; i++)
        minutes[i] =
            (double)step_time(&sit->steps[i], sit->round, sit->steps[i].ended_ms).elapsed_ms /
            60000;
    const double all = minutes[0] + minutes[1];
    char *words = text_printf(_("Time: %.1f minutes on the concept, %.1f on the code. They count "
                                "equally."),
                              minutes[0], minutes[1]);
    sit_say(sit, 0, words);
    free(words);
    if (all > 0 && (minutes[0] < all / 4 || minutes[1] < all / 4))
        sit_say(sit, 0, _("That is out of balance: the shorter half got less than a quarter."));
}

int sit_debrief(struct sit *sit)
{
    struct answer *answers;
    struct error err;
    int n, n_scored;
    if (answer_list(&answers, &n, sit->app->progress, sit->round->id, -1, &err))
        return app_fail(sit->app, &err);

    struct text out = {0};
    app_print(sit->app, "\n");
    app_heading(sit->app, &out, _("Debrief"));
    app_print(sit->app, text_string(&out));
    text_done(&out);
    for (int i = 0; i < n; i++) {
        if (answers[i].score < 0) continue;
        char *line = text_printf("%3.0f %%  %s%s", 100 * answers[i].score, answers[i].ask,
                                 answers[i].overtime ? _("   (overtime)") : "");
        sit_say(sit, 0, line);
        free(line);
        if (!sit->round->exam) continue;
        const struct question_node *node = library_node(sit->library, answers[i].item);
        sit_show_result(sit, &answers[i], false);
        if (node)
            sit_show_model(sit, node,
                           text_starts_with(answers[i].item, "question/manager-weak-point/"));
    }
    const double share = answer_share(&n_scored, answers, n, sit->round->name);
    answer_list_done(answers, n);
    show_balance(sit);
    if (n_scored) printf(_("\nThis round: %.0f %% on average.\n"), 100 * share);
    return EXIT_DONE;
}

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t stopped;
static bool keeps_line; /* we told the terminal to */
static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}
bool sit_was_stopped(void) { return stopped != 0; }
void sit_forget_stop(void) { stopped = 0; }

/* Until `before` is put back, SIGINT ends the sitting as :q does, and a terminal does not throw away
 * what stands on its line. */
static void catch_stop(struct sigaction *before)
{
    struct termios terminal;
    const struct sigaction action = {.sa_handler = on_stop}; /* poll() is interrupted */
    stopped = 0;
    sigaction(SIGINT, NULL, before);
    if (before->sa_handler != SIG_IGN) sigaction(SIGINT, &action, NULL);
    keeps_line = tcgetattr(0, &terminal) == 0 && !(terminal.c_lflag & NOFLSH);
    if (!keeps_line) return;
    terminal.c_lflag |= NOFLSH;
    tcsetattr(0, TCSANOW, &terminal);
}

static void release_stop(const struct sigaction *before)
{
    struct termios terminal;
    sigaction(SIGINT, before, NULL);
    if (stopped) tcflush(0, TCIFLUSH); /* what was not taken is not for the shell */
    if (!keeps_line || tcgetattr(0, &terminal) != 0) return;
    terminal.c_lflag &= ~(tcflag_t)NOFLSH;
    tcsetattr(0, TCSANOW, &terminal);
}

/* ---- one sitting at a time ---- */

/* Hold the round for this process, however it ends. The descriptor; -1 when another sits it. */
int sit_hold(struct app *app, const struct round *round, struct error *err)
{
    char *folder = path_join(app->progress->folder, "drafts"), *path = NULL;
    int fd = -1;
    if (folder_make(folder, 0700, err) == STATUS_OK) {
        path = text_printf("%s/%s.lock", folder, round->id);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            error_set_errno(err, STATUS_IO, "%s", path);
        } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            fd = -1;
            error_set(err, STATUS_CONFLICT, _("the round %s is being sat in another terminal"),
                      round->name);
        }
    }
    free(path);
    free(folder);
    return fd;
}

void sit_release(const struct app *app, const struct round *round, int fd)
{
    if (round->state != ROUND_RUNNING) {
        char *path = text_printf("%s/drafts/%s.lock", app->progress->folder, round->id);
        unlink(path);
        free(path);
    }
    close(fd);
}

/* Drafts that nobody came back to within a week after their round. */
static void sweep_drafts(struct app *app)
{
    const int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000;
    struct error err;
    if (drafts_sweep(NULL, app->progress, clock_wall_ms(app->clock) - week_ms, &err))
        app_note(app, "%s", err.message);
}

int sit_round(struct app *app, const struct library *library, struct round *round)
{
    struct sit sit = {.app = app, .library = library, .round = round};
    struct sigaction before;
    struct error err;
    const int held = sit_hold(app, round, &err);
    if (held < 0) return app_fail(app, &err);
    catch_stop(&before);
    sweep_drafts(app);
    enum status status = step_list(&sit.steps, &sit.n_steps, app->progress, round->id, &err);
    if (!status) status = draw_figures(&sit, &err);
    int exit_status = status ? app_fail(app, &err) : EXIT_DONE;

    if (!exit_status) {
        enum sit_end end = introduce_paper(&sit);
        if (end == SIT_DONE) end = go_through(&sit);
        switch (end) {
        case SIT_DONE:
        case SIT_SKIPPED:
            exit_status = round_end(round, app->progress, ROUND_DONE, &err) ? app_fail(app, &err)
                                                                            : sit_debrief(&sit);
            break;
        case SIT_LEFT:
            app_print(app, "\n");
            sit_say(&sit, 0,
                    _("Left; everything is kept. lcx loop next goes on with it, lcx round "
                      "leave ends it."));
            break;
        case SIT_TROUBLE: exit_status = EXIT_TROUBLE; break;
        }
    }
    free(sit.steps);
    free(sit.figures);
    release_stop(&before);
    sit_release(app, round, held);
    if (stopped) { /* who called us is to see it as well */
        fflush(stdout);
        raise(SIGINT);
    }
    return exit_status;
}

int sit_begin(struct app *app, const struct library *library, struct round *round)
{
    struct step steps[ROUND_STEP_LIMIT];
    struct error err;
    int n;
    const int failed = app_open_drills(app);
    if (failed) return failed;
    enum status status = round_draw(steps, &n, round, library, &app->drills, app->progress, &err);
    if (!status) status = round_begin(round, app->progress, steps, n, &err);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

enum status sit_none_runs(struct app *app, struct error *err)
{
    struct round round;
    bool found;
    const enum status status = round_running(&round, &found, app->progress, err);
    if (status || !found) return status;
    return error_set(err, STATUS_CONFLICT,
                     _("the round %s is running: go on with it (lcx loop next), or leave it "
                       "(lcx round leave)"),
                     round.name);
}

int sit_new(struct app *app, const struct sit_wish *wish)
{
    struct library library;
    struct round round;
    struct error err;
    int exit_status = sit_library(app, &library);
    if (exit_status) return exit_status;

    enum status status = sit_none_runs(app, &err);
    const struct round_start start = {.name = wish->name,
                                      .content = wish->content,
                                      .lane = wish->lane,
                                      .language = app->language,
                                      .exam = wish->exam,
                                      .time_factor = wish->time_factor,
                                      .seed = wish->seed >= 0 ? wish->seed
                                                              : (int64_t)(random_seed() >> 12)};
    if (!status) status = round_plan(&round, app->progress, &start, &err);
    exit_status = status ? app_fail(app, &err) : sit_begin(app, &library, &round);
    if (!status && exit_status && round_drop(&round, app->progress, &err))
        app_note(app, "%s", err.message);
    if (!exit_status) exit_status = sit_round(app, &library, &round);
    library_done(&library);
    return exit_status;
}
