/* clock.c - clocks, RFC 3339 and durations.
 *
 * Pure arithmetic on the proleptic Gregorian calendar: no time zone of the machine, no locale.
 */
#include "base/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define YEAR_0_MS INT64_C(-62167219200000)
#define YEAR_9999_END_MS INT64_C(253402300799999)
#define LONGEST_MS (INT64_C(36500) * DAY_MS)    /* a hundred years: no setting means more */

static int64_t read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t eb_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t eb_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t eb_mono_ms(void)
{
    return eb_mono_us() / 1000;
}

const char *eb_time_format(int64_t ms, char out[EB_TIME_LEN])
{
    /* What RFC 3339 cannot write shows as the nearest that it can. */
    ms = ms < YEAR_0_MS ? YEAR_0_MS : ms > YEAR_9999_END_MS ? YEAR_9999_END_MS : ms;
    int64_t part = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm tm = { 0 };

    gmtime_r(&seconds, &tm);
    int n = snprintf(out, EB_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)part);
    if (n < 0 || n >= EB_TIME_LEN)
        out[EB_TIME_LEN - 1] = '\0';
    return out;
}

/* Days since 1970-01-01; years begin in March here, so that the leap day comes last. */
static int64_t days_from_date(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year = y - era * 400;
    int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static int days_in(int y, int m)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m == 2 && leap ? 29 : days[m - 1];
}

/* Exactly n digits at *p, which then stands behind them. */
static bool digits(const char **p, int n, int *ret)
{
    int v = 0;

    for (; n > 0; n--, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        v = v * 10 + (**p - '0');
    }
    *ret = v;
    return true;
}

static bool one(const char **p, const char *set)
{
    if (**p == '\0' || strchr(set, **p) == NULL)
        return false;
    (*p)++;
    return true;
}

static bool date_part(const char **p, int64_t *ret_day)
{
    int y, m, d;

    if (!digits(p, 4, &y) || !one(p, "-") || !digits(p, 2, &m) || !one(p, "-") || !digits(p, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > days_in(y, m))
        return false;
    *ret_day = days_from_date(y, m, d);
    return true;
}

/* hh:mm:ss and a fraction, of which what is finer than a millisecond is dropped. */
static bool time_part(const char **p, int64_t *ret_ms, bool *ret_leap)
{
    int h, m, s, ms = 0;

    if (!digits(p, 2, &h) || !one(p, ":") || !digits(p, 2, &m) || !one(p, ":") || !digits(p, 2, &s))
        return false;
    if (h > 23 || m > 59 || s > 60)
        return false;
    if (**p == '.') {
        int scale = 100;
        (*p)++;
        if (!isdigit((unsigned char)**p))
            return false;
        for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
            ms += (**p - '0') * scale;
    }
    *ret_leap = s == 60;
    *ret_ms = ((int64_t)h * 3600 + m * 60 + s) * 1000 + ms;
    return true;
}

static bool offset_part(const char **p, int64_t *ret_ms)
{
    int h, m;
    int sign = **p == '-' ? -1 : 1;

    *ret_ms = 0;
    if (one(p, "Zz"))
        return true;
    if (!one(p, "+-") || !digits(p, 2, &h))
        return false;
    (void)one(p, ":");                  /* Jira writes +0100 */
    if (!digits(p, 2, &m) || h > 23 || m > 59)
        return false;
    *ret_ms = sign * ((int64_t)h * 60 + m) * 60000;
    return true;
}

bool eb_time_parse(const char *text, int64_t *ret_ms, struct eb_err *err)
{
    const char *p = text != NULL ? text : "";
    int64_t day, ms, offset;
    bool leap;

    if (!date_part(&p, &day) || !one(&p, "Tt") || !time_part(&p, &ms, &leap) ||
        !offset_part(&p, &offset) || *p != '\0')
        return eb_fail(err, EB_INVALID_REQUEST, "a time is written like 2026-11-22T16:43:00Z");
    int64_t result = day * DAY_MS + ms - offset;
    /* A leap second stands at the end of a UTC day only; it counts as the second after it. */
    if (leap && (result - result % 1000) % DAY_MS != 0)
        return eb_fail(err, EB_INVALID_REQUEST, "a time with second 60 that is no leap second");
    *ret_ms = result;
    return true;
}

/* Largest first, for the formatting. */
static const struct { const char *name; int64_t ms; } units[] = {
    { "d", DAY_MS }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

bool eb_duration_parse(const char *text, int64_t *ret_ms, struct eb_err *err)
{
    const char *p = text != NULL ? text : "";
    int64_t n = 0;

    for (; isdigit((unsigned char)*p) && n <= LONGEST_MS; p++)
        n = n * 10 + (*p - '0');
    for (size_t i = 0; p != text && i < EB_LEN(units); i++) {
        if (strcmp(p, units[i].name) != 0)
            continue;
        if (n > LONGEST_MS / units[i].ms)
            return eb_fail(err, EB_INVALID_REQUEST, "a duration may be at most 36500d");
        *ret_ms = n * units[i].ms;
        return true;
    }
    return eb_fail(err, EB_INVALID_REQUEST,
                   "a duration is a number and one of ms, s, m, h, d, like 90s, 15m, 8h or 30d");
}

const char *eb_duration_format(int64_t ms, char out[EB_TIME_LEN])
{
    size_t i = 0;

    while (i + 1 < EB_LEN(units) && (ms == 0 ? units[i].ms != 1000 : ms % units[i].ms != 0))
        i++;
    (void)snprintf(out, EB_TIME_LEN, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
    return out;
}
