#include "rounds/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/rng.h"
#include "base/text.h"
#include "rounds/packet.h"
#include "store/query.h"

enum { PHONE_MINUTES = 30, CODING_MINUTES = 60, N_VALUES = 2, N_STORIES = 3, N_WEAK = 3 };

struct draw {
    struct step *steps;
    int n;
    const struct round *round;
    const struct library *library;
    const struct drills *drills;
    struct progress *progress;
    struct error *err;
};

static void add(struct draw *draw, const char *phase, enum step_kind kind, int minutes,
                const char *item)
{
    CHECK(draw->n < ROUND_STEP_LIMIT);
    struct step *step = &draw->steps[draw->n];
    *step = (struct step){.place = draw->n, .kind = kind, .minutes = minutes};
    snprintf(step->phase, sizeof step->phase, "%s", phase);
    snprintf(step->item, sizeof step->item, "%s", item);
    draw->n++;
}

static void add_node(struct draw *draw, const char *item, const struct question_node *node)
{
    char name[STEP_ITEM_SIZE];
    add(draw, node->id, STEP_WORDS, node->minutes, library_item(name, item, node->id));
}

/* ---- drawing ---- */

struct candidate {
    char item[STEP_ITEM_SIZE];
    int minutes;
    int times;      /* answered or sat so far */
    uint32_t drawn; /* between equals */
};

struct pool {
    struct candidate candidates[64];
    int n;
};

static enum status count_times(int *times, struct progress *progress, const char *item,
                               struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT (SELECT count(*) FROM step WHERE item = ?1 AND started_ms > 0)"
               " + (SELECT count(*) FROM sitting WHERE 'drill/' || drill = ?1)");
    query_bind_text(&query, 1, item);
    *times = query_row(&query) ? (int)query_int(&query, 0) : 0;
    return query_done(&query, err);
}

static enum status offer(struct draw *draw, struct pool *pool, struct rng *rng, int minutes,
                         const char *kind, const char *name)
{
    if (pool->n == (int)(sizeof pool->candidates / sizeof *pool->candidates)) return STATUS_OK;
    struct candidate *candidate = &pool->candidates[pool->n++];
    snprintf(candidate->item, sizeof candidate->item, "%s/%s", kind, name);
    candidate->minutes = minutes;
    candidate->drawn = rng_u32(rng);
    return count_times(&candidate->times, draw->progress, candidate->item, draw->err);
}

static int by_need(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->times != y->times) return x->times < y->times ? -1 : 1;
    return x->drawn < y->drawn ? -1 : x->drawn > y->drawn;
}

static void sort(struct pool *pool)
{
    qsort(pool->candidates, (size_t)pool->n, sizeof *pool->candidates, by_need);
}

static bool is_whiteboard(const struct question *question)
{
    static const char *const areas[] = {"architecture", "training", "inference", "judgement"};
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
        if (strcmp(question->area, areas[i]) == 0) return true;
    return false;
}

static enum status nothing(struct draw *draw, const char *what)
{
    return error_set(draw->err, STATUS_NOT_FOUND, _("round %s: there is no %s"), draw->round->name,
                     what);
}

/* The wanted item, or one of its kind. */
static enum status draw_question(struct draw *draw, struct rng *rng, char item[STEP_ITEM_SIZE])
{
    struct pool pool = {.n = 0};
    enum status status = STATUS_OK;

    if (text_starts_with(draw->round->content, "question/")) {
        const struct question *question = library_question(draw->library, draw->round->content);
        if (!question) return nothing(draw, draw->round->content);
        snprintf(item, STEP_ITEM_SIZE, "question/%s", question->number);
        return STATUS_OK;
    }
    for (int i = 0; !status && i < draw->library->questions.n_questions; i++) {
        const struct question *question = draw->library->questions.questions[i];
        if (is_whiteboard(question))
            status = offer(draw, &pool, rng, question->minutes, "question", question->number);
    }
    if (status) return status;
    if (!pool.n) return nothing(draw, "question");
    sort(&pool);
    snprintf(item, STEP_ITEM_SIZE, "%s", pool.candidates[0].item);
    return STATUS_OK;
}

/* A drill that takes at most `minutes` and is not `other`; an empty item when none fits. */
static enum status draw_drill(struct draw *draw, struct rng *rng, int minutes, const char *other,
                              struct candidate *drill)
{
    struct pool pool = {.n = 0};
    enum status status = STATUS_OK;

