/* restored.c - settles what a restored database holds as open: outcome unknown, with audit row and comment, and nothing is sent to Entra.
 *
 * Keys by which repeats are known stay, so that a late repeat gets the outcome and does nothing. An end of a membership is different: taking somebody out
 * who was taken out already does no harm, and leaving somebody in does; it is tried again at the next start.
 */
#include "ops/restored.h"
#include "base/clock.h"
#include "base/text.h"
#include "ops/expiry.h"
#include "ops/report.h"
#include "store/audit.h"
#include "store/membership.h"
#include "store/outbox.h"
#include "store/restored.h"
#include "store/token_table.h"
#include "store/waiting.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE "The database was restored from a backup; whether this was done is not known. Look in Entra."

struct doubt { char *id; bool waits; };
struct settling {
    struct db *db;
    const struct auth_keys *keys;
    const char *directory, *by;
    int64_t now_ms;
    struct doubt *doubts;
    size_t count, room;
    struct ops_restored *ret;
};

static json_t *time_json(int64_t ms)
{
    char text[EB_TIME_LEN];

    return json_string(eb_time_format(ms, text));
}

/* ---- one operation ---- */

struct told { const struct journal_row *row; const struct ops_kind *kind; struct membership ending; const char *issue, *issue_id; int64_t ends_ms; bool comment, end; };

static const char *origin_of_end(const struct journal_row *r)
{
    size_t len = strlen(EXPIRY_ORIGIN);

    return r->origin != NULL && strncmp(r->origin, EXPIRY_ORIGIN, len) == 0 ? r->origin + len : NULL;
}

/* The issue as it was verified, or as the membership's row has it. */
static bool find_issue(struct db *db, struct told *t, struct eb_err *err)
{
    const char *origin = origin_of_end(t->row);
    char operation[EB_ID_LEN];
    struct eb_err e = { 0 };

    t->end = origin != NULL;
    t->issue = t->row->issue_key != NULL ? t->row->issue_key : t->row->issue;
    t->issue_id = t->row->issue_id;
    if (origin == NULL || t->issue_id != NULL)
        return true;
    snprintf(operation, sizeof operation, "%s", origin);
    if (membership_find(db, operation, &t->ending, &e)) {
        t->issue = t->ending.issue_key;
        t->issue_id = t->ending.issue_id;
    } else if (e.code != EB_NOT_THERE) {
        *err = e;
        return false;
    }
    return true;
}

static int64_t end_asked(const struct journal_row *r)
{
    EB_AUTO(json_t, json_decref) request = r->request != NULL ? json_loads(r->request, 0, NULL) : NULL;
    const char *in = eb_json_str(request, "expiresIn"), *at = eb_json_str(request, "expiresAt");
    int64_t ms = 0;

    if (in != NULL && eb_duration_parse(in, &ms, NULL))
        return (r->at_ms > r->accepted_ms ? r->at_ms : r->accepted_ms) + ms;       /* of one with a date, from then on */
    return at != NULL && eb_time_parse(at, &ms, NULL) ? ms : 0;
}

static bool made_nothing(const struct journal_row *r)
{
    EB_AUTO(json_t, json_decref) before = r->before != NULL ? json_loads(r->before, 0, NULL) : NULL;
    EB_AUTO(json_t, json_decref) wanted = r->after != NULL ? json_loads(r->after, 0, NULL) : NULL;

    return before != NULL && wanted != NULL && json_equal(before, wanted) == 1;
}

/* A membership that was to last for a time, and may have been made, must not last for ever. */
static bool arm_end(struct db *db, struct told *t, struct eb_err *err)
{
    const struct journal_row *r = t->row;
    int64_t ends_ms = end_asked(r), armed_ms = 0;
    char object[128];

    if (ends_ms == 0 || r->dry_run || t->kind == NULL || t->kind->change == NULL || !t->kind->change->adds_member || r->user_id == NULL ||
        r->group_id == NULL || made_nothing(r))
        return true;
    snprintf(object, sizeof object, "member:%s:%s", r->group_id, r->user_id);
    if (!expiry_armed(db, object, &armed_ms, err))
        return false;
    t->ends_ms = armed_ms == 0 ? ends_ms : 0;
    return armed_ms != 0 || membership_put(db, &(struct membership){ .object = object, .operation = r->id, .issue_id = r->issue_id, .issue_key = r->issue_key,
                                                                     .user_id = r->user_id, .group_id = r->group_id, .ends_ms = ends_ms }, err);
}

