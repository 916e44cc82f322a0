/* prose_number.c -- the numbers of a sentence, as people write them in two languages. Reading a number
 * with its unit is unit.h's; here is what an answer in words adds: powers, hyphens, symbols behind. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grader/prose.h"

/* ---- spelling ---- */

static const struct {
    const char *from;
    char to;
} superscripts[] = {{"⁰", '0'}, {"¹", '1'}, {"²", '2'}, {"³", '3'}, {"⁴", '4'}, {"⁵", '5'},
                    {"⁶", '6'}, {"⁷", '7'}, {"⁸", '8'}, {"⁹", '9'}, {"⁻", '-'}};

/* The power that begins at `at`: "^-5", "^{12}", "**9" or superscripts; its bytes, 0 when there is
 * none. */
static size_t take_power(int *power, const char *at, size_t size)
{
    char digits[8];
    size_t n = 0, used = 0;
    const bool star = size > 2 && at[0] == '*' && at[1] == '*';

    if (size > 1 && (*at == '^' || star)) {
        used = star ? 2 : 1;
        const bool brace = used < size && (at[used] == '{' || at[used] == '(');
        used += brace;
        if (used + 3 <= size && memcmp(at + used, "−", 3) == 0) {
            digits[n++] = '-';
            used += 3;
        }
        while (used < size && n + 1 < sizeof digits &&
               (isdigit((unsigned char)at[used]) || (!n && at[used] == '-')))
            digits[n++] = at[used++];
        if (brace && used < size && (at[used] == '}' || at[used] == ')')) used++;
    } else {
        for (bool more = true; more && n + 1 < sizeof digits;) {
            more = false;
            for (size_t i = 0; !more && i < sizeof superscripts / sizeof *superscripts; i++) {
                const size_t length = strlen(superscripts[i].from);
                if (used + length > size || memcmp(at + used, superscripts[i].from, length) != 0)
                    continue;
                digits[n++] = superscripts[i].to;
                used += length;
                more = true;
            }
        }
    }
    digits[n] = '\0';
    if (n == 0 || !isdigit((unsigned char)digits[n - 1])) return 0;
    *power = atoi(digits);
    return abs(*power) <= 300 ? used : 0;
}

/* Take " x ", " * ", "×" or "·" off the end of `out` when a number stands before it. */
static bool drop_times(struct text *out)
{
    static const char *const signs[] = {"x", "*", "×", "·", "\\times"};
    size_t size = out->size;
    while (size && out->data[size - 1] == ' ') size--;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const size_t length = strlen(signs[i]);
        if (length > size || memcmp(out->data + size - length, signs[i], length) != 0) continue;
        size -= length;
        while (size && out->data[size - 1] == ' ') size--;
        if (!size || !isdigit((unsigned char)out->data[size - 1])) return false;
        out->size = size;
        out->data[size] = '\0';
        return true;
    }
    return false;
}

/* The sentence with "3.8 × 10^21" as 3.8e21, "2^15" as 32768 and "16-bit" as "16 bit". False when
 * nothing is different. */
static bool spell(struct text *out, const char *text, size_t size)
{
    bool changed = false;
    for (size_t i = 0; i < size;) {
        size_t digits = 0;
        while (i + digits < size && isdigit((unsigned char)text[i + digits])) digits++;
        if (!digits) {
            const bool hyphen = text[i] == '-' && i > 0 && i + 1 < size &&
                                isdigit((unsigned char)text[i - 1]) &&
                                isalpha((unsigned char)text[i + 1]);
            text_add_char(out, hyphen ? ' ' : text[i]);
            changed = changed || hyphen;
            i++;
            continue;
        }
        int power;
        const size_t used =
            digits <= 6 ? take_power(&power, text + i + digits, size - i - digits) : 0;
        const double base = used ? strtod(text + i, NULL) : 0;
        const bool times = i > 1 && text[i - 1] == 'x' && isdigit((unsigned char)text[i - 2]);
        const bool whole =
            i == 0 || times || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '.');
        const double value = used ? pow(base, power) : 0;
        if (used && whole && isfinite(value) && value > 0) {
            if (base == 10 && drop_times(out)) text_format(out, "e%d", power);
            else text_format(out, "%.15g", value);
            changed = true;
            i += digits + used;
        } else {
            text_add_bytes(out, text + i, digits);
            i += digits;
        }
    }
    return changed;
}

/* ---- reading ---- */

struct numbers {
    struct prose_number *list;
    int n, room;
};

static void add(struct numbers *numbers, const struct quantity *quantity, bool bare)
{
    for (int i = 0; i < (quantity->ambiguous ? 2 : 1); i++) {
        if (numbers->n == numbers->room) {
            numbers->room = numbers->room ? 2 * numbers->room : 16;
            numbers->list =
                memory_grow(numbers->list, (size_t)numbers->room, sizeof *numbers->list);
        }
        numbers->list[numbers->n++] =
            (struct prose_number){.value = i ? quantity->other : quantity->value,
                                  .unit = bare ? UNIT_NONE : quantity->unit,
                                  .per = bare ? UNIT_NONE : quantity->per,
                                  .bare = bare};
    }
}

