/* verb_review.c -- lcx review: the daily sitting of what is answered in words.
 *
 *   what is due, weakest first, then new cards --> one round "review", a step for each
 *   a step   asked, answered, graded; the answer and its rating are stored before anything is shown;
 *            then the candidate may lower the rating
 *
 * A round of at most ROUND_STEP_LIMIT steps at a time; what is left comes in the next. A review that
 * was cut off goes on where it was.
 */
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "rounds/card.h"
#include "rounds/judge.h"
#include "sit.h"
#include "verbs.h"

enum { LONG_MINUTES = 4, MOST_MINUTES = 600 };

static const struct option_description options[] = {
    {"minutes", "N", N_("how long; without it, what is left of today's load")},
    {"cards", NULL, N_("only cards of the rapid quiz")},
    {NULL, NULL, NULL},
};

const struct usage usage_review = {
    .name = "review",
    .arguments = "",
    .summary = N_("Answer what is due: questions, follow-ups, cards; then new cards"),
    .details = N_(
        "What you are about to forget comes first. A question is answered in words and ends with "
        "a line that holds only a dot; a card in one line. Each is graded at once, and you may "
        "lower the rating that decides when it comes back, never raise it. :q leaves; what was "
        "answered is kept.\n"
        "With --json: what is due, and nothing is asked."),
    .example = "lcx review\nlcx review --cards --minutes 10\nlcx review --json",
    .options = options,
};

struct wish {
    int minutes; /* 0: the plan's */
    bool cards_only;
};

/* One thing to ask. */
struct pick {
    const struct plan_item *item; /* borrowed from the study */
    enum plan_reason reason;
    int minutes;
    double recall; /* -1 when new */
};

struct picks {
    struct pick *picks;
    int n;
};

static bool is_asked_here(const struct plan_item *item, enum plan_reason reason)
{
    return item->kind == PLAN_NODE || item->kind == PLAN_CARD ||
           (item->kind == PLAN_TREE && reason == PLAN_REVIEW);
}

static void add_pick(struct picks *picks, const struct plan_item *item,
                     const struct plan_entry *entry)
{
    picks->picks = memory_grow(picks->picks, (size_t)picks->n + 1, sizeof *picks->picks);
    picks->picks[picks->n++] = (struct pick){item, entry->reason, entry->minutes, entry->recall};
}

/* ---- what is due ---- */

/* Today's plan, as it is. */
static void pick_of_plan(struct picks *picks, const struct agenda *agenda)
{
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        const struct plan_item *item = &agenda->study.items[entry->item];
        if (is_asked_here(item, entry->reason)) add_pick(picks, item, entry);
    }
}

/* A plan of these minutes alone, over what is asked here. */
static void pick_of_wish(struct picks *picks, const struct agenda *agenda, const struct app *app,
                         const struct wish *wish, int minutes)
{
    struct plan_item *items = memory_new((size_t)agenda->study.n + 1, sizeof *items);
    int *from = memory_new((size_t)agenda->study.n + 1, sizeof *from), n = 0;
    struct plan plan;

    for (int i = 0; i < agenda->study.n; i++) {
        const struct plan_item *item = &agenda->study.items[i];
        if (item->kind != PLAN_CARD && (wish->cards_only || item->memory.reviews == 0)) continue;
        if (!is_asked_here(item, PLAN_REVIEW)) continue;
        from[n] = i;
        items[n] = *item;
        items[n++].tree = NULL;
    }
    const struct plan_question question = {.items = items,
                                           .n_items = n,
                                           .today = agenda->today,
                                           .interview_day = app->settings.interview_day,
                                           .daily_minutes = minutes,
                                           .retention = app->settings.retention,
                                           .n_days = 1};
    plan_make(&plan, &question);
    for (int i = 0; i < plan.n_today; i++)
        add_pick(picks, &agenda->study.items[from[plan.today[i].item]], &plan.today[i]);
    plan_done(&plan);
    free(items);
    free(from);
}

static void pick(struct picks *picks, const struct agenda *agenda, const struct app *app,
                 const struct wish *wish)
{
    const int left = app->settings.daily_minutes - agenda->done.minutes;
    *picks = (struct picks){.picks = memory_new(1, sizeof *picks->picks)};
    if (wish->minutes) pick_of_wish(picks, agenda, app, wish, wish->minutes);
    else if (!wish->cards_only) pick_of_plan(picks, agenda);
    else if (left > 0) pick_of_wish(picks, agenda, app, wish, left);
}