static json_t *answer_json(const struct told *t)
{
    const struct journal_row *r = t->row;

    return json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*}", "operation", r->id, "name", r->kind, "outcome", "unknown", "issue", t->issue,
                     "userId", r->user_id, "groupId", r->group_id);
}

static bool conclude(struct db *db, const struct told *t, int64_t now_ms, struct eb_err *err)
{
    json_t *body = answer_json(t);
    char *answer = eb_json_text(body);
    const struct journal_conclusion c = {
        .id = t->row->id, .outcome = "unknown", .code = eb_code_text(EB_ENTRA_UNAVAILABLE), .message = MESSAGE, .answer = answer,
        .issue_key = t->issue_id != NULL ? t->issue : NULL, .issue_id = t->issue_id, .free_origin = t->end, .now_ms = now_ms,
    };
    bool good = journal_conclude(db, &c, err);

    json_decref(body);
    free(answer);
    return good;
}

/* Where it ended after the backup was made, its own comment on the issue tells how: that is searched for (search_first), and ours is posted only where there is none. So
 * the audit row vouches for no comment. */
static bool put_texts(struct db *db, const struct told *t, const struct ops_comment *parts, const struct audit_row *row, int64_t now_ms, struct eb_err *err)
{
    const char *id = t->row->id;
    json_t *value = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "operation", id, "name", t->row->kind, "outcome", "unknown", "changed", 0,
                              "message", MESSAGE, "code", eb_code_text(EB_ENTRA_UNAVAILABLE));
    char *comment = ops_comment_whole(parts, row->number, row->hash), *property = eb_json_text(value);
    bool good = outbox_put(db, id, t->issue_id, "comment", comment, now_ms, now_ms, NULL, err) &&
                outbox_put(db, id, t->issue_id, "property", property, now_ms, now_ms, NULL, err);

    json_decref(value);
    free(comment);
    free(property);
    return good;
}

static bool tell(const struct settling *s, const struct told *t, struct eb_err *err)
{
    const struct journal_row *r = t->row;
    EB_AUTO(json_t, json_decref) request = r->request != NULL ? json_loads(r->request, 0, NULL) : NULL;
    EB_AUTO(json_t, json_decref) before = r->before != NULL ? json_loads(r->before, 0, NULL) : NULL;
    const struct ops_report report = {
        .operation = r->id, .kind = r->kind, .outcome = "unknown", .code = eb_code_text(EB_ENTRA_UNAVAILABLE), .message = MESSAGE, .dry_run = r->dry_run,
        .token = r->token_name, .token_id = r->token_id, .issue = t->issue, .issue_id = t->issue_id, .user = eb_json_str(request, "user"),
        .group = eb_json_str(request, "group"), .user_id = r->user_id, .group_id = r->group_id, .reason = eb_json_str(request, "reason"),
        .before = before, .request = r->request, .configuration = r->config_hash,
    };
    struct ops_comment parts = { 0 };
    struct audit_row row;

    if (t->comment)
        ops_comment_make(&report, &parts);
    char *data = ops_audit_data(&report, false), *personal = ops_audit_personal(&report, t->comment ? parts.text_hash : NULL);
    bool good = audit_add_personal(s->db, auth_key(s->keys, "audit"), s->now_ms, "operation", r->id, data, personal, &row, err) &&
                (!t->comment || put_texts(s->db, t, &parts, &row, s->now_ms, err));
    free(data);
    free(personal);
    ops_comment_clear(&parts);
    return good;
}

