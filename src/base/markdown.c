#include "base/markdown.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>

/* The page so far. Inside a list item or a quotation each line begins with a
 * prefix; the first line of an item with its marker instead. */
struct page {
    struct text *out;
    const struct terminal *terminal;
    struct text first; /* begins the next line */
    struct text rest;  /* begins the lines after it */
    int depth;
};

static void render_block(struct page *page, cmark_node *node);

/* ---- the line's beginning ---- */

struct margin {
    size_t rest;
};

static struct margin margin_push(struct page *page, const char *first, const char *rest)
{
    const struct margin before = {page->rest.size};
    text_add(&page->first, first);
    text_add(&page->rest, rest);
    return before;
}

static void margin_begin_lines(struct page *page)
{
    text_clear(&page->first);
    text_add(&page->first, text_string(&page->rest));
}

static void margin_pop(struct page *page, struct margin before)
{
    page->rest.size = before.rest;
    if (page->rest.data) page->rest.data[before.rest] = '\0';
    margin_begin_lines(page);
}

static int room_for_text(const struct page *page)
{
    const int room =
        page->terminal->width - terminal_columns(text_string(&page->rest), page->rest.size);
    return room > 10 ? room : 10;
}

static void end_line(struct page *page)
{
    while (page->out->size && page->out->data[page->out->size - 1] == ' ') page->out->size--;
    text_add_char(page->out, '\n');
    margin_begin_lines(page);
}

static void empty_line(struct page *page)
{
    text_add(page->out, text_string(&page->first));
    end_line(page);
}

/* ---- inline text ---- */

static const char *or_empty(const char *string) { return string ? string : ""; }

static void add_words(struct text *out, const struct page *page, enum style style,
                      const char *words)
{
    struct text clean = {0};
    terminal_clean(&clean, words, strlen(words));
    for (size_t i = 0; i < clean.size; i++)
        if (clean.data[i] == '\t') clean.data[i] = ' ';
    terminal_paint(out, page->terminal, style, text_string(&clean));
    text_done(&clean);
}

static bool is_remote(const char *url)
{
    return text_starts_with(url, "https://") || text_starts_with(url, "http://") ||
           text_starts_with(url, "mailto:");
}

static void add_inlines(struct text *out, struct page *page, enum style style, cmark_node *parent);

static void add_link(struct text *out, struct page *page, enum style style, cmark_node *link)
{
    const size_t before = out->size;
    add_inlines(out, page, style, link);
    const char *url = or_empty(cmark_node_get_url(link));
    if (!is_remote(url) || strstr(text_string(out) + before, url)) return;
    if (out->size > before) text_add_char(out, ' ');
    char *address = text_printf("(%s)", url);
    add_words(out, page, STYLE_DIM, address);
    free(address);
}

static void add_code(struct text *out, const struct page *page, const char *code)
{
    const char *quote = page->terminal->colour ? "" : "`";
    text_add(out, quote);
    add_words(out, page, STYLE_CODE, code);
    text_add(out, quote);
}

static void add_inlines(struct text *out, struct page *page, enum style style, cmark_node *parent)
{
    if (page->depth >= MARKDOWN_DEPTH_LIMIT) {
        text_add(out, "...");
        return;
    }
    page->depth++;
    const enum style louder = style == STYLE_NONE ? STYLE_STRONG : style;
    for (cmark_node *node = cmark_node_first_child(parent); node; node = cmark_node_next(node)) {
        const cmark_node_type type = cmark_node_get_type(node);
        if (type == CMARK_NODE_TEXT)
            add_words(out, page, style, or_empty(cmark_node_get_literal(node)));
        else if (type == CMARK_NODE_CODE)
            add_code(out, page, or_empty(cmark_node_get_literal(node)));
        else if (type == CMARK_NODE_SOFTBREAK) text_add_char(out, ' ');
        else if (type == CMARK_NODE_LINEBREAK) text_add_char(out, '\n');
        else if (type == CMARK_NODE_EMPH || type == CMARK_NODE_STRONG)
            add_inlines(out, page, louder, node);
        else if (type == CMARK_NODE_LINK) add_link(out, page, style, node);
        else if (type != CMARK_NODE_HTML_INLINE) add_inlines(out, page, style, node);
    }
    page->depth--;
}

