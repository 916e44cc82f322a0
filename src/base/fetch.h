/* fetch.h -- one HTTP request, made by the curl program.
 *
 *   request --config on its standard input--> curl --its standard output--> bytes, at most `limit`
 *
 * This program itself opens no connection and links nothing that could; what leaves the machine
 * leaves through one child that anybody can see, and only when a verb was asked to fetch.
 *
 * Promises: https everywhere, http to this machine only; redirects are followed to https only, and never
 * for a request with a body; nothing of ~/.curlrc is read; a key never stands on a command line.
 * Tests: tests/cli/examiner_test.py, tests/base/fetch_test.c
 */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include "base/error.h"
#include "base/text.h"

struct fetch {
    const char *url;
    const char *body;   /* NULL: GET; else POST as application/json */
    const char *bearer; /* a key, or NULL */
    int timeout_s;      /* for the whole of it */
    size_t limit_bytes; /* a larger answer is an error */
};

/* Append the answer's bytes. STATUS_USAGE: an address that is not taken; STATUS_UNAVAILABLE: no curl;
 * STATUS_LIMIT: too large; STATUS_IO: curl's own words. */
MUST_CHECK enum status fetch_run(struct text *out, const struct fetch *fetch, struct error *err);

/* https anywhere, http on loopback. */
bool fetch_allowed(const char *url);

#endif
