#include "text/pair_merger.h"

#include <stdlib.h>
#include <string.h>

#define BETWEEN UINT32_MAX /* the cell between two pieces */
enum { STRIDE = 64 };      /* cells for each entry of `group_at` */

struct symbol {
    uint32_t begin, size; /* in `bytes` */
    int32_t left, right;
};

struct pair {
    uint32_t left, right;
    uint64_t count;
    uint32_t *places; /* from left to right; NULL until they are settled */
    size_t n_places;
};

struct group {    /* pieces that occur equally often lie together */
    size_t begin; /* in `cells` */
    uint64_t count;
};

struct pair_merger {
    uint32_t *cells;
    size_t n_cells;
    struct group *groups;
    size_t n_groups;
    uint32_t *group_at; /* the group of every STRIDE-th cell */

    struct symbol *symbols;
    int n_symbols, symbols_capacity;
    struct text bytes;

    struct pair *pairs;
    size_t n_pairs, pairs_capacity;
    uint32_t *slots; /* of pairs: index + 1; open addressing */
    size_t n_slots;

    struct candidate {
        uint64_t count;
        uint32_t pair;
    } * heap;
    size_t n_heap, heap_capacity;

    /* Of the merge that is being made: the pairs that it brings, and where. */
    struct found {
        uint32_t pair, place;
    } * found;
    size_t n_found, found_capacity;
    uint32_t **blocks; /* memory of places, in order of making */
    size_t n_blocks;
};

/* ---- symbols ---- */

static void add_symbol(struct pair_merger *merger, int32_t left, int32_t right, const char *bytes,
                       size_t size)
{
    if (merger->n_symbols == merger->symbols_capacity) {
        merger->symbols_capacity = merger->symbols_capacity ? 2 * merger->symbols_capacity : 1024;
        merger->symbols =
            memory_grow(merger->symbols, (size_t)merger->symbols_capacity, sizeof *merger->symbols);
    }
    merger->symbols[merger->n_symbols++] =
        (struct symbol){(uint32_t)merger->bytes.size, (uint32_t)size, left, right};
    text_add_bytes(&merger->bytes, bytes, size);
}

int pair_merger_size(const struct pair_merger *merger) { return merger->n_symbols; }

const char *pair_merger_bytes(const struct pair_merger *merger, int symbol, size_t *size)
{
    *size = merger->symbols[symbol].size;
    return merger->bytes.data + merger->symbols[symbol].begin;
}

void pair_merger_parts(const struct pair_merger *merger, int symbol, int32_t *left, int32_t *right)
{
    *left = merger->symbols[symbol].left;
    *right = merger->symbols[symbol].right;
}