static int count_minutes(const struct picks *picks)
{
    int minutes = 0;
    for (int i = 0; i < picks->n; i++) minutes += picks->picks[i].minutes;
    return minutes;
}

/* ---- facts ---- */

static void print_rows(struct app *app, const struct agenda *agenda, const struct picks *picks)
{
    for (int i = 0; i < picks->n; i++) {
        const struct pick *pick = &picks->picks[i];
        const int place = (int)(pick->item - agenda->study.items);
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind",
                                pick->reason == PLAN_NEW ? "new" : "review", "what",
                                agenda_kind(pick->item), "item", pick->item->id, "title",
                                agenda_title(agenda, app, place), "minutes", pick->minutes);
        if (pick->recall >= 0) json_object_set_new(row, "recall", json_real(pick->recall));
        app_json(app, row);
    }
    app_json(app, json_pack("{s:s, s:i, s:i, s:i, s:i}", "kind", "sitting", "items", picks->n,
                            "minutes", count_minutes(picks), "minutes_done", agenda->done.minutes,
                            "daily_minutes", app->settings.daily_minutes));
}

/* Drills and whole questions of today, with the commands that begin them. */
static void name_others(struct app *app, const struct agenda *agenda)
{
    struct text out = {0};
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        const struct plan_item *item = &agenda->study.items[entry->item];
        char number[24], command[64];
        if (entry->reason == PLAN_FINISH || is_asked_here(item, entry->reason)) continue;
        char *line = text_printf(entry->reason == PLAN_NEW ? _("%s %s, for the first time: %s")
                                                           : _("%s %s, due again: %s"),
                                 item->kind == PLAN_DRILL ? _("drill") : _("question"),
                                 agenda_number(number, item),
                                 agenda_command(command, app, item, entry->reason));
        app_paragraph(app, &out, 2, line);
        free(line);
    }
    if (out.size) {
        app_print(app, _("Also for today, by themselves:\n"));
        app_print(app, text_string(&out));
    }
    text_done(&out);
}

/* ---- one rating ---- */

static const char *rating_words(enum fsrs_rating rating)
{
    static const char *const words[] = {[RATING_NONE] = "",
                                        [RATING_AGAIN] = N_("again"),
                                        [RATING_HARD] = N_("hard"),
                                        [RATING_GOOD] = N_("good"),
                                        [RATING_EASY] = N_("easy")};
    return *words[rating] ? _(words[rating]) : "";
}

/* A digit below the rating; 0 to accept it; -1 when it is neither. */
static int read_lower(const char *line, enum fsrs_rating rating)
{
    while (*line == ' ') line++;
    if (!*line || strcmp(line, ".") == 0) return 0;
    if (line[1] || line[0] < '1' || line[0] > '0' + (char)rating) return -1;
    return line[0] - '0';
}

/* What the memory was told may be lowered; it stands when the candidate leaves here. */
static enum sit_end confirm_rating(struct sit *sit, struct step *step, const char *item,
                                   enum fsrs_rating rating)
{
    struct text line = {0};
    struct error err;
    enum sit_end end = SIT_DONE;
    int lowered = 0;

