/* folder.h -- a folder of its own for a test, with files in it that are small enough to read here. */
#ifndef TESTS_CONTENT_FOLDER_H
#define TESTS_CONTENT_FOLDER_H

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* Two items, one number, one wrong answer: the smallest node. */
#define NODE(id) \
    "  - id: \"" id "\"\n" \
    "    minutes: 5\n" \
    "    after: \"\"\n" \
    "    lab: \"15\"\n" \
    "    ask: {en: Why?, es: ¿Por qué?}\n" \
    "    answer: {en: It scales the variance., es: Escala la varianza.}\n" \
    "    items:\n" \
    "      - name: scale\n" \
    "        weight: 3\n" \
    "        en: the scale\n" \
    "        es: la escala\n" \
    "        found: {en: ['scal & varian'], es: ['escal & varian']}\n" \
    "    numbers:\n" \
    "      - {en: n, es: n, value: 8, unit: \"\", from: sqrt(64), source: \"\"}\n" \
    "    wrong:\n" \
    "      - against: scale\n" \
    "        said: {en: It makes it faster., es: Lo hace más rápido.}\n" \
    "        correction: {en: No., es: No.}\n" \
    "        seen: {en: ['faster'], es: ['rapido']}\n"

#define QUESTION(number, name) \
    "number: \"" number "\"\n" \
    "name: " name "\n" \
    "area: architecture\n" \
    "title: {en: Why scale, es: Por qué escalar}\n" \
    "minutes: 30\n" \
    "rounds: [phone]\n" \
    "skills: [attention]\n" \
    "nodes:\n"

static char root[] = "/tmp/content-test-XXXXXX";

static inline int folder_open(void **state)
{
    (void)state;
    strcpy(root + sizeof root - 7, "XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static inline int folder_close(void **state)
{
    struct error err;
    (void)state;
    return folder_remove(root, &err) ? -1 : 0;
}

/* Write root/name, its folder made; the path, which the caller frees. */
static inline char *folder_write(const char *name, const char *text)
{
    struct error err;
    char *path = path_join(root, name), *folder = text_copy(path);
    *strrchr(folder, '/') = '\0';
    CHECK(!folder_make(folder, 0700, &err));
    CHECK(!file_scratch(path, text, strlen(text), 0600, &err));
    free(folder);
    return path;
}

/* The text with the first `from` in it made `to`; the caller frees it. */
static inline char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    CHECK(at);
    return text_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

#endif
