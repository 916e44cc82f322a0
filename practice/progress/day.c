#include "progress/day.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back: count from March, so that
 * the leap day is the last of its year. */
static int64_t number_of(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t number, int *year, int *month, int *day)
{
    const int64_t z = number + 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t d = z - era * 146097;
    const int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    const int64_t of_year = d - (365 * y + y / 4 - y / 100);
    const int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

int64_t day_of(int64_t wall_ms)
{
    const time_t moment = (time_t)(wall_ms / 1000) - DAY_STARTS_AT_HOUR * 3600;
    struct tm local;
    localtime_r(&moment, &local);
    return number_of(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

bool day_parse(const char *text, int64_t *day)
{
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && !isdigit((unsigned char)text[i])) return false;

    int year, month, date, y, m, d;
    if (sscanf(text, "%4d-%2d-%2d", &year, &month, &date) != 3 || year < 1970) return false;
    if (month < 1 || month > 12) return false;
    const int64_t number = number_of(year, month, date);
    date_of(number, &y, &m, &d);
    if (y != year || m != month || d != date) return false;
    *day = number;
    return true;
}

const char *day_text(char out[16], int64_t day)
{
    int year, month, date;
    out[0] = '\0';
    if (day < 0) return out;
    date_of(day, &year, &month, &date);
    snprintf(out, 16, "%04d-%02d-%02d", year, month, date);
    return out;
}
