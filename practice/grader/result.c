#include "grader/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"

enum { SHOWN_FINDINGS = 20 };

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"pass", "fail", "limit", "unavailable", "error"};
    return names[verdict];
}

void result_done(struct result *result)
{
    findings_done(&result->findings);
    free(result->failing_input);
    free(result->printed);
    *result = (struct result){0};
}

const struct finding *result_first(const struct result *result)
{
    return findings_first(&result->findings);
}

/* The stable names of result.json. */
static const char *limit_name(enum sandbox_limit limit)
{
    static const char *const names[] = {
        [SANDBOX_LIMIT_NONE] = "none",           [SANDBOX_LIMIT_CPU] = "cpu",
        [SANDBOX_LIMIT_WALL] = "wall",           [SANDBOX_LIMIT_MEMORY] = "memory",
        [SANDBOX_LIMIT_FILE] = "file",           [SANDBOX_LIMIT_OUTPUT] = "output",
        [SANDBOX_LIMIT_PROCESSES] = "processes",
    };
    return names[limit];
}

/* In an exam, only the category of the first failure. */
static void add_failure(struct text *out, const struct result *result)
{
    const struct finding *first = result_first(result);
    if (!result->exam || first->check <= CHECK_CONTRACT || result->visible_only) {
        text_add(out, first->message);
        return;
    }
    const bool about_case = first->case_index >= 0 && first->case_index < result->oracle->n_kinds;
    text_format(out, _("check \"%s\" failed"), _(check_name(first->check)));
    if (about_case)
        text_format(out, _(", in the category \"%s\""),
                    _(result->oracle->kinds[first->case_index].name));
}

static void add_diagnosis(struct text *out, const struct result *result, const char *language)
{
    if (!result->n_diagnosis || result->exam) return;
    if (result->n_planted) {
        text_format(out, "\n%s",
                    !result->visible_only ? _("Still in:")
                                          : _("Still in, as far as the visible cases show:"));
        for (int i = 0; i < result->n_diagnosis; i++)
            text_format(out, "\n- %s: %s", result->diagnosis[i],
                        drill_mistake_words(result->drill, result->diagnosis[i], language));
        return;
    }
    const char *words = drill_mistake_words(result->drill, result->diagnosis[0], language);
    const struct finding *first = result_first(result);
    if (first->mistake) text_format(out, _("\nThis is %s."), words);
    else if (result->n_diagnosis == 1) text_format(out, _("\nYour output equals %s."), words);
    else {
        text_format(out, _("\nYour output equals %s"), words);
        for (int i = 1; i < result->n_diagnosis; i++)
            text_format(out, _(", together with %s"),
                        drill_mistake_words(result->drill, result->diagnosis[i], language));
        text_add(out, ".");
    }
}

static const char *duration(char out[32], double us)
{
    if (us < 1000) snprintf(out, 32, "%.3g us", us);
    else snprintf(out, 32, "%.3g ms", us / 1000);
    return out;
}

char *result_summary(const struct result *result, const char *language)
{
    struct text out = {0};
    switch (result->verdict) {
    case VERDICT_PASS:
        text_format(&out,
                    ngettext("All of %d case is right.", "All of %d cases are right.",
                             (unsigned long)result->n_cases),
                    result->n_cases);
        if (result->speed_ratio > 0) {
            char call[32], reference[32];
            text_format(
                &out, _(" A call takes %s: %.2f times our reference's %s (from %.2f to %.2f)."),
                duration(call, result->call_us), result->speed_ratio,
                duration(reference, result->reference_us), result->speed_low, result->speed_high);
        }
        break;
    case VERDICT_FAIL:
        add_failure(&out, result);
        add_diagnosis(&out, result, language);
        break;
    case VERDICT_LIMIT:
        text_format(&out, _("A limit was hit. %s: %.4g %s allowed, %.4g used or asked for."),
                    sandbox_limit_name(result->trouble.limit), result->trouble.limit_value,
                    sandbox_limit_unit(result->trouble.limit), result->trouble.limit_used);
        if (*result->trouble.message) text_format(&out, " (%s)", result->trouble.message);
        break;
    case VERDICT_UNAVAILABLE:
    case VERDICT_ERROR: text_add(&out, result->trouble.message); break;
    }
    return text_take(&out);
}

/* JSON has no NaN or infinity: they travel as text. */
static json_t *number(double x)
{
    if (isnan(x)) return json_string("nan");
    if (isinf(x)) return json_string(x > 0 ? "inf" : "-inf");
    return json_real(x);
}

static json_t *text_json(const char *text)
{
    return text ? json_text(text, strlen(text)) : json_null();
}

