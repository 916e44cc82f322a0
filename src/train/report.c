#include "train/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/locale.h"

#define LOG_LIMIT ((size_t)1 << 30)
enum {
    WIDTH = 860,
    HEIGHT = 300,
    LEFT = 64,
    RIGHT = 16,
    TOP = 12,
    BOTTOM = 34,
    POINTS_LIMIT = 2000
};

/* One line on a chart. */
struct series {
    double *x, *y;
    int n, capacity;
};

struct run {
    const char *folder;
    struct series loss, valid, rate, norm, speed;
    json_t *layers;  /* the last of them; NULL: none */
    json_t *samples; /* an array of rows */
    json_t *start;   /* NULL: none */
    int n_skipped;
};

static void add_point(struct series *series, double x, double y)
{
    if (!isfinite(y) || y < 0) return;
    if (series->n == series->capacity) {
        series->capacity = series->capacity * 2 + 64;
        series->x = memory_grow(series->x, (size_t)series->capacity, sizeof *series->x);
        series->y = memory_grow(series->y, (size_t)series->capacity, sizeof *series->y);
    }
    series->x[series->n] = x;
    series->y[series->n++] = y;
}

/* ---- reading a log ---- */

static double number(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void take_row(struct run *run, json_t *row)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const double step = number(row, "step");
    if (!kind || !isfinite(step)) return;
    if (strcmp(kind, "step") == 0) {
        add_point(&run->loss, step, number(row, "loss"));
        add_point(&run->rate, step, number(row, "rate"));
        add_point(&run->norm, step, number(row, "norm"));
        add_point(&run->speed, step, number(row, "tokens_per_s"));
    } else if (strcmp(kind, "valid") == 0) {
        add_point(&run->valid, step, number(row, "loss"));
    } else if (strcmp(kind, "skip") == 0) {
        run->n_skipped++;
    } else if (strcmp(kind, "sample") == 0) {
        json_array_append(run->samples, row);
    } else if (strcmp(kind, "layers") == 0) {
        json_decref(run->layers);
        run->layers = json_incref(row);
    } else if (strcmp(kind, "start") == 0) {
        json_decref(run->start);
        run->start = json_incref(row);
    }
}

static enum status read_run(struct run *run, const char *folder, struct error *err)
{
    char *path = path_join(folder, "log.jsonl");
    struct text bytes = {0};
    *run = (struct run){.folder = folder, .samples = json_array()};
    enum status status = file_read(&bytes, path, LOG_LIMIT, err);
    int at = 1;
    for (const char *line = text_string(&bytes), *end; !status && (end = strchr(line, '\n'));
         line = end + 1, at++) {
        json_t *row;
        status = json_parse(&row, line, (size_t)(end - line), err);
        if (status) error_prefix(err, "%s:%d", path, at);
        else take_row(run, row);
        if (!status) json_decref(row);
    }
    text_done(&bytes);
    free(path);
    return status;
}

static void run_done(struct run *run)
{
    struct series *const all[] = {&run->loss, &run->valid, &run->rate, &run->norm, &run->speed};
    for (int i = 0; i < 5; i++) {
        free(all[i]->x);
        free(all[i]->y);
    }
    json_decref(run->layers);
    json_decref(run->samples);
    json_decref(run->start);
}

/* ---- HTML ---- */

static void add_escaped(struct text *out, const char *string)
{
    for (; *string; string++) {
        if (*string == '<') text_add(out, "&lt;");
        else if (*string == '>') text_add(out, "&gt;");
        else if (*string == '&') text_add(out, "&amp;");
        else if (*string == '"') text_add(out, "&quot;");
        else text_add_char(out, *string);
    }
}

static const char *const colours[REPORT_RUNS_LIMIT] = {"#1f6feb", "#d1500b", "#1a7f37", "#8250df",
                                                       "#bf8700", "#cf222e", "#0b7285", "#57606a"};

/* ---- charts ---- */

struct range {
    double least, most;
};

static void widen(struct range *range, const double *values, int n)
{
    for (int i = 0; i < n; i++) {
        if (values[i] < range->least) range->least = values[i];
        if (values[i] > range->most) range->most = values[i];
    }
}

static struct range nothing(void) { return (struct range){INFINITY, -INFINITY}; }

/* A step between marks of 1, 2 or 5 times a power of ten, for about five marks. */
static double mark_step(struct range range)
{
    const double wanted = (range.most - range.least) / 5;
    const double power = pow(10, floor(log10(wanted)));
    const double times = wanted / power;
    return power * (times < 1.5 ? 1 : times < 3.5 ? 2 : times < 7.5 ? 5 : 10);
}

static double place_x(struct range x, double value)
{
    return LEFT + (value - x.least) / (x.most - x.least) * (WIDTH - LEFT - RIGHT);
}

