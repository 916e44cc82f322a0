#include "grader/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"

const char *check_name(enum check check)
{
    static const char *const names[CHECK_COUNT] = {
        N_("build"),    N_("contract"), N_("shape"),      N_("finite"),     N_("numbers"),
        N_("gradient"), N_("edge"),     N_("properties"), N_("complexity"), N_("speed"),
    };
    return names[check];
}

static struct finding *add(struct findings *findings, enum check check, int case_index,
                           const char *format, va_list args)
{
    static struct finding unheard; /* past the limit: written to, never shown */
    struct finding *finding = &unheard;

    if (findings->n < FINDING_LIMIT) {
        findings->list =
            memory_grow(findings->list, (size_t)findings->n + 1, sizeof *findings->list);
        finding = &findings->list[findings->n++];
        memset(finding, 0, sizeof *finding);
        char message[2048];
        vsnprintf(message, sizeof message, format, args);
        finding->message = text_copy(message);
    }
    finding->check = check;
    finding->case_index = case_index;
    return finding;
}

struct finding *findings_add(struct findings *findings, enum check check, int case_index,
                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct finding *finding = add(findings, check, case_index, format, args);
    va_end(args);
    return finding;
}

void finding_add(struct findings *findings, enum case_check check, int case_index,
                 const char *mistake, const char *format, ...)
{
    static const enum check checks[] = {[CASE_NUMBERS] = CHECK_NUMBERS,
                                        [CASE_GRADIENT] = CHECK_GRADIENT,
                                        [CASE_EDGE] = CHECK_EDGE,
                                        [CASE_PROPERTY] = CHECK_PROPERTIES};
    va_list args;
    va_start(args, format);
    add(findings, checks[check], case_index, format, args)->mistake = mistake;
    va_end(args);
}

const struct finding *findings_first(const struct findings *findings)
{
    const struct finding *first = NULL;
    for (int i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->list[i];
        if (!first || f->check < first->check ||
            (f->check == first->check && f->case_index < first->case_index))
            first = f;
    }
    return first;
}

void findings_done(struct findings *findings)
{
    for (int i = 0; i < findings->n; i++) free(findings->list[i].message);
    free(findings->list);
    *findings = (struct findings){0};
}
