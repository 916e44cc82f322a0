/* fuzz_rubric.c -- any bytes as an answer to a fixed rubric (first byte even) or as the lines of one, a
 * line each (odd). Scores stay within 0 and 1, sentences within the answer. The first byte's second bit
 * chooses the language. */
#include "grader/rubric.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char *scale[] = {"scal & varian + \\bd\\b", "(sqrt|root).{0,40}d & !no\\b"};
static char *cache[] = {"#320 KiB ~10% & cache", "#8 & head", "#1.86 USD", "#50% & @numbers>=2"};
static char *speed[] = {"(fast|rapid) & @sentences<=9"};

static struct rubric_item items[] = {
    {"scale", 3, "e", "s", {scale, 2, scale, 2}},
    {"cache", 2, "e", "s", {cache, 4, cache, 4}},
};
static struct rubric_wrong wrong[] = {{"scale", {"a", "b"}, {"c", "d"}, {speed, 1, speed, 1}}};
static const struct rubric fixed = {items, 2, wrong, 1};

static void grade(const struct rubric *rubric, const char *language, const char *answer)
{
    struct rubric_reader *reader;
    struct rubric_grade grade;
    struct error err;
    if (rubric_open(&reader, rubric, language, &err)) {
        CHECK(!reader && err.message[0]);
        return;
    }
    if (!rubric_apply(&grade, reader, answer, &err)) {
        CHECK(grade.score >= 0 && grade.score <= 1);
        CHECK(grade.n_findings == (int)rubric->items_count);
        for (int i = 0; i < grade.n_findings; i++)
            CHECK(grade.findings[i].start >= 0 && grade.findings[i].size >= 0 &&
                  (size_t)(grade.findings[i].start + grade.findings[i].size) <= strlen(answer));
        json_t *json = rubric_json(&grade, answer, language);
        CHECK(json);
        json_decref(json);
        rubric_grade_done(&grade);
    }
    rubric_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!size) return 0;
    char *text = memory_new(size, 1);
    memcpy(text, bytes + 1, size - 1);
    const char *language = bytes[0] & 2 ? "es" : "en";
    if (!(bytes[0] & 1)) {
        grade(&fixed, language, text);
    } else {
        char *lines[60];
        unsigned n = 0;
        for (char *line = strtok(text, "\n"); line && n < 60; line = strtok(NULL, "\n"))
            lines[n++] = line;
        struct rubric_item item = {"it", 1, "e", "s", {lines, n, lines, n}};
        const struct rubric rubric = {&item, 1, NULL, 0};
        grade(&rubric, language,
              "The variance of q·k grows with d, so 8 heads divide by √d. Why? It costs 1.86 USD.");
    }
    free(text);
    return 0;
}
