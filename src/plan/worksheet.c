#include "plan/worksheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/locale.h"
#include "plan/rows.h"

#define MANY 1e18

/* clang-format off */
const struct worksheet_entry worksheet_entries[WORKSHEET_KEYS] = {
    [KEY_USERS] = {"users", UNIT_USER, UNIT_NONE, 1, FIGURE_SHORT, "", 0, MANY, false, N_("users a day")},
    [KEY_TURNS] = {"turns", UNIT_TURN, UNIT_NONE, 1, FIGURE_PLAIN, "", 0, MANY, false, N_("requests of one user in a day")},
    [KEY_RATE] = {"rate", UNIT_REQUEST, UNIT_SECOND, 1, FIGURE_COUNT, "req/s", 0, MANY, false, N_("mean request rate, instead of users and turns")},
    [KEY_PEAK] = {"peak", UNIT_RATIO, UNIT_NONE, 1, FIGURE_PLAIN, "x", 1, 1000, false, N_("the busiest moment over the mean")},
    [KEY_PROMPT] = {"prompt", UNIT_TOKEN, UNIT_NONE, 1, FIGURE_COUNT, "tok", 0, 1e9, false, N_("prompt tokens of a request")},
    [KEY_CACHED] = {"cached", UNIT_RATIO, UNIT_NONE, 1, FIGURE_RATIO, "", 0, 1, false, N_("share of the prompt found in the prefix cache")},
    [KEY_OUTPUT] = {"output", UNIT_TOKEN, UNIT_NONE, 1, FIGURE_COUNT, "tok", 1, 1e9, false, N_("output tokens of a request")},
    [KEY_TTFT] = {"ttft", UNIT_SECOND, UNIT_NONE, 1, FIGURE_TIME, "", 0, 86400, false, N_("time to the first token")},
    [KEY_TPOT] = {"tpot", UNIT_SECOND, UNIT_NONE, 1, FIGURE_TIME, "", 1e-6, 3600, false, N_("time for each output token")},
    [KEY_ACCEPTED] = {"accepted", UNIT_RATIO, UNIT_NONE, 1, FIGURE_RATIO, "", 1e-6, 1, false, N_("share of answers that the user accepts")},
    [KEY_PARAMS] = {"params", UNIT_PARAMETER, UNIT_NONE, 1, FIGURE_SHORT, "", 1, MANY, false, N_("parameters of the model")},
    [KEY_ACTIVE] = {"active", UNIT_PARAMETER, UNIT_NONE, 1, FIGURE_SHORT, "", 1, MANY, false, N_("parameters that a token passes")},
    [KEY_EXPERTS] = {"experts", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 0, 1e6, true, N_("experts of a layer; 0: dense")},
    [KEY_EXPERTS_USED] = {"experts_used", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 0, 1e6, true, N_("experts that a token passes")},
    [KEY_LAYERS] = {"layers", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1e5, true, N_("layers")},
    [KEY_HEADS] = {"heads", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1e5, true, N_("query heads")},
    [KEY_KV_HEADS] = {"kv_heads", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1e5, true, N_("key and value heads")},
    [KEY_HEAD_DIM] = {"head_dim", UNIT_NONE, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1e5, true, N_("numbers of a head")},
    [KEY_DTYPE] = {"dtype", UNIT_BYTE, UNIT_NONE, 1, FIGURE_PLAIN, "bytes", 0.1, 8, false, N_("of a weight: fp32, bf16, fp8, int4 or bytes")},
    [KEY_KV_DTYPE] = {"kv_dtype", UNIT_BYTE, UNIT_NONE, 1, FIGURE_PLAIN, "bytes", 0.1, 8, false, N_("of a number in the KV cache")},
    [KEY_MEMORY] = {"memory", UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", 1, MANY, false, N_("memory of a GPU")},
    [KEY_BANDWIDTH] = {"bandwidth", UNIT_BYTE, UNIT_SECOND, 1, FIGURE_SHORT, "B/s", 1, MANY, false, N_("memory bandwidth of a GPU")},
    [KEY_FLOPS] = {"flops", UNIT_FLOP, UNIT_SECOND, 1, FIGURE_SHORT, "FLOP/s", 1, 1e20, false, N_("dense FLOP/s of a GPU at this dtype")},
    [KEY_NODE_FLOPS] = {"node_flops", UNIT_FLOP, UNIT_SECOND, 1, FIGURE_SHORT, "FLOP/s", 1, 1e22, false, N_("the same for a whole node, instead of flops")},
    [KEY_INTERCONNECT] = {"interconnect", UNIT_BYTE, UNIT_SECOND, 1, FIGURE_SHORT, "B/s", 1, MANY, false, N_("between the GPUs of a node, both directions")},
    [KEY_GPUS] = {"gpus_per_node", UNIT_GPU, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1024, true, N_("GPUs of a node")},
    [KEY_TP] = {"tp", UNIT_GPU, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1024, true, N_("tensor parallel degree")},
    [KEY_PP] = {"pp", UNIT_GPU, UNIT_NONE, 1, FIGURE_PLAIN, "", 1, 1024, true, N_("pipeline parallel degree")},
    [KEY_RESERVE] = {"reserve", UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", 0, MANY, false, N_("memory of a node kept for activations and the runtime")},
    [KEY_RESERVE_GPU] = {"reserve_gpu", UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", 0, MANY, false, N_("the same for each GPU, instead of reserve")},
    [KEY_DECODE] = {"decode", UNIT_TOKEN, UNIT_SECOND, 1, FIGURE_SHORT, "tok/s", 1e-6, MANY, false, N_("output tokens/s of a node; without it, a roofline")},
    [KEY_BATCH] = {"batch", UNIT_SEQUENCE, UNIT_NONE, 1, FIGURE_COUNT, "", 1, 1e9, false, N_("sequences decoded together in a replica, for the roofline")},
    [KEY_BANDWIDTH_USE] = {"bandwidth_use", UNIT_RATIO, UNIT_NONE, 1, FIGURE_RATIO, "", 0.01, 1, false, N_("share of the bandwidth that decoding reaches")},
    [KEY_MFU] = {"mfu", UNIT_RATIO, UNIT_NONE, 1, FIGURE_RATIO, "", 0.01, 1, false, N_("share of the FLOP/s that prefill reaches")},
    [KEY_HEADROOM] = {"headroom", UNIT_RATIO, UNIT_NONE, 1, FIGURE_PLAIN, "x", 1, 100, false, N_("nodes bought over nodes needed")},
    [KEY_PRICE] = {"price", UNIT_USD, UNIT_SECOND, 3600, FIGURE_USD, "/h", 0, 1e6, false, N_("of one GPU for an hour")},
};
/* clang-format on */

void worksheet_init(struct worksheet *sheet)
{
    *sheet = (struct worksheet){0};
    for (int i = 0; i < WORKSHEET_KEYS; i++) sheet->value[i] = NAN;
}

bool worksheet_has(const struct worksheet *sheet, enum worksheet_key key)
{
    return sheet->origin[key] != ORIGIN_NONE;
}

/* ---- reading ---- */

/* Two counts that are said either way: 8 turns, 8 requests; 70B, 70B parameters. */
static bool unit_fits(const struct quantity *quantity, enum unit unit, enum unit per)
{
    const bool bare = quantity->unit == UNIT_NONE && quantity->per == UNIT_NONE;
    if (bare) return unit != UNIT_BYTE && unit != UNIT_SECOND && unit != UNIT_FLOP;
    if (unit == UNIT_TURN && quantity->unit == UNIT_REQUEST) return quantity->per == UNIT_NONE;
    return quantity->unit == unit && quantity->per == per;
}

enum status figure_read(double *out, const char *name, const char *words, enum unit unit,
                        enum unit per, double scale, enum number_style style, struct error *err)
{
    struct quantity quantity;
    const size_t size = strlen(words);
    const bool read = quantity_parse(&quantity, words, size, style);
    if (read && quantity.size == size && quantity.ambiguous)
        return error_set(err, STATUS_USAGE,
                         _("%s: %s can be read in two ways: %g or %g; write it without a mark for "
                           "thousands"),
                         name, words, quantity.value, quantity.other);
    if (read && quantity.size == size && unit_fits(&quantity, unit, per)) {
        const bool bare = quantity.unit == UNIT_NONE;
        *out = bare ? quantity.value : quantity.value * scale;
        return STATUS_OK;
    }
    struct text expected = {0};
    unit_describe(&expected, unit, per);
    enum status status;
    if (read && quantity.size < size)
        status = error_set(err, STATUS_USAGE,
                           _("%s: expected %s; \"%s\" is not understood from "
                             "\"%s\" on"),
                           name, text_string(&expected), words, words + quantity.size);
    else
        status = error_set(err, STATUS_USAGE, _("%s: expected %s, got %s"), name,
                           text_string(&expected), *words ? words : "\"\"");
    text_done(&expected);
    return status;
}

static bool dtype_bytes(double *out, const char *name)
{
    static const struct {
        const char *name;
        double bytes;
    } dtypes[] = {
        {"fp32", 4}, {"f32", 4},  {"bf16", 2},  {"fp16", 2},  {"f16", 2},
        {"fp8", 1},  {"int8", 1}, {"int4", .5}, {"fp4", 0.5},
    };
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcasecmp(dtypes[i].name, name) == 0) {
            *out = dtypes[i].bytes;
            return true;
        }
    return false;
}

static enum status set_name(char out[64], const char *key, const char *value, struct error *err)
{
    if (!*value || strlen(value) > 63)
        return error_set(err, STATUS_USAGE, _("%s: a name of 1 to 63 letters"), key);
    snprintf(out, 64, "%s", value);
    return STATUS_OK;
}

/* A word on the command line takes the place of what a file said about the same thing: another GPU has
 * another memory, and a decode rate belongs to one model on one GPU at one dtype. */
static void forget_replaced(struct worksheet *sheet, const char *key, enum worksheet_origin origin)
{
    static const struct {
        const char *key;
        enum worksheet_key gone[10];
        int n;
    } replaced[] = {
        {"model",
         {KEY_PARAMS, KEY_ACTIVE, KEY_EXPERTS, KEY_EXPERTS_USED, KEY_LAYERS, KEY_HEADS,
          KEY_KV_HEADS, KEY_HEAD_DIM, KEY_DECODE, KEY_BATCH},
         10},
        {"gpu",
         {KEY_MEMORY, KEY_BANDWIDTH, KEY_FLOPS, KEY_NODE_FLOPS, KEY_INTERCONNECT, KEY_PRICE,
          KEY_DECODE, KEY_BATCH},
         8},
        {"dtype", {KEY_FLOPS, KEY_NODE_FLOPS, KEY_DECODE}, 3},
        {"params", {KEY_ACTIVE}, 1},
        {"flops", {KEY_NODE_FLOPS}, 1},
        {"gpus_per_node", {KEY_NODE_FLOPS, KEY_DECODE, KEY_RESERVE, KEY_TP}, 4},
        {"reserve", {KEY_RESERVE_GPU}, 1},
        {"users", {KEY_RATE}, 1},
        {"turns", {KEY_RATE}, 1},
        {"batch", {KEY_DECODE}, 1},
        {"bandwidth_use", {KEY_DECODE}, 1},
    };
    for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++) {
        if (strcmp(replaced[i].key, key) != 0) continue;
        for (int j = 0; j < replaced[i].n; j++) {
            const enum worksheet_key gone = replaced[i].gone[j];
            if (sheet->origin[gone] >= origin) continue;
            sheet->origin[gone] = ORIGIN_NONE;
            sheet->value[gone] = NAN;
        }
    }
}

enum status worksheet_set(struct worksheet *sheet, const char *key, const char *value,
                          enum number_style style, enum worksheet_origin origin, struct error *err)
{
    forget_replaced(sheet, key, origin);
    if (strcmp(key, "model") == 0) return set_name(sheet->model, key, value, err);
    if (strcmp(key, "gpu") == 0) return set_name(sheet->gpu, key, value, err);
    int i = 0;
    while (i < WORKSHEET_KEYS && strcmp(worksheet_entries[i].name, key) != 0) i++;
    if (i == WORKSHEET_KEYS)
        return error_set(err, STATUS_USAGE, _("%s: no such key; lcx plan keys lists them"), key);

    const struct worksheet_entry *entry = &worksheet_entries[i];
    double number;
    struct quantity daily;
    const bool dtype = (i == KEY_DTYPE || i == KEY_KV_DTYPE) && dtype_bytes(&number, value);
    if (!dtype && i == KEY_USERS && quantity_parse(&daily, value, strlen(value), style) &&
        daily.size == strlen(value) && daily.per == UNIT_SECOND && !daily.ambiguous &&
        (daily.unit == UNIT_USER || daily.unit == UNIT_NONE)) {
        number = daily.value * 86400; /* 10M users/day */
    } else if (!dtype) {
        const enum status status =
            figure_read(&number, key, value, entry->unit, entry->per, entry->scale, style, err);
        if (status) return status;
    }
    if (!(number >= entry->low && number <= entry->high))
        return error_set(err, STATUS_USAGE, _("%s: %s is out of its bounds, %g to %g"), key, value,
                         entry->low, entry->high);
    if (entry->whole && number != floor(number))
        return error_set(err, STATUS_USAGE, _("%s: %s is not a whole number"), key, value);
    sheet->value[i] = number;
    sheet->origin[i] = origin;
    return STATUS_OK;
}

enum status worksheet_load(struct worksheet *sheet, const char *path, struct error *err)
{
    struct rows rows;
    enum status status = rows_load(&rows, path, err);
    if (status) return status;
    if (rows.n != 1)
        status = error_set(err, STATUS_FORMAT,
                           _("%s: expected one worksheet of \"key: value\" lines, found %d"), path,
                           rows.n);
    for (int i = 0; rows.n == 1 && i < rows.rows[0].n_fields && !status; i++) {
        const struct field *field = &rows.rows[0].fields[i];
        status = worksheet_set(sheet, field->key, field->value, NUMBER_ENGLISH, ORIGIN_FILE, err);
        if (status) status = error_prefix(err, "%s:%zu", path, field->line);
    }
    rows_done(&rows);
    return status;
}

/* ---- what was not given ---- */

static void offer(struct worksheet *sheet, enum worksheet_key key, double value,
                  enum worksheet_origin origin)
{
    if (worksheet_has(sheet, key) || !(value > 0 || (origin == ORIGIN_DEFAULT && value == 0)))
        return;
    sheet->value[key] = value;
    sheet->origin[key] = origin;
}

static enum status take_model(struct worksheet *sheet, const struct shapes *shapes,
                              struct error *err)
{
    if (!sheet->model[0]) return STATUS_OK;
    const struct model_shape *model = shapes_model(shapes, sheet->model);
    if (!model)
        return error_set(err, STATUS_USAGE, _("model: no row \"%s\"; lcx plan models lists them"),
                         sheet->model);
    if (!worksheet_has(sheet, KEY_PARAMS)) /* given: another model of this shape */
        offer(sheet, KEY_ACTIVE, model->active, ORIGIN_TABLE);
    offer(sheet, KEY_PARAMS, model->parameters, ORIGIN_TABLE);
    offer(sheet, KEY_EXPERTS, model->experts, ORIGIN_TABLE);
    offer(sheet, KEY_EXPERTS_USED, model->experts_used, ORIGIN_TABLE);
    offer(sheet, KEY_LAYERS, model->layers, ORIGIN_TABLE);
    offer(sheet, KEY_HEADS, model->heads, ORIGIN_TABLE);
    offer(sheet, KEY_KV_HEADS, model->kv_heads, ORIGIN_TABLE);
    offer(sheet, KEY_HEAD_DIM, model->head_dim, ORIGIN_TABLE);
    return STATUS_OK;
}

static enum status take_gpu(struct worksheet *sheet, const struct shapes *shapes, struct error *err)
{
    if (!sheet->gpu[0]) return STATUS_OK;
    const struct gpu_shape *gpu = shapes_gpu(shapes, sheet->gpu);
    if (!gpu)
        return error_set(err, STATUS_USAGE, _("gpu: no row \"%s\"; lcx plan gpus lists them"),
                         sheet->gpu);
    const bool eight = sheet->value[KEY_DTYPE] <= 1 && gpu->fp8 > 0;
    offer(sheet, KEY_MEMORY, gpu->memory, ORIGIN_TABLE);
    offer(sheet, KEY_BANDWIDTH, gpu->bandwidth, ORIGIN_TABLE);
    if (!worksheet_has(sheet, KEY_NODE_FLOPS))
        offer(sheet, KEY_FLOPS, eight ? gpu->fp8 : gpu->bf16, ORIGIN_TABLE);
    offer(sheet, KEY_INTERCONNECT, gpu->interconnect, ORIGIN_TABLE);
    offer(sheet, KEY_PRICE, gpu->price * 3600, ORIGIN_TABLE);
    return STATUS_OK;
}

static enum status check_whole(const struct worksheet *sheet, struct error *err)
{
    static const enum worksheet_key needed[] = {KEY_PROMPT, KEY_OUTPUT, KEY_TTFT,     KEY_TPOT,
                                                KEY_PARAMS, KEY_LAYERS, KEY_KV_HEADS, KEY_HEAD_DIM,
                                                KEY_MEMORY, KEY_PRICE};
    struct text missing = {0};
    if (!worksheet_has(sheet, KEY_RATE) &&
        !(worksheet_has(sheet, KEY_USERS) && worksheet_has(sheet, KEY_TURNS)))
        text_add(&missing, " users, turns");
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!worksheet_has(sheet, needed[i]))
            text_format(&missing, "%s %s", missing.size ? "," : "",
                        worksheet_entries[needed[i]].name);
    if (!worksheet_has(sheet, KEY_FLOPS) && !worksheet_has(sheet, KEY_NODE_FLOPS))
        text_format(&missing, "%s flops", missing.size ? "," : "");
    if (!worksheet_has(sheet, KEY_DECODE) && !worksheet_has(sheet, KEY_BANDWIDTH))
        text_format(&missing, "%s decode", missing.size ? "," : "");
    enum status status = STATUS_OK;
    if (missing.size)
        status = error_set(err, STATUS_USAGE,
                           _("these are missing:%s (model=NAME and gpu=NAME give the figures of a "
                             "row; lcx plan keys explains each)"),
                           text_string(&missing));
    text_done(&missing);
    return status;
}

