#include "plan/unit.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/locale.h"

/* What is left to read. Every look ahead goes through at(), which is 0 past the end. */
struct reader {
    const char *text;
    size_t size;
    size_t here;
    enum number_style style;
};

static unsigned char at(const struct reader *r, size_t i)
{
    return r->here + i < r->size ? (unsigned char)r->text[r->here + i] : 0;
}

static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_letter(unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* How many bytes a letter takes here: ASCII, á to ÿ and ×, the two signs for micro; 0: none. */
static size_t letter_at(const struct reader *r, size_t i)
{
    const unsigned char c = at(r, i), d = at(r, i + 1);
    if (is_letter(c)) return 1;
    return (c == 0xC3 && d >= 0x80) || (c == 0xC2 && d == 0xB5) || (c == 0xCE && d == 0xBC) ? 2 : 0;
}

/* How many bytes a space takes here: an ordinary one, U+00A0 or U+202F; 0: no space. */
static size_t space_at(const struct reader *r, size_t i)
{
    if (at(r, i) == ' ') return 1;
    if (at(r, i) == 0xC2 && at(r, i + 1) == 0xA0) return 2;
    if (at(r, i) == 0xE2 && at(r, i + 1) == 0x80 && at(r, i + 2) == 0xAF) return 3;
    return 0;
}

/* ---- the number ---- */

enum { RUN_LIMIT = 12, DIGIT_LIMIT = 40 };

/* Runs of digits and the marks between them: 1,234.5 is three runs, ',' and '.'. */
struct runs {
    int n;
    size_t begin[RUN_LIMIT], length[RUN_LIMIT];
    char mark[RUN_LIMIT]; /* before run i; ' ' for any space */
};

static void read_runs(struct runs *runs, const struct reader *r)
{
    size_t i = 0;
    runs->n = 0;
    while (runs->n < RUN_LIMIT) {
        const size_t begin = i;
        while (is_digit(at(r, i))) i++;
        runs->begin[runs->n] = begin;
        runs->length[runs->n++] = i - begin;

        const size_t space = space_at(r, i);
        const unsigned char c = at(r, i);
        if (c != ',' && c != '.' && !space) return;
        const size_t next = i + (space ? space : 1);
        if (!is_digit(at(r, next)) || runs->n == RUN_LIMIT) return;
        if (space) { /* groups of three after groups of three, or it is another number */
            const char before = runs->n > 1 ? runs->mark[runs->n - 1] : ' ';
            const bool three = is_digit(at(r, next + 1)) && is_digit(at(r, next + 2)) &&
                               !is_digit(at(r, next + 3));
            const size_t length = runs->length[runs->n - 1];
            if (!three || before != ' ' || (runs->n > 1 ? length != 3 : length > 3)) return;
            if (at(r, runs->begin[0]) == '0') return;
        }
        runs->mark[runs->n] = space ? ' ' : (char)c;
        i = next;
    }
}

/* Are runs 1 .. last groups of three behind a first of one to three digits? */
static bool is_grouped(const struct runs *runs, const struct reader *r, int last)
{
    if (runs->length[0] > 3 || at(r, runs->begin[0]) == '0') return false;
    for (int i = 1; i <= last; i++)
        if (runs->length[i] != 3 || runs->mark[i] != runs->mark[1]) return false;
    return true;
}

/* The value of runs 0 .. whole as an integer part and, if there is one, run `fraction`. */
static double value_of(const struct runs *runs, const struct reader *r, int whole, int fraction)
{
    char digits[2 * DIGIT_LIMIT + 2];
    size_t n = 0;
    double scale = 1;
    for (int i = 0; i <= whole; i++)
        for (size_t j = 0; j < runs->length[i]; j++) {
            if (n < DIGIT_LIMIT) digits[n++] = r->text[r->here + runs->begin[i] + j];
            else scale *= 10;
        }
    digits[n] = '\0';
    double value = strtod(digits, NULL) * scale; /* digits only: no locale is asked */
    if (fraction) {
        size_t m = 0;
        for (size_t j = 0; j < runs->length[fraction] && m < 15; j++)
            digits[m++] = r->text[r->here + runs->begin[fraction] + j];
        digits[m] = '\0';
        value += strtod(digits, NULL) / pow(10, (double)m);
    }
    return value;
}

static size_t end_of(const struct runs *runs, int last)
{
    return runs->begin[last] + runs->length[last];
}

/* Rules 1 to 4 of the header. Moves past the number. */
static void read_number(struct quantity *out, struct reader *r)
{
    struct runs runs;
    read_runs(&runs, r);
    const int n = runs.n;
    int whole = 0, fraction = 0; /* which runs are the integer part; the run of the fraction */
    const char first = n > 1 ? runs.mark[1] : 0, last = n > 1 ? runs.mark[n - 1] : 0;
    const bool spanish = r->style == NUMBER_SPANISH;

    out->ambiguous = false;
    if (n > 2 && first != last && is_grouped(&runs, r, n - 2) && last != ' ' &&
        (spanish || last == '.')) { /* 1 */
        whole = n - 2;
        fraction = n - 1;
    } else if (n > 1 && (n > 2 || first == ' ') && is_grouped(&runs, r, n - 1)) { /* 2 */
        whole = n - 1;
    } else if (n > 1 && is_grouped(&runs, r, 1)) { /* 4: one mark, three digits */
        if (first == ',' || first == ' ' || spanish) whole = 1;
        else fraction = 1;
        out->ambiguous = spanish && first != ' ' && n == 2;
    } else if (n > 1 && (first == '.' || (spanish && first == ','))) { /* 3 */
        fraction = 1;
    }
    out->value = value_of(&runs, r, whole, fraction);
    out->other = out->ambiguous ? value_of(&runs, r, 0, 1) : out->value;
    r->here += end_of(&runs, fraction ? fraction : whole);

    const bool sign = at(r, 1) == '-' || at(r, 1) == '+';
    if ((at(r, 0) == 'e' || at(r, 0) == 'E') && is_digit(at(r, 1 + sign))) {
        int exponent = 0;
        size_t i = 1 + sign;
        for (; is_digit(at(r, i)); i++)
            if (exponent < 1000) exponent = 10 * exponent + (at(r, i) - '0');
        const double factor = pow(10, at(r, 1) == '-' ? -exponent : exponent);
        out->value *= factor;
        out->other *= factor;
        r->here += i;
    }
}

/* ---- words ---- */

/* The run of letters `ahead` bytes from here: its length. */
static size_t word_length(const struct reader *r, size_t ahead)
{
    size_t n = 0, one;
    while ((one = letter_at(r, ahead + n)) != 0) n += one;
    return n;
}

static bool word_is(const struct reader *r, size_t ahead, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(r->text + r->here + ahead, word, length) == 0;
}

static bool word_is_exactly(const struct reader *r, size_t ahead, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(r->text + r->here + ahead, word, length) == 0;
}

/* Spaces from `ahead` on; how many bytes. */
static size_t spaces(const struct reader *r, size_t ahead)
{
    size_t n = 0, one;
    while ((one = space_at(r, ahead + n)) != 0) n += one;
    return n;
}

struct unit_word {
    const char *word;
    enum unit unit;
    double factor;
};

static const struct unit_word unit_words[] = {
    {"byte", UNIT_BYTE, 1},
    {"bytes", UNIT_BYTE, 1},
    {"bit", UNIT_BYTE, 0.125},
    {"bits", UNIT_BYTE, 0.125},
    {"s", UNIT_SECOND, 1},
    {"sec", UNIT_SECOND, 1},
    {"secs", UNIT_SECOND, 1},
    {"second", UNIT_SECOND, 1},
    {"seconds", UNIT_SECOND, 1},
    {"seg", UNIT_SECOND, 1},
    {"segundo", UNIT_SECOND, 1},
    {"segundos", UNIT_SECOND, 1},
    {"ms", UNIT_SECOND, 1e-3},
    {"millisecond", UNIT_SECOND, 1e-3},
    {"milliseconds", UNIT_SECOND, 1e-3},
    {"milisegundo", UNIT_SECOND, 1e-3},
    {"milisegundos", UNIT_SECOND, 1e-3},
    {"us", UNIT_SECOND, 1e-6},
    {"µs", UNIT_SECOND, 1e-6},
    {"μs", UNIT_SECOND, 1e-6},
    {"microsecond", UNIT_SECOND, 1e-6},
    {"microseconds", UNIT_SECOND, 1e-6},
    {"microsegundos", UNIT_SECOND, 1e-6},
    {"ns", UNIT_SECOND, 1e-9},
    {"min", UNIT_SECOND, 60},
    {"mins", UNIT_SECOND, 60},
    {"minute", UNIT_SECOND, 60},
    {"minutes", UNIT_SECOND, 60},
    {"minuto", UNIT_SECOND, 60},
    {"minutos", UNIT_SECOND, 60},
    {"h", UNIT_SECOND, 3600},
    {"hr", UNIT_SECOND, 3600},
    {"hrs", UNIT_SECOND, 3600},
    {"hour", UNIT_SECOND, 3600},
    {"hours", UNIT_SECOND, 3600},
    {"hora", UNIT_SECOND, 3600},
    {"horas", UNIT_SECOND, 3600},
    {"d", UNIT_SECOND, 86400},
    {"day", UNIT_SECOND, 86400},
    {"days", UNIT_SECOND, 86400},
    {"día", UNIT_SECOND, 86400},
    {"días", UNIT_SECOND, 86400},
    {"dia", UNIT_SECOND, 86400},
    {"dias", UNIT_SECOND, 86400},
    {"week", UNIT_SECOND, 604800},
    {"weeks", UNIT_SECOND, 604800},
    {"semana", UNIT_SECOND, 604800},
    {"semanas", UNIT_SECOND, 604800},
    {"tok", UNIT_TOKEN, 1},
    {"toks", UNIT_TOKEN, 1},
    {"token", UNIT_TOKEN, 1},
    {"tokens", UNIT_TOKEN, 1},
    {"req", UNIT_REQUEST, 1},
    {"reqs", UNIT_REQUEST, 1},
    {"request", UNIT_REQUEST, 1},
    {"requests", UNIT_REQUEST, 1},
    {"query", UNIT_REQUEST, 1},
    {"queries", UNIT_REQUEST, 1},
    {"message", UNIT_REQUEST, 1},
    {"messages", UNIT_REQUEST, 1},
    {"petición", UNIT_REQUEST, 1},
    {"peticion", UNIT_REQUEST, 1},
    {"peticiones", UNIT_REQUEST, 1},
    {"solicitud", UNIT_REQUEST, 1},
    {"solicitudes", UNIT_REQUEST, 1},
    {"consulta", UNIT_REQUEST, 1},
    {"consultas", UNIT_REQUEST, 1},
    {"mensaje", UNIT_REQUEST, 1},
    {"mensajes", UNIT_REQUEST, 1},
    {"turn", UNIT_TURN, 1},
    {"turns", UNIT_TURN, 1},
    {"turno", UNIT_TURN, 1},
    {"turnos", UNIT_TURN, 1},
    {"user", UNIT_USER, 1},
    {"users", UNIT_USER, 1},
    {"usuario", UNIT_USER, 1},
    {"usuarios", UNIT_USER, 1},
    {"dau", UNIT_USER, 1},
    {"flop", UNIT_FLOP, 1},
    {"USD", UNIT_USD, 1},
    {"dollar", UNIT_USD, 1},
    {"dollars", UNIT_USD, 1},
    {"dólar", UNIT_USD, 1},
    {"dólares", UNIT_USD, 1},
    {"dolares", UNIT_USD, 1},
    {"cents", UNIT_USD, 0.01},
    {"centavos", UNIT_USD, 0.01},
    {"percent", UNIT_RATIO, 0.01},
    {"x", UNIT_RATIO, 1},
    {"×", UNIT_RATIO, 1},
    {"times", UNIT_RATIO, 1},
    {"veces", UNIT_RATIO, 1},
    {"gpu", UNIT_GPU, 1},
    {"gpus", UNIT_GPU, 1},
    {"node", UNIT_NODE, 1},
    {"nodes", UNIT_NODE, 1},
    {"nodo", UNIT_NODE, 1},
    {"nodos", UNIT_NODE, 1},
    {"seq", UNIT_SEQUENCE, 1},
    {"seqs", UNIT_SEQUENCE, 1},
    {"sequence", UNIT_SEQUENCE, 1},
    {"sequences", UNIT_SEQUENCE, 1},
    {"secuencia", UNIT_SEQUENCE, 1},
    {"secuencias", UNIT_SEQUENCE, 1},
    {"param", UNIT_PARAMETER, 1},
    {"params", UNIT_PARAMETER, 1},
    {"parameter", UNIT_PARAMETER, 1},
    {"parameters", UNIT_PARAMETER, 1},
    {"parámetro", UNIT_PARAMETER, 1},
    {"parámetros", UNIT_PARAMETER, 1},
    {"parametros", UNIT_PARAMETER, 1},
};

/* A unit as it was read: "GB", "TFLOPS" (already a rate), "GPU-hour". */
struct unit_read {
    enum unit unit, per;
    double factor;
    size_t size;
};

/* The factor of an SI or IEC prefix of this many letters; 0: it is none. */
static double prefix_factor(const char *prefix, size_t length)
{
    static const char letters[] = "kMGTPE";
    static const char *const words[] = {"kilo", "mega", "giga", "tera", "peta"};
    static const char *const binary[] = {"kibi", "mebi", "gibi", "tebi", "pebi"};
    for (int i = 0; length == 4 && i < 5; i++) {
        if (strncasecmp(prefix, words[i], 4) == 0) return pow(1000, i + 1);
        if (strncasecmp(prefix, binary[i], 4) == 0) return pow(1024, i + 1);
    }
    if (length < 1 || length > 2) return 0;
    const char letter = prefix[0] == 'K' || prefix[0] == 'k' ? 'k' : (char)toupper(prefix[0]);
    const char *found = strchr(letters, letter);
    if (!found || !letter) return 0;
    if (length == 2 && prefix[1] != 'i' && prefix[1] != 'I') return 0;
    return pow(length == 2 ? 1024 : 1000, (double)(found - letters + 1));
}

/* Units that take a prefix. Case tells some of them apart. */
static bool read_prefixed(struct unit_read *out, const struct reader *r, size_t ahead,
                          size_t length)
{
    static const struct {
        const char *base;
        bool exact;
        enum unit unit, per;
        double factor;
    } bases[] = {
        {"B", true, UNIT_BYTE, UNIT_NONE, 1},         {"b", true, UNIT_BYTE, UNIT_NONE, 0.125},
        {"bit", false, UNIT_BYTE, UNIT_NONE, 0.125},  {"bits", false, UNIT_BYTE, UNIT_NONE, 0.125},
        {"byte", false, UNIT_BYTE, UNIT_NONE, 1},     {"bytes", false, UNIT_BYTE, UNIT_NONE, 1},
        {"Bps", true, UNIT_BYTE, UNIT_SECOND, 1},     {"bps", true, UNIT_BYTE, UNIT_SECOND, 0.125},
        {"FLOPS", true, UNIT_FLOP, UNIT_SECOND, 1},   {"flops", true, UNIT_FLOP, UNIT_SECOND, 1},
        {"flops", false, UNIT_FLOP, UNIT_NONE, 1},    {"flop", false, UNIT_FLOP, UNIT_NONE, 1},
        {"tok", false, UNIT_TOKEN, UNIT_NONE, 1},     {"token", false, UNIT_TOKEN, UNIT_NONE, 1},
        {"tokens", false, UNIT_TOKEN, UNIT_NONE, 1},  {"tps", false, UNIT_TOKEN, UNIT_SECOND, 1},
        {"qps", false, UNIT_REQUEST, UNIT_SECOND, 1}, {"rps", false, UNIT_REQUEST, UNIT_SECOND, 1},
    };
    const char *word = r->text + r->here + ahead;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        const size_t base = strlen(bases[i].base);
        if (base > length) continue;
        const size_t prefix = length - base;
        const bool exact = bases[i].exact;
        if (exact ? !word_is_exactly(r, ahead + prefix, base, bases[i].base)
                  : !word_is(r, ahead + prefix, base, bases[i].base))
            continue;
        double scale = prefix ? prefix_factor(word, prefix) : 1;
        if (scale == 0) continue;
        if (!prefix && exact && base == 1) continue; /* a lone b or B is decided elsewhere */
        double factor = bases[i].factor;
        /* gb, tb, gib: all small letters are bytes; Gb is bits */
        if (prefix && base == 1 && word[prefix] == 'b' && islower((unsigned char)word[0]) &&
            word[0] != 'k')
            factor = 1;
        if (prefix == 1 && base == 1 && word[0] == 'k' && word[prefix] == 'b') factor = 1;
        *out = (struct unit_read){bases[i].unit, bases[i].per, scale * factor, length};
        return true;
    }
    return false;
}

