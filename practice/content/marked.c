#include "content/marked.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum line_kind { LINE_CODE, LINE_MISTAKE, LINE_WRONG, LINE_RIGHT, LINE_END };

struct line {
    enum line_kind kind;
    const char *start; /* of the whole line */
    size_t size;       /* with its newline */
    size_t indent;     /* spaces before a marker */
    const char *word;  /* name of the mistake, or the wrong code */
    size_t word_size;
};

static struct line read_line(const char *at)
{
    const char *newline = strchr(at, '\n');
    struct line line = {.start = at, .size = newline ? (size_t)(newline - at) + 1 : strlen(at)};
    const char *end = at + line.size - (newline ? 1 : 0);
    const char *p = at;

    while (p < end && *p == ' ') p++;
    line.indent = (size_t)(p - at);
    const size_t comment = strncmp(p, "//", 2) == 0 ? 2 : *p == '#' ? 1 : 0;
    if (!comment || p + comment >= end || (p[comment] != ':' && p[comment] != '|')) return line;

    line.kind = p[comment] == '|' ? LINE_WRONG : LINE_MISTAKE;
    p += comment + 1;
    if (p < end && *p == ' ') p++;
    line.word = p;
    line.word_size = (size_t)(end - p);
    if (line.kind == LINE_MISTAKE) {
        while (line.word_size && isspace((unsigned char)p[line.word_size - 1])) line.word_size--;
        if (line.word_size == 5 && memcmp(p, "right", 5) == 0) line.kind = LINE_RIGHT;
        if (line.word_size == 3 && memcmp(p, "end", 3) == 0) line.kind = LINE_END;
    }
    return line;
}

int marked_find(const struct marked *marked, const char *name)
{
    for (int i = 0; i < marked->n_names; i++)
        if (strcmp(marked->names[i], name) == 0) return i;
    return -1;
}

/* The index of a name, added when new; -1 when there are too many or it is no name. */
static int index_of(struct marked *marked, const char *word, size_t size)
{
    if (size == 0) return -1;
    for (size_t i = 0; i < size; i++)
        if (!islower((unsigned char)word[i]) && !isdigit((unsigned char)word[i]) && word[i] != '-')
            return -1;
    struct text name = {0};
    text_add_bytes(&name, word, size);
    int index = marked_find(marked, text_string(&name));
    if (index >= 0 || marked->n_names == MARKED_MISTAKE_LIMIT) {
        text_done(&name);
        return index;
    }
    marked->names[marked->n_names] = text_take(&name);
    return marked->n_names++;
}

enum status marked_init(struct marked *marked, const char *source, struct error *err)
{
    enum { OUTSIDE, IN_MISTAKE, IN_RIGHT } place = OUTSIDE;
    unsigned block = 0;
    int number = 0;
    const char *problem = NULL;

    *marked = (struct marked){0};
    for (const char *at = source; *at && !problem;) {
        const struct line line = read_line(at);
        at += line.size;
        number++;
        switch (line.kind) {
        case LINE_MISTAKE: {
            if (place == IN_RIGHT) problem = "a mistake after `right`";
            const int index = problem ? -1 : index_of(marked, line.word, line.word_size);
            if (index < 0) {
                if (!problem) problem = "not a name of lower-case letters, digits and '-'";
                break;
            }
            if (block & 1u << index) problem = "the same mistake twice in a block";
            block |= 1u << index;
            place = IN_MISTAKE;
            break;
        }
        case LINE_WRONG:
            if (place != IN_MISTAKE) problem = "a wrong line outside of a mistake";
            break;
        case LINE_RIGHT:
            if (place != IN_MISTAKE) problem = "`right` without a mistake before it";
            place = IN_RIGHT;
            break;
        case LINE_END:
            if (place != IN_RIGHT) problem = "`end` without `right`";
            for (int i = 0; i < marked->n_names; i++)
                if (block & 1u << i) marked->apart[i] |= block & ~(1u << i);
            place = OUTSIDE;
            block = 0;
            break;
        case LINE_CODE:
            if (place == IN_MISTAKE) problem = "code between a mistake and `right`";
            break;
        }
    }
    if (!problem && place != OUTSIDE) problem = "a block without `end`";
    if (problem) {
        marked_done(marked);
        return error_set(err, STATUS_FORMAT, "line %d: %s", number, problem);
    }
    return STATUS_OK;
}

void marked_done(struct marked *marked)
{
    for (int i = 0; i < marked->n_names; i++) free(marked->names[i]);
    *marked = (struct marked){0};
}

enum status marked_expand(struct text *out, const struct marked *marked, const char *source,
                          unsigned chosen, struct error *err)
{
    for (int i = 0; i < marked->n_names; i++)
        for (int j = 0; j < i; j++)
            if (chosen & 1u << i && chosen & 1u << j && marked->apart[i] & 1u << j)
                return error_set(err, STATUS_USAGE, "%s and %s cannot be made together",
                                 marked->names[i], marked->names[j]);

    bool wrong_taken = false, taking = false, right = false;
    for (const char *at = source; *at;) {
        const struct line line = read_line(at);
        at += line.size;
        switch (line.kind) {
        case LINE_MISTAKE: {
            int index = 0;
            while (strlen(marked->names[index]) != line.word_size ||
                   memcmp(marked->names[index], line.word, line.word_size) != 0)
                index++;
            taking = chosen & 1u << index;
            wrong_taken = wrong_taken || taking;
            break;
        }
        case LINE_WRONG:
            if (!taking) break;
            for (size_t i = 0; i < line.indent; i++) text_add_char(out, ' ');
            text_add_bytes(out, line.word, line.word_size);
            text_add_char(out, '\n');
            break;
        case LINE_RIGHT: right = true; break;
        case LINE_END: right = wrong_taken = taking = false; break;
        case LINE_CODE:
            if (!right || !wrong_taken) text_add_bytes(out, line.start, line.size);
            break;
        }
    }
    text_add_bytes(out, "", 0);
    return STATUS_OK;
}