enum status worksheet_fill(struct worksheet *sheet, const struct shapes *shapes, struct error *err)
{
    offer(sheet, KEY_DTYPE, 2, ORIGIN_DEFAULT);
    enum status status = take_model(sheet, shapes, err);
    if (!status) status = take_gpu(sheet, shapes, err);
    if (!status) status = check_whole(sheet, err);
    if (status) return status;

    offer(sheet, KEY_PEAK, 3, ORIGIN_DEFAULT);
    offer(sheet, KEY_CACHED, 0, ORIGIN_DEFAULT);
    offer(sheet, KEY_ACTIVE, sheet->value[KEY_PARAMS], ORIGIN_DEFAULT);
    offer(sheet, KEY_EXPERTS, 0, ORIGIN_DEFAULT);
    offer(sheet, KEY_EXPERTS_USED, 0, ORIGIN_DEFAULT);
    offer(sheet, KEY_KV_DTYPE, 2, ORIGIN_DEFAULT);
    offer(sheet, KEY_GPUS, 8, ORIGIN_DEFAULT);
    offer(sheet, KEY_PP, 1, ORIGIN_DEFAULT);
    offer(sheet, KEY_TP, sheet->value[KEY_GPUS], ORIGIN_DEFAULT);
    if (!worksheet_has(sheet, KEY_DECODE)) offer(sheet, KEY_BANDWIDTH_USE, 0.6, ORIGIN_DEFAULT);
    offer(sheet, KEY_MFU, 0.5, ORIGIN_DEFAULT);
    offer(sheet, KEY_HEADROOM, 1.3, ORIGIN_DEFAULT);
    if (!worksheet_has(sheet, KEY_RESERVE_GPU)) /* a tenth of the node */
        offer(sheet, KEY_RESERVE, 0.1 * sheet->value[KEY_GPUS] * sheet->value[KEY_MEMORY],
              ORIGIN_DEFAULT);
    if (sheet->value[KEY_ACTIVE] > sheet->value[KEY_PARAMS])
        return error_set(err, STATUS_USAGE, _("active: more than params"));
    if (sheet->value[KEY_EXPERTS_USED] > sheet->value[KEY_EXPERTS])
        return error_set(err, STATUS_USAGE, _("experts_used: more than experts"));
    return STATUS_OK;
}

