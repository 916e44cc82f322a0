/* report_html.c -- the report's Markdown as one page that needs nothing else. */
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <stdlib.h>
#include <string.h>

#include "rounds/report.h"

static const char style[] =
    "body{font:17px/1.55 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere;"
    "color:#1b1f24;background:#fff}h1,h2,h3{line-height:1.25}h2{margin-top:2.4em;border-top:1px "
    "solid #d5d9de;padding-top:1em}h3{font-size:1em;margin-top:1.8em}blockquote{margin:0;padding:.1"
    "em 1em;border-left:4px solid #b9c2cc;color:#3c444d}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #d5d9de;padding:.35em .6em;text-align:left}code{background:#f0f2"
    "f4;padding:.1em .35em;border-radius:3px}@media(prefers-color-scheme:dark){body{color:#e6e8ea;"
    "background:#15181b}h2,td,th{border-color:#3a4047}blockquote{color:#b9c2cc;border-color:#55606b"
    "}code{background:#262b30}}@media print{body{margin:0}}";

enum status report_html(struct text *out, const json_t *report, struct error *err)
{
    struct text markdown = {0};
    report_markdown(&markdown, report);

    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    cmark_syntax_extension *table = cmark_find_syntax_extension("table");
    if (!table) {
        cmark_parser_free(parser);
        text_done(&markdown);
        return error_set(err, STATUS_UNAVAILABLE, "cmark-gfm: its table extension is missing");
    }
    cmark_parser_attach_syntax_extension(parser, table);
    cmark_parser_feed(parser, text_string(&markdown), markdown.size);
    cmark_node *page = cmark_parser_finish(parser);
    /* Without CMARK_OPT_UNSAFE raw HTML and dangerous links are dropped. */
    char *body =
        cmark_render_html(page, CMARK_OPT_DEFAULT, cmark_parser_get_syntax_extensions(parser));
    text_format(out,
                "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'\"><title>lynx-cortex</title><style>",
                json_string_value(json_object_get(report, "language")));
    text_add(out, style);
    text_add(out, "</style></head><body>\n");
    text_add(out, body);
    text_add(out, "</body></html>\n");
    free(body);
    cmark_node_free(page);
    cmark_parser_free(parser);
    text_done(&markdown);
    return STATUS_OK;
}
