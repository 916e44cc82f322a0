/* day.h -- calendar days as numbers, so that they can be subtracted.
 *
 *   day   days since 1970-01-01 in the user's time zone
 *
 * A day of practice ends at four in the morning: what is done after midnight still belongs to the
 * evening. Two sittings are "the same day" for memory when their numbers are equal.
 *
 * Tests: tests/progress/day_test.c
 */
#ifndef PROGRESS_DAY_H
#define PROGRESS_DAY_H

#include <stdbool.h>
#include <stdint.h>

enum { DAY_NONE = -1, DAY_STARTS_AT_HOUR = 4 };

/* The day of practice in which this moment lies (time zone: TZ or the system's). */
int64_t day_of(int64_t wall_ms);

/* "2026-12-01" to its number. False when it is not a real date written so (1970 to 9999). */
bool day_parse(const char *text, int64_t *day);

/* The number to "2026-12-01" in `out`; returns `out`. "" for DAY_NONE. */
const char *day_text(char out[16], int64_t day);

#endif
