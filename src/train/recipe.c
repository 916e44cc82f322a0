#include "train/recipe.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"

/* ---- the table as data ---- */

enum kind { KIND_WHOLE, KIND_REAL, KIND_FLAG, KIND_WORD, KIND_TEXT };

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    double least, most;
    const char *const *words;
    bool free;
    const char *meaning;
};

static const struct setting settings[] = {
#define AT(name) offsetof(struct recipe, name)
#define WHOLE(name, otherwise, least, most, free, meaning) \
    {#name, KIND_WHOLE, AT(name), (double)(least), (double)(most), NULL, free, meaning},
#define REAL(name, otherwise, least, most, free, meaning) \
    {#name, KIND_REAL, AT(name), least, most, NULL, free, meaning},
#define FLAG(name, otherwise, free, meaning) \
    {#name, KIND_FLAG, AT(name), 0, 1, NULL, free, meaning},
#define WORD(name, otherwise, words, free, meaning) \
    {#name, KIND_WORD, AT(name), 0, 0, words, free, meaning},
#define TEXT(name, otherwise, free, meaning) \
    {#name, KIND_TEXT, AT(name), 0, 0, NULL, free, meaning},
    RECIPE(WHOLE, REAL, FLAG, WORD, TEXT)
#undef WHOLE
#undef REAL
#undef FLAG
#undef WORD
#undef TEXT
};
enum { N_SETTINGS = sizeof settings / sizeof *settings };

static void *field(const struct recipe *recipe, const struct setting *setting)
{
    return (char *)(uintptr_t)recipe + setting->offset;
}

static int64_t *whole_of(const struct recipe *r, const struct setting *s) { return field(r, s); }
static double *real_of(const struct recipe *r, const struct setting *s) { return field(r, s); }
static bool *flag_of(const struct recipe *r, const struct setting *s) { return field(r, s); }
static int *word_of(const struct recipe *r, const struct setting *s) { return field(r, s); }
static char **text_of(const struct recipe *r, const struct setting *s) { return field(r, s); }

void recipe_init(struct recipe *recipe)
{
#define WHOLE(name, otherwise, least, most, free, meaning) .name = otherwise,
#define REAL(name, otherwise, least, most, free, meaning) .name = otherwise,
#define FLAG(name, otherwise, free, meaning) .name = otherwise,
#define WORD(name, otherwise, words, free, meaning) .name = otherwise,
#define TEXT(name, otherwise, free, meaning) .name = text_copy(otherwise),
    *recipe = (struct recipe){RECIPE(WHOLE, REAL, FLAG, WORD, TEXT)};
#undef WHOLE
#undef REAL
#undef FLAG
#undef WORD
#undef TEXT
}

void recipe_done(struct recipe *recipe)
{
    for (int i = 0; i < N_SETTINGS; i++)
        if (settings[i].kind == KIND_TEXT) free(*text_of(recipe, &settings[i]));
    *recipe = (struct recipe){0};
}

/* ---- one setting ---- */

static void add_words(struct text *out, const char *const *words)
{
    for (int i = 0; words[i]; i++) text_format(out, "%s%s", i ? ", " : "", words[i]);
}

/* How unlike two names are: insertions, deletions, changes. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    int row[LONGEST + 1];
    const int m = (int)strlen(a), n = (int)strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; i <= m; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int above = row[j];
            int best = corner + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            corner = above;
            row[j] = best;
        }
    }
    return row[n];
}

static const struct setting *find(const char *name, struct error *err)
{
    const struct setting *nearest = &settings[0];
    for (int i = 0; i < N_SETTINGS; i++) {
        if (strcmp(settings[i].name, name) == 0) return &settings[i];
        if (distance(name, settings[i].name) < distance(name, nearest->name))
            nearest = &settings[i];
    }
    error_set(err, STATUS_USAGE, _("%s: there is no such setting; the nearest is %s"), name,
              nearest->name);
    return NULL;
}

static enum status set_number(struct recipe *recipe, const struct setting *setting,
                              const char *value, struct error *err)
{
    char *end;
    errno = 0;
    const double number = strtod(value, &end);
    const bool whole = setting->kind == KIND_WHOLE;
    if (end == value || *end || errno || !(number >= setting->least && number <= setting->most) ||
        (whole && number != floor(number)))
        return error_set(err, STATUS_USAGE,
                         whole ? _("%s: %s; a whole number from %.15g to %.15g is needed")
                               : _("%s: %s; a number from %.15g to %.15g is needed"),
                         setting->name, value, setting->least, setting->most);
    if (whole) *whole_of(recipe, setting) = (int64_t)number;
    else *real_of(recipe, setting) = number;
    return STATUS_OK;
}

static enum status set_flag(struct recipe *recipe, const struct setting *setting, const char *value,
                            struct error *err)
{
    const bool yes = !strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "1");
    const bool no = !strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "0");
    if (!yes && !no)
        return error_set(err, STATUS_USAGE, _("%s: %s; true or false is needed"), setting->name,
                         value);
    *flag_of(recipe, setting) = yes;
    return STATUS_OK;
}

static enum status set_word(struct recipe *recipe, const struct setting *setting, const char *value,
                            struct error *err)
{
    const int i = model_name_find(setting->words, value);
    if (i >= 0) {
        *word_of(recipe, setting) = i;
        return STATUS_OK;
    }
    struct text words = {0};
    add_words(&words, setting->words);
    error_set(err, STATUS_USAGE, _("%s: %s; one of these is needed: %s"), setting->name, value,
              text_string(&words));
    text_done(&words);
    return STATUS_USAGE;
}

enum status recipe_set(struct recipe *recipe, const char *name, const char *value,
                       struct error *err)
{
    if (strcmp(name, "preset") == 0) return recipe_preset(recipe, value, err);
    const struct setting *setting = find(name, err);
    if (!setting) return STATUS_USAGE;
    switch (setting->kind) {
    case KIND_WHOLE:
    case KIND_REAL: return set_number(recipe, setting, value, err);
    case KIND_FLAG: return set_flag(recipe, setting, value, err);
    case KIND_WORD: return set_word(recipe, setting, value, err);
    case KIND_TEXT: break;
    }
    free(*text_of(recipe, setting));
    *text_of(recipe, setting) = text_copy(value);
    return STATUS_OK;
}

enum status recipe_word(struct recipe *recipe, const char *word, struct error *err)
{
    const char *equals = strchr(word, '=');
    if (!equals || equals == word)
        return error_set(err, STATUS_USAGE, _("%s: name=value is needed"), word);
    char *name = text_printf("%.*s", (int)(equals - word), word);
    const enum status status = recipe_set(recipe, name, equals + 1, err);
    free(name);
    return status;
}

/* ---- presets ---- */

const char *const recipe_preset_names[] = {"tiny", "shakespeare-char", "llama-tiny", "gpt2-124m",
                                           NULL};

/* What each says beyond recipe_init(). */
static const char *const preset_words[][24] = {
    {"layers=4", "width=96", "heads=4", "context=96", "batch=8", "steps=2500", "rate=3e-3",
     "rate_least=3e-4", "warm_up=100", "valid_every=250", "sample_every=500", "save_every=500",
     NULL},
    {"layers=4", "width=128", "heads=4", "context=64", "batch=12", "steps=2000", "rate=1e-3",
     "rate_least=1e-4", "warm_up=100", "beta2=0.99", "dropout=0", "decay=0.1", "clip=1",
     "schedule=cosine", "bias=false", NULL},
    {"family=llama", "position=rope", "norm=rms", "activation=swiglu", "layers=4", "width=128",
     "heads=4", "kv_heads=2", "context=64", "batch=12", "steps=2000", "rate=1e-3",
     "rate_least=1e-4", NULL},
    {"layers=12", "width=768", "heads=12", "context=1024", "batch=4", "bias=true", "rate=6e-4",
     "rate_least=6e-5", "warm_up=2000", "beta2=0.95", "steps=600000", NULL},
};

enum status recipe_preset(struct recipe *recipe, const char *name, struct error *err)
{
    const int i = model_name_find(recipe_preset_names, name);
    if (i < 0) {
        struct text words = {0};
        add_words(&words, recipe_preset_names);
        error_set(err, STATUS_USAGE, _("%s: %s; one of these is needed: %s"), "preset", name,
                  text_string(&words));
        text_done(&words);
        return STATUS_USAGE;
    }
    for (int k = 0; preset_words[i][k]; k++)
        if (recipe_word(recipe, preset_words[i][k], err))
            check_failed("a preset is made of settings", __FILE__, __LINE__);
    return STATUS_OK;
}

/* ---- files ---- */

struct words {
    char *preset;
#define TEXT_FIELD(name) char *name;
#define WHOLE(name, otherwise, least, most, free, meaning) TEXT_FIELD(name)
#define REAL(name, otherwise, least, most, free, meaning) TEXT_FIELD(name)
#define FLAG(name, otherwise, free, meaning) TEXT_FIELD(name)
#define WORD(name, otherwise, words, free, meaning) TEXT_FIELD(name)
#define TEXT(name, otherwise, free, meaning) TEXT_FIELD(name)
    RECIPE(WHOLE, REAL, FLAG, WORD, TEXT)
};
#undef TEXT_FIELD

enum { VALUE_LIMIT = 4096 };
#define TEXT_FIELD(name) \
    CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct words, name, 0, \
                           VALUE_LIMIT),
static const cyaml_schema_field_t words_fields[] = {
    TEXT_FIELD(preset) RECIPE(WHOLE, REAL, FLAG, WORD, TEXT) CYAML_FIELD_END,
};
#undef TEXT_FIELD
static const cyaml_schema_value_t words_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct words, words_fields),
};

#define TEXT_FIELD(name) offsetof(struct words, name),
static const size_t words_offsets[N_SETTINGS] = {RECIPE(WHOLE, REAL, FLAG, WORD, TEXT)};
#undef TEXT_FIELD
#undef WHOLE
#undef REAL
#undef FLAG
#undef WORD
#undef TEXT

enum status recipe_file(struct recipe *recipe, const char *path, struct error *err)
{
    void *value;
    enum status status = yaml_load(&value, &words_schema, path, err);
    if (status) return status;
    const struct words *words = value;
    if (words->preset) status = recipe_preset(recipe, words->preset, err);
    for (int i = 0; i < N_SETTINGS && !status; i++) {
        char *word;
        memcpy(&word, (const char *)value + words_offsets[i], sizeof word);
        if (word) status = recipe_set(recipe, settings[i].name, word, err);
    }
    if (status) error_prefix(err, "%s", path);
    yaml_done(&words_schema, value);
    return status;
}

/* ---- as JSON ---- */

static json_t *value_json(const struct recipe *recipe, const struct setting *setting)
{
    switch (setting->kind) {
    case KIND_WHOLE: return json_integer(*whole_of(recipe, setting));
    case KIND_REAL: return json_real(*real_of(recipe, setting));
    case KIND_FLAG: return json_boolean(*flag_of(recipe, setting));
    case KIND_WORD: return json_string(setting->words[*word_of(recipe, setting)]);
    case KIND_TEXT: break;
    }
    const char *text = *text_of(recipe, setting);
    return json_text(text, strlen(text));
}

json_t *recipe_json(const struct recipe *recipe)
{
    json_t *object = json_object();
    for (int i = 0; i < N_SETTINGS; i++)
        json_object_set_new(object, settings[i].name, value_json(recipe, &settings[i]));
    return object;
}

/* A value as a word; the caller frees it. NULL for what is none. */
static char *word_json(const json_t *value)
{
    if (json_is_string(value)) return text_copy(json_string_value(value));
    if (json_is_integer(value)) return text_printf("%lld", (long long)json_integer_value(value));
    if (json_is_real(value)) return text_printf("%.17g", json_real_value(value));
    if (json_is_boolean(value)) return text_copy(json_is_true(value) ? "true" : "false");
    return NULL;
}

enum status recipe_from_json(struct recipe *recipe, const json_t *object, struct error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object)) return error_set(err, STATUS_FORMAT, _("the recipe is no object"));
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char *word = word_json(value);
        const enum status status =
            word ? recipe_set(recipe, name, word, err)
                 : error_set(err, STATUS_FORMAT, _("%s: no value that a setting has"), name);
        free(word);
        if (status) return STATUS_FORMAT;
    }
    return STATUS_OK;
}