/* A unit `ahead` bytes from here. */
static bool read_unit_word(struct unit_read *out, const struct reader *r, size_t ahead)
{
    if (at(r, ahead) == '%') {
        *out = (struct unit_read){UNIT_RATIO, UNIT_NONE, 0.01, 1};
        return true;
    }
    if (at(r, ahead) == '$') {
        *out = (struct unit_read){UNIT_USD, UNIT_NONE, 1, 1};
        return true;
    }
    const size_t length = word_length(r, ahead);
    if (!length || length > 16) return false;
    static const char *const cents[] = {"per", "cent", "por", "ciento"};
    for (int i = 0; i < 4; i += 2) {
        if (!word_is(r, ahead, length, cents[i]) || at(r, ahead + length) != ' ') continue;
        const size_t second = ahead + length + 1, size = word_length(r, second);
        if (!word_is(r, second, size, cents[i + 1])) continue;
        *out = (struct unit_read){UNIT_RATIO, UNIT_NONE, 0.01, length + 1 + size};
        return true;
    }
    if (is_digit(at(r, ahead + length))) return false; /* x4, s3: a name */
    for (size_t i = 0; i < sizeof unit_words / sizeof unit_words[0]; i++)
        if (word_is(r, ahead, length, unit_words[i].word)) {
            if (length == 1 && isupper(at(r, ahead))) return false; /* S, H, D are no times */
            *out = (struct unit_read){unit_words[i].unit, UNIT_NONE, unit_words[i].factor, length};
            return true;
        }
    return read_prefixed(out, r, ahead, length);
}

