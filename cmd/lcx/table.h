/* table.h -- rows of facts for people: columns aligned by what the eye sees, the last one wrapped. */
#ifndef LCX_TABLE_H
#define LCX_TABLE_H

#include "app.h"

enum { TABLE_COLUMNS = 8 };

struct table {
    int n_columns;
    int n_cells;
    struct table_cell {
        char *text;
        enum style style;
    } * cells; /* row after row */
};

void table_init(struct table *table, int n_columns);

/* Add the next cell, row after row; NULL is an empty one. */
void table_add(struct table *table, enum style style, const char *text);
void table_format(struct table *table, enum style style, const char *format, ...) PRINTF_LIKE(3, 4);

/* Append the table, indented. */
void table_print(struct text *out, const struct app *app, const struct table *table, int indent);
void table_done(struct table *table);

#endif
