#include "grader/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/locale.h"

static const double rtol_default = 1e-4, atol_default = 1e-5;

static const struct output_rule *rule_of(const struct oracle *oracle, const char *field)
{
    static const struct output_rule plain = {0};
    for (int i = 0; i < oracle->n_rules; i++)
        if (strcmp(oracle->rules[i].field, field) == 0) return &oracle->rules[i];
    return &plain;
}

struct tolerance {
    bool exact;
    double rtol, atol;
};

static struct tolerance tolerance_of(const struct output_rule *rule, const struct record *in,
                                     const struct array *want)
{
    const bool integers = want->dtype != DTYPE_F32 && want->dtype != DTYPE_F64;
    const double terms = rule->reduction ? (double)rule->reduction(in) : 1.0;
    const double wider = sqrt(fmax(1.0, terms));
    return (struct tolerance){
        .exact = rule->exact || integers,
        .rtol = wider * (rule->rtol > 0 ? rule->rtol : rtol_default),
        .atol = wider * (rule->atol > 0 ? rule->atol : atol_default),
    };
}

static bool close_enough(double got, double want, const struct tolerance *tolerance)
{
    if (got == want) return true;
    if (tolerance->exact || !isfinite(got) || !isfinite(want)) return false;
    return fabs(got - want) <= tolerance->atol + tolerance->rtol * fabs(want);
}

static bool is_float(const struct array *array)
{
    return array->dtype == DTYPE_F32 || array->dtype == DTYPE_F64;
}

static bool same_shape(const struct array *a, const struct array *b)
{
    if (a->ndim != b->ndim) return false;
    for (int i = 0; i < a->ndim; i++)
        if (a->dims[i] != b->dims[i]) return false;
    return true;
}

/* "axis H" or "axis 1" */
static const char *axis_name(char out[32], const struct output_rule *rule, int axis)
{
    if (rule->axes && axis < (int)strlen(rule->axes)) snprintf(out, 32, "%c", rule->axes[axis]);
    else snprintf(out, 32, "%d", axis);
    return out;
}

static void explain_shape(struct findings *findings, int case_index, const char *field,
                          const struct output_rule *rule, const struct array *want,
                          const struct array *got)
{
    char got_shape[128], want_shape[128], a[32], b[32];
    struct text why = {0};

    if (got->ndim == want->ndim) {
        int wrong[RECORD_NDIM_LIMIT], n_wrong = 0;
        for (int i = 0; i < want->ndim; i++)
            if (got->dims[i] != want->dims[i]) wrong[n_wrong++] = i;
        if (n_wrong == 2 && got->dims[wrong[0]] == want->dims[wrong[1]] &&
            got->dims[wrong[1]] == want->dims[wrong[0]])
            text_format(&why, _("; axes %s and %s are swapped"), axis_name(a, rule, wrong[0]),
                        axis_name(b, rule, wrong[1]));
        else if (n_wrong == 1)
            text_format(&why, _("; only axis %s differs"), axis_name(a, rule, wrong[0]));
    } else {
        text_format(&why, _("; it has %d axes instead of %d"), got->ndim, want->ndim);
    }
    struct finding *finding =
        findings_add(findings, CHECK_SHAPE, case_index, _("%s has shape %s, expected %s%s"), field,
                     array_shape(got_shape, got), array_shape(want_shape, want), text_string(&why));
    strcpy(finding->field, field);
    text_done(&why);
}

static void unravel(int64_t index[RECORD_NDIM_LIMIT], const struct array *array, int64_t i)
{
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        index[axis] = i % array->dims[axis];
        i /= array->dims[axis];
    }
}

static const char *place(char out[160], const char *field, const struct array *array, int64_t i)
{
    int64_t index[RECORD_NDIM_LIMIT] = {0};
    unravel(index, array, i);
    int used = snprintf(out, 160, "%s[", field);
    for (int axis = 0; axis < array->ndim && used < 140; axis++)
        used += snprintf(out + used, (size_t)(160 - used), axis ? ",%lld" : "%lld",
                         (long long)index[axis]);
    snprintf(out + used, (size_t)(160 - used), "]");
    return out;
}

