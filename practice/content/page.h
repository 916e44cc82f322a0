/* page.h -- what can be counted in a Markdown page, so that its two languages can be compared.
 *
 * Tests: tests/content/page_test.c
 */
#ifndef CONTENT_PAGE_H
#define CONTENT_PAGE_H

#include <stddef.h>

#include "base/error.h"

struct page_shape {
    int headings;
    int blocks; /* of code, fenced */
};

struct page_shape page_shape(const char *source, size_t size);

/* Tell each link and image that leads to a file: nothing with a scheme ("https:"), no place within
 * the page ("#top"). STATUS_LIMIT when the page is larger than MARKDOWN_SIZE_LIMIT. */
typedef void page_link_told(void *context, const char *link);
MUST_CHECK enum status page_links(const char *source, size_t size, page_link_told *told,
                                  void *context, struct error *err);

#endif
