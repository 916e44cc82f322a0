/* prose_number.c -- numbers with units, as people write them in two languages. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grader/prose.h"

#define KI 1024.0
static const struct unit {
    const char *name, *dimension;
    double factor;
} units[] = {
    {"%", "", 0.01},
    {"percent", "", 0.01},
    {"per cent", "", 0.01},
    {"por ciento", "", 0.01},
    {"x", "", 1},
    {"times", "", 1},
    {"veces", "", 1},
    {"bits", "bit", 1},
    {"bit", "bit", 1},
    {"bytes", "B", 1},
    {"byte", "B", 1},
    {"b", "B", 1},
    {"kib", "B", KI},
    {"mib", "B", KI *KI},
    {"gib", "B", KI *KI *KI},
    {"tib", "B", KI *KI *KI *KI},
    {"kb", "B", 1e3},
    {"mb", "B", 1e6},
    {"gb", "B", 1e9},
    {"tb", "B", 1e12},
    {"pb", "B", 1e15},
    {"gigabytes", "B", 1e9},
    {"megabytes", "B", 1e6},
    {"kilobytes", "B", 1e3},
    {"terabytes", "B", 1e12},
    {"kb/s", "B/s", 1e3},
    {"mb/s", "B/s", 1e6},
    {"gb/s", "B/s", 1e9},
    {"tb/s", "B/s", 1e12},
    {"ns", "s", 1e-9},
    {"us", "s", 1e-6},
    {"ms", "s", 1e-3},
    {"milliseconds", "s", 1e-3},
    {"milisegundos", "s", 1e-3},
    {"s", "s", 1},
    {"sec", "s", 1},
    {"seconds", "s", 1},
    {"second", "s", 1},
    {"segundos", "s", 1},
    {"segundo", "s", 1},
    {"min", "s", 60},
    {"minutes", "s", 60},
    {"minutos", "s", 60},
    {"h", "s", 3600},
    {"hours", "s", 3600},
    {"horas", "s", 3600},
    {"day", "s", 86400},
    {"days", "s", 86400},
    {"dias", "s", 86400},
    {"tok", "tok", 1},
    {"tokens", "tok", 1},
    {"token", "tok", 1},
    {"tok/s", "tok/s", 1},
    {"tokens/s", "tok/s", 1},
    {"tokens per second", "tok/s", 1},
    {"tokens por segundo", "tok/s", 1},
    {"req/s", "req/s", 1},
    {"requests per second", "req/s", 1},
    {"peticiones por segundo", "req/s", 1},
    {"flop", "FLOP", 1},
    {"flops", "FLOP", 1},
    {"mflop", "FLOP", 1e6},
    {"gflop", "FLOP", 1e9},
    {"tflop", "FLOP", 1e12},
    {"pflop", "FLOP", 1e15},
    {"gflops", "FLOP", 1e9},
    {"tflops", "FLOP", 1e12},
    {"pflops", "FLOP", 1e15},
    {"gflop/s", "FLOP/s", 1e9},
    {"tflop/s", "FLOP/s", 1e12},
    {"pflop/s", "FLOP/s", 1e15},
    {"usd", "USD", 1},
    {"dollars", "USD", 1},
    {"dolares", "USD", 1},
    {"$", "USD", 1},
    {"usd/h", "USD/h", 1},
};

bool prose_unit(double *factor, const char **dimension, const char *unit, size_t size)
{
    *factor = 1;
    *dimension = "";
    if (size == 0) return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == size && strncasecmp(units[i].name, unit, size) == 0) {
            *factor = units[i].factor;
            *dimension = units[i].dimension;
            return true;
        }
    return false;
}

static const struct {
    const char *name;
    double factor;
} magnitudes[] = {
    {"k", 1e3},
    {"m", 1e6},
    {"b", 1e9},
    {"bn", 1e9},
    {"t", 1e12},
    {"thousand", 1e3},
    {"mil", 1e3},
    {"million", 1e6},
    {"millones", 1e6},
    {"millon", 1e6},
    {"billion", 1e9},
    {"trillion", 1e12},
    {"mil millones", 1e9},
};

static bool ends_word(char c) { return !isalnum((unsigned char)c) && c != '_'; }

/* The longest name of the table at `at`; its length, 0 when none. */
static size_t take_magnitude(double *factor, const char *at)
{
    size_t best = 0;
    for (size_t i = 0; i < sizeof magnitudes / sizeof *magnitudes; i++) {
        const size_t size = strlen(magnitudes[i].name);
        if (size > best && strncmp(at, magnitudes[i].name, size) == 0 && ends_word(at[size])) {
            best = size;
            *factor = magnitudes[i].factor;
        }
    }
    return best;
}

