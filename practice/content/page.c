#include "content/page.h"

#include <cmark-gfm.h>
#include <ctype.h>
#include <string.h>

#include "base/markdown.h"
#include "base/text.h"

struct page_shape page_shape(const char *source, size_t size)
{
    struct page_shape shape = {0};
    cmark_node *page = cmark_parse_document(source, size, CMARK_OPT_DEFAULT);
    cmark_iter *walk = cmark_iter_new(page);
    for (cmark_event_type event; (event = cmark_iter_next(walk)) != CMARK_EVENT_DONE;) {
        if (event != CMARK_EVENT_ENTER) continue;
        const cmark_node_type type = cmark_node_get_type(cmark_iter_get_node(walk));
        if (type == CMARK_NODE_HEADING) shape.headings++;
        if (type == CMARK_NODE_CODE_BLOCK) shape.blocks++;
    }
    cmark_iter_free(walk);
    cmark_node_free(page);
    return shape;
}

/* "https:", "mailto:": letters, then a colon. */
static bool has_scheme(const char *url)
{
    size_t size = 0;
    while (isalnum((unsigned char)url[size]) || (size && strchr("+.-", url[size]) && url[size]))
        size++;
    return size > 0 && url[size] == ':';
}

enum status page_links(const char *source, size_t size, page_link_told *told, void *context,
                       struct error *err)
{
    if (size > MARKDOWN_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "a page of %zu bytes, at most %d are read", size,
                         MARKDOWN_SIZE_LIMIT);
    cmark_node *page = cmark_parse_document(source, size, CMARK_OPT_DEFAULT);
    cmark_iter *walk = cmark_iter_new(page);
    for (cmark_event_type event; (event = cmark_iter_next(walk)) != CMARK_EVENT_DONE;) {
        cmark_node *node = cmark_iter_get_node(walk);
        const cmark_node_type type = cmark_node_get_type(node);
        if (event != CMARK_EVENT_ENTER || (type != CMARK_NODE_LINK && type != CMARK_NODE_IMAGE))
            continue;
        const char *url = cmark_node_get_url(node);
        if (url && *url && *url != '#' && !has_scheme(url)) told(context, url);
    }
    cmark_iter_free(walk);
    cmark_node_free(page);
    return STATUS_OK;
}