/* Words that may stand between a number and its unit: "300 output tokens". */
static bool is_adjective(const struct reader *r, size_t ahead, size_t length)
{
    static const char *const words[] = {"output", "input",  "prompt",     "decode", "prefill",
                                        "daily",  "active", "concurrent", "new",    "generated"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (word_is(r, ahead, length, words[i])) return true;
    return false;
}

/* A unit behind spaces, up to two adjectives, and "of" or "de". */
static bool read_unit(struct unit_read *out, const struct reader *r, size_t ahead)
{
    size_t i = ahead;
    for (int words = 0; words < 4; words++) {
        i += spaces(r, i);
        const size_t length = word_length(r, i);
        const bool times = word_is(r, i, length, "x") || word_is(r, i, length, "×");
        if (!(times && i > ahead) && read_unit_word(out, r, i)) { /* 8 x H100 is no ratio */
            out->size += i - ahead;
            return true;
        }
        const bool of = words == 0 && (word_is(r, i, length, "of") || word_is(r, i, length, "de"));
        if (!length || !space_at(r, i + length) || !(of || is_adjective(r, i, length)))
            return false;
        i += length;
    }
    return false;
}

/* ---- scale ---- */

static bool is_count(enum unit unit)
{
    return unit == UNIT_TOKEN || unit == UNIT_REQUEST || unit == UNIT_USER || unit == UNIT_TURN ||
           unit == UNIT_PARAMETER || unit == UNIT_SEQUENCE || unit == UNIT_USD ||
           unit == UNIT_GPU || unit == UNIT_NODE;
}

/* "million", "mil millones": the factor and the bytes, spaces before it included; 0: none. */
static double read_scale_word(const struct reader *r, size_t ahead, size_t *size)
{
    static const struct {
        const char *word;
        double factor;
    } words[] = {
        {"thousand", 1e3}, {"million", 1e6},   {"millions", 1e6},  {"billion", 1e9},
        {"bn", 1e9},       {"billions", 1e9},  {"trillion", 1e12}, {"mil", 1e3},
        {"millón", 1e6},   {"millon", 1e6},    {"millones", 1e6},  {"billón", 1e12},
        {"billon", 1e12},  {"billones", 1e12},
    };
    const size_t begin = ahead + spaces(r, ahead), length = word_length(r, begin);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!word_is(r, begin, length, words[i].word)) continue;
        *size = begin + length - ahead;
        if (words[i].factor == 1e3) { /* mil millones */
            size_t more;
            const size_t next = begin + length;
            if (word_is(r, begin, length, "mil") && space_at(r, next) &&
                word_is(r, next + spaces(r, next), word_length(r, next + spaces(r, next)),
                        "millones") &&
                read_scale_word(r, next, &more) > 0) {
                *size += more;
                return 1e9;
            }
        }
        return words[i].factor;
    }
    return 0;
}

