/* header.h - what is read from the heads of answers: pure functions over outside bytes; and the header of credentials (outbound.h). */
#ifndef OUTBOUND_HEADER_H
#define OUTBOUND_HEADER_H

#include "base/buf.h"

#include <stdint.h>

/* The wait in milliseconds that a Retry-After asks for: seconds, also fractional, or an HTTP date.
 * -1 where it says nothing that can be used; at most a day. wall_now_ms: eb_now_ms(). */
int64_t outbound_retry_after(struct eb_span value, int64_t wall_now_ms);

/* What an answer's head says. Reset for each status line, so that an interim answer leaves nothing behind. */
struct outbound_head {
    size_t bytes;
    int64_t retry_after_ms;         /* -1: none */
    bool write_limit;               /* the 429 is about the quota of writes (x-ms-throttle-information: WriteLimitExceeded) */
    bool one_object;                /* the 429 is about one object only (RateLimit-Reason: jira-per-issue-on-write) */
    char content_type[80];
    char location[2048];            /* "": none, or one that does not fit, for a cut one would lead elsewhere */
    char request_id[80];
};
void outbound_head_reset(struct outbound_head *h);
/* One line as libcurl hands it over, with its line end. */
void outbound_head_line(struct outbound_head *h, struct eb_span line, int64_t wall_now_ms);

#endif
