/* expiry.c - ends of memberships: asked for, told, armed, moved and cancelled.
 *
 * An end is armed in the transaction that concludes the operation which made the membership. A later call moves it, a permanent one or a removal
 * cancels it. Rows and timers stand in the store, so that they survive a restart.
 */
#include "ops/expiry.h"
#include "base/text.h"
#include "store/membership.h"

#include <stdio.h>
#include <string.h>

#define WARN_SHARE 5                    /* announced a fifth of its time before the end, ... */
#define WARN_MAX_MS (24 * 3600000LL)    /* ... but no more than a day, */
#define WARN_MIN_MS (10 * 60000LL)      /* and not where that would be less than this */
#define LONGEST_MS (1826 * 24 * 3600000LL)      /* as in the row of `expiresIn` */

static int64_t time_asked(const struct ops_fields *f)
{
    const char *at = ops_field_text(f, "expiresAt");
    struct eb_err err = { 0 };
    int64_t ms = 0;

    return at != NULL && eb_time_parse(at, &ms, &err) ? ms : 0;
}

bool expiry_check(const struct ops_fields *f, int64_t now_ms, struct eb_err *err)
{
    int64_t at_ms = time_asked(f);

    if (ops_field_text(f, "expiresAt") == NULL || (at_ms > now_ms && at_ms - now_ms <= LONGEST_MS))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, "expiresAt", at_ms > now_ms ? "The time in `expiresAt` is more than five years ahead."
                                                                               : "The time in `expiresAt` is past already.");
}

int64_t ops_duration_ms(const struct operation *op)
{
    const char *in = ops_field_text(&op->fields, "expiresIn");
    struct eb_err err = { 0 };
    int64_t ms = 0, at_ms = time_asked(&op->fields), from_ms = op->at_ms > op->accepted_ms ? op->at_ms : op->accepted_ms;

    if (in != NULL && eb_duration_parse(in, &ms, &err))
        return ms;
    return at_ms == 0 ? 0 : at_ms > from_ms ? at_ms - from_ms : -1;
}

/* ---- which end ---- */

static bool adds(const struct operation *op)
{
    return op->kind->change != NULL && op->kind->change->adds_member;
}

/* The membership was made by this operation, or may have been: then it must not last for ever. */
static bool made(const struct operation *op)
{
    return op->err.code == EB_OK ? op->changed || op->would_change : op->differs && strcmp(op->outcome, "unknown") == 0;
}

void expiry_settle(struct operation *op)
{
    int64_t ms = op->err.code == EB_OK || op->verdict.duration_ms > 0 ? op->verdict.duration_ms : ops_duration_ms(op), at_ms = time_asked(&op->fields);

    /* One that was there before, and has no end, keeps having none: it was not ours to end. */
    if (!adds(op) || ms == 0 || !(made(op) || (op->err.code == EB_OK && op->had_end_ms > 0)))
        return;
    op->ends_ms = at_ms != 0 ? at_ms : eb_now_ms() + ms;
}

bool expiry_armed(struct db *db, const char *object, int64_t *ret_ends_ms, struct eb_err *err)
{
    struct membership m = { 0 };
    struct eb_err e = { 0 };

    *ret_ends_ms = 0;
    if (!membership_get(db, object, &m, &e)) {
        if (e.code != EB_NOT_THERE)
            *err = e;
        return e.code == EB_NOT_THERE;
    }
    *ret_ends_ms = m.ends_ms;
    membership_clear(&m);
    return true;
}

/* ---- how it is told ---- */

const char *expiry_time(int64_t ms, char out[EB_TIME_LEN])
{
    char text[EB_TIME_LEN];

    eb_time_format(ms, text);
    snprintf(out, EB_TIME_LEN, "%.10s %.5s UTC", text, text + 11);
    return out;
}

static void text_of_member(const struct operation *op, char out[EXPIRY_TEXT])
{
    char had[EB_TIME_LEN], ends[EB_TIME_LEN];

    expiry_time(op->had_end_ms, had);
    expiry_time(op->ends_ms, ends);
    if (op->ends_ms > 0 && op->had_end_ms > 0 && strcmp(had, ends) != 0)
        snprintf(out, EXPIRY_TEXT, "; the end of the membership is moved from %s to %s", had, ends);
    else if (op->ends_ms > 0)
        snprintf(out, EXPIRY_TEXT, " until %s", ends);
    else if (op->had_end_ms > 0)
        snprintf(out, EXPIRY_TEXT, "; the end that was set for %s is cancelled", had);
    else if (op->verdict.duration_ms > 0 && op->recorded)
        snprintf(out, EXPIRY_TEXT, ", and was not made one here for a time: the membership gets no end");
}

const char *expiry_text(const struct operation *op, char out[EXPIRY_TEXT])
{
    char ends[EB_TIME_LEN];

    out[0] = '\0';
    if (op->ends_member && op->changed)
        snprintf(out, EXPIRY_TEXT, ": the time of the membership is over");
    else if (adds(op) && (op->changed || op->would_change) && op->ends_ms > 0)
        snprintf(out, EXPIRY_TEXT, " until %s", expiry_time(op->ends_ms, ends));
    else if (adds(op) && !op->changed && !op->would_change)
        text_of_member(op, out);
    return out;
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[EB_TIME_LEN];

    if (ms > 0)
        json_object_set_new(o, key, json_string(eb_time_format(ms, text)));
}

void expiry_answer(const struct operation *op, json_t *answer)
{
    set_time(answer, "expiresAt", op->ends_ms);
    set_time(answer, "expiresAtBefore", op->had_end_ms);
}

/* ---- arming ---- */

static int64_t warn_at(int64_t now_ms, int64_t ends_ms)
{
    int64_t lead = (ends_ms - now_ms) / WARN_SHARE;

    if (lead > WARN_MAX_MS)
        lead = WARN_MAX_MS;
    return lead < WARN_MIN_MS ? 0 : ends_ms - lead;
}

static bool arm(struct db *db, const struct operation *op, int64_t now_ms, struct eb_err *err)
{
    const struct directory_facts *f = op->facts;
    const char *user = op->user_id != NULL ? op->user_id : f->user.id, *group = op->group_id != NULL ? op->group_id : f->group.id;
    bool named = f != NULL && eb_strieq(user, f->user.id) && eb_strieq(group, f->group.id);     /* else the facts have come to be about others */

    return membership_put(db, &(struct membership){
        .object = (char *)(uintptr_t)op->object, .operation = (char *)(uintptr_t)op->id, .issue_id = op->comment_issue, .issue_key = op->comment_key,
        .user_id = (char *)(uintptr_t)user, .group_id = (char *)(uintptr_t)group,
        .user_name = (char *)(uintptr_t)(named ? f->user.display_name : NULL), .group_name = (char *)(uintptr_t)(named ? f->group.name : NULL),
        .ends_ms = op->ends_ms, .warn_ms = warn_at(now_ms, op->ends_ms),
    }, err);
}

bool expiry_conclude(struct db *db, const struct operation *op, int64_t now_ms, struct eb_err *err)
{
    const struct ops_change *c = op->kind->change;

    if (c == NULL || !c->changes_group || op->fields.dry_run || op->verdict.shadow || op->object[0] == '\0')
        return true;
    if (op->ends_ms > 0)
        return (op->facts == NULL && op->user_id == NULL) || arm(db, op, now_ms, err);
    return op->err.code != EB_OK || membership_remove(db, op->object, err);
}
