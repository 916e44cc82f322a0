#include "content/quiz.h"

#include <string.h>

#include "content/question_schema.h"

static const struct cyaml_schema_field card_fields[] = {
    SCHEMA_TEXT("name", struct quiz_card, name, 1, 40),
    SCHEMA_TEXT("area", struct quiz_card, area, 1, 20),
    SCHEMA_TEXT("lab", struct quiz_card, lab, 0, 3),
    SCHEMA_WORDS("ask", struct quiz_card, ask),
    SCHEMA_WORDS("answer", struct quiz_card, answer),
    SCHEMA_LISTS("found", struct quiz_card, found),
    SCHEMA_TEXT("from", struct quiz_card, from, 0, 400),
    CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct quiz_card, value),
    SCHEMA_TEXT("source", struct quiz_card, source, 0, 400),
    CYAML_FIELD_END};
static const struct cyaml_schema_value card_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct quiz_card, card_fields)};

static const struct cyaml_schema_field quiz_fields[] = {
    SCHEMA_LIST("cards", struct quiz, cards, card_value, 500), CYAML_FIELD_END};
static const struct cyaml_schema_value quiz_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct quiz, quiz_fields)};

enum status quiz_load(struct quiz **quiz, const char *path, struct error *err)
{
    void *value = NULL;
    *quiz = NULL;
    enum status status = yaml_load(&value, &quiz_value, path, err);
    if (status) return status;

    struct quiz *loaded = value;
    for (unsigned i = 0; !status && i < loaded->cards_count; i++) {
        const struct quiz_card *card = &loaded->cards[i];
        if (quiz_card(loaded, card->name) != card)
            status = error_set(err, STATUS_FORMAT, "%s: two cards are called %s", path, card->name);
        else if (!card->found.en_count || !card->found.es_count)
            status = error_set(err, STATUS_FORMAT,
                               "%s: card %s has no line in one of the languages", path, card->name);
    }
    if (status) quiz_free(loaded);
    else *quiz = loaded;
    return status;
}

void quiz_free(struct quiz *quiz) { yaml_done(&quiz_value, quiz); }

const struct quiz_card *quiz_card(const struct quiz *quiz, const char *name)
{
    for (unsigned i = 0; quiz && i < quiz->cards_count; i++)
        if (strcmp(quiz->cards[i].name, name) == 0) return &quiz->cards[i];
    return NULL;
}
