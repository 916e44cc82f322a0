#include "grader/rubric.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <math.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { MATCH_LIMIT = 100000, HEAP_LIMIT_KIB = 16 * 1024 };

enum term_kind { TERM_PATTERN, TERM_ABSENT, TERM_NUMBER, TERM_MEASURE };

struct term {
    enum term_kind kind;
    pcre2_code *code;    /* TERM_PATTERN, TERM_ABSENT */
    double low, high;    /* TERM_NUMBER, in base units; TERM_MEASURE */
    enum unit unit, per; /* TERM_NUMBER */
    int measure;         /* TERM_MEASURE: index into measures */
    bool neighbour;      /* behind the " + " */
    int reach;           /* TERM_PATTERN: a match is none with a "not" so many words before it */
};

struct line {
    struct term *terms;
    int n_terms;
};

struct lines {
    struct line *lines;
    int n_lines;
};

struct rubric_reader {
    const struct rubric *rubric;
    enum number_style style;
    bool keywords;       /* a list of keywords is evidence too */
    struct lines *found; /* [items_count] */
    struct lines *seen;  /* [wrong_count] */
    pcre2_match_data *match;
    pcre2_match_context *context;
};

static const char *const measures[] = {"words",   "sentences", "questions",
                                       "numbers", "seconds",   "first-person"};

static double measure(const struct prose *prose, int which)
{
    switch (which) {
    case 0: return prose->n_words;
    case 1: return prose->n_full_sentences;
    case 2: return prose->n_questions;
    case 3: return prose->n_numbers;
    case 4: return prose_seconds(prose);
    default: return prose->n_first_person;
    }
}

const char *rubric_verdict_name(enum rubric_verdict verdict)
{
    switch (verdict) {
    case RUBRIC_NOT_FOUND: return "not-found";
    case RUBRIC_FOUND: return "found";
    case RUBRIC_CONTRADICTED: return "contradicted";
    }
    check_failed("a verdict", __FILE__, __LINE__);
}

/* ---- reading the lines ---- */

/* A pattern as sentences are folded: lower case, no accents. Escapes and (?...) stay as they are. */
static void fold_pattern(struct text *out, const char *pattern)
{
    for (const char *c = pattern; *c;) {
        size_t size = 1;
        if (*c == '\\' && c[1]) size = strchr("pPkgx", c[1]) && c[2] == '{' ? strcspn(c, "}") : 2;
        else if (c[0] == '(' && c[1] == '?') size = 2 + (c[2] == 'P');
        else if ((unsigned char)*c >= 0x80)
            while ((unsigned char)c[size] >= 0x80) size++;
        if (size > 1 && (unsigned char)*c < 0x80) {
            text_add_bytes(out, c, size);
        } else if (size == 1 && (unsigned char)*c < 0x80) {
            text_add_char(out, (char)tolower((unsigned char)*c));
        } else {
            char *folded = prose_fold(c, size);
            for (const char *f = folded; *f; f++) {
                if (strchr("*+?.|()[]{}^$", *f)) text_add_char(out, '\\');
                text_add_char(out, *f);
            }
            free(folded);
        }
        c += size;
    }
}

static enum status read_pattern(struct term *term, const char *pattern, struct error *err)
{
    const char first = *pattern;
    const bool at_word = isalnum((unsigned char)first) || first == '(' || first == '[' ||
                         first == '\\' || first == '_';
    struct text folded = {0};
    fold_pattern(&folded, pattern);
    char *whole = text_printf("%s(?:%s)", at_word ? "\\b" : "", text_string(&folded));
    text_done(&folded);
    int code;
    PCRE2_SIZE offset;
    enum status status = STATUS_OK;

    term->code =
        pcre2_compile((PCRE2_SPTR)whole, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
    if (!term->code) {
        PCRE2_UCHAR message[200];
        pcre2_get_error_message(code, message, sizeof message);
        status = error_set(err, STATUS_FORMAT, "%s: %s", pattern, (const char *)message);
    }
    free(whole);
    return status;
}

/* "320 KiB ~10%", "8 ~x2" */
static enum status read_number(struct term *term, const char *word, struct error *err)
{
    char *end;
    const double value = strtod(word, &end);
    if (end == word) return error_set(err, STATUS_FORMAT, "#%s: expected a number", word);
    while (*end == ' ') end++;