/* What is common to all wrong elements: one factor, one difference, one place along an axis. */
static void explain_pattern(struct text *why, const struct output_rule *rule,
                            const struct array *want, const struct array *got,
                            const struct tolerance *tolerance)
{
    const int64_t count = array_count(want);
    int64_t n_wrong = 0, first = -1;
    double factor = 0.0, difference = 0.0;
    bool one_factor = true, one_difference = true, all_zero = true;
    bool only_last[RECORD_NDIM_LIMIT], only_first[RECORD_NDIM_LIMIT],
        never_first[RECORD_NDIM_LIMIT];
    char axis_text[32];

    for (int a = 0; a < RECORD_NDIM_LIMIT; a++)
        only_last[a] = only_first[a] = never_first[a] = true;
    for (int64_t i = 0; i < count; i++) {
        const double g = array_at(got, i), w = array_at(want, i);
        if (close_enough(g, w, tolerance)) continue;
        n_wrong++;
        if (g != 0.0) all_zero = false;
        if (!isfinite(g)) one_factor = one_difference = false;
        if (first < 0) {
            first = i;
            factor = g / w;
            difference = g - w;
        }
        if (!(fabs(g - factor * w) <= 1e-3 * fabs(g) + tolerance->atol)) one_factor = false;
        if (!(fabs(g - w - difference) <= 1e-3 * fabs(difference))) one_difference = false;
        int64_t index[RECORD_NDIM_LIMIT] = {0};
        unravel(index, want, i);
        for (int a = 0; a < want->ndim; a++) {
            if (index[a] != want->dims[a] - 1) only_last[a] = false;
            if (index[a] != 0) only_first[a] = false;
            if (index[a] == 0) never_first[a] = false;
        }
    }
    if (tolerance->exact || n_wrong < 2) return;
    if (all_zero) {
        text_add(why, _("; every wrong element is 0"));
    } else if (one_factor && isfinite(factor) && fabs(factor - 1.0) > 1e-3) {
        text_format(why, _("; every wrong element is %.4g times the expected one"), factor);
        if (fabs(factor - 2.0) < 1e-3) text_add(why, _(" (counted twice?)"));
        if (fabs(factor + 1.0) < 1e-3) text_add(why, _(" (the sign?)"));
    } else if (one_difference) {
        text_format(why, _("; every wrong element is off by %.4g"), difference);
    }
    for (int a = 0; a < want->ndim; a++) {
        if (want->dims[a] < 2) continue;
        const char *name = axis_name(axis_text, rule, a);
        if (only_last[a]) text_format(why, _("; only at the last position of axis %s"), name);
        else if (only_first[a]) text_format(why, _("; only at position 0 of axis %s"), name);
        else if (never_first[a]) text_format(why, _("; only from position 1 of axis %s on"), name);
    }
}

static enum check check_of(const struct oracle *oracle, int kind, const struct output_rule *rule)
{
    if (rule->gradient) return CHECK_GRADIENT;
    switch (oracle->kinds[kind].check) {
    case CASE_NUMBERS: return CHECK_NUMBERS;
    case CASE_GRADIENT: return CHECK_GRADIENT;
    case CASE_EDGE: return CHECK_EDGE;
    case CASE_PROPERTY: return CHECK_PROPERTIES;
    }
    return CHECK_NUMBERS;
}

