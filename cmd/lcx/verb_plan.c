/* verb_plan.c -- lcx plan: what a service needs, from a handful of assumptions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "plan/capacity.h"
#include "table.h"
#include "verbs.h"

static int plan_capacity(struct app *app, int argc, char **argv);
static int plan_keys(struct app *app, int argc, char **argv);
static int plan_models(struct app *app, int argc, char **argv);
static int plan_gpus(struct app *app, int argc, char **argv);

static const struct option_description capacity_options[] = {
    {"example", "chatbot", N_("start from a worked example")},
    {"file", "FILE", N_("take assumptions from a YAML file of key: value lines")},
    {"check", "STEP=VALUE,...", N_("compare your own estimate of any step")},
    {NULL, NULL, NULL},
};
static const struct usage usage_capacity = {
    .name = "plan capacity",
    .arguments = "[KEY=VALUE...]",
    .least = 0,
    .most = 64,
    .summary = N_("Nodes and cost of a service: every step with its formula"),
    .details =
        N_("Values carry their unit: users=10M, ttft=0.5s, reserve=60GB, price=2.5USD/h. A later "
           "one replaces an earlier one: the file or the example first, then the words. model=NAME "
           "and gpu=NAME take a row of the tables; lcx plan keys explains every key.\n"
           "--check says of each line whether it is close (one significant figure), of the right "
           "order (a factor of two), a unit error, or wrong; an estimate that forgets prefill is "
           "told so.\n"
           "Exit status 1: the model does not fit, or a check says no."),
    .example = "lcx plan capacity --example chatbot\n"
               "lcx plan capacity --example chatbot cached=0%\n"
               "lcx plan capacity model=llama-3.1-8b gpu=l40s tp=1 users=200k turns=5 \\\n"
               "    prompt=900 output=250 ttft=0.5s tpot=40ms\n"
               "lcx plan capacity --example chatbot --check nodes=55,kv_total=10TB",
    .options = capacity_options,
};
static const struct usage usage_keys = {
    .name = "plan keys",
    .arguments = "",
    .summary = N_("The assumptions that a plan takes, and their defaults"),
    .example = "lcx plan keys",
};
static const struct usage usage_models = {
    .name = "plan models",
    .arguments = "",
    .summary = N_("Model shapes, with their sources"),
    .details = N_("A models.yaml in your data folder (lcx doctor says where that is) adds rows, or "
                  "replaces the keys that a row of the same name gives."),
    .example = "lcx plan models",
};
static const struct usage usage_gpus = {
    .name = "plan gpus",
    .arguments = "",
    .summary = N_("GPUs, with their sources and the assumed prices"),
    .details = N_("A gpus.yaml in your data folder (lcx doctor says where that is) adds rows, or "
                  "replaces the keys that a row of the same name gives: your price, above all."),
    .example = "lcx plan gpus\nlcx plan gpus --json",
};
static const struct verb verbs[] = {
    {&usage_capacity, plan_capacity},
    {&usage_keys, plan_keys},
    {&usage_models, plan_models},
    {&usage_gpus, plan_gpus},
    {NULL, NULL},
};
const struct usage usage_plan = {
    .name = "plan",
    .arguments = "",
    .summary = N_("Size a service: traffic, memory, nodes, cost"),
    .example = "lcx plan capacity --example chatbot\nlcx plan gpus",
    .verbs = verbs,
};

int verb_plan(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_plan, argc, argv);
}

static enum number_style style_of(const struct app *app)
{
    return strcmp(app->language, "es") == 0 ? NUMBER_SPANISH : NUMBER_ENGLISH;
}

static const char *const origin_names[] = {"none", "default", "table", "file", "word"};

/* ---- the tables ---- */

static int load_shapes(struct app *app, struct shapes *shapes)
{
    struct error err;
    char *content = path_join(app->content, "content");
    const enum status status = shapes_load(shapes, content, app->data, &err);
    free(content);
    if (!status) return EXIT_DONE;
    (void)app_fail(app, &err);
    return EXIT_TROUBLE;
}

