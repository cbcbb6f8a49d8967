/* at.c - `at`: when an operation is to be carried out, and how that is told. */
#include "ops/form.h"
#include "ops/wait.h"
#include "base/text.h"
#include "base/zone.h"

#include <stdio.h>
#include <string.h>

#define SLACK_MS 60000                          /* clocks differ, and a rule takes its time */
#define LONGEST_MS (1826 * 24 * 3600000LL)      /* as in the help of the field */

int64_t wait_at(const struct ops_fields *f)
{
    const char *at = ops_field_text(f, "at");
    int64_t ms = 0;

    return at != NULL && ops_at_parse(at, &ms) ? ms : 0;
}

bool wait_is_past(const struct ops_fields *f, int64_t now_ms)
{
    int64_t at_ms = wait_at(f);

    return ops_field_text(f, "at") != NULL && at_ms < now_ms - SLACK_MS;
}

struct eb_err wait_past(void)
{
    struct eb_err e = { 0 };

    eb_fail_field(&e, EB_INVALID_REQUEST, "at", "The time in `at` is past already. Send one that is yet to come, or leave it out for now.");
    return e;
}

static int64_t end_asked(const struct ops_fields *f)
{
    const char *ends = ops_field_text(f, "expiresAt");
    int64_t ms = 0;

    return ends != NULL && eb_time_parse(ends, &ms, NULL) ? ms : INT64_MAX;
}

bool wait_check(const struct ops_fields *f, int64_t now_ms, bool explained, struct eb_err *err)
{
    int64_t at_ms = wait_at(f);

    if (explained && wait_is_past(f, now_ms)) {
        *err = wait_past();
        return false;
    }
    if (at_ms - now_ms > LONGEST_MS)
        return eb_fail_field(err, EB_INVALID_REQUEST, "at", "The time in `at` is more than five years ahead.");
    return at_ms < end_asked(f) || eb_fail_field(err, EB_INVALID_REQUEST, "expiresAt", "The membership would end before it begins: `expiresAt` is not after `at`.");
}

int64_t wait_window_ms(const struct operation *op)
{
    return op->at_ms > op->accepted_ms ? op->at_ms - op->accepted_ms : 0;
}

struct wait_text wait_late(const struct operation *op)
{
    struct wait_text t = { "" };
    char when[EB_LOCAL_LEN];

    if (op->waited && op->at_ms > 0 && op->begun_ms - op->at_ms > op->config->recovery_max_age_ms)
        snprintf(t.text, sizeof t.text, " It was due at %s, and comes late: the operation could not begin then.", eb_local_format(op->at_ms, when));
    return t;
}

void wait_set_date(json_t *answer, int64_t at_ms)
{
    char text[EB_TIME_LEN];

    if (at_ms > 0)
        json_object_set_new(answer, "scheduledFor", json_string(eb_time_format(at_ms, text)));
}

const char *wait_outcome(const char *why)
{
    return eb_streq(why, WAITING_SCHEDULED) ? "scheduled" : "held";
}
