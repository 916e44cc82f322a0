#include "plan/capacity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"

/* clang-format off */
const struct capacity_info capacity_infos[CAPACITY_STEPS] = {
    [STEP_REQUESTS] = {"requests", GROUP_TRAFFIC, UNIT_REQUEST, UNIT_SECOND, 1, FIGURE_COUNT, "req/s", N_("mean request rate")},
    [STEP_PEAK] = {"peak_rate", GROUP_TRAFFIC, UNIT_REQUEST, UNIT_SECOND, 1, FIGURE_COUNT, "req/s", N_("request rate at the peak")},
    [STEP_DECODE] = {"decode_rate", GROUP_TRAFFIC, UNIT_TOKEN, UNIT_SECOND, 1, FIGURE_SHORT, "tok/s", N_("output tokens to decode")},
    [STEP_PREFILL] = {"prefill_rate", GROUP_TRAFFIC, UNIT_TOKEN, UNIT_SECOND, 1, FIGURE_SHORT, "tok/s", N_("prompt tokens to compute")},
    [STEP_LATENCY] = {"latency", GROUP_TRAFFIC, UNIT_SECOND, UNIT_NONE, 1, FIGURE_TIME, "", N_("how long a request stays")},
    [STEP_IN_FLIGHT] = {"in_flight", GROUP_TRAFFIC, UNIT_SEQUENCE, UNIT_NONE, 1, FIGURE_COUNT, "", N_("requests at the same time (Little's law)")},

    [STEP_KV_TOKEN] = {"kv_token", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_KIB, "", N_("KV cache of one token")},
    [STEP_TOKENS] = {"tokens", GROUP_MEMORY, UNIT_TOKEN, UNIT_NONE, 1, FIGURE_COUNT, "tok", N_("mean length of a sequence in flight")},
    [STEP_KV_SEQUENCE] = {"kv_sequence", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", N_("KV cache of a sequence")},
    [STEP_KV_TOTAL] = {"kv_total", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", N_("KV cache of all sequences in flight")},
    [STEP_WEIGHTS] = {"weights", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", N_("weights in a node")},
    [STEP_NODE_MEMORY] = {"node_memory", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", N_("memory of the GPUs used in a node")},
    [STEP_LEFT] = {"left", GROUP_MEMORY, UNIT_BYTE, UNIT_NONE, 1, FIGURE_BYTES, "", N_("memory left for KV in a node")},
    [STEP_SEQUENCES] = {"sequences", GROUP_MEMORY, UNIT_SEQUENCE, UNIT_NONE, 1, FIGURE_COUNT, "", N_("sequences that fit in a node")},

    [STEP_BATCH] = {"batch", GROUP_NODES, UNIT_SEQUENCE, UNIT_NONE, 1, FIGURE_COUNT, "", N_("sequences decoded together in a replica")},
    [STEP_STEP_TIME] = {"step_time", GROUP_NODES, UNIT_SECOND, UNIT_NONE, 1, FIGURE_TIME, "", N_("one decode step, by the roofline")},
    [STEP_DECODE_NODE] = {"decode_node", GROUP_NODES, UNIT_TOKEN, UNIT_SECOND, 1, FIGURE_SHORT, "tok/s", N_("output tokens that a node decodes")},
    [STEP_FLOP_TOKEN] = {"flop_token", GROUP_NODES, UNIT_FLOP, UNIT_NONE, 1, FIGURE_SHORT, "FLOP", N_("work of a prompt token")},
    [STEP_PREFILL_NODE] = {"prefill_node", GROUP_NODES, UNIT_TOKEN, UNIT_SECOND, 1, FIGURE_SHORT, "tok/s", N_("prompt tokens that a node computes")},
    [STEP_NODES_MEMORY] = {"nodes_memory", GROUP_NODES, UNIT_NODE, UNIT_NONE, 1, FIGURE_NODES, "", N_("nodes by memory")},
    [STEP_NODES_DECODE] = {"nodes_decode", GROUP_NODES, UNIT_NODE, UNIT_NONE, 1, FIGURE_NODES, "", N_("nodes by decode")},
    [STEP_NODES_PREFILL] = {"nodes_prefill", GROUP_NODES, UNIT_NODE, UNIT_NONE, 1, FIGURE_NODES, "", N_("nodes by prefill")},
    [STEP_NODES_NEEDED] = {"nodes_needed", GROUP_NODES, UNIT_NODE, UNIT_NONE, 1, FIGURE_NODES, "", N_("nodes needed; decode and prefill share them")},
    [STEP_NODES] = {"nodes", GROUP_NODES, UNIT_NODE, UNIT_NONE, 1, FIGURE_COUNT, "", N_("nodes with headroom")},
    [STEP_GPUS] = {"gpus", GROUP_NODES, UNIT_GPU, UNIT_NONE, 1, FIGURE_COUNT, "", N_("GPUs")},

    [STEP_USD_DAY] = {"usd_day", GROUP_COST, UNIT_USD, UNIT_SECOND, 86400, FIGURE_USD, "", N_("cost of a day")},
    [STEP_USD_MTOK] = {"usd_mtok", GROUP_COST, UNIT_USD, UNIT_TOKEN, 1e6, FIGURE_USD, "", N_("cost of 1M output tokens")},
    [STEP_USD_REQUEST] = {"usd_request", GROUP_COST, UNIT_USD, UNIT_REQUEST, 1, FIGURE_USD, "", N_("cost of a request")},
    [STEP_USD_ACCEPTED] = {"usd_accepted", GROUP_COST, UNIT_USD, UNIT_NONE, 1, FIGURE_USD, "", N_("cost of an accepted answer")},
};
/* clang-format on */

/* ---- how the GPUs of a node are divided ---- */

struct layout {
    double replicas; /* in a node: whole, or 1/nodes when a replica spans several */
    double span;     /* nodes of a replica: 1 or more */
    double used;     /* GPUs of a node that do something */
};

static struct layout layout_of(const double *v)
{
    const double replica = v[KEY_TP] * v[KEY_PP];
    struct layout layout = {0};
    layout.span = ceil(replica / v[KEY_GPUS]);
    layout.replicas = layout.span > 1 ? 1 / layout.span : floor(v[KEY_GPUS] / replica);
    layout.used = layout.span > 1 ? replica / layout.span : layout.replicas * replica;
    return layout;
}

static void warn(struct capacity *out, enum capacity_warning warning, double a, double b)
{
    out->warned[warning] = true;
    out->warning[warning][0] = a;
    out->warning[warning][1] = b;
}

/* How often each number of the KV cache is kept: a rank has one head at least. */
static double kv_copies(const double *v) { return fmax(1, v[KEY_TP] / v[KEY_KV_HEADS]); }

static double gpu_flops(const struct worksheet *sheet)
{
    const double *v = sheet->value;
    return worksheet_has(sheet, KEY_NODE_FLOPS) ? v[KEY_NODE_FLOPS] / v[KEY_GPUS] : v[KEY_FLOPS];
}

/* ---- traffic ---- */

static void compute_traffic(struct capacity *out, const struct worksheet *sheet)
{
    const double *v = sheet->value;
    double *s = out->value;
    s[STEP_REQUESTS] =
        worksheet_has(sheet, KEY_RATE) ? v[KEY_RATE] : v[KEY_USERS] * v[KEY_TURNS] / 86400;
    s[STEP_PEAK] = s[STEP_REQUESTS] * v[KEY_PEAK];
    s[STEP_DECODE] = s[STEP_PEAK] * v[KEY_OUTPUT];
    s[STEP_PREFILL] = s[STEP_PEAK] * v[KEY_PROMPT] * (1 - v[KEY_CACHED]);
    s[STEP_LATENCY] = v[KEY_TTFT] + v[KEY_OUTPUT] * v[KEY_TPOT];
    s[STEP_IN_FLIGHT] = s[STEP_PEAK] * s[STEP_LATENCY];
    if (v[KEY_PROMPT] * (1 - v[KEY_CACHED]) <= 0) warn(out, WARNING_NO_PREFILL, 0, 0);
}

/* ---- memory ---- */

static bool compute_memory(struct capacity *out, const struct worksheet *sheet,
                           const struct layout *layout)
{
    const double *v = sheet->value;
    double *s = out->value;
    s[STEP_KV_TOKEN] =
        2 * v[KEY_LAYERS] * v[KEY_KV_HEADS] * v[KEY_HEAD_DIM] * v[KEY_KV_DTYPE] * kv_copies(v);
    s[STEP_TOKENS] = v[KEY_PROMPT] + v[KEY_OUTPUT] / 2;
    s[STEP_KV_SEQUENCE] = s[STEP_KV_TOKEN] * s[STEP_TOKENS];
    s[STEP_KV_TOTAL] = s[STEP_KV_SEQUENCE] * s[STEP_IN_FLIGHT];
    s[STEP_NODE_MEMORY] = layout->used * v[KEY_MEMORY];
    s[STEP_WEIGHTS] = v[KEY_PARAMS] * v[KEY_DTYPE] * layout->replicas;

    const double reserve =
        worksheet_has(sheet, KEY_RESERVE_GPU) ? v[KEY_RESERVE_GPU] * layout->used : v[KEY_RESERVE];
    const double left = s[STEP_NODE_MEMORY] - s[STEP_WEIGHTS] - reserve;
    if (s[STEP_WEIGHTS] > s[STEP_NODE_MEMORY]) {
        warn(out, WARNING_WEIGHTS, s[STEP_WEIGHTS] / layout->replicas,
             s[STEP_NODE_MEMORY] / layout->replicas);
        return false;
    }
    if (left < s[STEP_KV_SEQUENCE] * layout->replicas) {
        warn(out, WARNING_NO_ROOM, left / layout->replicas, s[STEP_KV_SEQUENCE]);
        return false;
    }
    s[STEP_LEFT] = left;
    s[STEP_SEQUENCES] = layout->replicas * floor(left / layout->replicas / s[STEP_KV_SEQUENCE]);
    return true;
}

/* ---- the roofline ---- */

/* Bytes of weights that a step over `batch` sequences reads. */
static double weights_read(const double *v, double batch)
{
    const double used = v[KEY_EXPERTS] > 0 ? v[KEY_EXPERTS_USED] / v[KEY_EXPERTS] : 1;
    if (used >= 1 || used <= 0) return v[KEY_PARAMS] * v[KEY_DTYPE];
    const double routed = (v[KEY_PARAMS] - v[KEY_ACTIVE]) / (1 - used);
    const double shared = v[KEY_PARAMS] - routed;
    return (shared + routed * (1 - pow(1 - used, batch))) * v[KEY_DTYPE];
}

/* Seconds for a step that gives each of `batch` sequences a token, at these shares of the peaks. */
static double step_time(const struct worksheet *sheet, double kv_sequence, double batch,
                        double bandwidth_use, double mfu)
{
    const double *v = sheet->value;
    const double micro = fmax(1, batch / v[KEY_PP]);
    const double bytes = weights_read(v, micro) + micro * kv_sequence;
    const double work = 2 * v[KEY_ACTIVE] * micro;
    return fmax(bytes / (v[KEY_TP] * v[KEY_BANDWIDTH] * bandwidth_use),
                work / (v[KEY_TP] * gpu_flops(sheet) * mfu));
}

/* The largest batch up to `most` whose step stays within tpot; 1 when none does. */
static double best_batch(const struct worksheet *sheet, double kv_sequence, double most)
{
    const double *v = sheet->value;
    double low = 1, high = fmax(1, floor(most));
    while (low < high) {
        const double middle = ceil((low + high) / 2);
        const double time = step_time(sheet, kv_sequence, middle, v[KEY_BANDWIDTH_USE], v[KEY_MFU]);
        if (time <= v[KEY_TPOT]) low = middle;
        else high = middle - 1;
    }
    return low;
}

static void compute_decode(struct capacity *out, const struct worksheet *sheet,
                           const struct layout *layout)
{
    const double *v = sheet->value;
    double *s = out->value;
    const double most = s[STEP_SEQUENCES] / layout->replicas;
    const bool known = worksheet_has(sheet, KEY_BANDWIDTH);
    if (known) {
        const double alone = step_time(sheet, s[STEP_KV_SEQUENCE], 1, 1, 1);
        if (alone > v[KEY_TPOT]) warn(out, WARNING_TPOT, alone, v[KEY_TPOT]);
    }
    if (worksheet_has(sheet, KEY_DECODE)) {
        s[STEP_DECODE_NODE] = v[KEY_DECODE];
        if (!known) return;
        const double peak =
            layout->replicas * most / step_time(sheet, s[STEP_KV_SEQUENCE], most, 1, 1);
        if (v[KEY_DECODE] > peak) warn(out, WARNING_ROOFLINE, v[KEY_DECODE], peak);
        return;
    }
    out->roofline = true;
    s[STEP_BATCH] = worksheet_has(sheet, KEY_BATCH) ? fmin(v[KEY_BATCH], most)
                                                    : best_batch(sheet, s[STEP_KV_SEQUENCE], most);
    s[STEP_STEP_TIME] =
        step_time(sheet, s[STEP_KV_SEQUENCE], s[STEP_BATCH], v[KEY_BANDWIDTH_USE], v[KEY_MFU]);
    s[STEP_DECODE_NODE] = layout->replicas * s[STEP_BATCH] / s[STEP_STEP_TIME];
    if (s[STEP_STEP_TIME] > v[KEY_TPOT]) warn(out, WARNING_STEP, s[STEP_STEP_TIME], v[KEY_TPOT]);
}

/* ---- nodes and cost ---- */

static void compute_prefill(struct capacity *out, const struct worksheet *sheet,
                            const struct layout *layout)
{
    const double *v = sheet->value;
    double *s = out->value;
    const double reached = layout->used * gpu_flops(sheet) * v[KEY_MFU];
    s[STEP_FLOP_TOKEN] = 2 * v[KEY_ACTIVE];
    s[STEP_PREFILL_NODE] = reached / s[STEP_FLOP_TOKEN];

    const double new_tokens = v[KEY_PROMPT] * (1 - v[KEY_CACHED]);
    const double alone = new_tokens / (s[STEP_PREFILL_NODE] / layout->replicas);
    if (alone > v[KEY_TTFT]) warn(out, WARNING_TTFT, alone, v[KEY_TTFT]);
    if (worksheet_has(sheet, KEY_HEADS) && new_tokens > 0) {
        /* a new token sees the cached part and half of the new one: 4 FLOP a number */
        const double seen = v[KEY_PROMPT] * v[KEY_CACHED] + new_tokens / 2;
        const double attention = 4 * v[KEY_LAYERS] * v[KEY_HEADS] * v[KEY_HEAD_DIM] * seen;
        if (attention > 0.1 * s[STEP_FLOP_TOKEN])
            warn(out, WARNING_ATTENTION, attention / s[STEP_FLOP_TOKEN], 0);
    }
}

static double buy(double nodes, const double *v, const struct layout *layout)
{
    return fmax(0, ceil(nodes * v[KEY_HEADROOM] / layout->span - 1e-9)) * layout->span;
}

static void compute_nodes(struct capacity *out, const struct worksheet *sheet,
                          const struct layout *layout)
{
    const double *v = sheet->value;
    double *s = out->value;
    const double memory = s[STEP_NODES_MEMORY] = s[STEP_IN_FLIGHT] / s[STEP_SEQUENCES];
    const double decode = s[STEP_NODES_DECODE] = s[STEP_DECODE] / s[STEP_DECODE_NODE];
    const double prefill = s[STEP_NODES_PREFILL] = s[STEP_PREFILL] / s[STEP_PREFILL_NODE];
    const double compute = decode + prefill;

    s[STEP_NODES_NEEDED] = fmax(memory, compute);
    s[STEP_NODES] = buy(s[STEP_NODES_NEEDED], v, layout);
    s[STEP_GPUS] = s[STEP_NODES] * v[KEY_GPUS];
    out->nodes_no_prefill = buy(fmax(memory, decode), v, layout);
    out->decode_share = compute > 0 ? decode / compute : 0;
    out->binding = memory > compute    ? BINDING_MEMORY
                   : decode >= prefill ? BINDING_DECODE
                                       : BINDING_PREFILL;
    const double least = fmin(memory, compute);
    out->binding_ratio = least > 0 ? s[STEP_NODES_NEEDED] / least : 1;
}

static void compute_cost(struct capacity *out, const struct worksheet *sheet)
{
    const double *v = sheet->value;
    double *s = out->value;
    const double requests = s[STEP_REQUESTS] * 86400;
    s[STEP_USD_DAY] = s[STEP_GPUS] * v[KEY_PRICE] * 24;
    if (requests <= 0) return;
    s[STEP_USD_MTOK] = s[STEP_USD_DAY] / (requests * v[KEY_OUTPUT]) * 1e6;
    s[STEP_USD_REQUEST] = s[STEP_USD_DAY] / requests;
    if (worksheet_has(sheet, KEY_ACCEPTED))
        s[STEP_USD_ACCEPTED] = s[STEP_USD_REQUEST] / v[KEY_ACCEPTED];
}

static void warn_layout(struct capacity *out, const struct worksheet *sheet,
                        const struct layout *layout)
{
    const double *v = sheet->value;
    if (v[KEY_TP] > v[KEY_KV_HEADS]) warn(out, WARNING_TP_HEADS, kv_copies(v), 0);
    if (v[KEY_TP] > v[KEY_GPUS]) warn(out, WARNING_TP_NODE, v[KEY_TP], v[KEY_GPUS]);
    if (v[KEY_TP] > 1 && worksheet_has(sheet, KEY_INTERCONNECT) && v[KEY_INTERCONNECT] < 100e9)
        warn(out, WARNING_LINK, v[KEY_INTERCONNECT], 0);
    if (layout->used < v[KEY_GPUS]) warn(out, WARNING_IDLE, v[KEY_GPUS] - layout->used, 0);
    if (v[KEY_PP] > 1) warn(out, WARNING_PIPELINE, 0, 0);
    if (v[KEY_HEADROOM] <= 1) warn(out, WARNING_HEADROOM, 0, 0);
}

void capacity_compute(struct capacity *out, const struct worksheet *sheet)
{
    *out = (struct capacity){0};
    for (int i = 0; i < CAPACITY_STEPS; i++) out->value[i] = NAN;
    out->nodes_no_prefill = NAN;
    const struct layout layout = layout_of(sheet->value);

    compute_traffic(out, sheet);
    warn_layout(out, sheet, &layout);
    if (!compute_memory(out, sheet, &layout)) return;
    compute_decode(out, sheet, &layout);
    compute_prefill(out, sheet, &layout);
    compute_nodes(out, sheet, &layout);
    compute_cost(out, sheet);
    out->fits = true;
}

/* ---- words ---- */

const char *capacity_formula(const struct capacity *capacity, const struct worksheet *sheet,
                             enum capacity_step step)
{
    const struct layout layout = layout_of(sheet->value);
    const bool one = layout.replicas == 1;
    switch (step) {
    case STEP_REQUESTS: return worksheet_has(sheet, KEY_RATE) ? "rate" : "users x turns / 86,400 s";
    case STEP_PEAK: return "requests x peak";
    case STEP_DECODE: return "peak_rate x output";
    case STEP_PREFILL: return "peak_rate x prompt x (1 - cached)";
    case STEP_LATENCY: return "ttft + output x tpot";
    case STEP_IN_FLIGHT: return "peak_rate x latency";
    case STEP_KV_TOKEN:
        return capacity->warned[WARNING_TP_HEADS]
                   ? "2 x layers x kv_heads x head_dim x kv_dtype x tp / kv_heads"
                   : "2 x layers x kv_heads x head_dim x kv_dtype";
    case STEP_TOKENS: return "prompt + output / 2";
    case STEP_KV_SEQUENCE: return "kv_token x tokens";
    case STEP_KV_TOTAL: return "kv_sequence x in_flight";
    case STEP_WEIGHTS: return one ? "params x dtype" : "params x dtype x replicas";
    case STEP_NODE_MEMORY: return "gpus_used x memory";
    case STEP_LEFT:
        return worksheet_has(sheet, KEY_RESERVE_GPU)
                   ? "node_memory - weights - gpus_used x reserve_gpu"
                   : "node_memory - weights - reserve";
    case STEP_SEQUENCES:
        return one ? "floor(left / kv_sequence)"
                   : "replicas x floor(left / replicas / kv_sequence)";
    case STEP_BATCH:
        return worksheet_has(sheet, KEY_BATCH)
                   ? "min(batch, sequences / replicas)"
                   : "max b: b <= sequences / replicas, step_time(b) <= tpot";
    case STEP_STEP_TIME:
        return "max((weights_read + batch / pp x kv_sequence) / (tp x bandwidth x bandwidth_use), "
               "batch x flop_token / (tp x pp x flops x mfu))";
    case STEP_DECODE_NODE:
        return !capacity->roofline ? "decode"
               : one               ? "batch / step_time"
                                   : "replicas x batch / step_time";
    case STEP_FLOP_TOKEN: return "2 x active";
    case STEP_PREFILL_NODE:
        return worksheet_has(sheet, KEY_NODE_FLOPS) ? "node_flops x mfu / flop_token"
                                                    : "gpus_used x flops x mfu / flop_token";
    case STEP_NODES_MEMORY: return "in_flight / sequences";
    case STEP_NODES_DECODE: return "decode_rate / decode_node";
    case STEP_NODES_PREFILL: return "prefill_rate / prefill_node";
    case STEP_NODES_NEEDED: return "max(nodes_memory, nodes_decode + nodes_prefill)";
    case STEP_NODES:
        return layout.span > 1 ? "ceil(nodes_needed x headroom x replicas) / replicas"
                               : "ceil(nodes_needed x headroom)";
    case STEP_GPUS: return "nodes x gpus_per_node";
    case STEP_USD_DAY: return "gpus x price x 24 h";
    case STEP_USD_MTOK: return "usd_day / (requests x 86,400 s x output) x 1,000,000";
    case STEP_USD_REQUEST: return "usd_day / (requests x 86,400 s)";
    case STEP_USD_ACCEPTED: return "usd_request / accepted";
    case CAPACITY_STEPS: break;
    }
    return "";
}

const char *const capacity_warning_names[CAPACITY_WARNINGS] = {
    "weights",   "no_room",   "no_prefill", "tp_over_kv_heads", "tp_over_node",
    "slow_link", "idle_gpus", "tpot",       "step_time",        "decode",
    "ttft",      "attention", "pipeline",   "headroom",
};

void capacity_warning_text(struct text *out, const struct capacity *capacity,
                           enum capacity_warning warning, enum number_style style)
{
    static const enum figure figures[CAPACITY_WARNINGS] = {
        [WARNING_WEIGHTS] = FIGURE_BYTES,   [WARNING_NO_ROOM] = FIGURE_BYTES,
        [WARNING_TP_HEADS] = FIGURE_PLAIN,  [WARNING_TP_NODE] = FIGURE_PLAIN,
        [WARNING_LINK] = FIGURE_SHORT,      [WARNING_IDLE] = FIGURE_PLAIN,
        [WARNING_TPOT] = FIGURE_TIME,       [WARNING_STEP] = FIGURE_TIME,
        [WARNING_ROOFLINE] = FIGURE_SHORT,  [WARNING_TTFT] = FIGURE_TIME,
        [WARNING_ATTENTION] = FIGURE_RATIO,
    };
    const char *symbol = warning == WARNING_LINK       ? "B/s"
                         : warning == WARNING_ROOFLINE ? "tok/s"
                                                       : "";
    struct text first = {0}, second = {0};
    figure_text(&first, figures[warning], symbol, capacity->warning[warning][0], style);
    figure_text(&second, figures[warning], symbol, capacity->warning[warning][1], style);
    const char *a = text_string(&first), *b = text_string(&second);
    switch (warning) {
    case WARNING_WEIGHTS:
        text_format(out,
                    _("the weights do not fit: %s in a replica of %s; raise tp or pp, or use a "
                      "smaller dtype"),
                    a, b);
        break;
    case WARNING_NO_ROOM:
        text_format(out,
                    _("nothing fits beside the weights: %s is left in a replica, one sequence "
                      "takes %s"),
                    a, b);
        break;
    case WARNING_NO_PREFILL:
        text_add(out,
                 _("there is no prefill: prompt is 0 or all of it is cached; real prompts have "
                   "to be computed"));
        break;
    case WARNING_TP_HEADS:
        text_format(out, _("tp is above kv_heads: the KV cache is kept %s times"), a);
        break;
    case WARNING_TP_NODE:
        text_format(out,
                    _("tp %s leaves the node of %s GPUs: every layer waits for the network; use "
                      "pp between nodes"),
                    a, b);
        break;
    case WARNING_LINK:
        text_format(out,
                    _("tensor parallel over a link of %s: communication is not counted here and "
                      "will be felt"),
                    a);
        break;
    case WARNING_IDLE:
        text_format(out, _("GPUs of each node without work, though paid: %s"), a);
        break;
    case WARNING_TPOT:
        text_format(out,
                    _("a token takes %s even alone at the full rates of the hardware, more than "
                      "tpot %s; raise tp or use a smaller dtype"),
                    a, b);
        break;
    case WARNING_STEP:
        text_format(out, _("a decode step takes %s at this batch, more than tpot %s"), a, b);
        break;
    case WARNING_ROOFLINE:
        text_format(out, _("decode %s is above what the hardware can do with all that fits: %s"), a,
                    b);
        break;
    case WARNING_TTFT:
        text_format(out,
                    _("one prompt takes %s to compute with nobody else there, more than ttft %s"),
                    a, b);
        break;
    case WARNING_ATTENTION:
        text_format(out, _("prompts are long: attention adds %s to prefill and is not counted"), a);
        break;
    case WARNING_PIPELINE:
        text_add(out, _("pipeline bubbles are not counted; with pp above 1 expect less"));
        break;
    case WARNING_HEADROOM:
        text_add(out, _("there is no headroom: a failed node or a higher peak is an outage"));
        break;
    case CAPACITY_WARNINGS: break;
    }
    text_done(&first);
    text_done(&second);
}

/* ---- a candidate's estimate ---- */

const char *const capacity_verdict_names[] = {"close", "order", "unit", "wrong"};

struct capacity_check capacity_check(double estimate, double computed)
{
    static const struct {
        double factor;
        const char *reason;
    } units[] = {
        {8, N_("bits for bytes, or GPUs for nodes")},
        {24, N_("hours for days")},
        {60, N_("minutes for seconds")},
        {100, N_("per cent for a share")},
        {1000, N_("one step of k, M, G")},
        {1024, N_("one step of Ki, Mi, Gi")},
        {1440, N_("minutes for days")},
        {3600, N_("hours for seconds")},
        {86400, N_("days for seconds")},
        {1e6, N_("two steps of k, M, G")},
        {1024.0 * 1024, N_("two steps of Ki, Mi, Gi")},
        {1e9, N_("three steps of k, M, G")},
    };
    struct capacity_check check = {.verdict = VERDICT_WRONG, .ratio = NAN};
    if (!(computed > 0)) {
        if (estimate == computed) check = (struct capacity_check){.ratio = 1};
        return check;
    }
    check.ratio = estimate / computed;
    const double unit = pow(10, floor(log10(computed)));
    if (fabs(estimate - computed) <= 0.5 * unit) check.verdict = VERDICT_CLOSE;
    else if (check.ratio >= 0.5 && check.ratio <= 2) check.verdict = VERDICT_ORDER;
    if (check.verdict != VERDICT_WRONG || !(estimate > 0)) return check;

    const double off = fmax(check.ratio, 1 / check.ratio);
    double nearest = log(1.15);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const double distance = fabs(log(off / units[i].factor));
        if (distance >= nearest) continue;
        nearest = distance;
        check.verdict = VERDICT_UNIT;
        check.factor = units[i].factor;
        check.reason = units[i].reason;
    }
    return check;
}

/* The end of "key=value" at `words`: a comma that another key follows. Thousands have digits there. */
static size_t pair_length(const char *words)
{
    size_t i = 0;
    for (; words[i]; i++) {
        if (words[i] != ',') continue;
        size_t j = i + 1;
        while (words[j] == ' ') j++;
        const size_t name = strspn(words + j, "abcdefghijklmnopqrstuvwxyz_");
        if (name && words[j + name] == '=') return i;
    }
    return i;
}

static enum status read_pair(struct capacity_estimate *estimate, const char *pair,
                             enum number_style style, struct error *err)
{
    const char *equals = strchr(pair, '=');
    if (!equals) return error_set(err, STATUS_USAGE, _("\"%s\": expected step=value"), pair);
    const size_t length = (size_t)(equals - pair);
    int step = 0;
    while (step < CAPACITY_STEPS && !(strlen(capacity_infos[step].name) == length &&
                                      memcmp(capacity_infos[step].name, pair, length) == 0))
        step++;
    if (step == CAPACITY_STEPS)
        return error_set(err, STATUS_USAGE,
                         _("%.*s: no such step; the names are those in the first column of the "
                           "worksheet"),
                         (int)length, pair);
    for (int i = 0; i < estimate->n; i++)
        if (estimate->lines[i].step == (enum capacity_step)step)
            return error_set(err, STATUS_USAGE, _("%.*s: given twice"), (int)length, pair);

    const struct capacity_info *info = &capacity_infos[step];
    struct quantity quantity; /* two readings: neither may be held against anyone */
    if (quantity_parse(&quantity, equals + 1, strlen(equals + 1), style) && quantity.ambiguous)
        return figure_read(&quantity.value, info->name, equals + 1, info->unit, info->per,
                           info->scale, style, err);
    const int n = estimate->n++;
    struct error why = {0};
    double value;
    estimate->lines[n].step = (enum capacity_step)step;
    snprintf(estimate->lines[n].words, sizeof estimate->lines[n].words, "%s", equals + 1);
    enum status status = figure_read(&value, info->name, equals + 1, info->unit, info->per,
                                     info->scale, style, &why);
    if (status && info->per) { /* $44,640 for the cost of a day */
        struct error again;
        status =
            figure_read(&value, info->name, equals + 1, info->unit, UNIT_NONE, 1, style, &again);
        if (status == STATUS_OK && info->unit != UNIT_USD) status = STATUS_USAGE;
    }
    if (status && info->unit == UNIT_SEQUENCE)
        status =
            figure_read(&value, info->name, equals + 1, UNIT_REQUEST, UNIT_NONE, 1, style, NULL);
    estimate->lines[n].value = status ? NAN : value;
    if (status) { /* the line itself has the name */
        const size_t name = length + strlen(": ");
        snprintf(estimate->lines[n].why, sizeof estimate->lines[n].why, "%.255s",
                 strlen(why.message) > name ? why.message + name : why.message);
    }
    return STATUS_OK;
}

enum status capacity_estimate_read(struct capacity_estimate *estimate, const char *words,
                                   enum number_style style, struct error *err)
{
    enum status status = STATUS_OK;
    *estimate = (struct capacity_estimate){0};
    while (*words && !status) {
        words += strspn(words, " ,");
        const size_t length = pair_length(words);
        if (!length) break;
        char *pair = text_printf("%.*s", (int)length, words);
        status = read_pair(estimate, pair, style, err);
        free(pair);
        words += length;
    }
    if (!status && !estimate->n)
        status = error_set(err, STATUS_USAGE, _("nothing to check: write step=value,step=value"));
    return status;
}

bool capacity_lacks_prefill(const struct capacity_estimate *estimate,
                            const struct capacity *capacity, bool *explains)
{
    bool sized = false, counted = false;
    double nodes = NAN;
    *explains = false;
    for (int i = 0; i < estimate->n; i++) {
        const enum capacity_step step = estimate->lines[i].step;
        const double value = estimate->lines[i].value;
        if (step == STEP_PREFILL || step == STEP_PREFILL_NODE || step == STEP_NODES_PREFILL)
            counted |= !(value <= 0);
        if (step >= STEP_NODES_NEEDED) sized = true;
        if (step == STEP_NODES) nodes = value;
        if (step == STEP_GPUS && isnan(nodes))
            nodes = value * capacity->value[STEP_NODES] / capacity->value[STEP_GPUS];
    }
    if (!sized || counted || !(capacity->value[STEP_NODES_PREFILL] > 0)) return false;
    *explains = !isnan(nodes) && capacity->nodes_no_prefill < capacity->value[STEP_NODES] &&
                fabs(nodes - capacity->nodes_no_prefill) <= 0.05 * capacity->nodes_no_prefill;
    return true;
}
