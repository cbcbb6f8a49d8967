/* zone.h - local dates and times of the one time zone that this process is in. */
#ifndef EB_ZONE_H
#define EB_ZONE_H

#include "base/clock.h"

/* Is this an IANA name ("Europe/Berlin") of which this machine has the rules? "UTC" always is. */
bool eb_zone_known(const char *name);
/* The process is in this zone from now on; NULL: in the machine's. Before its first thread. */
void eb_zone_use(const char *name);

/* "2027-03-31" (its midnight), "2027-03-31T18:00", with seconds or without; a blank may stand for the T. A time that the clocks leave out is taken by the
 * offset of before, one that they show twice is the first of the two (RFC 5545, 3.3.5). False: of another form, or before 1970. */
bool eb_local_parse(const char *text, int64_t *ret_ms) EB_CHECK;
/* "2027-03-31 18:00 CEST" */
#define EB_LOCAL_LEN 48
const char *eb_local_format(int64_t ms, char out[EB_LOCAL_LEN]);

#endif
