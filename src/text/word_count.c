#include "text/word_count.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "text/piece_key.h"

static bool is_short(const struct word *word) { return word->key[1] >> 56 <= WORD_SHORT; }

static inline uint64_t hash_of_long(const unsigned char *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

const unsigned char *word_bytes(const struct word_count *words, const struct word *word,
                                unsigned char place[16], size_t *size)
{
    if (!is_short(word)) {
        *size = ~word->key[1];
        return (const unsigned char *)words->store.data + word->key[0];
    }
    *size = word->key[1] >> 56;
    piece_key_bytes(place, word->key);
    return place;
}

/* Put an entry that is not there yet into a table with room. */
static void place_word(struct word *slots, size_t n_slots, const struct word *word, uint64_t hash)
{
    size_t at = hash & (n_slots - 1);
    while (slots[at].count) at = (at + 1) & (n_slots - 1);
    slots[at] = *word;
}

static void grow(struct word_count *words)
{
    const size_t n_slots = words->n_slots ? 2 * words->n_slots : 1024;
    struct word *slots = memory_new(n_slots, sizeof *slots);
    for (size_t i = 0; i < words->n_slots; i++) {
        const struct word *word = &words->words[i];
        if (!word->count) continue;
        uint64_t hash = piece_key_hash(word->key);
        if (!is_short(word))
            hash = hash_of_long((const unsigned char *)words->store.data + word->key[0],
                                ~word->key[1]);
        place_word(slots, n_slots, word, hash);
    }
    free(words->words);
    words->words = slots;
    words->n_slots = n_slots;
}

static void add_long(struct word_count *words, const unsigned char *bytes, size_t size,
                     uint64_t count)
{
    size_t at = hash_of_long(bytes, size) & (words->n_slots - 1);
    for (; words->words[at].count; at = (at + 1) & (words->n_slots - 1)) {
        struct word *word = &words->words[at];
        if (word->key[1] != ~(uint64_t)size) continue;
        if (memcmp(words->store.data + word->key[0], bytes, size) != 0) continue;
        word->count += count;
        return;
    }
    words->words[at] = (struct word){.key = {words->store.size, ~(uint64_t)size}, .count = count};
    words->n++;
    text_add_bytes(&words->store, bytes, size);
}

void word_count_add(struct word_count *words, const unsigned char *bytes, size_t size,
                    size_t readable, uint64_t count)
{
    if (10 * words->n >= 7 * words->n_slots) grow(words);
    if (size > WORD_SHORT) {
        add_long(words, bytes, size, count);
        return;
    }
    uint64_t key[2];
    piece_key(key, bytes, size, readable);
    size_t at = piece_key_hash(key) & (words->n_slots - 1);
    for (; words->words[at].count; at = (at + 1) & (words->n_slots - 1)) {
        struct word *word = &words->words[at];
        if (word->key[0] != key[0] || word->key[1] != key[1]) continue;
        word->count += count;
        return;
    }
    words->words[at] = (struct word){.key = {key[0], key[1]}, .count = count};
    words->n++;
}

void word_count_join(struct word_count *words, const struct word_count *other)
{
    unsigned char place[16];
    for (size_t i = 0; i < other->n_slots; i++) {
        const struct word *word = &other->words[i];
        if (!word->count) continue;
        size_t size;
        const unsigned char *bytes = word_bytes(other, word, place, &size);
        word_count_add(words, bytes, size, size, word->count);
    }
}

size_t word_count_memory(const struct word_count *words)
{
    return words->n_slots * sizeof *words->words + words->store.capacity;
}

void word_count_done(struct word_count *words)
{
    free(words->words);
    text_done(&words->store);
    *words = (struct word_count){0};
}