static char *figure(const struct app *app, enum figure kind, const char *symbol, double value)
{
    struct text text = {0};
    figure_text(&text, kind, symbol, value, style_of(app));
    return text_take(&text);
}

static void cell(const struct app *app, struct table *table, enum figure kind, const char *symbol,
                 double value)
{
    char *text = value > 0 ? figure(app, kind, symbol, value) : text_copy("-");
    table_add(table, STYLE_NONE, text);
    free(text);
}

static void add_source(const struct app *app, struct text *out, const char *name,
                       const char *source)
{
    char *line = text_printf("%s: %s", name, source);
    terminal_wrap(out, line, app->out.width, "  ", "    ", false);
    free(line);
}

static void list_models(const struct app *app, const struct shapes *shapes)
{
    struct text out = {0};
    struct table table;
    table_init(&table, 8);
    const char *const heads[] = {_("model"), "params",   "active", "layers",
                                 "d_model",  "kv_heads", "ffn",    "vocab"};
    for (int i = 0; i < 8; i++) table_add(&table, STYLE_DIM, heads[i]);
    for (int i = 0; i < shapes->n_models; i++) {
        const struct model_shape *m = &shapes->models[i];
        table_add(&table, STYLE_STRONG, m->name);
        cell(app, &table, FIGURE_SHORT, "", m->parameters);
        cell(app, &table, FIGURE_SHORT, "", m->active);
        cell(app, &table, FIGURE_PLAIN, "", m->layers);
        cell(app, &table, FIGURE_COUNT, "", m->d_model);
        cell(app, &table, FIGURE_PLAIN, "", m->kv_heads);
        cell(app, &table, FIGURE_COUNT, "", m->ffn);
        cell(app, &table, FIGURE_COUNT, "", m->vocab);
    }
    table_print(&out, app, &table, 0);
    table_done(&table);
    app_heading(app, &out, _("Sources"));
    for (int i = 0; i < shapes->n_models; i++)
        add_source(app, &out, shapes->models[i].name, shapes->models[i].source);
    app_page(app, text_string(&out));
    text_done(&out);
}

static int plan_models(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct shapes shapes;
    int status;
    if (!arguments_read(&arguments, app, &usage_models, argc, argv, &status)) return status;
    status = load_shapes(app, &shapes);
    if (status) return status;
    if (!app->json) list_models(app, &shapes);
    for (int i = 0; i < shapes.n_models && app->json; i++) {
        const struct model_shape *m = &shapes.models[i];
        app_json(app,
                 json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s}",
                           "kind", "model", "name", m->name, "layers", m->layers, "d_model",
                           m->d_model, "heads", m->heads, "kv_heads", m->kv_heads, "head_dim",
                           m->head_dim, "ffn", m->ffn, "vocab", m->vocab, "parameters",
                           m->parameters, "active", m->active, "experts", m->experts,
                           "experts_used", m->experts_used, "source", m->source));
    }
    shapes_done(&shapes);
    return EXIT_DONE;
}

static void list_gpus(const struct app *app, const struct shapes *shapes)
{
    struct text out = {0};
    struct table table;
    table_init(&table, 7);
    const char *const heads[] = {_("gpu"), _("memory"), _("bandwidth"), "bf16",
                                 "fp8",    _("link"),   _("price")};
    for (int i = 0; i < 7; i++) table_add(&table, STYLE_DIM, heads[i]);
    for (int i = 0; i < shapes->n_gpus; i++) {
        const struct gpu_shape *g = &shapes->gpus[i];
        table_add(&table, STYLE_STRONG, g->name);
        cell(app, &table, FIGURE_BYTES, "", g->memory);
        cell(app, &table, FIGURE_SHORT, "B/s", g->bandwidth);
        cell(app, &table, FIGURE_SHORT, "FLOP/s", g->bf16);
        cell(app, &table, FIGURE_SHORT, "FLOP/s", g->fp8);
        cell(app, &table, FIGURE_SHORT, "B/s", g->interconnect);
        cell(app, &table, FIGURE_USD, "/h", g->price * 3600);
    }
    table_print(&out, app, &table, 0);
    table_done(&table);
    text_add(&out, "\n");
    app_paragraph(app, &out, 0,
                  _("FLOP/s are dense. Prices are assumptions, to be replaced by yours."));
    app_heading(app, &out, _("Sources"));
    for (int i = 0; i < shapes->n_gpus; i++)
        add_source(app, &out, shapes->gpus[i].name, shapes->gpus[i].source);
    app_page(app, text_string(&out));
    text_done(&out);
}

