#include "rounds/card.h"

#include <ctype.h>
#include <string.h>

#include "grader/rubric.h"

enum status card_judge(bool *found, json_t **result, const struct quiz_card *card,
                       const char *language, const char *text, struct error *err)
{
    struct rubric_item item = {.name = "answer",
                               .weight = 1,
                               .en = card->answer.en,
                               .es = card->answer.es,
                               .found = card->found};
    const struct rubric rubric = {.items = &item, .items_count = 1};
    struct rubric_reader *reader;
    struct rubric_grade grade;

    *found = false;
    *result = NULL;
    enum status status = rubric_open(&reader, &rubric, language, err);
    if (status) return status;
    status = rubric_apply(&grade, reader, text, err);
    if (!status) {
        *found = grade.findings[0].verdict == RUBRIC_FOUND;
        *result = rubric_json(&grade, text, language);
        rubric_grade_done(&grade);
    }
    rubric_close(reader);
    return status;
}

enum fsrs_rating card_rating(bool found, bool with_clue, int64_t elapsed_ms)
{
    if (!found) return RATING_AGAIN;
    if (with_clue) return RATING_HARD;
    return elapsed_ms < CARD_EASY_MS ? RATING_EASY : RATING_GOOD;
}

double card_score(enum fsrs_rating rating)
{
    return rating >= RATING_GOOD ? 1 : rating == RATING_HARD ? 0.5 : 0;
}

/* Bytes of the character at `at`. */
static size_t size_of(const char *at)
{
    size_t size = 1;
    while (((unsigned char)at[size] & 0xC0) == 0x80) size++;
    return size;
}

static bool is_letter(const char *at)
{
    return isalpha((unsigned char)*at) || (unsigned char)*at >= 0x80;
}

void card_clue(struct text *out, const char *answer)
{
    enum { SHORT = 2 }; /* letters of a word that is left whole */
    for (const char *at = answer; *at;) {
        size_t size = 0;
        int letters = 0;
        while (at[size] && is_letter(at + size)) {
            size += size_of(at + size);
            letters++;
        }
        if (letters > SHORT) {
            text_add_bytes(out, at, size_of(at));
            for (int i = 1; i < letters; i++) text_add(out, "·");
        } else if (letters > 0) {
            text_add_bytes(out, at, size);
        } else {
            size = size_of(at);
            if (isdigit((unsigned char)*at)) text_add(out, "·");
            else text_add_bytes(out, at, size);
        }
        at += size;
    }
}