    size_t size = strcspn(end, "~");
    const char *tolerance = end[size] == '~' ? end + size + 1 : "5%";
    while (size && end[size - 1] == ' ') size--;
    struct quantity one;
    if (!prose_unit(&one, end, size))
        return error_set(err, STATUS_FORMAT, "#%s: there is no unit %.*s", word, (int)size, end);
    term->unit = one.unit;
    term->per = one.per;

    const bool ratio = *tolerance == 'x';
    const double width = strtod(tolerance + ratio, &end);
    if (!(width > 0) || (ratio ? *end != '\0' : strcmp(end, "%") != 0))
        return error_set(err, STATUS_FORMAT, "#%s: expected a tolerance such as ~10%% or ~x2",
                         word);
    const double base = value * one.value;
    term->low = ratio ? base / width : base - fabs(base) * width / 100;
    term->high = ratio ? base * width : base + fabs(base) * width / 100;
    return STATUS_OK;
}

/* "sentences<=2" */
static enum status read_measure(struct term *term, const char *word, struct error *err)
{
    const size_t size = strcspn(word, "<>");
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        if (strlen(measures[i]) != size || strncmp(word, measures[i], size) != 0) continue;
        char *end;
        const bool at_most = text_starts_with(word + size, "<=");
        if (!at_most && !text_starts_with(word + size, ">=")) break;
        const double value = strtod(word + size + 2, &end);
        if (end == word + size + 2 || *end) break;
        term->measure = (int)i;
        term->low = at_most ? -INFINITY : value;
        term->high = at_most ? value : INFINITY;
        return STATUS_OK;
    }
    return error_set(err, STATUS_FORMAT, "@%s: expected a measure such as @sentences<=2", word);
}

static enum status read_term(struct term *term, const char *word, struct error *err)
{
    if (*word == '!' && !word[1]) word++;
    switch (*word) {
    case '\0': return error_set(err, STATUS_FORMAT, "a term is empty");
    case '#': term->kind = TERM_NUMBER; return read_number(term, word + 1, err);
    case '@': term->kind = TERM_MEASURE; return read_measure(term, word + 1, err);
    case '!': term->kind = TERM_ABSENT; return read_pattern(term, word + 1, err);
    default: term->kind = TERM_PATTERN; return read_pattern(term, word, err);
    }
}

static enum status read_line(struct line *line, const char *text, struct error *err)
{
    char *copy = text_copy(text);
    bool neighbour = false;
    enum status status = STATUS_OK;

    for (char *at = copy; !status && at;) {
        char *and = strstr(at, " & "), *plus = strstr(at, " + ");
        char *cut = and&&(!plus || and < plus) ? and : plus;
        if (cut) *cut = '\0';
        while (*at == ' ') at++;
        for (size_t size = strlen(at); size && at[size - 1] == ' ';) at[--size] = '\0';

        line->terms = memory_grow(line->terms, (size_t)line->n_terms + 1, sizeof *line->terms);
        struct term *term = &line->terms[line->n_terms++];
        *term = (struct term){.neighbour = neighbour};
        status = read_term(term, at, err);
        if (!status && cut && cut == plus) {
            if (neighbour) status = error_set(err, STATUS_FORMAT, "more than one \" + \"");
            neighbour = true;
        }
        at = cut ? cut + 3 : NULL;
    }
    free(copy);
    if (status) return error_prefix(err, "%s", text);
    return STATUS_OK;
}

/* ---- denial ---- */

static const char *const denials[] = {"cannot", "jamas",  "neither", "never",  "ni",
                                      "no",     "nobody", "none",    "nor",    "not",
                                      "nunca",  "sin",    "tampoco", "without"};

static bool is_denial(const char *word, size_t size)
{
    for (size_t i = 0; i < sizeof denials / sizeof *denials; i++)
        if (strlen(denials[i]) == size && strncmp(denials[i], word, size) == 0) return true;
    return false;
}

/* The clause denies what begins at `start` of the folded sentence: one of the `reach` words before it is
 * a "not". */
