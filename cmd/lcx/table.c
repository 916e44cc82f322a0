#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_SPACE = 2,
    TABLE_LEAST = 20, /* columns that the last one needs to be readable */
};

void table_init(struct table *table, int n_columns)
{
    CHECK(n_columns <= TABLE_COLUMNS);
    *table = (struct table){.n_columns = n_columns};
}

static void add(struct table *table, enum style style, char *text)
{
    table->cells = memory_grow(table->cells, (size_t)table->n_cells + 1, sizeof *table->cells);
    table->cells[table->n_cells++] = (struct table_cell){text, style};
}

void table_add(struct table *table, enum style style, const char *text)
{
    add(table, style, text_copy(text ? text : ""));
}

void table_format(struct table *table, enum style style, const char *format, ...)
{
    char buffer[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    add(table, style, text_copy(buffer));
}

void table_print(struct text *out, const struct app *app, const struct table *table, int indent)
{
    const int n = table->n_columns;
    int width[TABLE_COLUMNS] = {0}, before = indent;
    for (int i = 0; i < table->n_cells; i++) {
        const char *text = table->cells[i].text;
        const int columns = terminal_columns(text, strlen(text));
        if (columns > width[i % n]) width[i % n] = columns;
    }
    for (int j = 0; j < n - 1; j++) before += width[j] ? width[j] + TABLE_SPACE : 0;
    /* on a narrow screen the last column goes below the others */
    const int room = app->out.width - before;
    const bool below = room < TABLE_LEAST && room < width[n - 1];
    char *margin = text_printf("%*s", below ? indent + 4 : before, "");

    for (int i = 0; i + n <= table->n_cells; i += n) {
        struct text first = {0}, last = {0};
        text_format(&first, "%*s", indent, "");
        for (int j = 0; j < n - 1; j++) {
            const struct table_cell *cell = &table->cells[i + j];
            if (!width[j]) continue; /* a column that nobody filled */
            struct text painted = {0};
            terminal_paint(&painted, &app->out, cell->style, cell->text);
            terminal_pad(&first, text_string(&painted), width[j] + TABLE_SPACE);
            text_done(&painted);
        }
        const struct table_cell *cell = &table->cells[i + n - 1];
        terminal_paint(&last, &app->out, cell->style, cell->text);
        if (below || !last.size)
            while (first.size && first.data[first.size - 1] == ' ') first.data[--first.size] = '\0';
        if (!below) {
            terminal_wrap(out, text_string(&last), app->out.width, text_string(&first), margin,
                          false);
        } else {
            text_format(out, "%s\n", text_string(&first));
            if (last.size)
                terminal_wrap(out, text_string(&last), app->out.width, margin, margin, false);
        }
        text_done(&first);
        text_done(&last);
    }
    free(margin);
}

void table_done(struct table *table)
{
    for (int i = 0; i < table->n_cells; i++) free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}