enum { NUMERAL_LIMIT = 80 }; /* so that many numbers in a row cost no more than their length */

/* How many bytes at `at` can belong to a number alone: digits, marks, spaces, an exponent. */
static size_t numeral_size(const char *at, size_t size)
{
    size_t i = 0;
    if (size > NUMERAL_LIMIT) size = NUMERAL_LIMIT;
    for (;;) {
        if (i < size && (isdigit((unsigned char)at[i]) || strchr("., ", at[i])) && at[i]) i++;
        else if (i + 2 < size && memcmp(at + i, "\u202f", 3) == 0) i += 3;
        else if (i + 1 < size && memcmp(at + i, "\u00a0", 2) == 0) i += 2;
        else break;
    }
    if (i > 0 && i < size && (at[i] == 'e' || at[i] == 'E') && isdigit((unsigned char)at[i - 1])) {
        size_t end = i + 1;
        if (end < size && (at[end] == '-' || at[end] == '+')) end++;
        if (end < size && isdigit((unsigned char)at[end])) {
            while (end < size && isdigit((unsigned char)at[end])) end++;
            if (end == size || !isalpha((unsigned char)at[end])) i = end;
        }
    }
    return i;
}

/* Every number as it is written, whatever follows it: "8 heads", "8x", "12d", "8%". */
static void read_bare(struct numbers *numbers, const char *text, size_t size,
                      enum number_style style)
{
    for (size_t i = 0; i < size;) {
        const unsigned char before = i ? (unsigned char)text[i - 1] : ' ';
        const bool begins = isdigit((unsigned char)text[i]) && !isalnum(before) && before != '_' &&
                            !(before == '.' && i > 1 && isalnum((unsigned char)text[i - 2])) &&
                            !(before == '-' && i > 1 && isalpha((unsigned char)text[i - 2]));
        struct quantity quantity;
        if (begins &&
            quantity_parse(&quantity, text + i, numeral_size(text + i, size - i), style)) {
            add(numbers, &quantity, true);
            i += quantity.size ? quantity.size : 1;
        } else {
            i++;
        }
    }
}

/* "320 KiB per token" is also 320 KiB, "10 million requests a day" also the plain 10 million: a
 * quantity without what it is counted by. A rate over time is another thing than its amount. */
static void add_amount(struct numbers *numbers, const struct quantity *whole, const char *text,
                       enum number_style style)
{
    struct quantity amount;
    for (size_t size = whole->size - 1; size > 0; size--) {
        if (text[size] != ' ' && text[size] != '/') continue;
        if (!quantity_parse(&amount, text, size, style) || amount.unit != whole->unit) return;
        if (amount.per != UNIT_NONE) continue;
        const bool count = amount.unit != UNIT_BYTE && amount.unit != UNIT_SECOND;
        if (whole->per != UNIT_SECOND) add(numbers, &amount, false);
        else if (count) add(numbers, &amount, true);
        return;
    }
}

static void read_quantities(struct numbers *numbers, const char *text, size_t size,
                            enum number_style style)
{
    struct quantity quantity;
    for (size_t at = 0; quantity_find(&quantity, &at, text, size, style); at += quantity.size) {
        add(numbers, &quantity, false);
        if (quantity.per) add_amount(numbers, &quantity, text + at, style);
    }
}

void prose_numbers(struct prose_number **out, int *n, const char *text, size_t size,
                   enum number_style style)
{
    struct numbers numbers = {0};
    struct text spelled = {0};

    read_bare(&numbers, text, size, style);
    read_quantities(&numbers, text, size, style);
    if (spell(&spelled, text, size)) {
        read_bare(&numbers, text_string(&spelled), spelled.size, style);
        read_quantities(&numbers, text_string(&spelled), spelled.size, style);
    }
    text_done(&spelled);
    *out = numbers.list;
    *n = numbers.n;
}

bool prose_unit(struct quantity *out, const char *unit, size_t size)
{
    *out = (struct quantity){.value = 1, .other = 1};
    if (size == 0) return true;
    char *one = text_printf("1%s%.*s", size == 1 && *unit == 'x' ? "" : " ", (int)size, unit);
    const bool read =
        quantity_parse(out, one, strlen(one), NUMBER_ENGLISH) && out->size == strlen(one);
    free(one);
    return read && out->unit != UNIT_NONE;
}

static bool is_plain(const struct prose_number *number)
{
    return number->bare ||
           (number->per == UNIT_NONE && number->unit != UNIT_BYTE && number->unit != UNIT_SECOND);
}

bool prose_number_is(const struct prose_number *number, enum unit unit, enum unit per)
{
    if (unit == UNIT_NONE) return is_plain(number);
    if (unit == UNIT_RATIO)
        return number->per == UNIT_NONE && !number->bare &&
               (number->unit == UNIT_RATIO || number->unit == UNIT_NONE);
    return !number->bare && number->unit == unit && number->per == per;
}