    *drill = (struct candidate){0};
    for (int i = 0; !status && i < draw->drills->n_drills; i++) {
        const struct drill *each = draw->drills->drills[i];
        char item[STEP_ITEM_SIZE];
        snprintf(item, sizeof item, "drill/%s", each->number);
        if (each->minutes > minutes || strcmp(item, other) == 0) continue;
        status = offer(draw, &pool, rng, each->minutes, "drill", each->number);
    }
    if (status || !pool.n) return status;
    sort(&pool);
    *drill = pool.candidates[0];
    return STATUS_OK;
}

/* ---- the rounds ---- */

/* The order in which an interviewer comes to them; what is not listed follows by number. */
static const char *const first_asked[] = {
    "recruiter-pitch",          "recruiter-why-lab", "recruiter-fit",   "recruiter-pay",
    "recruiter-your-questions", "manager-scope",     "manager-failure", "manager-your-questions"};
enum { N_FIRST_ASKED = sizeof first_asked / sizeof *first_asked };

static int asked_place(const struct question *question)
{
    int place = 0;
    while (place < N_FIRST_ASKED && strcmp(first_asked[place], question->number) != 0) place++;
    return place;
}

/* The questions of an area, all but one. */
static enum status draw_area(struct draw *draw, const char *area, const char *but)
{
    const struct questions *all = &draw->library->questions;
    int taken = 0;
    for (int place = 0; place <= N_FIRST_ASKED; place++)
        for (int i = 0; i < all->n_questions; i++) {
            const struct question *question = all->questions[i];
            char item[STEP_ITEM_SIZE];
            if (strcmp(question->area, area) != 0 || strcmp(question->number, but) == 0 ||
                asked_place(question) != place)
                continue;
            snprintf(item, sizeof item, "question/%s", question->number);
            add(draw, question->name, STEP_WORDS, question->minutes, item);
            taken++;
        }
    return taken ? STATUS_OK : nothing(draw, area);
}

static enum status draw_phone(struct draw *draw, struct rng *rng)
{
    char item[STEP_ITEM_SIZE];
    struct candidate drill;
    enum status status = draw_question(draw, rng, item);
    if (!status) status = draw_drill(draw, rng, PHONE_MINUTES, "", &drill);
    if (status) return status;
    if (!*drill.item) return nothing(draw, "drill");
    add(draw, "question", STEP_WORDS, PHONE_MINUTES, item);
    add(draw, "drill", STEP_DRILL, PHONE_MINUTES, drill.item);
    return STATUS_OK;
}

static enum status draw_coding(struct draw *draw, struct rng *rng)
{
    struct candidate first, second;
    enum status status = draw_drill(draw, rng, CODING_MINUTES, "", &first);
    if (!status && !*first.item) return nothing(draw, "drill");
    if (!status)
        status = draw_drill(draw, rng, CODING_MINUTES - first.minutes, first.item, &second);
    if (status) return status;
    add(draw, "drill", STEP_DRILL, first.minutes, first.item);
    if (*second.item) add(draw, "drill", STEP_DRILL, second.minutes, second.item);
    return STATUS_OK;
}

static enum status draw_systems(struct draw *draw, struct rng *rng)
{
    struct pool pool = {.n = 0};
    enum status status = STATUS_OK;
    const struct brief *brief = NULL;

    if (text_starts_with(draw->round->content, "brief/")) {
        brief = library_brief(draw->library, draw->round->content);
        if (!brief) return nothing(draw, draw->round->content);
    } else {
        for (int i = 0; !status && i < draw->library->n_briefs; i++)
            status = offer(draw, &pool, rng, 0, "brief", draw->library->briefs[i]->number);
        if (status) return status;
        if (!pool.n) return nothing(draw, "brief");
        sort(&pool);
        brief = library_brief(draw->library, pool.candidates[0].item);
    }
    char item[STEP_ITEM_SIZE];
    snprintf(item, sizeof item, "brief/%s", brief->number);
    add(draw, "clarify", STEP_CARDS, 8, item);
    add(draw, "estimate", STEP_WORKSHEET, 12, item);
    for (unsigned i = 0; i < brief->nodes_count; i++) add_node(draw, item, &brief->nodes[i]);
    return STATUS_OK;
}