/* ---- leaf blocks ---- */

static void render_lines(struct page *page, const char *string)
{
    const int width =
        terminal_columns(text_string(&page->rest), page->rest.size) + room_for_text(page);
    terminal_wrap(page->out, string, width, text_string(&page->first), text_string(&page->rest),
                  false);
    margin_begin_lines(page);
}

static void render_paragraph(struct page *page, cmark_node *node)
{
    struct text words = {0};
    add_inlines(&words, page, STYLE_NONE, node);
    render_lines(page, text_string(&words));
    text_done(&words);
}

static void render_rule(struct page *page, const char *stroke, int columns)
{
    text_add(page->out, text_string(&page->first));
    text_add(page->out, terminal_on(page->terminal, STYLE_DIM));
    for (int i = 0; i < columns; i++) text_add(page->out, stroke);
    text_add(page->out, terminal_off(page->terminal, STYLE_DIM));
    end_line(page);
}

static void render_heading(struct page *page, cmark_node *node)
{
    const int level = cmark_node_get_heading_level(node);
    struct text words = {0};
    add_inlines(&words, page, level <= 2 ? STYLE_HEADING : STYLE_STRONG, node);
    render_lines(page, text_string(&words));

    int columns = terminal_columns(text_string(&words), words.size);
    if (columns > room_for_text(page)) columns = room_for_text(page);
    if (!page->terminal->colour && level <= 2 && columns)
        render_rule(page, level == 1 ? "=" : "-", columns);
    text_done(&words);
}

static void render_code(struct page *page, const char *code)
{
    struct text clean = {0};
    terminal_clean(&clean, code, strlen(code));
    const char *line = text_string(&clean);
    while (*line) {
        const size_t size = strcspn(line, "\n");
        text_add(page->out, text_string(&page->first));
        if (size) {
            text_add(page->out, "    ");
            text_add(page->out, terminal_on(page->terminal, STYLE_DIM));
            text_add_bytes(page->out, line, size);
            text_add(page->out, terminal_off(page->terminal, STYLE_DIM));
        }
        end_line(page);
        line += size + (line[size] == '\n');
    }
    text_done(&clean);
}

/* ---- tables ---- */

enum { TABLE_COLUMN_LIMIT = 32, TABLE_GAP = 2 };

struct table {
    int n_columns;
    const uint8_t *alignments; /* 'l', 'r', 'c' or 0 */
    int width[TABLE_COLUMN_LIMIT];
    int least[TABLE_COLUMN_LIMIT]; /* the longest word, but at most a fair share of the line */
};

static bool is_node(cmark_node *node, const char *name)
{
    return strcmp(cmark_node_get_type_string(node), name) == 0;
}

static char *cell_words(struct page *page, cmark_node *cell, bool header)
{
    struct text words = {0};
    add_inlines(&words, page, header ? STYLE_STRONG : STYLE_NONE, cell);
    return text_take(&words);
}

static int longest_word(const char *words)
{
    int longest = 0;
    while (*words) {
        const size_t size = strcspn(words, " \n");
        const int columns = terminal_columns(words, size);
        if (columns > longest) longest = columns;
        words += size + strspn(words + size, " \n");
    }
    return longest;
}

static int int_min(int a, int b) { return a < b ? a : b; }
static int int_max(int a, int b) { return a > b ? a : b; }