    if (rating == RATING_AGAIN) {
        app_print(sit->app, _("Rated again: it comes back soon.\n"));
        return SIT_DONE;
    }
    do {
        char *words = rating == RATING_HARD
                          ? text_copy(_("Rated hard. Enter accepts; 1 (again) lowers it.\n"))
                          : text_printf(_("Rated %s. Enter accepts; a lower one from 1 (again), 2 "
                                          "(hard), 3 (good) lowers it.\n"),
                                        rating_words(rating));
        app_print(sit->app, words);
        free(words);
        end = sit_line(sit, step, "", &line);
    } while (end == SIT_DONE && (lowered = read_lower(text_string(&line), rating)) < 0);
    text_done(&line);
    if (end == SIT_DONE && lowered > 0 && lowered < (int)rating &&
        review_lower(sit->app->progress, item, (enum fsrs_rating)lowered, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    return end == SIT_SKIPPED ? SIT_DONE : end;
}

/* ---- a node ---- */

static enum sit_end keep_node(struct sit *sit, struct step *step, const struct question_node *node,
                              const char *ask, const struct sit_reply *reply, struct answer *answer,
                              enum fsrs_rating *rating)
{
    struct error err;
    json_t *result;
    *answer = (struct answer){.started_ms = reply->started_ms, .submitted_ms = reply->submitted_ms};
    snprintf(answer->item, sizeof answer->item, "%s", step->item);
    answer->ask = text_copy(ask);
    answer->text = text_copy(text_string(&reply->text));
    enum status status =
        judge_text(&result, &answer->score, node, sit->round->language, answer->text, &err);
    if (!status) {
        answer->result = json_line(result);
        json_decref(result);
        status = answer_add(answer, sit->app->progress, sit->round, step, &err);
    }
    if (!status)
        status = judge_remember(sit->app->progress, sit->round, step->item, answer->score,
                                answer->overtime, &err);
    *rating = judge_rating(answer->score, answer->overtime);
    if (!status) return SIT_DONE;
    app_fail(sit->app, &err);
    answer_done(answer);
    return SIT_TROUBLE;
}

static enum sit_end sit_node(struct sit *sit, struct step *step, const struct question_node *node)
{
    struct sit_reply reply = {0};
    struct answer answer;
    enum fsrs_rating rating;
    char *ask = sit_fill(sit, words_in(&node->ask, sit->round->language));

    sit_say(sit, 0, ask);
    fputc('\n', stdout);
    enum sit_end end = sit_answer(sit, step, 0, ask, node->minutes >= LONG_MINUTES, &reply);
    if (end == SIT_DONE) end = keep_node(sit, step, node, ask, &reply, &answer, &rating);
    if (end == SIT_DONE) {
        sit_show_result(sit, &answer, false);
        sit_show_model(sit, node, false);
        answer_done(&answer);
        fputc('\n', stdout);
        end = confirm_rating(sit, step, step->item, rating);
    }
    text_done(&reply.text);
    free(ask);
    return end;
}

/* ---- a card ---- */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t")] == '\0' || strcmp(text, ".") == 0;
}

/* One line: found or not; *result is kept of the newest answer. */
static enum sit_end try_card(struct sit *sit, struct step *step, const struct quiz_card *card,
                             struct text *said, bool *found, json_t **result)
{
    struct error err;
    *found = false;
    const enum sit_end end = sit_line(sit, step, "", said);
    if (end != SIT_DONE) return end;
    if (is_blank(text_string(said))) text_clear(said);
    json_decref(*result);
    *result = NULL;
    if (!card_judge(found, result, card, sit->round->language, text_string(said), &err))
        return SIT_DONE;
    app_fail(sit->app, &err);
    return SIT_TROUBLE;
}

static void give_clue(struct sit *sit, const struct quiz_card *card, bool said_something)
{
    struct text clue = {0};
    if (said_something) app_print(sit->app, _("Not found. "));
    text_add(&clue, _("A clue: "));
    card_clue(&clue, words_in(&card->answer, sit->round->language));
    sit_say(sit, 0, text_string(&clue));
    app_print(sit->app, _("Once more; Enter when you do not know.\n"));
    text_done(&clue);
}

static enum sit_end keep_card(struct sit *sit, struct step *step, const struct quiz_card *card,
                              const char *said, const json_t *result, int64_t started_ms,
                              enum fsrs_rating rating)
{
    struct error err;
    struct answer answer = {.started_ms = started_ms,
                            .submitted_ms = clock_wall_ms(sit->app->clock),
                            .score = card_score(rating)};
    snprintf(answer.item, sizeof answer.item, "%s", step->item);
    answer.ask = text_copy(words_in(&card->ask, sit->round->language));
    answer.text = text_copy(said);
    answer.result = json_line(result);
    enum status status = answer_add(&answer, sit->app->progress, sit->round, step, &err);
    if (!status)
        status = review_keep(sit->app->progress, step->item, answer.submitted_ms, rating, &err);
    answer_done(&answer);
    if (!status) return SIT_DONE;
    app_fail(sit->app, &err);
    return SIT_TROUBLE;
}

static enum sit_end sit_card(struct sit *sit, struct step *step, const struct quiz_card *card)
{
    const char *language = sit->round->language;
    const int64_t started_ms = clock_wall_ms(sit->app->clock);
    struct text said = {0};
    json_t *result = NULL;
    bool found, with_clue = false;