static int plan_gpus(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct shapes shapes;
    int status;
    if (!arguments_read(&arguments, app, &usage_gpus, argc, argv, &status)) return status;
    status = load_shapes(app, &shapes);
    if (status) return status;
    if (!app->json) list_gpus(app, &shapes);
    for (int i = 0; i < shapes.n_gpus && app->json; i++) {
        const struct gpu_shape *g = &shapes.gpus[i];
        app_json(app, json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:s?, s:f, s:s, s:s}", "kind",
                                "gpu", "name", g->name, "memory", g->memory, "bandwidth",
                                g->bandwidth, "bf16", g->bf16, "fp8", g->fp8, "interconnect",
                                g->interconnect, "link", g->link, "usd_hour", g->price * 3600,
                                "price_source", g->price_source, "source", g->source));
    }
    shapes_done(&shapes);
    return EXIT_DONE;
}

static int plan_keys(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_keys, argc, argv, &status)) return status;
    struct text out = {0};
    struct table table;
    table_init(&table, 3);
    table_add(&table, STYLE_STRONG, "model, gpu");
    table_add(&table, STYLE_NONE, "");
    table_add(&table, STYLE_NONE, _("a row of the tables: lcx plan models, lcx plan gpus"));
    for (int i = 0; i < WORKSHEET_KEYS; i++) {
        const struct worksheet_entry *entry = &worksheet_entries[i];
        struct text unit = {0};
        unit_describe(&unit, entry->unit, entry->per);
        if (app->json) {
            app_json(app, json_pack("{s:s, s:s, s:s, s:s}", "kind", "key", "name", entry->name,
                                    "unit", text_string(&unit), "meaning", _(entry->meaning)));
        } else {
            table_add(&table, STYLE_STRONG, entry->name);
            table_add(&table, STYLE_DIM, text_string(&unit));
            table_add(&table, STYLE_NONE, _(entry->meaning));
        }
        text_done(&unit);
    }
    table_print(&out, app, &table, 0);
    table_done(&table);
    text_add(&out, "\n");
    app_paragraph(
        app, &out, 0,
        _("Without them: peak 3x, cached 0%, dtype and kv_dtype bf16, gpus_per_node 8, tp "
          "the whole node, pp 1, reserve a tenth of the memory, bandwidth_use 60%, mfu "
          "50%, headroom 1.3x."));
    if (!app->json) app_page(app, text_string(&out));
    text_done(&out);
    return EXIT_DONE;
}

/* ---- capacity: reading ---- */