/* The letters k K M B T m, or Ki Mi Gi: attached to the number, or apart before a unit. */
static double read_scale_letter(const struct reader *r, size_t ahead, size_t *size)
{
    struct unit_read unit;
    const size_t begin = ahead + spaces(r, ahead), length = word_length(r, begin);
    const bool apart = begin > ahead;
    const unsigned char c = at(r, begin);
    const bool before_count =
        read_unit(&unit, r, begin + length) && spaces(r, begin + length) && is_count(unit.unit);

    if (is_digit(at(r, begin + length))) return 0;
    double factor = 0;
    if (length == 1) {
        if (c == 'k' || c == 'K') factor = 1e3;
        if (c == 'M') factor = 1e6;
        if (c == 'B') factor = 1e9;
        if (c == 'T') factor = 1e12;
        if (c == 'm' && before_count) factor = 1e6;
        if (c == 'b' && before_count) factor = 1e9;
    } else if (length == 2 && at(r, begin + 1) == 'i') {
        factor = prefix_factor(r->text + r->here + begin, 2);
    }
    if (factor == 0 || (apart && !before_count)) return 0;
    *size = begin + length - ahead;
    return factor;
}

static double read_scale(const struct reader *r, size_t ahead, size_t *size)
{
    const double word = read_scale_word(r, ahead, size);
    return word > 0 ? word : read_scale_letter(r, ahead, size);
}