static void table_measure(struct table *table, struct page *page, cmark_node *node, int room)
{
    const int share = int_max(room / int_max(table->n_columns, 1), 8);
    for (cmark_node *row = cmark_node_first_child(node); row; row = cmark_node_next(row)) {
        int column = 0;
        cmark_node *cell = cmark_node_first_child(row);
        for (; cell && column < table->n_columns; cell = cmark_node_next(cell), column++) {
            char *words = cell_words(page, cell, false);
            const int columns = int_min(terminal_columns(words, strlen(words)), room);
            table->width[column] = int_max(table->width[column], columns);
            table->least[column] =
                int_max(table->least[column], int_min(longest_word(words), share));
            free(words);
        }
    }
}

/* Take from the widest column until the table fits: first down to the longest
 * words, then, when that is not enough, through them. */
static void table_fit(struct table *table, int room)
{
    int total = TABLE_GAP * (table->n_columns - 1);
    for (int i = 0; i < table->n_columns; i++) total += table->width[i];

    for (int pass = 0; pass < 2; pass++)
        while (total > room) {
            int widest = -1;
            for (int i = 0; i < table->n_columns; i++) {
                const int least = pass == 0 ? table->least[i] : 1;
                if (table->width[i] > least &&
                    (widest < 0 || table->width[i] > table->width[widest]))
                    widest = i;
            }
            if (widest < 0) break;
            table->width[widest]--;
            total--;
        }
}

static void add_cell_line(struct page *page, const struct table *table, int column,
                          const char *line)
{
    const int left_over = table->width[column] - terminal_columns(line, strlen(line));
    const uint8_t alignment = table->alignments ? table->alignments[column] : 0;
    const int before = alignment == 'r' ? left_over : alignment == 'c' ? left_over / 2 : 0;
    for (int i = 0; i < before; i++) text_add_char(page->out, ' ');
    terminal_pad(page->out, line, table->width[column] - int_max(before, 0));
}

static void render_row(struct page *page, const struct table *table, cmark_node *row, bool header)
{
    char *cells[TABLE_COLUMN_LIMIT] = {0}, *next[TABLE_COLUMN_LIMIT] = {0};
    cmark_node *cell = cmark_node_first_child(row);
    for (int i = 0; i < table->n_columns && cell; i++, cell = cmark_node_next(cell)) {
        struct text lines = {0};
        char *words = cell_words(page, cell, header);
        terminal_wrap(&lines, words, table->width[i], "", "", true);
        free(words);
        next[i] = cells[i] = text_take(&lines);
    }
    for (bool more = true; more;) {
        more = false;
        text_add(page->out, text_string(&page->first));
        for (int i = 0; i < table->n_columns; i++) {
            char *line = next[i] ? strsep(&next[i], "\n") : NULL;
            if (i) terminal_pad(page->out, "", TABLE_GAP);
            add_cell_line(page, table, i, or_empty(line));
            more = more || (next[i] && *next[i]);
        }
        end_line(page);
    }
    for (int i = 0; i < table->n_columns; i++) free(cells[i]);
}

static void render_table(struct page *page, cmark_node *node)
{
    struct table table = {.n_columns = cmark_gfm_extensions_get_table_columns(node),
                          .alignments = cmark_gfm_extensions_get_table_alignments(node)};
    if (table.n_columns > TABLE_COLUMN_LIMIT) table.n_columns = TABLE_COLUMN_LIMIT;
    table_measure(&table, page, node, room_for_text(page));
    table_fit(&table, room_for_text(page));

    for (cmark_node *row = cmark_node_first_child(node); row; row = cmark_node_next(row)) {
        const bool header = is_node(row, "table_header");
        render_row(page, &table, row, header);
        if (!header) continue;
        text_add(page->out, text_string(&page->first));
        text_add(page->out, terminal_on(page->terminal, STYLE_DIM));
        for (int i = 0; i < table.n_columns; i++) {
            if (i) terminal_pad(page->out, "", TABLE_GAP);
            for (int j = 0; j < table.width[i]; j++)
                text_add(page->out, page->terminal->plain ? "-" : "─");
        }
        text_add(page->out, terminal_off(page->terminal, STYLE_DIM));
        end_line(page);
    }
}