static enum status take_words(struct worksheet *sheet, const struct app *app,
                              const struct arguments *arguments, struct error *err)
{
    for (int i = 0; i < arguments->n; i++) {
        const char *equals = strchr(arguments->words[i], '=');
        if (!equals)
            return error_set(err, STATUS_USAGE, _("\"%s\": expected KEY=VALUE, as users=10M"),
                             arguments->words[i]);
        char *key = text_printf("%.*s", (int)(equals - arguments->words[i]), arguments->words[i]);
        const enum status status =
            worksheet_set(sheet, key, equals + 1, style_of(app), ORIGIN_WORD, err);
        free(key);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status read_sheet(struct worksheet *sheet, const struct app *app,
                              const struct arguments *arguments, struct error *err)
{
    const char *example = arguments_value(arguments, "example");
    const char *file = arguments_value(arguments, "file");
    enum status status = STATUS_OK;
    worksheet_init(sheet);
    if (example) {
        char *path = text_printf("%s/content/plans/%s.yaml", app->content, example);
        if (strchr(example, '/') || !file_exists(path))
            status = error_set(err, STATUS_USAGE,
                               _("example: there is no \"%s\"; the example is chatbot"), example);
        else status = worksheet_load(sheet, path, err);
        free(path);
    }
    if (!status && file) status = worksheet_load(sheet, file, err);
    if (!status) status = take_words(sheet, app, arguments, err);
    return status;
}

/* ---- capacity: as JSON Lines ---- */

static void json_inputs(const struct app *app, const struct worksheet *sheet)
{
    if (sheet->model[0])
        app_json(app, json_pack("{s:s, s:s, s:s}", "kind", "input", "name", "model", "value",
                                sheet->model));
    if (sheet->gpu[0])
        app_json(app,
                 json_pack("{s:s, s:s, s:s}", "kind", "input", "name", "gpu", "value", sheet->gpu));
    for (int i = 0; i < WORKSHEET_KEYS; i++) {
        const struct worksheet_entry *entry = &worksheet_entries[i];
        if (!worksheet_has(sheet, (enum worksheet_key)i)) continue;
        struct text unit = {0};
        unit_symbol(&unit, entry->unit, entry->per);
        char *words = figure(app, entry->figure, entry->symbol, sheet->value[i]);
        app_json(app, json_pack("{s:s, s:s, s:f, s:s, s:s, s:s}", "kind", "input", "name",
                                entry->name, "value", sheet->value[i], "unit",
                                i == KEY_PRICE ? "USD/h" : text_string(&unit), "text", words,
                                "origin", origin_names[sheet->origin[i]]));
        free(words);
        text_done(&unit);
    }
}

static const char *unit_of_step(struct text *unit, int step)
{
    if (step == STEP_USD_DAY) return "USD/day";
    if (step == STEP_USD_MTOK) return "USD/1M tokens";
    unit_symbol(unit, capacity_infos[step].unit, capacity_infos[step].per);
    return text_string(unit);
}

static const char *const binding_names[] = {"unknown", "memory", "decode", "prefill"};

static void json_capacity(const struct app *app, const struct worksheet *sheet,
                          const struct capacity *capacity)
{
    json_inputs(app, sheet);
    for (int i = 0; i < CAPACITY_STEPS; i++) {
        if (isnan(capacity->value[i])) continue;
        const struct capacity_info *info = &capacity_infos[i];
        struct text unit = {0};
        char *words = figure(app, info->figure, info->symbol, capacity->value[i]);
        app_json(app, json_pack("{s:s, s:s, s:f, s:s, s:s, s:s}", "kind", "step", "name",
                                info->name, "value", capacity->value[i], "unit",
                                unit_of_step(&unit, i), "text", words, "formula",
                                capacity_formula(capacity, sheet, (enum capacity_step)i)));
        free(words);
        text_done(&unit);
    }
    for (int i = 0; i < CAPACITY_WARNINGS; i++) {
        if (!capacity->warned[i]) continue;
        struct text words = {0};
        capacity_warning_text(&words, capacity, (enum capacity_warning)i, style_of(app));
        app_json(app, json_pack("{s:s, s:s, s:s}", "kind", "warning", "name",
                                capacity_warning_names[i], "text", text_string(&words)));
        text_done(&words);
    }
    json_t *result = json_pack("{s:s, s:b, s:s}", "kind", "result", "fits", capacity->fits,
                               "binding", binding_names[capacity->binding]);
    if (capacity->fits) {
        json_object_set_new(result, "binding_ratio", json_real(capacity->binding_ratio));
        json_object_set_new(result, "nodes", json_real(capacity->value[STEP_NODES]));
        json_object_set_new(result, "gpus", json_real(capacity->value[STEP_GPUS]));
        json_object_set_new(result, "usd_day", json_real(capacity->value[STEP_USD_DAY]));
    }
    app_json(app, result);
}

/* ---- capacity: for people ---- */

static void show_inputs(const struct app *app, struct text *out, const struct worksheet *sheet)
{
    static const char *const origins[] = {"", N_("default"), N_("table"), "", ""};
    struct table table;
    app_heading(app, out, _("Assumptions"));
    table_init(&table, 3);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? sheet->gpu : sheet->model;
        if (!name[0]) continue;
        table_add(&table, STYLE_STRONG, i ? "gpu" : "model");
        table_add(&table, STYLE_NONE, name);
        table_add(&table, STYLE_NONE, "");
    }
    for (int i = 0; i < WORKSHEET_KEYS; i++) {
        const struct worksheet_entry *entry = &worksheet_entries[i];
        if (!worksheet_has(sheet, (enum worksheet_key)i)) continue;
        if ((i == KEY_EXPERTS || i == KEY_EXPERTS_USED) && sheet->value[i] == 0) continue;
        const char *origin = origins[sheet->origin[i]];
        char *words = figure(app, entry->figure, entry->symbol, sheet->value[i]);
        table_add(&table, STYLE_STRONG, entry->name);
        table_add(&table, STYLE_NONE, words);
        if (*origin) table_format(&table, STYLE_DIM, "%s (%s)", _(entry->meaning), _(origin));
        else table_add(&table, STYLE_DIM, _(entry->meaning));
        free(words);
    }
    table_print(out, app, &table, 2);
    table_done(&table);
}

static void show_steps(const struct app *app, struct text *out, const struct worksheet *sheet,
                       const struct capacity *capacity)
{
    static const char *const groups[] = {
        [GROUP_TRAFFIC] = N_("Traffic"),
        [GROUP_MEMORY] = N_("Memory"),
        [GROUP_NODES] = N_("Nodes"),
        [GROUP_COST] = N_("Cost"),
    };
    for (int group = GROUP_TRAFFIC; group <= GROUP_COST; group++) {
        struct table table;
        table_init(&table, 3);
        for (int i = 0; i < CAPACITY_STEPS; i++) {
            const struct capacity_info *info = &capacity_infos[i];
            if ((int)info->group != group || isnan(capacity->value[i])) continue;
            char *words = figure(app, info->figure, info->symbol, capacity->value[i]);
            table_add(&table, STYLE_STRONG, info->name);
            table_add(&table, STYLE_NONE, words);
            table_format(&table, STYLE_DIM, "%s: %s", _(info->meaning),
                         capacity_formula(capacity, sheet, (enum capacity_step)i));
            free(words);
        }
        if (table.n_cells) {
            app_heading(app, out, _(groups[group]));
            table_print(out, app, &table, 2);
        }
        table_done(&table);
    }
}

static void show_binding(const struct app *app, struct text *out, const struct capacity *capacity)
{
    const enum number_style style = style_of(app);
    struct text needed = {0}, memory = {0}, compute = {0}, ratio = {0}, line = {0};
    const double both = capacity->value[STEP_NODES_DECODE] + capacity->value[STEP_NODES_PREFILL];
    number_fixed(&needed, capacity->value[STEP_NODES_NEEDED], 1, style);
    number_fixed(&memory, capacity->value[STEP_NODES_MEMORY], 1, style);
    number_fixed(&compute, both, 1, style);
    number_text(&ratio, capacity->binding_ratio, 2, style);
    const double percent = 100 * capacity->decode_share;
    if (capacity->binding == BINDING_MEMORY)
        text_format(&line,
                    _("Memory binds: %s nodes, %s times the %s that decode and prefill need."),
                    text_string(&memory), text_string(&ratio), text_string(&compute));
    else if (capacity->binding == BINDING_DECODE)
        text_format(&line,
                    _("Compute binds: %s nodes, %s times the %s that memory needs. Decode is the "
                      "larger part, %.0f%% of it."),
                    text_string(&needed), text_string(&ratio), text_string(&memory), percent);
    else
        text_format(&line,
                    _("Compute binds: %s nodes, %s times the %s that memory needs. Prefill is the "
                      "larger part, %.0f%% of it."),
                    text_string(&needed), text_string(&ratio), text_string(&memory), 100 - percent);
    text_add(out, "\n");
    app_paragraph(app, out, 0, text_string(&line));
    text_done(&needed);
    text_done(&memory);
    text_done(&compute);
    text_done(&ratio);
    text_done(&line);
}

static void show_warnings(const struct app *app, struct text *out, const struct capacity *capacity)
{
    for (int i = 0; i < CAPACITY_WARNINGS; i++) {
        if (!capacity->warned[i]) continue;
        struct text words = {0}, painted = {0};
        capacity_warning_text(&words, capacity, (enum capacity_warning)i, style_of(app));
        char *line = text_printf(_("Warning: %s."), text_string(&words));
        terminal_paint(&painted, &app->out, STYLE_WARN, line);
        text_add(out, "\n");
        app_paragraph(app, out, 0, text_string(&painted));
        free(line);
        text_done(&words);
        text_done(&painted);
    }
}

static void show_capacity(const struct app *app, const struct worksheet *sheet,
                          const struct capacity *capacity)
{
    struct text out = {0};
    show_inputs(app, &out, sheet);
    show_steps(app, &out, sheet, capacity);
    if (capacity->fits) show_binding(app, &out, capacity);
    show_warnings(app, &out, capacity);
    app_page(app, text_string(&out));
    text_done(&out);
}

/* ---- capacity: the check ---- */

/* What is said of one line; the caller frees it. */
static char *verdict_words(const struct capacity_check *check, const char *wrong_unit)
{
    struct text ratio = {0};
    if (check->ratio > 0) {
        const bool above = check->ratio >= 1;
        number_text(&ratio, above ? check->ratio : 1 / check->ratio, 2, NUMBER_ENGLISH);
    }
    char *words = NULL;
    if (*wrong_unit) {
        words = text_printf(_("unit error: %s"), wrong_unit);
    } else if (check->verdict == VERDICT_CLOSE) {
        words = text_copy(_("close"));
    } else if (check->verdict == VERDICT_ORDER) {
        words = text_printf(_("right order of magnitude: a factor of %s"), text_string(&ratio));
    } else if (check->verdict == VERDICT_UNIT) {
        words = text_printf(check->ratio > 1 ? _("unit error: too large by about %.0f (%s?)")
                                             : _("unit error: too small by about %.0f (%s?)"),
                            check->factor, _(check->reason));
    } else if (check->ratio > 0) {
        words = text_printf(check->ratio > 1 ? _("wrong: too large by a factor of %s")
                                             : _("wrong: too small by a factor of %s"),
                            text_string(&ratio));
    } else {
        words = text_copy(_("wrong"));
    }
    text_done(&ratio);
    return words;
}

static bool check_line(const struct app *app, struct table *table,
                       const struct capacity_estimate *estimate, int i,
                       const struct capacity *capacity)
{
    const enum capacity_step step = estimate->lines[i].step;
    const struct capacity_info *info = &capacity_infos[step];
    const double computed = capacity->value[step], value = estimate->lines[i].value;
    struct capacity_check check = {.verdict = VERDICT_UNIT, .ratio = NAN};
    if (!isnan(value)) check = capacity_check(value, computed);
    char *words = isnan(computed) ? text_copy(_("this plan has no such step"))
                                  : verdict_words(&check, estimate->lines[i].why);
    const bool good = !isnan(computed) && check.verdict <= VERDICT_ORDER;
    char *right =
        isnan(computed) ? text_copy("-") : figure(app, info->figure, info->symbol, computed);
    if (app->json) {
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "check", "name", info->name,
                                "estimate", estimate->lines[i].words, "verdict",
                                isnan(computed) ? "unknown" : capacity_verdict_names[check.verdict],
                                "text", words);
        if (!isnan(computed)) json_object_set_new(row, "computed", json_real(computed));
        if (!isnan(check.ratio)) json_object_set_new(row, "ratio", json_real(check.ratio));
        if (check.factor > 0) json_object_set_new(row, "factor", json_real(check.factor));
        app_json(app, row);
    } else {
        table_add(table, STYLE_STRONG, info->name);
        table_add(table, STYLE_NONE, estimate->lines[i].words);
        table_add(table, STYLE_NONE, right);
        table_add(table,
                  !good                            ? STYLE_BAD
                  : check.verdict == VERDICT_CLOSE ? STYLE_GOOD
                                                   : STYLE_WARN,
                  words);
    }
    free(words);
    free(right);
    return good;
}

