/* report.h -- a packet as a hiring committee would read it.
 *
 *   packet --report_json--> one JSON value --report_markdown--> Markdown --report_html--> one page
 *
 *   per round   share of what was looked for (weights found / all), a score of 1 to 4 by the cut-offs
 *               below, its range, time used, every answer with the sentences that decided
 *   then        the three weakest points, and what to practise next and why
 *
 * The range of a score is the 5th to 95th percentile of Beta(1 + found, 1 + missed), counted in
 * rubric items: few items, wide range. A round that was not sat has no score. Nothing here predicts
 * "hired".
 * Tests: tests/rounds/report_test.c
 */
#ifndef ROUNDS_REPORT_H
#define ROUNDS_REPORT_H

#include "base/json.h"
#include "base/text.h"
#include "content/library.h"
#include "rounds/packet.h"

/* 1 strong no, 2 no, 3 yes, 4 strong yes. */
int report_score(double share);

/* The 5th and 95th percentile of the share, from so many items. */
void report_range(double *low, double *high, double share, double n_items);

/* New reference; texts in `language`. */
MUST_CHECK enum status report_json(json_t **out, struct progress *progress,
                                   const struct packet *packet, const struct library *library,
                                   const char *language, struct error *err);

/* Append the report as Markdown; the same as one self-contained page without scripts. */
void report_markdown(struct text *out, const json_t *report);
MUST_CHECK enum status report_html(struct text *out, const json_t *report, struct error *err);

#endif
