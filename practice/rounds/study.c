#include "rounds/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rounds/packet.h"

enum { CARD_MINUTES = 1 };

static unsigned bit_of(const char *round)
{
    for (int i = 0; round_kinds[i].name; i++)
        if (strcmp(round_kinds[i].name, round) == 0) return 1U << i;
    return 0;
}

static unsigned bits_of(char *const *rounds, unsigned n)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < n; i++) bits |= bit_of(rounds[i]);
    return bits;
}

/* ---- items ---- */

static struct plan_item *add(struct study *study, enum plan_kind kind, char *id, int minutes,
                             unsigned n_rounds, unsigned rounds)
{
    study->items = memory_grow(study->items, (size_t)study->n + 1, sizeof *study->items);
    struct plan_item *item = &study->items[study->n++];
    *item = (struct plan_item){.id = id,
                               .kind = kind,
                               .minutes = minutes > 0 ? minutes : 1,
                               .weight = n_rounds > 0 ? n_rounds : 1,
                               .rounds = rounds};
    return item;
}

static struct plan_item *add_node(struct study *study, const char *item,
                                  const struct question_node *node, unsigned n_rounds,
                                  unsigned rounds)
{
    char id[80];
    return add(study, PLAN_NODE, text_copy(library_item(id, item, node->id)), node->minutes,
               n_rounds, rounds);
}

static bool is_self_marked(const struct question *question)
{
    return question->self_marked && *question->self_marked;
}

/* What one prepares about oneself is asked node by node, never begun as something new to learn. */
static bool is_personal(const struct question *question)
{
    return strcmp(question->area, "recruiter") == 0 || strcmp(question->area, "manager") == 0 ||
           strcmp(question->area, "research") == 0;
}

static void add_question(struct study *study, const struct question *question)
{
    char item[80];
    const unsigned rounds = bits_of(question->rounds, question->rounds_count);
    const char *tree = NULL;
    if (is_self_marked(question) || strcmp(question->number, "manager-weak-point") == 0) return;

    snprintf(item, sizeof item, "question/%s", question->number);
    for (unsigned i = 0; i < question->nodes_count; i++) {
        const struct question_node *node = &question->nodes[i];
        struct plan_item *added = add_node(study, item, node, question->rounds_count, rounds);
        added->tree = tree;
        if (i > 0 || is_personal(question)) continue;
        added->kind = PLAN_TREE;
        added->again = added->minutes;
        added->minutes = question->minutes;
        tree = added->id;
    }
}

static void add_all(struct study *study, const struct library *library, const struct drills *drills)
{
    for (int i = 0; i < drills->n_drills; i++) {
        const struct drill *drill = drills->drills[i];
        add(study, PLAN_DRILL, text_printf("drill/%s", drill->number), drill->minutes,
            drill->rounds_count, bits_of(drill->rounds, drill->rounds_count));
    }
    study->n_drills = study->n;
    for (int i = 0; i < library->questions.n_questions; i++)
        add_question(study, library->questions.questions[i]);
    for (int i = 0; i < library->n_papers; i++) {
        const struct paper *paper = library->papers[i];
        char item[80];
        if (!*paper->arxiv) continue; /* any paper: nothing to remember */
        snprintf(item, sizeof item, "paper/%s", paper->name);
        for (unsigned j = 0; j < paper->nodes_count; j++)
            add_node(study, item, &paper->nodes[j], 1, bit_of("paper"));
    }
    for (unsigned i = 0; library->quiz && i < library->quiz->cards_count; i++)
        add(study, PLAN_CARD, text_printf("card/%s", library->quiz->cards[i].name), CARD_MINUTES, 1,
            0);
}

int study_follow_up(const struct study *study, int tree)
{
    for (int i = tree + 1; i < study->n && study->items[i].tree == study->items[tree].id; i++)
        if (study->items[i].memory.reviews == 0) return i;
    return -1;
}

int study_new_trees(const struct study *study, int64_t day)
{
    int n = 0;
    for (int i = 0; i < study->n; i++) {
        const struct plan_item *item = &study->items[i];
        n += item->kind == PLAN_TREE && item->memory.reviews > 0 && item->memory.first_day == day;
    }
    return n;
}