static char *value_word(const struct recipe *recipe, const struct setting *setting)
{
    if (setting->kind == KIND_REAL) return text_printf("%g", *real_of(recipe, setting));
    json_t *value = value_json(recipe, setting);
    char *word = word_json(value);
    json_decref(value);
    return word;
}

void recipe_each(const struct recipe *recipe,
                 void (*each)(void *context, const char *name, const char *value,
                              const char *meaning),
                 void *context)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        char *word = value_word(recipe, &settings[i]);
        each(context, settings[i].name, word, _(settings[i].meaning));
        free(word);
    }
}

void recipe_differences(struct text *out, const struct recipe *a, const struct recipe *b)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        if (settings[i].free) continue;
        json_t *one = value_json(a, &settings[i]), *other = value_json(b, &settings[i]);
        if (!json_equal(one, other))
            text_format(out, "%s%s", out->size ? ", " : "", settings[i].name);
        json_decref(one);
        json_decref(other);
    }
}

/* ---- what follows from it ---- */

enum status recipe_model(struct model_config *config, const struct recipe *recipe, int V,
                         struct error *err)
{
    const int width = (int)recipe->width, heads = (int)recipe->heads;
    if (width % heads)
        return error_set(err, STATUS_USAGE,
                         _("width is %d, it must be a multiple of heads, which is %d"), width,
                         heads);
    int64_t F = recipe->feed_forward;
    if (!F && recipe->activation == MODEL_ACTIVATION_SWIGLU)
        F = (8 * (int64_t)width / 3 + 15) / 16 *
            16; /* as many numbers as two matrices of 4 widths */
    else if (!F) F = 4 * (int64_t)width;
    *config = (struct model_config){
        .family = (enum model_family)recipe->family,
        .L = (int)recipe->layers,
        .C = width,
        .H = heads,
        .KVH = recipe->kv_heads ? (int)recipe->kv_heads : heads,
        .D = width / heads,
        .F = (int)F,
        .V = V,
        .T = (int)recipe->context,
        .position = (enum model_position)recipe->position,
        .norm = (enum model_norm)recipe->norm,
        .norm_after = recipe->norm_after,
        .norm_eps = 1e-5f,
        .activation = (enum model_activation)recipe->activation,
        .bias = recipe->bias,
        .tied = recipe->tied,
        .rope_base = (float)recipe->rope_base,
        .rope_factor = 1.0f,
        .dropout = (float)recipe->dropout,
    };
    return model_config_check(config, err);
}

struct schedule recipe_schedule(const struct recipe *recipe)
{
    return (struct schedule){
        .kind = (enum schedule_kind)recipe->schedule,
        .peak = recipe->rate,
        .least = recipe->rate_least,
        .warm_up = recipe->warm_up,
        .steps = recipe->steps,
        .decay = recipe->rate_decay ? recipe->rate_decay : recipe->steps / 5,
    };
}

struct optimizer_settings recipe_optimizer(const struct recipe *recipe)
{
    return (struct optimizer_settings){
        .kind = (enum optimizer_kind)recipe->optimizer,
        .beta_1 = recipe->beta1,
        .beta_2 = recipe->beta2,
        .eps = recipe->epsilon,
        .momentum = recipe->momentum,
        .nesterov = recipe->nesterov,
        .muon_factor = recipe->muon_factor,
    };
}
