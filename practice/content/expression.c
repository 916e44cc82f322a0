#include "content/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_LIMIT = 1000, DEPTH_LIMIT = 64, NAME_LIMIT = 32, ARGUMENT_LIMIT = 8 };

struct reader {
    const char *text, *at;
    const struct expression_value *values;
    int n_values;
    int depth;
    struct error *err;
    enum status status; /* the first failure; after it everything is 0 */
};

static double fail(struct reader *reader, const char *what)
{
    if (!reader->status)
        reader->status = error_set(reader->err, STATUS_FORMAT, "%s: %s at character %d",
                                   reader->text, what, (int)(reader->at - reader->text) + 1);
    return 0;
}

/* A step that is not finite fails there: min(sqrt(-1), 3) and 1/(1/0) are no figures. */
static double checked(struct reader *reader, double value)
{
    return isfinite(value) ? value : fail(reader, "the value is not finite");
}

static bool take(struct reader *reader, char c)
{
    while (isspace((unsigned char)*reader->at)) reader->at++;
    if (*reader->at != c) return false;
    reader->at++;
    return true;
}

static double read_sum(struct reader *reader);

static double call(struct reader *reader, const char *name, const double *x, int n)
{
    static const struct {
        const char *name;
        double (*function)(double);
    } functions[] = {{"sqrt", sqrt},   {"log", log},   {"exp", exp},    {"log2", log2},
                     {"log10", log10}, {"ceil", ceil}, {"floor", floor}};

    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(name, functions[i].name) == 0)
            return n == 1 ? checked(reader, functions[i].function(x[0]))
                          : fail(reader, "expected one argument");
    const bool is_min = strcmp(name, "min") == 0;
    if (!is_min && strcmp(name, "max") != 0) return fail(reader, "unknown function");
    double best = x[0];
    for (int i = 1; i < n; i++) best = is_min ? fmin(best, x[i]) : fmax(best, x[i]);
    return best;
}

static double read_name(struct reader *reader)
{
    char name[NAME_LIMIT];
    size_t size = 0;
    while (isalnum((unsigned char)*reader->at) || *reader->at == '_') {
        if (size + 1 == sizeof name) return fail(reader, "name too long");
        name[size++] = *reader->at++;
    }
    name[size] = '\0';

    if (take(reader, '(')) {
        double arguments[ARGUMENT_LIMIT];
        int n = 0;
        do {
            if (n == ARGUMENT_LIMIT) return fail(reader, "too many arguments");
            arguments[n++] = read_sum(reader);
        } while (take(reader, ','));
        if (!take(reader, ')')) return fail(reader, "expected )");
        return call(reader, name, arguments, n);
    }
    for (int i = 0; i < reader->n_values; i++)
        if (strcmp(reader->values[i].name, name) == 0) return reader->values[i].value;
    return fail(reader, "unknown name");
}

static double read_atom(struct reader *reader)
{
    if (take(reader, '(')) {
        const double value = read_sum(reader);
        return take(reader, ')') ? value : fail(reader, "expected )");
    }
    if (isalpha((unsigned char)*reader->at)) return read_name(reader);
    if (!isdigit((unsigned char)*reader->at) && *reader->at != '.')
        return fail(reader, "expected a number");

    char *end;
    const double value = strtod(reader->at, &end);
    if (end == reader->at) return fail(reader, "expected a number");
    reader->at = end;
    return checked(reader, value);
}

static double read_signed(struct reader *reader)
{
    if (++reader->depth > DEPTH_LIMIT) return fail(reader, "nested too deeply");
    double value;
    if (take(reader, '-')) {
        value = -read_signed(reader);
    } else {
        value = read_atom(reader);
        if (take(reader, '^')) value = checked(reader, pow(value, read_signed(reader)));
    }
    reader->depth--;
    return value;
}

static double read_product(struct reader *reader)
{
    double value = read_signed(reader);
    while (!reader->status) {
        if (take(reader, '*')) value = checked(reader, value * read_signed(reader));
        else if (take(reader, '/')) value = checked(reader, value / read_signed(reader));
        else break;
    }
    return value;
}

static double read_sum(struct reader *reader)
{
    double value = read_product(reader);
    while (!reader->status) {
        if (take(reader, '+')) value += read_product(reader);
        else if (take(reader, '-')) value -= read_product(reader);
        else break;
    }
    return value;
}

enum status expression_evaluate(double *value, const char *text,
                                const struct expression_value *values, int n_values,
                                struct error *err)
{
    struct reader reader = {
        .text = text, .at = text, .values = values, .n_values = n_values, .err = err};
    *value = 0;
    if (strlen(text) > LENGTH_LIMIT)
        return error_set(err, STATUS_LIMIT, "an expression of %zu characters, at most %d are read",
                         strlen(text), LENGTH_LIMIT);

    const double result = read_sum(&reader);
    take(&reader, ' ');
    if (!reader.status && *reader.at) fail(&reader, "expected the end");
    if (!reader.status && !isfinite(result)) fail(&reader, "the value is not finite");
    if (!reader.status) *value = result;
    return reader.status;
}
