#include "content/plant.h"

#include <string.h>

#include "base/rng.h"

enum { TRIES = 64 };

static bool listed_apart(const struct drill *drill, const char *a, const char *b)
{
    for (unsigned i = 0; i < drill->never_together_count; i++) {
        char *const *pair = drill->never_together[i].names;
        if ((strcmp(pair[0], a) == 0 && strcmp(pair[1], b) == 0) ||
            (strcmp(pair[0], b) == 0 && strcmp(pair[1], a) == 0))
            return true;
    }
    return false;
}

static bool fits(const struct drill *drill, const struct marked *marked, unsigned chosen, int index)
{
    if (chosen & 1u << index || chosen & marked->apart[index]) return false;
    for (int i = 0; i < marked->n_names; i++)
        if (chosen & 1u << i && listed_apart(drill, marked->names[i], marked->names[index]))
            return false;
    return true;
}

/* Names in random order, each taken if it fits what was taken before. */
static unsigned choose(const struct drill *drill, const struct marked *marked, int wanted,
                       struct rng *rng)
{
    int order[MARKED_MISTAKE_LIMIT];
    unsigned chosen = 0;
    for (int i = 0; i < marked->n_names; i++) {
        const int j = (int)rng_between(rng, 0, i);
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < marked->n_names && __builtin_popcount(chosen) < wanted; i++)
        if (fits(drill, marked, chosen, order[i])) chosen |= 1u << order[i];
    return chosen;
}

enum status plant_bugs(struct plant *plant, struct text *out, const struct drill *drill,
                       enum lane lane, uint64_t seed, struct error *err)
{
    struct text source = {0};
    struct marked marked = {0};
    struct rng rng;

    *plant = (struct plant){0};
    enum status status = drill_read(&source, drill, "reference", lane, err);
    if (!status) status = marked_init(&marked, text_string(&source), err);

    unsigned chosen = 0;
    rng_init(&rng, seed, (uint64_t)lane);
    const int wanted = (int)rng_between(&rng, PLANT_LEAST, PLANT_MOST);
    for (int i = 0; !status && i < TRIES && __builtin_popcount(chosen) < PLANT_LEAST; i++)
        chosen = choose(drill, &marked, wanted, &rng);
    if (!status && __builtin_popcount(chosen) < PLANT_LEAST)
        status = error_set(err, STATUS_FORMAT, "%s: no %d mistakes of its reference go together",
                           drill->folder, PLANT_LEAST);
    for (unsigned i = 0; !status && i < drill->mistakes_count; i++) {
        const int index = marked_find(&marked, drill->mistakes[i].name);
        if (index >= 0 && chosen & 1u << index) plant->names[plant->n++] = drill->mistakes[i].name;
    }
    if (!status && out) status = marked_expand(out, &marked, text_string(&source), chosen, err);
    marked_done(&marked);
    text_done(&source);
    return status;
}