static char *prefill_words(const struct app *app, const struct capacity *capacity, bool explains)
{
    struct text nodes = {0};
    number_fixed(&nodes, capacity->nodes_no_prefill, 0, style_of(app));
    char *words =
        explains
            ? text_printf(_("No prefill term: %s nodes is what remains when prefill is forgotten. "
                            "Every prompt token that is not cached has to be computed, on the same "
                            "nodes: add nodes_prefill."),
                          text_string(&nodes))
            : text_copy(
                  _("No prefill term: the estimate counts nodes or cost, and no line of it "
                    "prefill. Every prompt token that is not cached has to be computed, on the "
                    "same nodes: say prefill_rate or nodes_prefill."));
    text_done(&nodes);
    return words;
}

/* Print what is said of an estimate; the exit status. */
static int show_check(const struct app *app, const struct capacity_estimate *estimate,
                      const struct capacity *capacity)
{
    struct text out = {0};
    struct table table;
    bool good = true, explains;
    table_init(&table, 4);
    const char *const heads[] = {_("step"), _("estimate"), _("computed"), _("verdict")};
    for (int i = 0; i < 4; i++) table_add(&table, STYLE_DIM, heads[i]);
    for (int i = 0; i < estimate->n; i++) good &= check_line(app, &table, estimate, i, capacity);
    table_print(&out, app, &table, 0);
    table_done(&table);

    if (capacity_lacks_prefill(estimate, capacity, &explains)) {
        char *words = prefill_words(app, capacity, explains);
        good = false;
        if (app->json)
            app_json(app, json_pack("{s:s, s:s, s:s, s:b, s:s}", "kind", "check", "name", "prefill",
                                    "verdict", "missing", "explains", explains, "text", words));
        text_add(&out, "\n");
        app_paragraph(app, &out, 0, words);
        free(words);
    }
    if (!app->json) app_page(app, text_string(&out));
    text_done(&out);
    return good ? EXIT_DONE : EXIT_NO;
}

static int plan_capacity(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct worksheet sheet;
    struct capacity capacity;
    struct capacity_estimate estimate;
    struct shapes shapes;
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_capacity, argc, argv, &status)) return status;
    const char *check = arguments_value(&arguments, "check");
    if (read_sheet(&sheet, app, &arguments, &err)) return app_fail(app, &err);
    if (check && capacity_estimate_read(&estimate, check, style_of(app), &err))
        return app_fail(app, &err);
    status = load_shapes(app, &shapes);
    if (status) return status;
    const enum status filled = worksheet_fill(&sheet, &shapes, &err);
    shapes_done(&shapes);
    if (filled) return app_fail(app, &err);

    capacity_compute(&capacity, &sheet);
    if (check && !isnan(capacity.value[STEP_NODES])) return show_check(app, &estimate, &capacity);
    if (app->json) json_capacity(app, &sheet, &capacity);
    else show_capacity(app, &sheet, &capacity);
    return capacity.fits ? EXIT_DONE : EXIT_NO;
}