static void compare_numbers(struct findings *findings, const struct oracle *oracle, int kind,
                            int case_index, const char *field, const struct record *in,
                            const struct array *want, const struct array *got)
{
    const struct output_rule *rule = rule_of(oracle, field);
    const struct tolerance tolerance = tolerance_of(rule, in, want);
    const int64_t count = array_count(want);
    int64_t n_wrong = 0, worst = -1, not_finite = -1;
    double worst_abs = 0.0, worst_rel = 0.0, worst_excess = -1.0;
    char where[160];

    for (int64_t i = 0; i < count; i++) {
        const double g = array_at(got, i), w = array_at(want, i);
        if (close_enough(g, w, &tolerance)) continue;
        if (n_wrong++ == 0) worst = i;
        if (!isfinite(g) && isfinite(w)) {
            if (not_finite < 0) not_finite = i;
            continue;
        }
        const double off = fabs(g - w);
        const double excess = off / (tolerance.atol + tolerance.rtol * fabs(w));
        worst_abs = fmax(worst_abs, off);
        if (w != 0.0) worst_rel = fmax(worst_rel, off / fabs(w));
        if (excess > worst_excess) worst_excess = excess, worst = i;
    }
    if (!n_wrong) return;

    const char *case_name = _(oracle->kinds[kind].name);
    struct finding *finding;
    if (not_finite >= 0) {
        worst = not_finite;
        finding = findings_add(findings, CHECK_FINITE, case_index,
                               _("case \"%s\": %s is %g, expected %.6g (%lld of "
                                 "%lld elements differ)"),
                               case_name, place(where, field, want, worst), array_at(got, worst),
                               array_at(want, worst), (long long)n_wrong, (long long)count);
    } else {
        struct text why = {0};
        explain_pattern(&why, rule, want, got, &tolerance);
        if (tolerance.exact)
            finding = findings_add(findings, check_of(oracle, kind, rule), case_index,
                                   _("case \"%s\": %s is %.10g, expected %.10g; %lld of %lld "
                                     "elements differ%s"),
                                   case_name, place(where, field, want, worst),
                                   array_at(got, worst), array_at(want, worst), (long long)n_wrong,
                                   (long long)count, text_string(&why));
        else
            finding = findings_add(findings, check_of(oracle, kind, rule), case_index,
                                   _("case \"%s\": %s is %.6g, expected %.6g; %lld of %lld "
                                     "elements differ, worst error %.2g (relative %.2g)%s"),
                                   case_name, place(where, field, want, worst),
                                   array_at(got, worst), array_at(want, worst), (long long)n_wrong,
                                   (long long)count, worst_abs, worst_rel, text_string(&why));
        text_done(&why);
    }
    strcpy(finding->field, field);
    finding->ndim = want->ndim;
    unravel(finding->index, want, worst);
    finding->got = array_at(got, worst);
    finding->want = array_at(want, worst);
    finding->error_abs = worst_abs;
    finding->error_rel = worst_rel;
    finding->share_wrong = (double)n_wrong / (double)count;
}

bool compare_case(struct findings *findings, const struct oracle *oracle, int kind, int case_index,
                  const struct record *in, const struct record *want, const struct record *got)
{
    bool comparable = true;
    for (int i = 0; i < want->n_fields; i++) {
        const char *field = want->fields[i].name;
        const struct array *w = &want->fields[i].array, *g = record_find(got, field);
        if (!g) {
            findings_add(findings, CHECK_CONTRACT, case_index,
                         _("case \"%s\": %s was not returned"), _(oracle->kinds[kind].name), field);
            comparable = false;
        } else if (!is_float(w) && is_float(g)) {
            findings_add(findings, CHECK_CONTRACT, case_index,
                         _("case \"%s\": %s has dtype %s, expected whole numbers"),
                         _(oracle->kinds[kind].name), field, dtype_name(g->dtype));
            comparable = false;
        } else if (is_float(w) && !is_float(g)) {
            findings_add(findings, CHECK_CONTRACT, case_index,
                         _("case \"%s\": %s has dtype %s, expected floating point"),
                         _(oracle->kinds[kind].name), field, dtype_name(g->dtype));
            comparable = false;
        } else if (!same_shape(w, g)) {
            explain_shape(findings, case_index, field, rule_of(oracle, field), w, g);
            comparable = false;
        } else {
            compare_numbers(findings, oracle, kind, case_index, field, in, w, g);
        }
    }
    return comparable;
}

bool compare_matches(const struct oracle *oracle, const struct record *in,
                     const struct record *other, const struct record *got)
{
    for (int i = 0; i < other->n_fields; i++) {
        const char *field = other->fields[i].name;
        const struct array *w = &other->fields[i].array, *g = record_find(got, field);
        if (!g || !same_shape(w, g)) return false;
        const struct tolerance tolerance = tolerance_of(rule_of(oracle, field), in, w);
        const int64_t count = array_count(w);
        for (int64_t k = 0; k < count; k++) {
            const double a = array_at(g, k), b = array_at(w, k);
            if (!isfinite(a) && !isfinite(b)) continue;
            if (!close_enough(a, b, &tolerance)) return false;
        }
    }
    return true;
}