static enum status draw_paper(struct draw *draw, struct rng *rng)
{
    struct pool pool = {.n = 0};
    enum status status = STATUS_OK;
    const struct paper *paper = NULL;

    if (text_starts_with(draw->round->content, "paper/")) {
        paper = library_paper(draw->library, draw->round->content);
        if (!paper) return nothing(draw, draw->round->content);
    } else {
        for (int i = 0; !status && i < draw->library->n_papers; i++)
            if (*draw->library->papers[i]->arxiv)
                status = offer(draw, &pool, rng, 0, "paper", draw->library->papers[i]->name);
        if (status) return status;
        if (!pool.n) return nothing(draw, "paper");
        sort(&pool);
        paper = library_paper(draw->library, pool.candidates[0].item);
    }
    char item[STEP_ITEM_SIZE];
    snprintf(item, sizeof item, "paper/%s", paper->name);
    for (unsigned i = 0; i < paper->nodes_count; i++) add_node(draw, item, &paper->nodes[i]);
    return STATUS_OK;
}

static bool has_skill(const struct story *story, const char *skill)
{
    for (unsigned i = 0; i < story->skills_count; i++)
        if (strcmp(story->skills[i], skill) == 0) return true;
    return false;
}

/* The story asks for what the question asks for: it has all of its skills. */
static bool is_twin(const struct story *story, const struct question *question)
{
    if (!story || !question || !question->skills_count) return false;
    for (unsigned i = 0; i < question->skills_count; i++)
        if (!has_skill(story, question->skills[i])) return false;
    return true;
}

/* Take the stories that tell what one of the first N_VALUES values questions asks for out of the pool,
 * as long as there are enough others. */
static void drop_twins(struct pool *stories, const struct pool *values,
                       const struct library *library)
{
    int kept = 0;
    for (int i = 0; i < stories->n; i++) {
        const struct story *story = library_story(library, stories->candidates[i].item);
        bool twin = false;
        for (int v = 0; v < N_VALUES && v < values->n; v++)
            twin |= is_twin(story, library_question(library, values->candidates[v].item));
        const int left = stories->n - i - 1;
        if (twin && kept + left >= N_STORIES) continue;
        stories->candidates[kept++] = stories->candidates[i];
    }
    stories->n = kept;
}

static enum status draw_behavioral(struct draw *draw, struct rng *rng)
{
    struct pool values = {.n = 0}, stories = {.n = 0};
    const struct library *library = draw->library;
    enum status status = STATUS_OK;

    for (int i = 0; !status && i < library->questions.n_questions; i++)
        if (strcmp(library->questions.questions[i]->area, "values") == 0)
            status = offer(draw, &values, rng, library->questions.questions[i]->minutes, "question",
                           library->questions.questions[i]->number);
    for (int i = 0; !status && i < library->n_stories; i++)
        status = offer(draw, &stories, rng, library->stories[i]->minutes, "story",
                       library->stories[i]->number);
    if (status) return status;
    if (!values.n || !stories.n) return nothing(draw, "question or story");
    sort(&values);
    sort(&stories);
    drop_twins(&stories, &values, library);
    for (int i = 0; i < N_STORIES && i < stories.n; i++) {
        if (i < N_VALUES && i < values.n)
            add(draw, "values", STEP_WORDS, values.candidates[i].minutes,
                values.candidates[i].item);
        add(draw, "story", STEP_WORDS, stories.candidates[i].minutes, stories.candidates[i].item);
    }
    return STATUS_OK;
}

static enum status draw_project(struct draw *draw)
{
    const struct question *project = library_question(draw->library, "research");
    if (!project) return nothing(draw, "research");
    add(draw, "present", STEP_WORDS, 45, "question/research/0");
    add(draw, "probe", STEP_WORDS, 45, "question/research");
    return STATUS_OK;
}

static enum status draw_manager(struct draw *draw)
{
    const struct question *weak = library_question(draw->library, "manager-weak-point");
    if (!weak) return nothing(draw, "manager-weak-point");
    for (int i = 0; i < N_WEAK; i++) {
        char phase[PHASE_SIZE];
        snprintf(phase, sizeof phase, "weak-%d", i + 1);
        add(draw, phase, STEP_WORDS, weak->nodes[0].minutes, "question/manager-weak-point/0");
    }
    return draw_area(draw, "manager", "manager-weak-point");
}

