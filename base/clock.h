/* clock.h - the two clocks, and the forms in which times and durations are written. */
#ifndef EB_CLOCK_H
#define EB_CLOCK_H

#include "base/error.h"

#include <stdint.h>

int64_t eb_now_ms(void);     /* wall clock, milliseconds since 1970: for what is stored or shown */
int64_t eb_mono_ms(void);    /* never goes back: for time-outs and rates */
int64_t eb_mono_us(void);

#define EB_TIME_LEN 32
/* RFC 3339 in UTC with milliseconds: 2026-11-22T16:43:00.000Z; years 0 to 9999. Returns out. */
const char *eb_time_format(int64_t ms, char out[EB_TIME_LEN]);
bool eb_time_parse(const char *text, int64_t *ret_ms, struct eb_err *err) EB_CHECK;   /* RFC 3339 with any offset, also +0100 as Jira writes it */
/* "90s", "15m", "8h", "30d", "250ms"; nothing else. */
bool eb_duration_parse(const char *text, int64_t *ret_ms, struct eb_err *err) EB_CHECK;
const char *eb_duration_format(int64_t ms, char out[EB_TIME_LEN]);

#endif