static bool is_denied(const char *sentence, size_t start, int reach)
{
    size_t at = start;
    for (int n = 0; n < reach; n++) {
        while (at > 0 && !isalnum((unsigned char)sentence[at - 1])) {
            if (strchr(",;:.()!?", sentence[at - 1])) return false;
            at--;
        }
        const size_t end = at;
        while (at > 0 && isalnum((unsigned char)sentence[at - 1])) at--;
        if (at == end) return false;
        const bool contracted = at > 0 && sentence[at - 1] == '\'' && end - at == 1 &&
                                sentence[at] == 't'; /* "don't" */
        if (contracted || is_denial(sentence + at, end - at)) return true;
    }
    return false;
}

/* The line speaks of a denial itself, and so knows what it does with one. */
static bool mentions_denial(const char *line)
{
    for (const char *at = line; *at;) {
        const size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz");
        if (size && is_denial(at, size)) return true;
        at += size ? size : 1;
    }
    return strstr(line, "n't") != NULL;
}

/* What is found and what contradicts are claims: unless a line says otherwise, its terms are not found
 * behind a "not". An item's terms often begin behind the verb, so only the nearest words count. */
enum { FOUND_REACH = 2, SEEN_REACH = 4 };

static void affirm(struct lines *lines, const struct word_lists *lists, const char *language,
                   int reach)
{
    unsigned n;
    char *const *texts = word_lists_in(lists, language, &n);
    for (int i = 0; i < lines->n_lines; i++)
        for (int t = 0; t < lines->lines[i].n_terms; t++)
            lines->lines[i].terms[t].reach = mentions_denial(texts[i]) ? 0 : reach;
}

static enum status read_lines(struct lines *lines, const struct word_lists *lists,
                              const char *language, struct error *err)
{
    unsigned n;
    char *const *texts = word_lists_in(lists, language, &n);
    enum status status = STATUS_OK;

    lines->lines = memory_new(n ? n : 1, sizeof *lines->lines);
    for (unsigned i = 0; !status && i < n; i++) {
        lines->n_lines++;
        status = read_line(&lines->lines[i], texts[i], err);
    }
    return status;
}

static void lines_done(struct lines *lines)
{
    for (int i = 0; i < lines->n_lines; i++) {
        for (int j = 0; j < lines->lines[i].n_terms; j++)
            pcre2_code_free(lines->lines[i].terms[j].code);
        free(lines->lines[i].terms);
    }
    free(lines->lines);
}

enum status rubric_open(struct rubric_reader **out, const struct rubric *rubric,
                        const char *language, struct error *err)
{
    struct rubric_reader *reader = memory_new(1, sizeof *reader);
    enum status status = STATUS_OK;

    *out = NULL;
    reader->rubric = rubric;
    reader->style = strcmp(language, "es") == 0 ? NUMBER_SPANISH : NUMBER_ENGLISH;
    reader->found = memory_new(rubric->items_count + 1, sizeof *reader->found);
    reader->seen = memory_new(rubric->wrong_count + 1, sizeof *reader->seen);
    reader->match = pcre2_match_data_create(1, NULL);
    reader->context = pcre2_match_context_create(NULL);
    CHECK(reader->match && reader->context);
    pcre2_set_match_limit(reader->context, MATCH_LIMIT);
    pcre2_set_heap_limit(reader->context, HEAP_LIMIT_KIB);

    for (unsigned i = 0; !status && i < rubric->items_count; i++) {
        status = read_lines(&reader->found[i], &rubric->items[i].found, language, err);
        if (!status) affirm(&reader->found[i], &rubric->items[i].found, language, FOUND_REACH);
        if (status) error_prefix(err, "item %s, %s", rubric->items[i].name, language);
    }
    for (unsigned i = 0; !status && i < rubric->wrong_count; i++) {
        status = read_lines(&reader->seen[i], &rubric->wrong[i].seen, language, err);
        if (!status) affirm(&reader->seen[i], &rubric->wrong[i].seen, language, SEEN_REACH);
        if (status)
            error_prefix(err, "wrong answer against %s, %s", rubric->wrong[i].against, language);
    }
    if (status) {
        rubric_close(reader);
        return status;
    }
    *out = reader;
    return STATUS_OK;
}