static size_t take_unit(double *factor, const char **dimension, const char *at)
{
    size_t best = 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        const size_t size = strlen(units[i].name);
        const bool symbol = ispunct((unsigned char)units[i].name[0]);
        if (size > best && strncmp(at, units[i].name, size) == 0 &&
            (symbol || (ends_word(at[size]) && at[size] != '/'))) {
            best = size;
            *factor = units[i].factor;
            *dimension = units[i].dimension;
        }
    }
    return best;
}

static size_t count_digits(const char *at) { return strspn(at, "0123456789"); }

/* How many groups of three follow `at`, all behind the same mark; their length into *size. */
static int count_groups(size_t *size, const char *at)
{
    int groups = 0;
    const char mark = *at;
    *size = 0;
    if (!mark || !strchr(",. '_", mark)) return 0;
    while (at[*size] == mark && count_digits(at + *size + 1) == 3) {
        *size += 4;
        groups++;
    }
    return groups;
}

/* Digits at `at`: their length, and the one or two values they may mean. "10,000" and "10.000"
 * group thousands or mark a fraction; "1,000,000", "10 000" and "1,234.5" only group. */
static size_t take_digits(double *values, int *n, const char *at)
{
    const size_t whole = count_digits(at);
    size_t grouped = 0;
    const int groups = whole <= 3 ? count_groups(&grouped, at + whole) : 0;
    char digits[64];
    size_t kept = 0;

    *n = 0;
    for (size_t i = 0; i < whole + grouped && kept + 1 < sizeof digits; i++)
        if (isdigit((unsigned char)at[i])) digits[kept++] = at[i];
    digits[kept] = '\0';

    size_t size = whole + grouped;
    const bool has_fraction = (at[size] == '.' || at[size] == ',') && count_digits(at + size + 1) &&
                              (groups == 0 || at[size] != at[whole]);
    double value = strtod(digits, NULL);
    if (has_fraction) {
        char fraction[32] = "0.";
        const size_t length = count_digits(at + size + 1);
        const size_t copied = length < 24 ? length : 24;
        memcpy(fraction + 2, at + size + 1, copied);
        fraction[2 + copied] = '\0';
        value += strtod(fraction, NULL);
        size += 1 + length;
    }
    values[(*n)++] = value;
    if (groups == 1 && !has_fraction && (at[whole] == '.' || at[whole] == ','))
        values[(*n)++] = value / 1000;
    return size;
}

/* "e-4", "e8", " x 10^9", "*10^6" behind a number. */
static size_t take_power(double *factor, const char *at)
{
    size_t size = 0;
    if (*at == 'e' &&
        (isdigit((unsigned char)at[1]) || (strchr("+-", at[1]) && isdigit((unsigned char)at[2])))) {
        size = 1;
    } else {
        while (at[size] == ' ') size++;
        if (at[size] != 'x' && at[size] != '*') return 0;
        size++;
        while (at[size] == ' ') size++;
        if (strncmp(at + size, "10^", 3) != 0) return 0;
        size += 3;
    }
    char *end;
    const long power = strtol(at + size, &end, 10);
    if (end == at + size || power < -300 || power > 300) return 0;
    *factor = 1;
    for (long i = 0; i < labs(power); i++) *factor *= 10;
    if (power < 0) *factor = 1 / *factor;
    return (size_t)(end - at);
}

int prose_numbers(struct prose_number *out, int limit, const char *folded)
{
    int n = 0;
    for (const char *at = folded; *at && n + 4 <= limit;) {
        const bool starts = isdigit((unsigned char)*at) &&
                            (at == folded || (!isalnum((unsigned char)at[-1]) && at[-1] != '.' &&
                                              at[-1] != '_' && at[-1] != '^'));
        if (!starts) {
            at++;
            continue;
        }
        double values[2], power = 1, magnitude = 1, factor = 1;
        const char *dimension = "";
        int n_values;
        const bool dollars = at > folded && at[-1] == '$';
        at += take_digits(values, &n_values, at);
        at += take_power(&power, at);

        const char *word = at + (*at == ' ' || *at == '-');
        const size_t size = take_magnitude(&magnitude, word);
        const char *behind = size ? word + size + (word[size] == ' ') : word;
        if (strncmp(behind, "de ", 3) == 0 || strncmp(behind, "of ", 3) == 0) behind += 3;
        const size_t unit = take_unit(&factor, &dimension, behind);
        if (dollars && !unit) dimension = "USD";
        for (int i = 0; i < n_values; i++) {
            out[n++] = (struct prose_number){values[i] * power * magnitude, "", true};
            if (unit || dollars)
                out[n++] =
                    (struct prose_number){values[i] * power * magnitude * factor, dimension, false};
        }
    }
    return n;
}