/* ---- per ---- */

/* What follows "/" or "per": [1] [M | million] unit, or "GPU-hour". 0: nothing that is known. */
static size_t read_denominator(struct quantity *out, struct reader *r, size_t ahead)
{
    struct unit_read unit;
    struct reader inner = *r;
    double divisor = 1;
    size_t size;

    inner.here += ahead;
    inner.here += spaces(&inner, 0);
    const size_t each = word_length(&inner, 0);
    if (word_is(&inner, 0, each, "cada")) inner.here += each + spaces(&inner, each);
    if (is_digit(at(&inner, 0))) {
        struct quantity number;
        read_number(&number, &inner);
        divisor = number.value;
    }
    double scale = read_scale(&inner, 0, &size);
    if (scale == 0 && at(&inner, 0) == 'M' && space_at(&inner, 1)) { /* $/M tokens */
        scale = 1e6;
        size = 1;
    }
    if (scale > 0) {
        divisor *= scale;
        inner.here += size;
    }
    const size_t word = word_length(&inner, 0);
    if (word_is(&inner, 0, word, "GPU") && (at(&inner, word) == '-' || at(&inner, word) == ' ')) {
        if (read_unit_word(&unit, &inner, word + 1) && unit.unit == UNIT_SECOND)
            inner.here += word + 1; /* an hour of one GPU */
    }
    if (!read_unit(&unit, &inner, 0) || unit.per || unit.unit == UNIT_RATIO) return 0;
    if (divisor == 0) return 0;
    inner.here += unit.size;
    const size_t de = spaces(&inner, 0);
    if (unit.unit == UNIT_SECOND && de && word_is(&inner, de, word_length(&inner, de), "de") &&
        at(&inner, de + 2) == ' ' && word_is(&inner, de + 3, word_length(&inner, de + 3), "GPU"))
        inner.here += de + 6;    /* por hora de GPU */
    if (out->per == UNIT_NONE) { /* TFLOPS/s says it twice */
        out->value /= divisor * unit.factor;
        out->other /= divisor * unit.factor;
        out->per = unit.unit;
    } else if (out->per != unit.unit) {
        return 0;
    }
    return inner.here - r->here;
}