void rubric_accept_keywords(struct rubric_reader *reader) { reader->keywords = true; }

void rubric_close(struct rubric_reader *reader)
{
    if (!reader) return;
    for (unsigned i = 0; i < reader->rubric->items_count; i++) lines_done(&reader->found[i]);
    for (unsigned i = 0; i < reader->rubric->wrong_count; i++) lines_done(&reader->seen[i]);
    free(reader->found);
    free(reader->seen);
    pcre2_match_data_free(reader->match);
    pcre2_match_context_free(reader->context);
    free(reader);
}

/* ---- applying them ---- */

/* An answer as it is looked at: its sentences and the numbers of each. */
struct numbers {
    struct prose_number *list;
    int n;
};

struct answer {
    struct prose prose;
    struct numbers *numbers; /* [n_sentences] */
};

static enum status answer_read(struct answer *answer, const struct rubric_reader *reader,
                               const char *text, struct error *err)
{
    answer->numbers = NULL;
    const enum status status = prose_read(&answer->prose, text, err);
    if (status) return status;
    answer->numbers = memory_new((size_t)answer->prose.n_sentences + 1, sizeof *answer->numbers);
    for (int i = 0; i < answer->prose.n_sentences; i++) {
        const struct prose_sentence *sentence = &answer->prose.sentences[i];
        prose_numbers(&answer->numbers[i].list, &answer->numbers[i].n, text + sentence->start,
                      sentence->size, reader->style);
    }
    return STATUS_OK;
}

static void answer_done(struct answer *answer)
{
    for (int i = 0; i < answer->prose.n_sentences; i++) free(answer->numbers[i].list);
    free(answer->numbers);
    prose_done(&answer->prose);
}

/* A match that runs into the limit counts as none. */
static bool matches(const struct rubric_reader *reader, const struct term *term,
                    const char *sentence)
{
    const PCRE2_SIZE size = strlen(sentence);
    for (PCRE2_SIZE at = 0; at <= size;) {
        if (pcre2_match(term->code, (PCRE2_SPTR)sentence, size, at, 0, reader->match,
                        reader->context) < 0)
            return false;
        const PCRE2_SIZE *span = pcre2_get_ovector_pointer(reader->match);
        if (!is_denied(sentence, span[0], term->reach)) return true;
        at = span[0] + 1;
        while (at < size && ((unsigned char)sentence[at] & 0xC0) == 0x80) at++;
    }
    return false;
}

static bool has_number(const struct term *term, const struct numbers *numbers)
{
    for (int i = 0; i < numbers->n; i++)
        if (prose_number_is(&numbers->list[i], term->unit, term->per) &&
            numbers->list[i].value >= term->low && numbers->list[i].value <= term->high)
            return true;
    return false;
}

/* A term against sentence i. */
static bool holds(const struct rubric_reader *reader, const struct answer *answer,
                  const struct term *term, int i)
{
    const char *sentence = answer->prose.sentences[i].folded;
    switch (term->kind) {
    case TERM_PATTERN: return matches(reader, term, sentence);
    case TERM_ABSENT: return !matches(reader, term, sentence);
    case TERM_NUMBER: return has_number(term, &answer->numbers[i]);
    case TERM_MEASURE: {
        const double value = measure(&answer->prose, term->measure);
        return value >= term->low && value <= term->high;
    }
    }
    return false;
}

/* All terms on one side of the " + " hold in sentence i. */
static bool side_holds(const struct rubric_reader *reader, const struct answer *answer,
                       const struct line *line, bool neighbour, int i)
{
    if (i < 0 || i >= answer->prose.n_sentences) return false;
    if (answer->prose.sentences[i].keywords && !reader->keywords) return false;
    for (int t = 0; t < line->n_terms; t++)
        if (line->terms[t].neighbour == neighbour && !holds(reader, answer, &line->terms[t], i))
            return false;
    return true;
}

static bool line_holds(const struct rubric_reader *reader, const struct answer *answer,
                       const struct line *line, int i)
{
    const bool two_sides = line->terms[line->n_terms - 1].neighbour;
    if (!side_holds(reader, answer, line, false, i)) return false;
    return !two_sides || side_holds(reader, answer, line, true, i) ||
           side_holds(reader, answer, line, true, i + 1) ||
           side_holds(reader, answer, line, true, i - 1);
}

