#include "grader/rubric_sample.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_LIMIT = 20, DEPTH_LIMIT = 50 };

struct sampler {
    struct text *out;
    const char *at;
    int depth;
};

static void add(struct sampler *sampler, bool write, char c)
{
    if (write && c) text_add_char(sampler->out, c);
}

static void escape(struct sampler *sampler, bool write)
{
    const char c = *++sampler->at;
    if (!c) return;
    sampler->at++;
    switch (c) {
    case 'b':
    case 'B':
    case 'A':
    case 'z':
    case 'Z': break;
    case 'd': add(sampler, write, '5'); break;
    case 'w':
    case 'D':
    case 'S': add(sampler, write, 'a'); break;
    case 's':
    case 'W': add(sampler, write, ' '); break;
    default: add(sampler, write, c);
    }
}

/* [abc]: its first character; [^abc]: a letter that is not in it. */
static void class(struct sampler *sampler, bool write)
{
    const char *from = ++sampler->at;
    const bool negated = *from == '^';
    from += negated;
    const char *end = *from == ']' ? from + 1 : from;
    while (*end && *end != ']') end += *end == '\\' && end[1] ? 2 : 1;
    if (negated) {
        char letter = 'a';
        while (letter < 'z' && memchr(from, letter, (size_t)(end - from))) letter++;
        add(sampler, write, letter);
    } else if (*from == '\\') {
        sampler->at = from;
        escape(sampler, write);
    } else {
        add(sampler, write, *from);
    }
    sampler->at = *end ? end + 1 : end;
}

static void alternatives(struct sampler *sampler, bool write);

static void group(struct sampler *sampler, bool write)
{
    sampler->at++;
    if (*sampler->at == '?') {
        sampler->at++;
        if (*sampler->at == '<' && (sampler->at[1] == '!' || sampler->at[1] == '=')) write = false;
        if (*sampler->at == '!' || *sampler->at == '=') write = false;
        while (*sampler->at && strchr(":<!=", *sampler->at)) sampler->at++;
    }
    alternatives(sampler, write);
    if (*sampler->at == ')') sampler->at++;
}

/* The quantifier behind an atom that was written from `begin` on: the fewest repetitions. */
static void quantifier(struct sampler *sampler, size_t begin)
{
    long least = 1;
    if (*sampler->at == '?' || *sampler->at == '*') {
        least = 0;
        sampler->at++;
    } else if (*sampler->at == '+') {
        sampler->at++;
    } else if (*sampler->at == '{' && isdigit((unsigned char)sampler->at[1])) {
        least = strtol(sampler->at + 1, NULL, 10);
        sampler->at += strcspn(sampler->at, "}");
        if (*sampler->at) sampler->at++;
    } else {
        return;
    }
    if (*sampler->at == '?' || *sampler->at == '+') sampler->at++;

    struct text *out = sampler->out;
    const size_t size = out->size - begin;
    if (!size) return;
    if (least == 0) {
        out->size = begin;
        out->data[begin] = '\0';
        return;
    }
    char *atom = text_copy(out->data + begin);
    for (long i = 1; i < least && i < REPEAT_LIMIT; i++) text_add_bytes(out, atom, size);
    free(atom);
}

static void alternatives(struct sampler *sampler, bool write)
{
    if (++sampler->depth > DEPTH_LIMIT) sampler->at += strlen(sampler->at);
    while (*sampler->at && *sampler->at != ')') {
        const size_t begin = sampler->out->size;
        switch (*sampler->at) {
        case '|':
            write = false;
            sampler->at++;
            continue;
        case '(': group(sampler, write); break;
        case '[': class(sampler, write); break;
        case '\\': escape(sampler, write); break;
        case '^':
        case '$': sampler->at++; break;
        case '.':
            add(sampler, write, 'a');
            sampler->at++;
            break;
        default:
            do add(sampler, write, *sampler->at++); /* a character, all its bytes */
            while (((unsigned char)*sampler->at & 0xC0) == 0x80);
        }
        quantifier(sampler, begin);
    }
    sampler->depth--;
}

void rubric_sample(struct text *out, const char *line)
{
    char *copy = text_copy(line);
    text_add(out, "is it ");
    for (char *term = copy; term;) {
        char *and = strstr(term, " & "), *plus = strstr(term, " + ");
        char *cut = and&&(!plus || and < plus) ? and : plus;
        if (cut) *cut = '\0';
        if (*term == '#') {
            text_format(out, "of the %.*s ", (int)strcspn(term + 1, "~"), term + 1);
        } else if (*term != '!' && *term != '@') {
            struct sampler sampler = {.out = out, .at = term};
            text_add(out, "of the ");
            while (*sampler.at) {
                alternatives(&sampler, true);
                if (*sampler.at == ')') sampler.at++;
            }
            text_add(out, " ");
        }
        term = cut ? cut + 3 : NULL;
    }
    text_add(out, "?");
    free(copy);
}
