/* when.c - when the next run is due, from the schedule of the configuration and the last run.
 *
 * A time of day is that of the process's time zone (base/zone.h); on the day that a clock is put forward or back it is the time that mktime() makes of it.
 */
#include "sync/run.h"

#include <time.h>

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* The given minute of the day that lies `days` after (before, where negative) that of from_ms. */
static int64_t at_minute_of(int64_t from_ms, int64_t days, int minute)
{
    time_t t = (time_t)(from_ms / 1000);
    struct tm local;

    localtime_r(&t, &local);
    local.tm_mday += (int)days;
    local.tm_hour = minute / 60;
    local.tm_min = minute % 60;
    local.tm_sec = 0;
    local.tm_isdst = -1;
    return (int64_t)mktime(&local) * 1000;
}

static int64_t first_at(int64_t now_ms, int minute)
{
    int64_t today = at_minute_of(now_ms, 0, minute);

    return today >= now_ms ? today : at_minute_of(now_ms, 1, minute);
}

/* When the run was due that began then: chance has put it off, perhaps beyond midnight; one by hand counts as that of the day before. */
static int64_t last_at(int64_t began_ms, int minute)
{
    int64_t that_day = at_minute_of(began_ms, 0, minute);

    return that_day <= began_ms ? that_day : at_minute_of(began_ms, -1, minute);
}

int64_t sync_next_ms(const struct config_sync *c, int64_t last_ms, int64_t now_ms)
{
    if (c->every_ms <= 0)
        return INT64_MAX;
    if (last_ms > now_ms)               /* the clock went back: what was then counts no more */
        last_ms = now_ms;
    if (c->at_minute < 0)
        return last_ms == 0 ? now_ms : last_ms + c->every_ms;
    if (last_ms == 0)
        return first_at(now_ms, c->at_minute);
    return at_minute_of(last_at(last_ms, c->at_minute), c->every_ms / DAY_MS, c->at_minute);
}

bool sync_full_due(const struct config_sync *c, int64_t read_all_ms, int64_t now_ms)
{
    return read_all_ms == 0 || read_all_ms > now_ms || now_ms - read_all_ms >= c->full_every_ms;
}