enum status study_read(struct study *study, const struct library *library,
                       const struct drills *drills, struct progress *progress, double retention,
                       struct error *err)
{
    enum status status = STATUS_OK;
    *study = (struct study){.items = memory_new(1, sizeof *study->items)};
    add_all(study, library, drills);
    for (int i = 0; !status && i < study->n; i++)
        status = plan_item_read(&study->items[i], progress, retention, err);
    if (status) {
        study_done(study);
        return status;
    }
    /* A question that comes back brings a follow-up along, while there are some. */
    for (int i = 0; i < study->n; i++) {
        if (study->items[i].kind != PLAN_TREE) continue;
        const int next = study_follow_up(study, i);
        if (next >= 0) study->items[i].again += study->items[next].minutes;
    }
    return STATUS_OK;
}

void study_done(struct study *study)
{
    for (int i = 0; i < study->n; i++) free((void *)study->items[i].id);
    free(study->items);
    *study = (struct study){0};
}

/* ---- readiness ---- */

struct skills {
    struct readiness_skill *skills;
    int n, n_drills; /* drills come first */
    struct progress *progress;
    int64_t day;
};

static enum status add_skill(struct skills *skills, const char *kind, const char *name,
                             struct error *err)
{
    char *item = text_printf("%s/%s", kind, name);
    skills->skills = memory_grow(skills->skills, (size_t)skills->n + 1, sizeof *skills->skills);
    struct readiness_skill *skill = &skills->skills[skills->n++];
    *skill = (struct readiness_skill){.weight = 1};
    const enum status status = readiness_evidence(skill, skills->progress, item, skills->day, err);
    free(item);
    return status;
}

static enum status add_skills(struct skills *skills, unsigned round, const struct library *library,
                              const struct drills *drills, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; !status && i < drills->n_drills; i++)
        if (bits_of(drills->drills[i]->rounds, drills->drills[i]->rounds_count) & round)
            status = add_skill(skills, "drill", drills->drills[i]->number, err);
    skills->n_drills = skills->n;
    for (int i = 0; !status && i < library->questions.n_questions; i++) {
        const struct question *question = library->questions.questions[i];
        if (!is_self_marked(question) && bits_of(question->rounds, question->rounds_count) & round)
            status = add_skill(skills, "question", question->number, err);
    }
    for (int i = 0; !status && i < library->n_papers && round == bit_of("paper"); i++)
        status = add_skill(skills, "paper", library->papers[i]->name, err);
    for (int i = 0; !status && i < library->n_briefs && round == bit_of("systems"); i++)
        status = add_skill(skills, "brief", library->briefs[i]->number, err);
    for (int i = 0; !status && i < library->n_stories && round == bit_of("behavioral"); i++)
        status = add_skill(skills, "story", library->stories[i]->number, err);
    return status;
}

/* One concept question and one coding question, of equal weight, however many there are of each. */
static void balance_halves(struct skills *skills)
{
    const int n_words = skills->n - skills->n_drills;
    if (!n_words || !skills->n_drills) return;
    for (int i = 0; i < skills->n; i++)
        skills->skills[i].weight = 1.0 / (i < skills->n_drills ? skills->n_drills : n_words);
}

enum status study_readiness(struct readiness *readiness, int *n_skills, int round,
                            const struct library *library, const struct drills *drills,
                            struct progress *progress, int64_t day, struct error *err)
{
    struct skills skills = {
        .skills = memory_new(1, sizeof *skills.skills), .progress = progress, .day = day};
    const enum status status = add_skills(&skills, 1U << round, library, drills, err);
    *readiness = (struct readiness){0};
    *n_skills = skills.n;
    if (!status) {
        if (strcmp(round_kinds[round].name, "phone") == 0) balance_halves(&skills);
        if (!skills.n) skills.skills[0] = (struct readiness_skill){.weight = 1};
        *readiness = readiness_of(skills.skills, skills.n ? skills.n : 1, READINESS_SEED);
    }
    free(skills.skills);
    return status;
}
