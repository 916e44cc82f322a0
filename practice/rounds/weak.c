#include "rounds/weak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "rounds/judge.h"
#include "store/query.h"

enum { CONTENT_PARTS = 2 }; /* "question/01" of "question/01/1-1" */

static bool same_content(const char *a, const char *b)
{
    int parts = 0;
    for (; *a && *a == *b; a++, b++)
        if (*a == '/' && ++parts == CONTENT_PARTS) return true;
    return (!*a || *a == '/') && (!*b || *b == '/');
}

/* The heaviest item that was not found; false when all were. */
static bool read_missing(struct weak_point *point, const char *result, const char *confirmed)
{
    json_t *value;
    int heaviest = 0;
    if (!result || json_parse(&value, result, strlen(result), NULL)) return false;
    judge_apply(value, confirmed);

    const char *state = json_string_value(json_object_get(value, "state"));
    if (state && strcmp(state, "passed") != 0) { /* a drill */
        const char *diagnosis = json_string_value(json_object_get(value, "diagnosis"));
        const json_t *submitted = json_object_get(value, "submitted");
        point->missing =
            submitted && json_integer_value(submitted) == 0 ? text_copy(_("nothing was handed in"))
            : diagnosis ? text_printf(_("the drill's tests do not pass (%s)"), diagnosis)
                        : text_copy(_("the drill's tests do not pass"));
        point->sentence = text_copy("");
        point->passed_over = submitted && json_integer_value(submitted) == 0;
        json_decref(value);
        return true;
    }
    const json_t *items = json_object_get(value, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *verdict = json_string_value(json_object_get(item, "verdict"));
        const char *text = json_string_value(json_object_get(item, "text"));
        const char *sentence = json_string_value(json_object_get(item, "sentence"));
        int weight = (int)json_integer_value(json_object_get(item, "weight"));
        if (!verdict || !text || strcmp(verdict, "found") == 0) continue;
        if (strcmp(verdict, "contradicted") == 0) weight += 10; /* worse than silence */
        if (weight <= heaviest) continue;
        heaviest = weight;
        free(point->missing);
        free(point->sentence);
        point->missing = text_copy(text);
        point->sentence = text_copy(sentence ? sentence : "");
    }
    json_decref(value);
    point->weight = heaviest;
    return heaviest > 0;
}

static int by_score(const void *a, const void *b)
{
    const struct weak_point *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    if (x->passed_over != y->passed_over) return x->passed_over ? 1 : -1;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return strcmp(x->item, y->item);
}

enum status weak_points(struct weak_point **out, int *n, struct progress *progress,
                        const char *packet, int limit, struct error *err)
{
    struct query query;
    *out = NULL;
    *n = 0;
    query_open(
        &query, progress->database,
        "SELECT a.item, r.name, a.score, a.ask, a.result, a.confirmed, a.text = '' FROM answer a"
        " JOIN round r ON r.id = a.round"
        " WHERE a.score IS NOT NULL AND (?1 IS NULL OR r.packet = ?1)"
        " AND a.item NOT LIKE 'question/manager-weak-point/%'"
        " ORDER BY a.submitted_ms DESC, a.id LIMIT 500");
    query_bind_text(&query, 1, packet);
    while (query_row(&query)) {
        struct weak_point point = {.score = query_real(&query, 2)};
        snprintf(point.item, sizeof point.item, "%s", query_text(&query, 0));
        snprintf(point.round, sizeof point.round, "%s", query_text(&query, 1));
        if (!read_missing(&point, query_text(&query, 4), query_text(&query, 5))) continue;
        point.ask = text_copy(query_text(&query, 3));
        point.passed_over |= query_int(&query, 6) != 0;
        *out = memory_grow(*out, (size_t)*n + 1, sizeof **out);
        (*out)[(*n)++] = point;
    }
    const enum status status = query_done(&query, err);
    if (status) {
        weak_points_done(*out, *n);
        *out = NULL;
        *n = 0;
        return status;
    }

    if (*n) qsort(*out, (size_t)*n, sizeof **out, by_score);
    int kept = 0;
    for (int i = 0; i < *n; i++) {
        bool again = kept >= limit;
        for (int j = 0; j < kept && !again; j++)
            again = same_content((*out)[j].item, (*out)[i].item);
        if (again) {
            free((*out)[i].ask);
            free((*out)[i].missing);
            free((*out)[i].sentence);
        } else {
            (*out)[kept++] = (*out)[i];
        }
    }
    *n = kept;
    return STATUS_OK;
}

void weak_points_done(struct weak_point *points, int n)
{
    for (int i = 0; i < n; i++) {
        free(points[i].ask);
        free(points[i].missing);
        free(points[i].sentence);
    }
    free(points);
}