/* ---- writing ---- */

/* The largest of k M G T P that keeps the value at 1 or more. */
static double scaled(double value, const char **prefix, bool bytes)
{
    static const char *const plain[] = {"", "k", "M", "B", "T"};
    static const char *const si[] = {"", "k", "M", "G", "T", "P", "E"};
    const int n = bytes ? 7 : 5;
    int i = 0;
    while (i + 1 < n && value >= 999.5) {
        value /= 1000;
        i++;
    }
    *prefix = bytes ? si[i] : plain[i];
    return value;
}

void figure_text(struct text *out, enum figure figure, const char *symbol, double value,
                 enum number_style style)
{
    const char *prefix = "";
    switch (figure) {
    case FIGURE_PLAIN: number_text(out, value, 4, style); break;
    case FIGURE_COUNT:
        if (value >= 100 || value == floor(value)) number_fixed(out, value, 0, style);
        else number_text(out, value, 3, style);
        break;
    case FIGURE_SHORT:
        value = scaled(value, &prefix,
                       strcmp(symbol, "FLOP/s") == 0 || strcmp(symbol, "B/s") == 0 ||
                           strcmp(symbol, "FLOP") == 0);
        number_text(out, value, 3, style);
        if (!strcmp(symbol, "FLOP/s") || !strcmp(symbol, "B/s") || !strcmp(symbol, "FLOP")) {
            text_format(out, " %s%s", prefix, symbol);
            return;
        }
        text_add(out, prefix);
        break;
    case FIGURE_BYTES: /* 0.44 GB, not 442 MB */
        value = scaled(value, &prefix, true);
        if (value >= 100 && prefix[0] == 'M') {
            value /= 1000;
            prefix = "G";
        }
        number_text(out, value, value < 10 ? 2 : 3, style);
        text_format(out, " %sB", prefix);
        return;
    case FIGURE_KIB:
        number_text(out, value / 1024, 3, style);
        text_add(out, " KiB");
        return;
    case FIGURE_TIME:
        number_text(out, value >= 1 ? value : value * 1e3, 3, style);
        text_add(out, value >= 1 ? " s" : " ms");
        return;
    case FIGURE_RATIO:
        number_text(out, value * 100, 3, style);
        text_add(out, "%");
        return;
    case FIGURE_NODES: number_fixed(out, value, 1, style); break;
    case FIGURE_USD:
        text_add(out, "$");
        if (value >= 1000) number_fixed(out, value, 0, style);
        else if (value >= 0.1 || value <= 0) number_fixed(out, value, 2, style);
        else number_fixed(out, value, 1 - (int)floor(log10(fmax(value, 1e-9))), style);
        text_add(out, symbol);
        return;
    }
    if (*symbol) text_format(out, "%s%s", strcmp(symbol, "x") == 0 ? "" : " ", symbol);
}