static void note_operation(const struct settling *s, const struct told *t, bool waits)
{
    json_t *o = json_pack("{s:s, s:s, s:s*, s:o, s:b, s:b}", "operation", t->row->id, "name", t->row->kind, "issue", t->issue,
                          "accepted", time_json(t->row->accepted_ms), "waiting", (int)waits, "commented", (int)t->comment);

    if (t->ends_ms > 0)
        json_object_set_new(o, "expiresAt", time_json(t->ends_ms));
    json_array_append_new(s->ret->operations, o);
}

static bool settle_one(const struct settling *s, const struct doubt *d, struct eb_err *err)
{
    struct journal_row row = { 0 };
    struct told t = { .row = &row };
    bool was = true;

    if ((d->waits && !waiting_reopen(s->db, d->id, s->now_ms, &was, err)) || !journal_get(s->db, d->id, NULL, &row, err))
        return false;
    t.kind = ops_kind_find(row.kind);
    bool good = find_issue(s->db, &t, err) && arm_end(s->db, &t, err);
    t.comment = t.issue_id != NULL && row.step_of == NULL && !row.dry_run && (t.kind == NULL || t.kind->change != NULL);
    good = good && conclude(s->db, &t, s->now_ms, err) && tell(s, &t, err);
    if (good)
        note_operation(s, &t, d->waits);
    membership_clear(&t.ending);
    journal_row_clear(&row);
    return good;
}

/* ---- all of them ---- */

static bool keep_doubt(void *ctx, const char *id, bool waits)
{
    struct settling *s = ctx;

    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 64;
        s->doubts = eb_need(reallocarray(s->doubts, s->room, sizeof *s->doubts));
    }
    s->doubts[s->count++] = (struct doubt){ eb_strdup(id), waits };
    return true;
}

static bool settle_operations(struct settling *s, struct eb_err *err)
{
    if (!restored_in_doubt(s->db, s->now_ms, keep_doubt, s, err))
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (!settle_one(s, &s->doubts[i], err))
            return false;
    return true;
}

static bool note_scheduled(void *ctx, const struct restored_scheduled *r)
{
    const struct settling *s = ctx;

    json_array_append_new(s->ret->scheduled, json_pack("{s:s, s:s, s:s*, s:o}", "operation", r->id, "name", r->kind, "issue", r->issue, "at", time_json(r->at_ms)));
    return true;
}

static bool list_scheduled(struct settling *s, struct eb_err *err)
{
    return restored_to_come(s->db, s->now_ms, note_scheduled, s, err);
}

static bool note_end(void *ctx, const struct membership *m)
{
    const struct settling *s = ctx;

    json_array_append_new(s->ret->ends, json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:s*, s:o}", "operation", m->operation, "userId", m->user_id, "user", m->user_name,
                                                  "groupId", m->group_id, "group", m->group_name, "issue", m->issue_key, "expiresAt", time_json(m->ends_ms)));
    return true;
}

static bool list_ends(struct settling *s, struct eb_err *err)
{
    return membership_list(s->db, INT64_MAX, 0, note_end, s, err);
}

static bool search_first(struct settling *s, struct eb_err *err)
{
    struct ops_restored *r = s->ret;

    return restored_comments(s->db, s->now_ms, &r->comments, err) && restored_orders(s->db, s->now_ms, &r->orders, err) &&
           restored_secrets(s->db, &r->secrets, err);
}

/* ---- tokens ---- */

struct token_walk { struct settling *s; bool good; struct eb_err *err; };

static bool has_id(const json_t *list, const char *id)
{
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o)
        if (eb_strieq(eb_json_str(o, "id"), id))
            return true;
    return false;
}

static bool revoke_again(const struct settling *s, const char *id, int64_t time_ms, struct eb_err *err)
{
    int64_t count = 0;

    if (!token_revoke(s->db, id, time_ms, &count, err))
        return false;
    if (count > 0)
        json_array_append_new(s->ret->revoked, json_pack("{s:s, s:o}", "id", id, "revoked", time_json(time_ms)));
    return true;
}