/* The sentence in which most of the lines hold, the first of several; -1 when none holds anywhere. */
static int find_lines(const struct rubric_reader *reader, const struct answer *answer,
                      const struct lines *lines)
{
    int best = -1, most = 0;
    for (int i = 0; i < answer->prose.n_sentences; i++) {
        int n = 0;
        for (int l = 0; l < lines->n_lines; l++)
            n += line_holds(reader, answer, &lines->lines[l], i);
        if (n > most) {
            best = i;
            most = n;
        }
    }
    return best;
}

double rubric_score(const struct rubric_finding *findings, int n)
{
    double all = 0, got = 0;
    for (int i = 0; i < n; i++) {
        const double weight = findings[i].item->weight;
        all += weight;
        if (findings[i].verdict == RUBRIC_FOUND) got += weight;
        if (findings[i].verdict == RUBRIC_CONTRADICTED) got -= weight / 2;
    }
    return all > 0 && got > 0 ? got / all : 0;
}

enum status rubric_apply(struct rubric_grade *grade, const struct rubric_reader *reader,
                         const char *answer, struct error *err)
{
    const struct rubric *rubric = reader->rubric;
    struct answer read;

    *grade = (struct rubric_grade){0};
    const enum status status = answer_read(&read, reader, answer, err);
    if (status) return status;

    grade->findings = memory_new(rubric->items_count, sizeof *grade->findings);
    grade->n_findings = (int)rubric->items_count;
    for (unsigned i = 0; i < rubric->items_count; i++) {
        struct rubric_finding *finding = &grade->findings[i];
        int sentence = find_lines(reader, &read, &reader->found[i]);

        finding->item = &rubric->items[i];
        finding->verdict = sentence >= 0 ? RUBRIC_FOUND : RUBRIC_NOT_FOUND;
        for (unsigned j = 0; j < rubric->wrong_count && !finding->wrong; j++) {
            if (strcmp(rubric->wrong[j].against, finding->item->name) != 0) continue;
            const int wrong = find_lines(reader, &read, &reader->seen[j]);
            if (wrong < 0) continue;
            finding->verdict = RUBRIC_CONTRADICTED;
            finding->wrong = &rubric->wrong[j];
            sentence = wrong;
        }
        if (sentence >= 0) {
            finding->start = (int)read.prose.sentences[sentence].start;
            finding->size = (int)read.prose.sentences[sentence].size;
        }
    }
    grade->score = rubric_score(grade->findings, grade->n_findings);
    answer_done(&read);
    return STATUS_OK;
}

bool rubric_sees(const struct rubric_reader *reader, unsigned wrong, const char *answer)
{
    struct answer read;
    CHECK(wrong < reader->rubric->wrong_count);
    if (answer_read(&read, reader, answer, NULL)) return false;
    const bool seen = find_lines(reader, &read, &reader->seen[wrong]) >= 0;
    answer_done(&read);
    return seen;
}

void rubric_grade_done(struct rubric_grade *grade)
{
    free(grade->findings);
    *grade = (struct rubric_grade){0};
}

json_t *rubric_json(const struct rubric_grade *grade, const char *answer, const char *language)
{
    const bool spanish = strcmp(language, "es") == 0;
    json_t *items = json_array();
    for (int i = 0; i < grade->n_findings; i++) {
        const struct rubric_finding *finding = &grade->findings[i];
        json_t *item =
            json_pack("{s:s, s:i, s:s, s:s}", "name", finding->item->name, "weight",
                      finding->item->weight, "verdict", rubric_verdict_name(finding->verdict),
                      "text", spanish ? finding->item->es : finding->item->en);
        if (finding->size)
            json_object_set_new(item, "sentence",
                                json_text(answer + finding->start, (size_t)finding->size));
        if (finding->wrong)
            json_object_set_new(item, "correction",
                                json_string(words_in(&finding->wrong->correction, language)));
        json_array_append_new(items, item);
    }
    return json_pack("{s:f, s:s, s:o}", "score", grade->score, "language", language, "items",
                     items);
}
