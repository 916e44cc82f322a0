#include "rounds/judge.h"

#include <stdlib.h>
#include <string.h>

#include "progress/review.h"

enum status judge_text(json_t **result, double *score, const struct question_node *node,
                       const char *language, const char *text, struct error *err)
{
    struct rubric_reader *reader;
    struct rubric_grade grade;

    *result = NULL;
    *score = 0;
    enum status status = rubric_open(&reader, &node->rubric, language, err);
    if (status) return status;
    status = rubric_apply(&grade, reader, text, err);
    if (!status) {
        *result = rubric_json(&grade, text, language);
        *score = grade.score;
        rubric_grade_done(&grade);
    }
    rubric_close(reader);
    return status;
}

static bool is_in(const int *list, int n, int value)
{
    for (int i = 0; i < n; i++)
        if (list[i] == value) return true;
    return false;
}

double judge_confirm(char **confirmed, const json_t *result, const int *flipped, int n_flipped)
{
    const json_t *items = json_object_get(result, "items");
    json_t *verdicts = json_object();
    double all = 0, got = 0;

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const double weight = (double)json_integer_value(json_object_get(item, "weight"));
        const char *verdict = json_string_value(json_object_get(item, "verdict"));
        const char *name = json_string_value(json_object_get(item, "name"));
        if (!verdict || !name) continue; /* of another program */
        if (is_in(flipped, n_flipped, (int)i))
            verdict = strcmp(verdict, "found") == 0 ? "not-found" : "found";
        all += weight;
        if (strcmp(verdict, "found") == 0) got += weight;
        if (strcmp(verdict, "contradicted") == 0) got -= weight / 2;
        json_object_set_new(verdicts, name, json_string(verdict));
    }
    *confirmed = json_line(verdicts);
    json_decref(verdicts);
    return all > 0 && got > 0 ? got / all : 0;
}

void judge_apply(json_t *result, const char *confirmed)
{
    json_t *verdicts;
    if (!confirmed || json_parse(&verdicts, confirmed, strlen(confirmed), NULL)) return;
    json_t *items = json_object_get(result, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *graded = json_string_value(json_object_get(item, "verdict"));
        const char *own = name ? json_string_value(json_object_get(verdicts, name)) : NULL;
        if (!graded || !own || strcmp(graded, own) == 0) continue;
        json_object_set(item, "graded", json_object_get(item, "verdict"));
        json_object_set(item, "verdict", json_object_get(verdicts, name));
    }
    json_decref(verdicts);
}

enum fsrs_rating judge_rating(double score, bool overtime)
{
    if (score < JUDGE_HARD) return RATING_AGAIN;
    if (score < JUDGE_GOOD || overtime) return RATING_HARD;
    return score < JUDGE_EASY ? RATING_GOOD : RATING_EASY;
}

enum status judge_remember(struct progress *progress, const struct round *round, const char *item,
                           double score, bool overtime, struct error *err)
{
    if (round_is_rehearsal(round)) return STATUS_OK;
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = review_add(progress, item, NULL, clock_wall_ms(progress->clock),
                        judge_rating(score, overtime), err);
    return database_end(progress->database, status, err);
}