/* Its id is not in the store, so it is refused; noted as revoked too, it stays so where a later backup is put back that knows it. */
static bool note_younger(const struct settling *s, const char *id, int64_t made_ms, struct eb_err *err)
{
    bool known;

    if (!token_known(s->db, id, &known, err))
        return false;
    if (known || has_id(s->ret->younger, id))
        return true;
    json_array_append_new(s->ret->younger, json_pack("{s:s, s:o}", "id", id, "made", time_json(made_ms)));
    return position_note_token(s->directory, POSITION_REVOKED, id, s->now_ms, err);
}

static bool take_token(void *ctx, bool revoked, const char *id, int64_t time_ms)
{
    struct token_walk *w = ctx;

    w->good = revoked ? revoke_again(w->s, id, time_ms, w->err) : note_younger(w->s, id, time_ms, w->err);
    return w->good;
}

static bool settle_tokens(struct settling *s, struct eb_err *err)
{
    struct token_walk w = { s, true, err };

    return position_tokens(s->directory, take_token, &w, err) && w.good;
}

/* ---- the whole ---- */

static bool add_row(struct settling *s, struct eb_err *err)
{
    const struct ops_restored *r = s->ret;
    const struct position *was = &r->look.database, *known = &r->look.known;
    bool same = was->generation == known->generation;
    json_t *data = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "by", s->by, "position", (json_int_t)was->number,
                             "known", (json_int_t)(same ? known->number : 0), "rows", (json_int_t)was->audit, "lostRows", (json_int_t)r->lost_rows,
                             "operations", (json_int_t)json_array_size(r->operations), "scheduled", (json_int_t)json_array_size(r->scheduled),
                             "revoked", (json_int_t)json_array_size(r->revoked), "younger", (json_int_t)json_array_size(r->younger),
                             "orders", (json_int_t)r->orders, "secrets", (json_int_t)r->secrets);
    char *text = eb_json_text(data);
    bool good = audit_add(s->db, auth_key(s->keys, "audit"), s->now_ms, AUDIT_RECOVER_EVENT, NULL, text, NULL, err);

    json_decref(data);
    free(text);
    return good;
}

static bool look_first(struct settling *s, struct eb_err *err)
{
    struct ops_restored *r = s->ret;

    if (!position_look(s->db, s->directory, &r->look, err))
        return false;
    r->lost_rows = r->look.known.audit > r->look.database.audit ? r->look.known.audit - r->look.database.audit : 0;
    return true;
}

static bool renew(struct settling *s, struct eb_err *err)
{
    return position_renew(s->db, s->directory, s->now_ms, &s->ret->now, err);
}

/* The row about the recovery stands behind those of the operations that it has ended, and has their number. */
static bool (*const steps[])(struct settling *, struct eb_err *) = {
    look_first, list_ends, list_scheduled, settle_operations, search_first, settle_tokens, add_row, renew,
};

bool ops_restored_settle(struct db *db, const struct auth_keys *keys, const char *directory, const char *by, struct ops_restored *ret, struct eb_err *err)
{
    struct settling s = { .db = db, .keys = keys, .directory = directory, .by = by, .now_ms = eb_now_ms(), .ret = ret };
    bool good = true;

    *ret = (struct ops_restored){ .operations = json_array(), .scheduled = json_array(), .ends = json_array(), .revoked = json_array(), .younger = json_array() };
    for (size_t i = 0; i < EB_LEN(steps) && good; i++)
        good = steps[i](&s, err);
    for (size_t i = 0; i < s.count; i++)
        free(s.doubts[i].id);
    free(s.doubts);
    return good;
}

void ops_restored_clear(struct ops_restored *r)
{
    json_t **lists[] = { &r->operations, &r->scheduled, &r->ends, &r->revoked, &r->younger };

    for (size_t i = 0; i < EB_LEN(lists); i++) {
        json_decref(*lists[i]);
        *lists[i] = NULL;
    }
}