static int compare_bytes(const struct pair_merger *merger, uint32_t a, uint32_t b)
{
    const struct symbol *x = &merger->symbols[a], *y = &merger->symbols[b];
    const size_t least = x->size < y->size ? x->size : y->size;
    const int order = memcmp(merger->bytes.data + x->begin, merger->bytes.data + y->begin, least);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

/* ---- pairs ---- */

static size_t slot_of(const struct pair_merger *merger, uint32_t left, uint32_t right)
{
    const uint64_t key = (uint64_t)left << 32 | right;
    return (size_t)((key ^ key >> 29) * 0x9E3779B97F4A7C15u >> 20) & (merger->n_slots - 1);
}

static void grow_slots(struct pair_merger *merger)
{
    free(merger->slots);
    merger->n_slots = merger->n_slots ? 2 * merger->n_slots : 1 << 14;
    merger->slots = memory_new(merger->n_slots, sizeof *merger->slots);
    for (size_t i = 0; i < merger->n_pairs; i++) {
        size_t at = slot_of(merger, merger->pairs[i].left, merger->pairs[i].right);
        while (merger->slots[at]) at = (at + 1) & (merger->n_slots - 1);
        merger->slots[at] = (uint32_t)i + 1;
    }
}

/* The number of a pair; it is made when it is new. */
static uint32_t pair_index(struct pair_merger *merger, uint32_t left, uint32_t right)
{
    size_t at = slot_of(merger, left, right);
    for (; merger->slots[at]; at = (at + 1) & (merger->n_slots - 1)) {
        const struct pair *pair = &merger->pairs[merger->slots[at] - 1];
        if (pair->left == left && pair->right == right) return merger->slots[at] - 1;
    }
    if (merger->n_pairs == merger->pairs_capacity) {
        merger->pairs_capacity = merger->pairs_capacity ? 2 * merger->pairs_capacity : 4096;
        merger->pairs = memory_grow(merger->pairs, merger->pairs_capacity, sizeof *merger->pairs);
    }
    CHECK(merger->n_pairs < UINT32_MAX);
    merger->pairs[merger->n_pairs] = (struct pair){.left = left, .right = right};
    merger->slots[at] = (uint32_t)++merger->n_pairs;
    if (2 * merger->n_pairs > merger->n_slots) grow_slots(merger);
    return (uint32_t)merger->n_pairs - 1;
}

/* ---- the heap ---- */

static bool is_greater(const struct pair_merger *merger, const struct candidate *a,
                       const struct candidate *b)
{
    if (a->count != b->count) return a->count > b->count;
    const struct pair *x = &merger->pairs[a->pair], *y = &merger->pairs[b->pair];
    const int order = compare_bytes(merger, x->left, y->left);
    return (order ? order : compare_bytes(merger, x->right, y->right)) > 0;
}

static void sink(struct pair_merger *merger, size_t i, struct candidate candidate)
{
    for (size_t child; (child = 2 * i + 1) < merger->n_heap; i = child) {
        if (child + 1 < merger->n_heap &&
            is_greater(merger, &merger->heap[child + 1], &merger->heap[child]))
            child++;
        if (!is_greater(merger, &merger->heap[child], &candidate)) break;
        merger->heap[i] = merger->heap[child];
    }
    merger->heap[i] = candidate;
}

static void heap_add(struct pair_merger *merger, uint32_t pair)
{
    const struct candidate candidate = {merger->pairs[pair].count, pair};
    if (merger->n_heap == merger->heap_capacity) {
        merger->heap_capacity = merger->heap_capacity ? 2 * merger->heap_capacity : 4096;
        merger->heap = memory_grow(merger->heap, merger->heap_capacity, sizeof *merger->heap);
    }
    size_t i = merger->n_heap++;
    for (; i > 0 && is_greater(merger, &candidate, &merger->heap[(i - 1) / 2]); i = (i - 1) / 2)
        merger->heap[i] = merger->heap[(i - 1) / 2];
    merger->heap[i] = candidate;
}

/* ---- cells ---- */

/* How often the piece that this cell belongs to occurs. */
static uint64_t count_at(const struct pair_merger *merger, size_t cell)
{
    size_t group = merger->group_at[cell / STRIDE];
    while (group + 1 < merger->n_groups && merger->groups[group + 1].begin <= cell) group++;
    return merger->groups[group].count;
}

static int by_count(const void *a, const void *b)
{
    const struct word *x = *(const struct word *const *)a, *y = *(const struct word *const *)b;
    return (x->count < y->count) - (x->count > y->count);
}

/* Pieces of more than one byte, by count: only they have pairs. */
static const struct word **sorted_words(const struct word_count *words, size_t *n, size_t *n_bytes)
{
    const struct word **sorted = memory_new(words->n, sizeof *sorted);
    unsigned char place[16];
    *n = *n_bytes = 0;
    for (size_t i = 0; i < words->n_slots; i++) {
        size_t size;
        if (!words->words[i].count) continue;
        (void)word_bytes(words, &words->words[i], place, &size);
        if (size < 2) continue;
        sorted[(*n)++] = &words->words[i];
        *n_bytes += size;
    }
    qsort(sorted, *n, sizeof *sorted, by_count);
    return sorted;
}

static void add_group(struct pair_merger *merger, size_t begin, uint64_t count)
{
    if (merger->n_groups && merger->groups[merger->n_groups - 1].count == count) return;
    if ((merger->n_groups & (merger->n_groups - 1)) == 0)
        merger->groups = memory_grow(merger->groups, merger->n_groups ? 2 * merger->n_groups : 1,
                                     sizeof *merger->groups);
    merger->groups[merger->n_groups++] = (struct group){begin, count};
}

static void fill_cells(struct pair_merger *merger, const struct word_count *words)
{
    unsigned char place[16];
    size_t n, n_bytes;
    const struct word **sorted = sorted_words(words, &n, &n_bytes);
    CHECK(n_bytes + n + 1 < UINT32_MAX);
    merger->cells = memory_new(n_bytes + n + 1, sizeof *merger->cells);
    merger->cells[merger->n_cells++] = BETWEEN;
    for (size_t i = 0; i < n; i++) {
        size_t size;
        const unsigned char *bytes = word_bytes(words, sorted[i], place, &size);
        add_group(merger, merger->n_cells, sorted[i]->count);
        for (size_t k = 0; k < size; k++) merger->cells[merger->n_cells++] = bytes[k];
        merger->cells[merger->n_cells++] = BETWEEN;
    }
    free(sorted);
    merger->group_at = memory_new(merger->n_cells / STRIDE + 1, sizeof *merger->group_at);
    for (size_t cell = 0, group = 0; cell < merger->n_cells; cell += STRIDE) {
        while (group + 1 < merger->n_groups && merger->groups[group + 1].begin <= cell) group++;
        merger->group_at[cell / STRIDE] = (uint32_t)group;
    }
}

/* Memory for places, released all at once at the end. */
static uint32_t *new_block(struct pair_merger *merger, size_t n)
{
    if ((merger->n_blocks & (merger->n_blocks - 1)) == 0)
        merger->blocks = memory_grow(merger->blocks, merger->n_blocks ? 2 * merger->n_blocks : 1,
                                     sizeof *merger->blocks);
    uint32_t *block = memory_new(n, sizeof *block);
    merger->blocks[merger->n_blocks++] = block;
    return block;
}

/* ---- the first pairs ---- */

static void find_first_pairs(struct pair_merger *merger)
{
    static const size_t n_byte_pairs = 256 * 256;
    uint32_t *number = memory_new(n_byte_pairs, sizeof *number); /* of a pair of bytes, + 1 */
    size_t total = 0;
    for (size_t i = 1; i + 1 < merger->n_cells; i++) {
        const uint32_t left = merger->cells[i], right = merger->cells[i + 1];
        if (left == BETWEEN || right == BETWEEN) continue;
        uint32_t *known = &number[left * 256 + right];
        if (!*known) *known = pair_index(merger, left, right) + 1;
        struct pair *pair = &merger->pairs[*known - 1];
        pair->count += count_at(merger, i);
        pair->n_places++;
        total++;
    }
    uint32_t *block = new_block(merger, total);
    for (size_t i = 0; i < merger->n_pairs; i++) {
        merger->pairs[i].places = block;
        block += merger->pairs[i].n_places;
        merger->pairs[i].n_places = 0;
    }
    for (size_t i = 1; i + 1 < merger->n_cells; i++) {
        const uint32_t left = merger->cells[i], right = merger->cells[i + 1];
        if (left == BETWEEN || right == BETWEEN) continue;
        struct pair *pair = &merger->pairs[number[left * 256 + right] - 1];
        pair->places[pair->n_places++] = (uint32_t)i;
    }
    free(number);
    for (size_t i = 0; i < merger->n_pairs; i++) heap_add(merger, (uint32_t)i);
}

struct pair_merger *pair_merger_open(const struct word_count *words)
{
    struct pair_merger *merger = memory_new(1, sizeof *merger);
    for (int byte = 0; byte < 256; byte++) add_symbol(merger, -1, -1, &(char){(char)byte}, 1);
    fill_cells(merger, words);
    grow_slots(merger);
    find_first_pairs(merger);
    return merger;
}

void pair_merger_close(struct pair_merger *merger)
{
    if (!merger) return;
    for (size_t i = 0; i < merger->n_blocks; i++) free(merger->blocks[i]);
    free(merger->blocks);
    free(merger->cells);
    free(merger->groups);
    free(merger->group_at);
    free(merger->symbols);
    text_done(&merger->bytes);
    free(merger->pairs);
    free(merger->slots);
    free(merger->heap);
    free(merger->found);
    free(merger);
}

/* ---- a merge ---- */

/* The pair with the highest count, or NULL; it is taken out of the heap. */
static struct pair *take_greatest(struct pair_merger *merger, uint64_t least)
{
    while (merger->n_heap) {
        const struct candidate first = merger->heap[0];
        struct pair *pair = &merger->pairs[first.pair];
        if (first.count == pair->count) {
            if (pair->count < least || !pair->count) return NULL;
            const struct candidate last = merger->heap[--merger->n_heap];
            if (merger->n_heap) sink(merger, 0, last);
            return pair;
        }
        sink(merger, 0, (struct candidate){pair->count, first.pair});
    }
    return NULL;
}

/* A pair of the new symbol stands at `place`. */
static void note_found(struct pair_merger *merger, uint32_t left, uint32_t right, uint32_t place,
                       uint64_t count)
{
    const uint32_t pair = pair_index(merger, left, right);
    merger->pairs[pair].count += count;
    if (merger->n_found == merger->found_capacity) {
        merger->found_capacity = merger->found_capacity ? 2 * merger->found_capacity : 4096;
        merger->found = memory_grow(merger->found, merger->found_capacity, sizeof *merger->found);
    }
    merger->found[merger->n_found++] = (struct found){pair, place};
}

static void lose(struct pair_merger *merger, uint32_t left, uint32_t right, uint64_t count)
{
    struct pair *pair = &merger->pairs[pair_index(merger, left, right)];
    CHECK(pair->count >= count);
    pair->count -= count;
}

/* Merge at one place, if the pair still stands there. */
static void merge_at(struct pair_merger *merger, uint32_t left, uint32_t right, uint32_t made,
                     uint32_t place)
{
    uint32_t *cells = merger->cells;
    const uint32_t left_size = merger->symbols[left].size, right_size = merger->symbols[right].size;
    const uint32_t middle = place + left_size, after = middle + right_size;
    if (cells[place] != left || cells[middle - 1] != left || cells[middle] != right) return;
    const uint64_t count = count_at(merger, place);
    const uint32_t before_symbol = cells[place - 1], after_symbol = cells[after];

    /* Cells inside a symbol keep what they held, so they are marked: no place there counts again. */
    cells[middle - 1] = cells[middle] = BETWEEN;
    cells[place] = cells[after - 1] = made;
    if (before_symbol != BETWEEN) {
        if (before_symbol != left || left != right) lose(merger, before_symbol, left, count);
        note_found(merger, before_symbol, made, place - merger->symbols[before_symbol].size, count);
    }
    if (after_symbol != BETWEEN) {
        if (left != right || right != after_symbol) lose(merger, right, after_symbol, count);
        note_found(merger, made, after_symbol, place, count);
    }
}

/* Give the pairs that were found their places, in the order in which they were found. */
static void settle_found(struct pair_merger *merger)
{
    if (!merger->n_found) return;
    uint32_t *block = new_block(merger, merger->n_found);
    for (size_t i = 0; i < merger->n_found; i++) merger->pairs[merger->found[i].pair].n_places++;
    for (size_t i = 0; i < merger->n_found; i++) {
        struct pair *pair = &merger->pairs[merger->found[i].pair];
        if (!pair->places) {
            pair->places = block;
            block += pair->n_places;
            pair->n_places = 0;
            heap_add(merger, merger->found[i].pair);
        }
        pair->places[pair->n_places++] = merger->found[i].place;
    }
    merger->n_found = 0;
}

uint64_t pair_merger_step(struct pair_merger *merger, uint64_t least)
{
    struct pair *greatest = take_greatest(merger, least);
    if (!greatest) return 0;
    const struct pair pair = *greatest; /* the table of pairs may move */
    const uint32_t made = (uint32_t)merger->n_symbols;
    struct text bytes = {0};
    size_t size;
    const char *part = pair_merger_bytes(merger, (int)pair.left, &size);
    text_add_bytes(&bytes, part, size);
    part = pair_merger_bytes(merger, (int)pair.right, &size);
    text_add_bytes(&bytes, part, size);
    add_symbol(merger, (int32_t)pair.left, (int32_t)pair.right, bytes.data, bytes.size);
    text_done(&bytes);

    greatest->count = 0;
    for (size_t i = 0; i < pair.n_places; i++)
        merge_at(merger, pair.left, pair.right, made, pair.places[i]);
    settle_found(merger);
    return pair.count;
}
