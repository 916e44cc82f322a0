#include "rounds/story_card.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "grader/prose.h"
#include "progress/attempt.h"

enum { CARD_SIZE_LIMIT = 64 * 1024, SPOKEN_LEAST_S = 60, SPOKEN_MOST_S = 180, NUMBERS_LEAST = 2 };

static const struct {
    const char *en, *es;
    const char *hint_en, *hint_es;
} parts[STORY_PARTS] = {
    {"Situation", "Situación", "Where, when, who; what was at stake. Two sentences.",
     "Dónde, cuándo, quién; qué estaba en juego. Dos frases."},
    {"Task", "Tarea", "What was yours to do.", "Qué te tocaba hacer a ti."},
    {"Action", "Acción", "What you did, step by step, in the first person.",
     "Qué hiciste, paso a paso, en primera persona."},
    {"Result", "Resultado", "What came of it, with a figure.", "Qué resultó, con una cifra."},
    {"Trade-off", "Renuncia", "Which option you rejected, and what that cost.",
     "Qué opción descartaste y qué costó."},
    {"Today", "Hoy", "What you would do differently now.", "Qué harías hoy de otra manera."},
    {"Evidence", "Evidencia",
     "One a line: attempt ID, run FOLDER, commit FOLDER HASH, or an address.",
     "Una por línea: attempt ID, run CARPETA, commit CARPETA HASH, o una dirección."},
};

enum status story_card_path(char **path, struct progress *progress, const struct story *story,
                            struct error *err)
{
    char *folder = path_join(progress->folder, "stories");
    const enum status status = folder_make(folder, 0700, err);
    *path = status ? NULL : text_printf("%s/%s-%s.md", folder, story->number, story->name);
    free(folder);
    return status;
}

void story_card_form(struct text *out, const struct story *story, const char *language)
{
    const bool spanish = strcmp(language, "es") == 0;
    text_format(out, "# %s\n\n<!-- %s -->\n", words_in(&story->title, language),
                words_in(&story->form, language));
    for (int i = 0; i < STORY_PARTS; i++)
        text_format(out, "\n## %s\n\n<!-- %s -->\n", spanish ? parts[i].es : parts[i].en,
                    spanish ? parts[i].hint_es : parts[i].hint_en);
}

/* ---- reading ---- */

static int part_of(const char *heading, size_t size)
{
    for (int i = 0; i < STORY_PARTS; i++)
        if ((strlen(parts[i].en) == size && strncasecmp(heading, parts[i].en, size) == 0) ||
            (strlen(parts[i].es) == size && strncasecmp(heading, parts[i].es, size) == 0))
            return i;
    return -1;
}

/* Take the comments out, in place. */
static void strip_comments(char *bytes)
{
    for (char *open; (open = strstr(bytes, "<!--"));) {
        char *close = strstr(open, "-->");
        char *rest = close ? close + 3 : open + strlen(open);
        memmove(open, rest, strlen(rest) + 1);
    }
}

static char *trimmed(const char *bytes, size_t size)
{
    while (size && isspace((unsigned char)*bytes)) {
        bytes++;
        size--;
    }
    while (size && isspace((unsigned char)bytes[size - 1])) size--;
    return text_printf("%.*s", (int)size, bytes);
}

enum status story_card_read(struct story_card *card, const char *path, struct error *err)
{
    struct text bytes = {0};
    *card = (struct story_card){0};
    const enum status status = file_read(&bytes, path, CARD_SIZE_LIMIT, err);
    if (status) {
        text_done(&bytes);
        return status;
    }
    text_add(&bytes, ""); /* an empty file has no bytes to look at */
    strip_comments(bytes.data);

    int part = -1;
    const char *start = NULL;
    for (const char *line = text_string(&bytes);; line = strchr(line, '\n') + 1) {
        const size_t size = strcspn(line, "\n");
        const bool last = line[size] == '\0';
        const bool heading = text_starts_with(line, "## "), title = text_starts_with(line, "# ");
        if (part >= 0 && (heading || last)) {
            free(card->parts[part]);
            card->parts[part] = trimmed(start, (size_t)((heading ? line : line + size) - start));
        }
        if (title && !card->title) card->title = trimmed(line + 2, size - 2);
        if (heading) {
            char *name = trimmed(line + 3, size - 3);
            part = part_of(name, strlen(name));
            start = line + size;
            free(name);
        }
        if (last) break;
    }
    for (int i = 0; i < STORY_PARTS; i++)
        if (!card->parts[i]) card->parts[i] = text_copy("");
    if (!card->title) card->title = text_copy("");
    text_done(&bytes);
    return STATUS_OK;
}

void story_card_done(struct story_card *card)
{
    free(card->title);
    for (int i = 0; i < STORY_PARTS; i++) free(card->parts[i]);
    *card = (struct story_card){0};
}

void story_card_spoken(struct text *out, const struct story_card *card)
{
    for (int i = 0; i < STORY_EVIDENCE; i++) {
        if (!*card->parts[i]) continue;
        text_add(out, card->parts[i]);
        text_add(out, "\n\n");
    }
}

/* ---- checks ---- */