static double place_y(struct range y, double value)
{
    return TOP + (y.most - value) / (y.most - y.least) * (HEIGHT - TOP - BOTTOM);
}

static void add_marks(struct text *out, struct range x, struct range y)
{
    const double step_x = mark_step(x), step_y = mark_step(y);
    for (double v = ceil(y.least / step_y) * step_y; v <= y.most + step_y * 1e-9; v += step_y) {
        const double at = place_y(y, v);
        text_format(out, "<line class=grid x1=%d x2=%d y1=%.1f y2=%.1f />", LEFT, WIDTH - RIGHT, at,
                    at);
        text_format(out, "<text x=%d y=%.1f text-anchor=end>%.4g</text>\n", LEFT - 6, at + 4, v);
    }
    for (double v = ceil(x.least / step_x) * step_x; v <= x.most + step_x * 1e-9; v += step_x)
        text_format(out, "<text x=%.1f y=%d text-anchor=middle>%.6g</text>\n", place_x(x, v),
                    HEIGHT - BOTTOM + 18, v);
}

static void add_line(struct text *out, const struct series *series, struct range x, struct range y,
                     const char *colour, bool dots)
{
    const int every = series->n / POINTS_LIMIT + 1;
    text_format(out, "<polyline fill=none stroke=\"%s\" stroke-width=%s points=\"", colour,
                dots ? "2.2" : "1.2");
    for (int i = 0; i < series->n; i += every)
        text_format(out, "%.1f,%.1f ", place_x(x, series->x[i]), place_y(y, series->y[i]));
    text_add(out, "\"/>\n");
    for (int i = 0; dots && i < series->n; i += every)
        text_format(
            out, "<circle cx=%.1f cy=%.1f r=3.2 fill=\"%s\"><title>%g: %.5g</title></circle>\n",
            place_x(x, series->x[i]), place_y(y, series->y[i]), colour, series->x[i], series->y[i]);
}

/* One chart of one or two series of every run: thin lines, and thick ones with dots. */
static void add_chart(struct text *out, const struct run *runs, int n, const char *heading,
                      size_t thin, size_t thick)
{
    struct range x = nothing(), y = nothing();
    for (int i = 0; i < n; i++) {
        const size_t both[] = {thin, thick};
        for (int k = 0; k < 2; k++) {
            const struct series *s = (const void *)((const char *)&runs[i] + both[k]);
            widen(&x, s->x, s->n);
            widen(&y, s->y, s->n);
        }
    }
    if (!(x.most >= x.least)) return;
    if (x.most == x.least) x.most += 1;
    if (y.most == y.least) y.most += fabs(y.most) * 0.1 + 1e-9;
    text_format(out, "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" role=img aria-label=\"%s\">\n",
                heading, WIDTH, HEIGHT, heading);
    add_marks(out, x, y);
    for (int i = 0; i < n; i++) {
        const struct series *s = (const void *)((const char *)&runs[i] + thin);
        const struct series *t = (const void *)((const char *)&runs[i] + thick);
        add_line(out, s, x, y, colours[i], false);
        if (thick != thin) add_line(out, t, x, y, colours[i], true);
    }
    text_add(out, "</svg>\n");
}

/* ---- tables ---- */

static double best_of(const struct series *series)
{
    double best = INFINITY;
    for (int i = 0; i < series->n; i++) best = fmin(best, series->y[i]);
    return best;
}

static double last_of(const struct series *series)
{
    return series->n ? series->y[series->n - 1] : NAN;
}

static void add_summary(struct text *out, const struct run *runs, int n)
{
    const char *const heads[] = {_("run"),          _("parameters"),      _("steps"),
                                 _("last loss"),    _("best validation"), _("tokens/s"),
                                 _("steps skipped")};
    text_add(out, "<table><tr>");
    for (int i = 0; i < 7; i++) text_format(out, "<th>%s</th>", heads[i]);
    text_add(out, "</tr>\n");
    for (int i = 0; i < n; i++) {
        const struct run *run = &runs[i];
        text_format(out, "<tr><td><span style=\"color:%s\">&#9632;</span> ", colours[i]);
        add_escaped(out, run->folder);
        text_add(out, "</td>");
        const double steps = run->loss.n ? run->loss.x[run->loss.n - 1] : NAN;
        char *cells[6] = {
            run->start ? text_printf("%.0f", number(run->start, "parameters")) : text_copy(""),
            text_printf("%.0f", steps),
            text_printf("%.4f", last_of(&run->loss)),
            text_printf("%.4f", best_of(&run->valid)),
            text_printf("%.0f", last_of(&run->speed)),
            text_printf("%d", run->n_skipped),
        };
        for (int k = 0; k < 6; k++) {
            text_format(out, "<td>%s</td>", cells[k]);
            free(cells[k]);
        }
        text_add(out, "</tr>\n");
    }
    text_add(out, "</table>\n");
}