/* Questions are short by themselves; the round's clock is the field's. What is left of it goes to the
 * steps in proportion, so that they end together. */
static void stretch(struct draw *draw, int minutes)
{
    int sum = 0, given = 0;
    for (int i = 0; i < draw->n; i++) sum += draw->steps[i].minutes;
    if (sum == 0 || sum >= minutes) return;
    for (int i = 0, before = 0; i < draw->n; i++) {
        before += draw->steps[i].minutes;
        const int until = before * minutes / sum;
        draw->steps[i].minutes = until - given;
        given = until;
    }
}

enum status round_draw(struct step *steps, int *n, const struct round *round,
                       const struct library *library, const struct drills *drills,
                       struct progress *progress, struct error *err)
{
    struct draw draw = {.steps = steps,
                        .round = round,
                        .library = library,
                        .drills = drills,
                        .progress = progress,
                        .err = err};
    struct rng rng;
    enum status status;

    rng_init(&rng, (uint64_t)round->seed, (uint64_t)round->place);
    if (strcmp(round->name, "recruiter") == 0) status = draw_area(&draw, "recruiter", "");
    else if (strcmp(round->name, "phone") == 0) status = draw_phone(&draw, &rng);
    else if (strcmp(round->name, "systems") == 0) status = draw_systems(&draw, &rng);
    else if (strcmp(round->name, "coding") == 0) status = draw_coding(&draw, &rng);
    else if (strcmp(round->name, "research") == 0) status = draw_project(&draw);
    else if (strcmp(round->name, "paper") == 0) status = draw_paper(&draw, &rng);
    else if (strcmp(round->name, "behavioral") == 0) status = draw_behavioral(&draw, &rng);
    else if (strcmp(round->name, "manager") == 0) status = draw_manager(&draw);
    else if (strcmp(round->name, "ask") == 0) {
        char item[STEP_ITEM_SIZE];
        status = draw_question(&draw, &rng, item);
        if (!status)
            add(&draw, "question", STEP_WORDS, library_question(library, item)->minutes, item);
    } else if (strcmp(round->name, "story") == 0) {
        const struct story *story = library_story(library, round->content);
        status = story ? STATUS_OK : nothing(&draw, round->content);
        if (story) add(&draw, "story", STEP_WORDS, story->minutes, round->content);
    } else {
        status = error_set(err, STATUS_NOT_FOUND, _("there is no round %s"), round->name);
    }
    static const char *const stretched[] = {"recruiter", "manager"};
    for (size_t i = 0; !status && i < sizeof stretched / sizeof *stretched; i++)
        if (strcmp(round->name, stretched[i]) == 0)
            stretch(&draw, round_kind(round->name)->minutes);
    *n = status ? 0 : draw.n;
    return status;
}

/* ---- names ---- */

const char *phase_title(const char *phase)
{
    static const struct {
        const char *phase, *name;
    } names[] = {
        {"question", N_("question")},
        {"drill", N_("drill")},
        {"clarify", N_("requirements")},
        {"estimate", N_("estimate")},
        {"architecture", N_("architecture")},
        {"deep-dive", N_("deep dive")},
        {"failure-1", N_("first failure")},
        {"failure-2", N_("second failure")},
        {"claim", N_("claim")},
        {"figures", N_("figures and tables")},
        {"method", N_("method")},
        {"experiment", N_("headline experiment")},
        {"untested", N_("what is not tested")},
        {"opinion", N_("your opinion")},
        {"oral-1", N_("oral")},
        {"oral-2", N_("oral")},
        {"oral-3", N_("oral")},
        {"values", N_("values")},
        {"story", N_("story")},
        {"present", N_("presenting")},
        {"probe", N_("being probed")},
        {"weak-1", N_("a weak point")},
        {"weak-2", N_("a weak point")},
        {"weak-3", N_("a weak point")},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].phase, phase) == 0) return _(names[i].name);
    const struct round_kind *kind = round_kind(phase);
    return kind ? _(kind->title) : phase;
}

char *step_title(const struct library *library, const char *phase, const char *item,
                 const char *language)
{
    const char *title = library_title(library, item, language);
    const struct question *question =
        text_starts_with(item, "question/") ? library_question(library, item) : NULL;
    if (!*title) return text_copy(phase_title(phase));
    if (question && strcmp(question->name, phase) == 0) return text_copy(title);
    return text_printf("%s: %s", phase_title(phase), title);
}