    sit_say(sit, 0, words_in(&card->ask, language));
    enum sit_end end = try_card(sit, step, card, &said, &found, &result);
    const int64_t took_ms = clock_wall_ms(sit->app->clock) - started_ms;
    if (end == SIT_DONE && !found) {
        with_clue = true;
        give_clue(sit, card, said.size > 0);
        end = try_card(sit, step, card, &said, &found, &result);
    }
    if (end == SIT_DONE) {
        const enum fsrs_rating rating =
            card_rating(found, with_clue, (int64_t)((double)took_ms / sit->round->time_factor));
        end = keep_card(sit, step, card, text_string(&said), result, started_ms, rating);
        if (end == SIT_DONE) {
            char *line = text_printf(found ? _("Found. The answer: %s") : _("The answer: %s"),
                                     words_in(&card->answer, language));
            sit_say(sit, 2, line);
            free(line);
            end = confirm_rating(sit, step, step->item, rating);
        }
    }
    json_decref(result);
    text_done(&said);
    return end;
}

/* ---- the sitting ---- */

static void announce(const struct sit *sit, const struct step *step)
{
    const bool is_card = text_starts_with(step->item, "card/");
    char *line = text_printf(
        "\n[%d/%d]  %s\n", step->place + 1, sit->n_steps,
        is_card ? _("card") : library_title(sit->library, step->item, sit->round->language));
    struct text out = {0};
    terminal_paint(&out, &sit->app->out, STYLE_STRONG, line);
    app_print(sit->app, text_string(&out));
    text_done(&out);
    free(line);
}

static enum sit_end sit_one(struct sit *sit, struct step *step)
{
    const struct question_node *node = library_node(sit->library, step->item);
    const struct quiz_card *card = text_starts_with(step->item, "card/")
                                       ? quiz_card(sit->library->quiz, step->item + strlen("card/"))
                                       : NULL;
    if (!node && !card) return SIT_DONE; /* it is no longer in the content */
    announce(sit, step);
    return card ? sit_card(sit, step, card) : sit_node(sit, step, node);
}

static enum sit_end go_through(struct sit *sit)
{
    struct error err;
    for (int i = 0; i < sit->n_steps; i++) {
        struct step *step = &sit->steps[i];
        if (step->ended_ms) continue;
        enum status status = STATUS_OK;
        if (step->paused_ms) status = step_resume(step, sit->app->progress, sit->round, &err);
        if (!status) status = step_begin(step, sit->app->progress, sit->round, NULL, &err);
        if (status) {
            app_fail(sit->app, &err);
            return SIT_TROUBLE;
        }
        const enum sit_end end = sit_one(sit, step);
        if (end == SIT_LEFT || end == SIT_TROUBLE) return end;
        if (step_end(step, sit->app->progress, sit->round, &err)) {
            app_fail(sit->app, &err);
            return SIT_TROUBLE;
        }
    }
    return SIT_DONE;
}

/* Ask what the round has, and end it: left or done, what was answered is kept. */
static enum sit_end sit_review(struct app *app, const struct library *library, struct round *round)
{
    struct sit sit = {.app = app, .library = library, .round = round};
    struct error err;
    const int held = sit_hold(app, round, &err);
    enum sit_end end = SIT_TROUBLE;
    if (held < 0 || step_list(&sit.steps, &sit.n_steps, app->progress, round->id, &err)) {
        app_fail(app, &err);
    } else {
        end = go_through(&sit);
        free(sit.steps);
        if (end != SIT_TROUBLE &&
            round_end(round, app->progress, end == SIT_DONE ? ROUND_DONE : ROUND_ABANDONED, &err)) {
            app_fail(app, &err);
            end = SIT_TROUBLE;
        }
    }
    if (held >= 0) sit_release(app, round, held);
    return end;
}

static void add_step(struct step *steps, int *n, const struct plan_item *item, int minutes)
{
    struct step *step = &steps[*n];
    *step = (struct step){.place = *n, .kind = STEP_WORDS, .minutes = minutes};
    snprintf(step->phase, sizeof step->phase, "%s", agenda_kind(item));
    snprintf(step->item, sizeof step->item, "%s", item->id);
    ++*n;
}

/* Plan a round of the picks, as many as fit into one; *taken says how many. */
static enum status begin(struct round *round, int *taken, struct app *app,
                         const struct agenda *agenda, const struct picks *picks, struct error *err)
{
    struct step steps[ROUND_STEP_LIMIT];
    int n = 0;
    for (*taken = 0; *taken < picks->n && n + 2 <= ROUND_STEP_LIMIT; ++*taken) {
        const struct plan_item *item = picks->picks[*taken].item;
        const int next = item->kind == PLAN_TREE
                             ? study_follow_up(&agenda->study, (int)(item - agenda->study.items))
                             : -1;
        const int extra = next >= 0 ? agenda->study.items[next].minutes : 0;
        const int whole = item->again ? item->again : item->minutes;
        add_step(steps, &n, item, whole - extra);
        if (next >= 0) add_step(steps, &n, &agenda->study.items[next], extra);
    }
    const double factor = app->settings.time_factor < 1 ? 1 : app->settings.time_factor;
    const struct round_start start = {.name = "review",
                                      .content = "",
                                      .lane = "numpy",
                                      .language = app->language,
                                      .time_factor = factor};
    enum status status = round_plan(round, app->progress, &start, err);
    return status ? status : round_begin(round, app->progress, steps, n, err);
}

static void say_nothing_due(struct app *app, const struct agenda *agenda, const struct wish *wish)
{
    const bool full = agenda->done.minutes >= app->settings.daily_minutes && !wish->minutes;
    char *line =
        full ? text_printf(_("Today's %d minutes are done. lcx review --minutes 10 goes on.\n"),
                           app->settings.daily_minutes)
             : text_copy(_("Nothing is due here. lcx today says what else there is.\n"));
    app_print(app, line);
    free(line);
}

/* Sit everything that was picked, a round at a time. */
static enum sit_end sit_picks(struct app *app, const struct agenda *agenda, struct picks picks)
{
    enum sit_end end = SIT_DONE;
    while (end == SIT_DONE && picks.n > 0) {
        struct round round;
        struct error err;
        int taken;
        if (begin(&round, &taken, app, agenda, &picks, &err)) {
            app_fail(app, &err);
            return SIT_TROUBLE;
        }
        end = sit_review(app, &agenda->library, &round);
        picks.picks += taken;
        picks.n -= taken;
    }
    return end;
}

static int say_end(struct app *app, enum sit_end end)
{
    if (end == SIT_TROUBLE) return EXIT_TROUBLE;
    app_print(app, end == SIT_LEFT ? _("\nLeft; what was answered is kept.\n")
                                   : _("\nDone. lcx progress shows what is remembered.\n"));
    return EXIT_DONE;
}

/* Go on with a review that was cut off. *went says whether there was one. */
static int go_on(bool *went, struct app *app, const struct library *library)
{
    struct round round;
    struct error err;
    bool found;
    *went = false;
    if (round_running(&round, &found, app->progress, &err)) return app_fail(app, &err);
    if (!found) return EXIT_DONE;
    *went = true;
    if (strcmp(round.name, "review") == 0) {
        app_print(app, _("Going on with the review that was cut off.\n"));
        return say_end(app, sit_review(app, library, &round));
    }
    return sit_none_runs(app, &err) ? app_fail(app, &err) : EXIT_DONE;
}

int verb_review(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct agenda agenda;
    struct picks picks;
    struct wish wish = {0};
    double minutes;
    bool went = false;
    int status;
    if (!arguments_read(&arguments, app, &usage_review, argc, argv, &status)) return status;
    if (!arguments_number(&arguments, app, "minutes", 1, MOST_MINUTES, 0, &minutes))
        return EXIT_MISUSE;
    wish.minutes = (int)minutes;
    wish.cards_only = arguments_value(&arguments, "cards") != NULL;
    status = agenda_make(&agenda, app, 1);
    if (status) return status;

    if (!app->json) status = go_on(&went, app, &agenda.library);
    if (!status && !went) {
        pick(&picks, &agenda, app, &wish);
        if (app->json) {
            print_rows(app, &agenda, &picks);
        } else {
            if (!wish.cards_only) name_others(app, &agenda);
            if (!picks.n) say_nothing_due(app, &agenda, &wish);
            else status = say_end(app, sit_picks(app, &agenda, picks));
        }
        free(picks.picks);
    }
    agenda_done(&agenda);
    return status;
}