static void read_per(struct quantity *out, struct reader *r)
{
    const size_t gap = spaces(r, 0);
    size_t ahead = 0;
    if (at(r, gap) == '/') {
        ahead = gap + 1;
    } else if (gap) {
        const size_t length = word_length(r, gap);
        const bool english = word_is(r, gap, length, "per") ||
                             (r->style == NUMBER_ENGLISH &&
                              (word_is(r, gap, length, "a") || word_is(r, gap, length, "an")));
        const bool spanish = word_is(r, gap, length, "por") || word_is(r, gap, length, "al");
        if (english || spanish) ahead = gap + length;
    }
    if (!ahead || out->unit == UNIT_RATIO) return;
    const size_t size = read_denominator(out, r, ahead);
    if (size) r->here += size;
}

/* ---- the whole ---- */

bool quantity_parse(struct quantity *out, const char *text, size_t size, enum number_style style)
{
    struct reader r = {text, size, 0, style};
    *out = (struct quantity){0};

    static const char *const before[] = {"US$", "$", "USD "};
    for (int i = 0; i < 3; i++) {
        const size_t n = strlen(before[i]);
        if (size < n || memcmp(text, before[i], n) != 0) continue;
        r.here = n;
        r.here += spaces(&r, 0);
        out->unit = UNIT_USD;
        break;
    }
    if (!is_digit(at(&r, 0))) return false;
    read_number(out, &r);

    size_t used;
    const double scale = read_scale(&r, 0, &used);
    if (scale > 0) {
        out->value *= scale;
        out->other *= scale;
        r.here += used;
    }
    struct unit_read unit;
    const size_t gap = spaces(&r, 0);
    if (out->unit == UNIT_USD) {
        if (read_unit(&unit, &r, 0) && unit.unit == UNIT_USD) r.here += unit.size;
    } else if (scale == 0 && gap && word_is_exactly(&r, gap, word_length(&r, gap), "B") &&
               !is_digit(at(&r, gap + 1))) {
        out->unit = UNIT_BYTE; /* 512 B */
        r.here += gap + 1;
    } else if (read_unit(&unit, &r, 0)) {
        out->unit = unit.unit;
        out->per = unit.per;
        out->value *= unit.factor;
        out->other *= unit.factor;
        r.here += unit.size;
    } else if (scale == 0 && at(&r, 0) == 'm' && word_length(&r, 0) == 1) {
        out->unit = UNIT_SECOND; /* 5m */
        out->value *= 60;
        out->other *= 60;
        r.here += 1;
    }
    read_per(out, &r);
    out->size = r.here;
    return isfinite(out->value) && isfinite(out->other);
}