static json_t *finding_json(const struct result *result, const struct finding *finding)
{
    json_t *object = json_object();
    const bool hidden = result->exam && !result->visible_only && finding->check > CHECK_CONTRACT;

    json_object_set_new(object, "check", json_string(check_name(finding->check)));
    json_object_set_new(object, "case",
                        finding->case_index >= 0 && finding->case_index < result->oracle->n_kinds
                            ? json_string(result->oracle->kinds[finding->case_index].name)
                            : json_null());
    json_object_set_new(object, "message", hidden ? json_null() : text_json(finding->message));
    json_object_set_new(object, "mistake",
                        finding->mistake && !hidden ? json_string(finding->mistake) : json_null());
    if (!*finding->field || hidden || finding->check == CHECK_SHAPE) return object;

    json_t *index = json_array();
    for (int i = 0; i < finding->ndim; i++)
        json_array_append_new(index, json_integer(finding->index[i]));
    json_object_set_new(object, "field", json_string(finding->field));
    json_object_set_new(object, "index", index);
    json_object_set_new(object, "got", number(finding->got));
    json_object_set_new(object, "want", number(finding->want));
    json_object_set_new(object, "error_abs", number(finding->error_abs));
    json_object_set_new(object, "error_rel", number(finding->error_rel));
    json_object_set_new(object, "share_wrong", number(finding->share_wrong));
    return object;
}

static json_t *checks_json(const struct result *result)
{
    static const char *const states[] = {"not-run", "pass", "fail"};
    json_t *list = json_array();
    for (int check = 0; check < CHECK_COUNT; check++) {
        json_t *object = json_object();
        json_object_set_new(object, "check", json_string(check_name((enum check)check)));
        json_object_set_new(object, "state", json_string(states[result->checks[check]]));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *limit_json(const struct trouble *trouble)
{
    if (trouble->kind != TROUBLE_LIMIT) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(limit_name(trouble->limit)));
    json_object_set_new(object, "unit", json_string(sandbox_limit_unit(trouble->limit)));
    json_object_set_new(object, "allowed", json_real(trouble->limit_value));
    json_object_set_new(object, "used", json_real(trouble->limit_used));
    return object;
}

json_t *result_json(const struct result *result, const char *language)
{
    json_t *object = json_object(), *diagnoses = json_array(), *findings = json_array();
    const bool shown = !result->exam;
    char *summary = result_summary(result, language);

    for (int i = 0; i < result->n_diagnosis && shown; i++)
        json_array_append_new(diagnoses, json_string(result->diagnosis[i]));
    for (int i = 0; i < result->findings.n && i < SHOWN_FINDINGS; i++)
        json_array_append_new(findings, finding_json(result, &result->findings.list[i]));

    json_object_set_new(object, "schema", json_integer(RESULT_SCHEMA));
    json_object_set_new(object, "drill", json_string(result->drill->number));
    json_object_set_new(object, "lang", json_string(lane_name(result->lane)));
    json_object_set_new(object, "mode", json_string(result->mode));
    json_object_set_new(object, "exam", json_boolean(result->exam));
    json_object_set_new(object, "counts", json_boolean(!result->visible_only));
    json_object_set_new(object, "seed", json_integer((json_int_t)result->seed));
    json_object_set_new(object, "verdict", json_string(verdict_name(result->verdict)));
    json_object_set_new(object, "summary", text_json(summary));
    json_object_set_new(object, "diagnosis",
                        result->n_diagnosis && shown ? json_string(result->diagnosis[0])
                                                     : json_null());
    json_object_set_new(object, "diagnoses", diagnoses);
    json_object_set_new(object, "cases", json_integer(result->n_cases));
    json_object_set_new(object, "cases_passed", json_integer(result->n_passed));
    json_object_set_new(object, "checks", checks_json(result));
    json_object_set_new(object, "findings", findings);
    json_t *input = NULL;
    if (result->failing_input &&
        json_parse(&input, result->failing_input, strlen(result->failing_input), NULL) != STATUS_OK)
        input = NULL;
    json_object_set_new(object, "failing_input", input ? input : json_null());
    json_object_set_new(object, "limit", limit_json(&result->trouble));
    if (result->speed_ratio > 0) {
        json_t *speed = json_object();
        json_object_set_new(speed, "ratio", json_real(result->speed_ratio));
        json_object_set_new(speed, "low", json_real(result->speed_low));
        json_object_set_new(speed, "high", json_real(result->speed_high));
        json_object_set_new(speed, "call_us", json_real(result->call_us));
        json_object_set_new(speed, "reference_us", json_real(result->reference_us));
        json_object_set_new(object, "speed", speed);
    } else {
        json_object_set_new(object, "speed", json_null());
    }
    if (result->exponent_limit > 0) {
        json_t *complexity = json_object();
        json_object_set_new(complexity, "exponent", json_real(result->exponent));
        json_object_set_new(complexity, "limit", json_real(result->exponent_limit));
        json_object_set_new(object, "complexity", complexity);
    } else {
        json_object_set_new(object, "complexity", json_null());
    }
    json_object_set_new(object, "build_ms", json_real(result->build_ms));
    json_object_set_new(object, "total_ms", json_real(result->total_ms));
    json_object_set_new(object, "cpu_ms", json_real(result->cpu_ms));
    json_object_set_new(object, "memory_bytes", json_integer((json_int_t)result->memory_bytes));
    json_object_set_new(object, "printed", text_json(result->printed ? result->printed : ""));
    free(summary);
    return object;
}