static void add_layers(struct text *out, const struct run *run)
{
    const json_t *rows = run->layers ? json_object_get(run->layers, "parameters") : NULL;
    size_t i;
    json_t *row;
    if (!json_is_array(rows)) return;
    text_add(out, "<details><summary>");
    text_format(out, _("Weights, gradients and updates, step %.0f"), number(run->layers, "step"));
    text_add(out, "</summary><table><tr>");
    const char *const heads[] = {_("parameter"), _("weight"), _("gradient"), _("update"),
                                 _("update / weight")};
    for (int k = 0; k < 5; k++) text_format(out, "<th>%s</th>", heads[k]);
    text_add(out, "</tr>\n");
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const double weight = number(row, "weight"), update = number(row, "update");
        const double ratio = weight > 0 ? update / weight : NAN;
        text_format(out, "<tr class=%s><td>",
                    ratio > 1e-2   ? "high"
                    : ratio < 1e-4 ? "low"
                                   : "usual");
        add_escaped(out, name ? name : "?");
        text_format(out, "</td><td>%.3g</td><td>%.3g</td><td>%.3g</td><td>%.2g</td></tr>\n", weight,
                    number(row, "gradient"), update, ratio);
    }
    text_add(out, "</table></details>\n");
}

static void add_samples(struct text *out, const struct run *run)
{
    size_t i;
    json_t *row;
    if (!json_array_size(run->samples)) return;
    text_format(out, "<details><summary>%s</summary>\n", _("What it wrote"));
    json_array_foreach(run->samples, i, row)
    {
        const char *sample = json_string_value(json_object_get(row, "text"));
        text_add(out, "<h4>");
        text_format(out, _("step %.0f"), number(row, "step"));
        text_add(out, "</h4><pre>");
        add_escaped(out, sample ? sample : "");
        text_add(out, "</pre>\n");
    }
    text_add(out, "</details>\n");
}

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:920px;margin:2em auto;padding:0 1em;"
    "color:#1f2328;background:#fff}table{border-collapse:collapse;font-size:14px}"
    "td,th{padding:2px 12px 2px 0;text-align:left}svg{width:100%;height:auto}"
    "svg text{font-size:12px;fill:#57606a}.grid{stroke:#d8dee4}pre{background:#f6f8fa;padding:.7em;"
    "white-space:pre-wrap}tr.high td:last-child{color:#cf222e;font-weight:bold}"
    "tr.low td:last-child{color:#57606a}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}"
    "pre{background:#161b22}.grid{stroke:#30363d}svg text{fill:#9198a1}}";

static void add_page(struct text *out, const struct run *runs, int n)
{
    text_format(out,
                "<!doctype html>\n<html lang=%s><meta charset=utf-8>\n"
                "<meta name=viewport content=\"width=device-width\">\n<title>%s</title>\n"
                "<style>%s</style>\n<h1>%s</h1>\n",
                locale_language(), _("Training"), style, _("Training"));
    add_summary(out, runs, n);
    add_chart(out, runs, n, _("Loss of a step (thin) and of validation (dots)"),
              offsetof(struct run, loss), offsetof(struct run, valid));
    add_chart(out, runs, n, _("Norm of the gradient"), offsetof(struct run, norm),
              offsetof(struct run, norm));
    add_chart(out, runs, n, _("Learning rate"), offsetof(struct run, rate),
              offsetof(struct run, rate));
    add_chart(out, runs, n, _("Tokens a second"), offsetof(struct run, speed),
              offsetof(struct run, speed));
    for (int i = 0; i < n; i++) {
        text_format(out, "<h2><span style=\"color:%s\">&#9632;</span> ", colours[i]);
        add_escaped(out, runs[i].folder);
        text_add(out, "</h2>\n");
        add_layers(out, &runs[i]);
        add_samples(out, &runs[i]);
    }
    text_add(out, "</html>\n");
}

enum status report_write(struct text *out, char *const *folders, int n, struct error *err)
{
    struct run runs[REPORT_RUNS_LIMIT] = {0};
    enum status status = STATUS_OK;
    if (n < 1 || n > REPORT_RUNS_LIMIT)
        return error_set(err, STATUS_USAGE, _("a report is of 1 to %d runs, not %d"),
                         REPORT_RUNS_LIMIT, n);
    for (int i = 0; i < n && !status; i++) status = read_run(&runs[i], folders[i], err);
    if (!status) add_page(out, runs, n);
    for (int i = 0; i < n; i++) run_done(&runs[i]);
    return status;
}