static void add(struct story_check **checks, int *n, bool good, char *words)
{
    *checks = memory_grow(*checks, (size_t)*n + 1, sizeof **checks);
    (*checks)[(*n)++] = (struct story_check){good, words};
}

/* A rejected option is named: the trade-off contrasts two things. */
static bool names_the_rejected(const char *trade_off)
{
    static const char *const words[] = {"instead of",  "rather than", "over ",   "reject",
                                        "not chos",    "did not",     "gave up", "at the cost",
                                        "en lugar de", "en vez de",   "descart", "rechac",
                                        "a costa de",  "no eleg",     "renunci", "a cambio"};
    struct prose prose;
    bool found = false;
    if (prose_read(&prose, trade_off, NULL)) return false;
    for (int i = 0; i < prose.n_sentences; i++)
        for (size_t j = 0; j < sizeof words / sizeof *words; j++)
            if (strstr(prose.sentences[i].folded, words[j])) found = true;
    prose_done(&prose);
    return found;
}

/* Whether the repository holds the commit. Without git, the hash's form is all that can be asked. */
static bool has_commit(const char *repository, const char *hash)
{
    char *object = text_printf("%s^{commit}", hash);
    char *argv[] = {"git", "-C", (char *)repository, "cat-file", "-e", object, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int code = 127;
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0);
    if (posix_spawnp(&child, "git", &actions, NULL, argv, environ) == 0) {
        int status;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
        if (WIFEXITED(status)) code = WEXITSTATUS(status);
    }
    posix_spawn_file_actions_destroy(&actions);
    free(object);
    return code == 0 || code == 127;
}

/* What is wrong with one line of evidence, NULL when it exists (an address is taken as it is). */
static char *evidence_fault(const char *line, struct progress *progress)
{
    char kind[16] = "", first[512] = "", second[128] = "";
    const int n = sscanf(line, "%15s %511s %127s", kind, first, second);
    struct error err;
    if (strncmp(line, "https://", 8) == 0) return NULL;
    if (n >= 2 && strcmp(kind, "attempt") == 0) {
        struct attempt attempt;
        if (attempt_load(&attempt, progress, first, &err))
            return text_printf(_("there is no attempt %s"), first);
        attempt_done(&attempt);
        return NULL;
    }
    if (n >= 2 && strcmp(kind, "run") == 0)
        return file_is_folder(first) ? NULL : text_printf(_("there is no folder %s"), first);
    if (n == 3 && strcmp(kind, "commit") == 0) {
        char *git = path_join(first, ".git");
        const bool there = file_exists(git) || file_is_folder(git);
        free(git);
        if (!there) return text_printf(_("%s is no repository"), first);
        if (strlen(second) < 7 || strspn(second, "0123456789abcdef") != strlen(second))
            return text_printf(_("%s is no commit's hash"), second);
        return has_commit(first, second) ? NULL
                                         : text_printf(_("%s has no commit %s"), first, second);
    }
    return text_printf(_("not understood: %s"), line);
}

static void check_evidence(struct story_check **checks, int *n, const char *evidence,
                           struct progress *progress)
{
    int good = 0;
    char *copy = text_copy(evidence), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        while (*line == '-' || *line == '*' || isspace((unsigned char)*line)) line++;
        if (!*line) continue;
        char *fault = evidence_fault(line, progress);
        if (fault) add(checks, n, false, text_printf(_("evidence: %s"), fault));
        else good++;
        free(fault);
    }
    free(copy);
    add(checks, n, good > 0,
        text_printf(ngettext("evidence: %d link", "evidence: %d links", (unsigned long)good),
                    good));
}

enum status story_card_check(struct story_check **checks, int *n, const struct story_card *card,
                             struct progress *progress, struct error *err)
{
    const bool spanish = strcmp(locale_language(), "es") == 0;
    struct text spoken = {0};
    struct prose prose;
    *checks = NULL;
    *n = 0;

    story_card_spoken(&spoken, card);
    const enum status status = prose_read(&prose, text_string(&spoken), err);
    text_done(&spoken);
    if (status) return status;
    for (int i = 0; i < STORY_EVIDENCE; i++) {
        const char *name = spanish ? parts[i].es : parts[i].en;
        if (!*card->parts[i]) add(checks, n, false, text_printf(_("%s: nothing yet"), name));
    }
    if (*n == 0) add(checks, n, true, text_copy(_("all parts are there")));
    add(checks, n, names_the_rejected(card->parts[STORY_TRADE_OFF]),
        text_copy(_("the trade-off names the option that was rejected")));
    add(checks, n, prose.n_numbers >= NUMBERS_LEAST,
        text_printf(_("%d numbers (at least %d)"), prose.n_numbers, NUMBERS_LEAST));
    const double seconds = prose_seconds(&prose);
    add(checks, n, seconds >= SPOKEN_LEAST_S && seconds <= SPOKEN_MOST_S,
        text_printf(_("%.0f seconds when spoken (%d to %d)"), seconds, SPOKEN_LEAST_S,
                    SPOKEN_MOST_S));
    check_evidence(checks, n, card->parts[STORY_EVIDENCE], progress);
    prose_done(&prose);
    return STATUS_OK;
}

void story_checks_done(struct story_check *checks, int n)
{
    for (int i = 0; i < n; i++) free(checks[i].words);
    free(checks);
}