/* ---- blocks that hold blocks ---- */

static void render_children(struct page *page, cmark_node *parent, bool tight)
{
    bool shown = false;
    for (cmark_node *node = cmark_node_first_child(parent); node; node = cmark_node_next(node)) {
        if (cmark_node_get_type(node) == CMARK_NODE_HTML_BLOCK) continue;
        if (shown && !tight) empty_line(page);
        render_block(page, node);
        shown = true;
    }
    if (!shown) empty_line(page);
}

static void render_list(struct page *page, cmark_node *list)
{
    const bool ordered = cmark_node_get_list_type(list) == CMARK_ORDERED_LIST;
    const bool tight = cmark_node_get_list_tight(list);
    long long number = cmark_node_get_list_start(list);
    char marker[32];

    long long last = number;
    for (cmark_node *item = cmark_node_first_child(list); item; item = cmark_node_next(item))
        last++;
    const int digits = ordered ? snprintf(marker, sizeof marker, "%lld", last - 1) : 0;

    for (cmark_node *item = cmark_node_first_child(list); item; item = cmark_node_next(item)) {
        if (item != cmark_node_first_child(list) && !tight) empty_line(page);
        int size;
        if (ordered) size = snprintf(marker, sizeof marker, "%*lld. ", digits, number++);
        else size = snprintf(marker, sizeof marker, "- ");
        char blank[sizeof marker];
        memset(blank, ' ', (size_t)size);
        blank[size] = '\0';

        const struct margin before = margin_push(page, marker, blank);
        render_children(page, item, tight);
        margin_pop(page, before);
    }
}

static void render_quotation(struct page *page, cmark_node *node)
{
    char *bar =
        text_printf("%s%s%s ", terminal_on(page->terminal, STYLE_DIM),
                    page->terminal->plain ? ">" : "│", terminal_off(page->terminal, STYLE_DIM));
    const struct margin before = margin_push(page, bar, bar);
    render_children(page, node, false);
    margin_pop(page, before);
    free(bar);
}

static void render_block(struct page *page, cmark_node *node)
{
    if (page->depth >= MARKDOWN_DEPTH_LIMIT) {
        render_lines(page, "...");
        return;
    }
    page->depth++;
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_HEADING: render_heading(page, node); break;
    case CMARK_NODE_PARAGRAPH: render_paragraph(page, node); break;
    case CMARK_NODE_CODE_BLOCK: render_code(page, or_empty(cmark_node_get_literal(node))); break;
    case CMARK_NODE_THEMATIC_BREAK:
        render_rule(page, page->terminal->plain ? "-" : "─", room_for_text(page));
        break;
    case CMARK_NODE_LIST: render_list(page, node); break;
    case CMARK_NODE_BLOCK_QUOTE: render_quotation(page, node); break;
    default:
        if (is_node(node, "table")) render_table(page, node);
        break;
    }
    page->depth--;
}

enum status markdown_render(struct text *out, const char *source, size_t size,
                            const struct terminal *terminal, struct error *err)
{
    if (size > MARKDOWN_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "%zu bytes of Markdown: at most %d are read", size,
                         MARKDOWN_SIZE_LIMIT);

    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8);
    cmark_syntax_extension *tables = cmark_find_syntax_extension("table");
    CHECK(tables);
    cmark_parser_attach_syntax_extension(parser, tables);
    cmark_parser_feed(parser, source, size);
    cmark_node *document = cmark_parser_finish(parser);
    cmark_parser_free(parser);

    struct page page = {.out = out, .terminal = terminal};
    text_add(out, "");
    if (cmark_node_first_child(document)) render_children(&page, document, false);
    cmark_node_free(document);
    text_done(&page.first);
    text_done(&page.rest);
    return STATUS_OK;
}
