#include "rounds/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "base/text.h"

static const struct answer *answer_to(const struct answer *answers, int n, const char *item)
{
    for (int i = n - 1; i >= 0; i--)
        if (strcmp(answers[i].item, item) == 0) return &answers[i];
    return NULL;
}

/* The answer's findings say that the rubric's item was not found. */
static bool missed(const struct answer *answer, const char *name)
{
    json_t *result;
    bool is_missed = false;
    if (!answer->result || json_parse(&result, answer->result, strlen(answer->result), NULL))
        return false;
    const json_t *items = json_object_get(result, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *item_name = json_string_value(json_object_get(item, "name"));
        const char *verdict = json_string_value(json_object_get(item, "verdict"));
        if (item_name && verdict && strcmp(item_name, name) == 0 && strcmp(verdict, "found") != 0)
            is_missed = true;
    }
    json_decref(result);
    return is_missed;
}

struct tree {
    const struct question_node *nodes;
    unsigned n_nodes;
    const char *item; /* "question/01" */
    const struct answer *answers;
    int n_answers;
};

static const struct answer *said(const struct tree *tree, const struct question_node *node)
{
    char item[STEP_ITEM_SIZE];
    return answer_to(tree->answers, tree->n_answers, library_item(item, tree->item, node->id));
}

/* The first node below `parent` that was not asked; a branch whose item was missed comes first. */
static const struct question_node *child_of(const struct tree *tree,
                                            const struct question_node *parent)
{
    const struct question_node *in_order = NULL;
    const struct answer *answer = said(tree, parent);
    for (unsigned i = 0; i < tree->n_nodes; i++) {
        const struct question_node *node = &tree->nodes[i];
        if (!question_is_child(node->id, parent->id) || said(tree, node)) continue;
        if (*node->after && answer && missed(answer, node->after)) return node;
        if (!in_order) in_order = node;
    }
    return in_order;
}

static const struct question_node *next_of_tree(const struct tree *tree, int limit)
{
    const struct question_node *root = &tree->nodes[0], *last = NULL;
    int asked = 0;
    for (int i = 0; i < tree->n_answers; i++)
        for (unsigned j = 0; j < tree->n_nodes; j++)
            if (said(tree, &tree->nodes[j]) == &tree->answers[i]) {
                last = &tree->nodes[j];
                asked++;
            }
    if (!said(tree, root)) return root;
    if (asked >= limit) return NULL;
    if (last && last != root && said(tree, last)->score >= WALK_DEEPER) {
        const struct question_node *deeper = child_of(tree, last);
        if (deeper) return deeper;
    }
    return child_of(tree, root);
}

static const struct question_node *next_of_story(const struct tree *tree, int64_t seed, int probes)
{
    if (!said(tree, &tree->nodes[0])) return &tree->nodes[0];

    struct rng rng;
    rng_init(&rng, (uint64_t)seed, (uint64_t)(unsigned char)tree->item[strlen(tree->item) - 1]);
    int asked = 0;
    for (unsigned i = 1; i < tree->n_nodes; i++)
        if (said(tree, &tree->nodes[i])) asked++;
    if (asked >= probes || tree->n_nodes < 2) return NULL;

    const unsigned first = (unsigned)rng_below(&rng, (int64_t)tree->n_nodes - 1);
    for (unsigned i = 0; i + 1 < tree->n_nodes; i++) {
        const struct question_node *probe = &tree->nodes[1 + (first + 2 * i) % (tree->n_nodes - 1)];
        if (!said(tree, probe)) return probe;
    }
    return NULL;
}

const struct question_node *walk_next(const struct library *library, const struct round *round,
                                      const struct step *step, const struct answer *answers,
                                      int n_answers)
{
    const struct question_node *node = library_node(library, step->item);
    if (node) {
        for (int i = 0; i < n_answers; i++)
            if (answers[i].step == step->place) return NULL;
        return node;
    }

    struct tree tree = {.item = step->item, .answers = answers, .n_answers = n_answers};
    tree.nodes = library_nodes(library, step->item, &tree.n_nodes);
    if (!tree.nodes) return NULL;
    if (text_starts_with(step->item, "story/"))
        return next_of_story(&tree, round->seed,
                             strcmp(round->name, "story") == 0 ? (int)tree.n_nodes : WALK_PROBES);
    /* Three quarters of an hour of probing is what the deep dive has; its clock ends it. */
    const bool deep_dive = strcmp(round->name, "research") == 0;
    return next_of_tree(&tree, deep_dive ? (int)tree.n_nodes : WALK_TREE_LIMIT);
}