/* H100, GPT-4, a_1, the 4 of v0.4; but not the 30 of 20-30 or of 20,30. */
static bool is_inside_name(const char *text, size_t i)
{
    const unsigned char before = i ? (unsigned char)text[i - 1] : ' ';
    const unsigned char second = i > 1 ? (unsigned char)text[i - 2] : ' ';
    if (is_letter(before) || is_digit(before) || before == '_') return true;
    return (before == '.' && (is_letter(second) || is_digit(second))) ||
           (before == '-' && is_letter(second));
}

bool quantity_find(struct quantity *out, size_t *start, const char *text, size_t size,
                   enum number_style style)
{
    for (size_t i = *start; i < size; i++) {
        const bool dollars =
            size - i > 4 && (memcmp(text + i, "USD ", 4) == 0 || memcmp(text + i, "US$", 3) == 0);
        if (!is_digit((unsigned char)text[i]) && text[i] != '$' && !dollars) continue;
        if (!is_inside_name(text, i) && quantity_parse(out, text + i, size - i, style)) {
            const size_t end = i + out->size;
            if (end == size || !is_letter((unsigned char)text[end])) {
                *start = i;
                return true;
            }
        }
        while (i + 1 < size && is_digit((unsigned char)text[i + 1])) i++;
    }
    return false;
}

/* ---- names ---- */

static const struct {
    const char *symbol, *words;
} unit_names[UNIT_COUNT] = {
    [UNIT_NONE] = {"", N_("a plain number")},
    [UNIT_BYTE] = {"bytes", N_("bytes")},
    [UNIT_SECOND] = {"s", N_("a time")},
    [UNIT_TOKEN] = {"tokens", N_("tokens")},
    [UNIT_REQUEST] = {"requests", N_("requests")},
    [UNIT_TURN] = {"turns", N_("turns")},
    [UNIT_USER] = {"users", N_("users")},
    [UNIT_FLOP] = {"FLOP", N_("FLOP")},
    [UNIT_USD] = {"USD", N_("USD")},
    [UNIT_RATIO] = {"ratio", N_("a ratio or per cent")},
    [UNIT_GPU] = {"GPUs", N_("GPUs")},
    [UNIT_NODE] = {"nodes", N_("nodes")},
    [UNIT_SEQUENCE] = {"sequences", N_("sequences")},
    [UNIT_PARAMETER] = {"parameters", N_("parameters")},
};

void unit_describe(struct text *out, enum unit unit, enum unit per)
{
    CHECK(unit < UNIT_COUNT && per < UNIT_COUNT);
    text_add(out, _(unit_names[unit].words));
    if (per == UNIT_SECOND) text_add(out, _(" per unit of time"));
    else if (per) text_format(out, _(" per %s"), unit_names[per].symbol);
}

void unit_symbol(struct text *out, enum unit unit, enum unit per)
{
    CHECK(unit < UNIT_COUNT && per < UNIT_COUNT);
    text_add(out, unit_names[unit].symbol);
    if (per) text_format(out, "/%s", unit_names[per].symbol);
}

/* ---- writing ---- */

void number_fixed(struct text *out, double value, int decimals, enum number_style style)
{
    char digits[400];
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    const char *separator = style == NUMBER_SPANISH ? "\u202f" : ",";
    const size_t whole = strcspn(digits, ".,");
    const size_t sign = digits[0] == '-';
    for (size_t i = 0; i < whole; i++) {
        if (i > sign && (whole - i) % 3 == 0 && whole - sign > 3 + (style == NUMBER_SPANISH))
            text_add(out, separator);
        text_add_char(out, digits[i]);
    }
    if (digits[whole]) text_format(out, ".%s", digits + whole + 1);
}

void number_text(struct text *out, double value, int digits, enum number_style style)
{
    if (value == 0) {
        text_add(out, "0");
        return;
    }
    int decimals = digits - 1 - (int)floor(log10(fabs(value)));
    if (decimals < 0) decimals = 0;
    if (decimals > 300) decimals = 300;
    struct text whole = {0};
    number_fixed(&whole, value, decimals, style);
    if (decimals > 0) /* 8.00 is 8 */
        while (whole.data[whole.size - 1] == '0') whole.data[--whole.size] = '\0';
    if (whole.data[whole.size - 1] == '.') whole.data[--whole.size] = '\0';
    text_add(out, text_string(&whole));
    text_done(&whole);
}
