/* journal.c - what happens to an operation: accepted, recorded, written, concluded.
 *
 * Rows of one operation hang on its number, which the database gives in order of acceptance.
 * Invariants: an operation is ended once, by journal_conclude; a write that may have been sent stands as "pending" until then.
 * "Changed since" is decided by the number of conclusions, never by a clock, which may be set back.
 */
#include "store/journal.h"

#include "base/text.h"
#include "store/journal_rows.h"
#include "store/query.h"

#include <string.h>

static bool name_issue(struct db *db, int64_t number, const char *issue, struct eb_err *err)
{
    return issue == NULL || db_execute(db, NULL, err, "INSERT INTO operation_issues (issue, operation) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                                       DB_T(issue), DB_I(number));
}

/* Step 3 */

struct earlier { int64_t operation, until_ms; bool same_body; };

/* *ret_found: the key is taken, and its window not over. */
static bool find_key(struct db *db, const struct journal_accept *a, struct earlier *ret, bool *ret_found, struct eb_err *err)
{
    *ret_found = false;
    if (a->key == NULL)
        return true;
    struct db_stmt *s = db_query(db, err, "SELECT operation, until_ms, body_hash FROM idempotency WHERE repeat_key = $1", DB_T(a->key));
    if (!db_first(s, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    *ret = (struct earlier){ .operation = db_int(s, 0), .until_ms = db_int(s, 1), .same_body = eb_streq(db_text(s, 2), a->body_hash) };
    *ret_found = ret->until_ms > a->row->accepted_ms;
    return db_run(s, NULL, err);
}

static bool insert_operation(struct db *db, const struct journal_row *r, const char *key, int64_t *ret_number, struct eb_err *err)
{
    if (!db_execute(db, NULL, err,
            "INSERT INTO operations (id, kind, token_id, token_name, issue, request, config_hash, repeat_key, accepted_ms, dry_run, origin)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            DB_T(r->id), DB_T(r->kind), DB_T(r->token_id), DB_T(r->token_name), DB_T(r->issue), DB_T(r->request), DB_T(r->config_hash),
            DB_T(key), DB_I(r->accepted_ms), DB_I(r->dry_run), DB_T(r->origin)))
        return false;
    return db_last_number(db, ret_number, err) &&
           db_execute(db, NULL, err, "INSERT INTO open_operations (operation) VALUES ($1)", DB_I(*ret_number));
}

/* A key whose window is over belongs to the new operation from now on. */
static bool insert_key(struct db *db, const struct journal_accept *a, int64_t number, struct eb_err *err)
{
    return a->key == NULL || db_execute(db, NULL, err,
        "INSERT INTO idempotency (repeat_key, body_hash, operation, until_ms) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (repeat_key) DO UPDATE SET body_hash = excluded.body_hash, operation = excluded.operation, until_ms = excluded.until_ms",
        DB_T(a->key), DB_T(a->body_hash), DB_I(number), DB_I(a->row->accepted_ms + a->window_ms));
}

/* Made from another operation: once, unless it came to nothing. */
static bool check_origin(struct db *db, const char *origin, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT id FROM operations WHERE origin = $1", DB_T(origin));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    char by[EB_ID_LEN];
    eb_text_clean(db_text(s, 0), by, sizeof by);
    return db_run(s, NULL, err) && eb_fail(err, EB_UNDO_NOT_POSSIBLE, "This was undone already, or is being undone, by operation %s.", by);
}

static bool accept_new(struct db *db, struct journal_accept *a, struct eb_err *err)
{
    int64_t number = 0;

    a->ret_verdict = JOURNAL_NEW;
    if (a->row->origin != NULL && !check_origin(db, a->row->origin, err))
        return false;
    return insert_operation(db, a->row, a->key, &number, err) && insert_key(db, a, number, err) && name_issue(db, number, a->row->issue, err);
}

/* Writes of other operations that have changed an object that operation $1 was about, since that was concluded. */
#define SINCE \
    " FROM (SELECT object FROM targets WHERE operation = $1 UNION SELECT object FROM writes WHERE operation = $1" \
    "       UNION SELECT touches FROM writes WHERE operation = $1) AS mine" \
    " JOIN writes w ON w.object = mine.object AND w.operation >= (SELECT oldest_open FROM conclusions WHERE operation = $1)" \
    " AND w.operation <> $1 AND w.state = 'done'" \
    " JOIN conclusions later ON later.operation = w.operation AND later.number > (SELECT number FROM conclusions WHERE operation = $1)" \
    " AND later.changed = 1"

static bool changed_since(struct db *db, int64_t number, bool *ret, struct eb_err *err)
{
    return db_exists(db_query(db, err, "SELECT w.n" SINCE " LIMIT 1", DB_I(number)), ret, err);
}

bool journal_list_since(struct db *db, const char *id, journal_each *each, void *ctx, struct eb_err *err)
{
    int64_t number = 0;
    enum db_step step = DB_DONE;
    bool more = true;

    if (!db_number(db_query(db, err, "SELECT number FROM operations WHERE id = $1", DB_T(id)), &number, err))
        return false;
    struct db_stmt *s = db_query(db, err, "SELECT " JOURNAL_COLUMNS " FROM " JOURNAL_TABLES " WHERE o.number IN (SELECT w.operation" SINCE ")"
                                 " ORDER BY c.number", DB_I(number));
    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct journal_row r = { 0 };
        journal_row_read(s, &r);
        more = each(ctx, &r);
        journal_row_clear(&r);
    }
    db_stop(s);
    return step != DB_FAILED;
}

/* *ret_found false: the operation has been deleted, so that the key means nothing any more. */
static bool load_earlier(struct db *db, int64_t number, struct journal_accept *a, bool *ret_found, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " JOURNAL_COLUMNS " FROM " JOURNAL_TABLES " WHERE o.number = $1", DB_I(number));

    if (!db_first(s, ret_found, err) || !*ret_found)
        return s != NULL && !*ret_found;
    journal_row_read(s, &a->ret_earlier);
    if (db_run(s, NULL, err) && (eb_streq(a->ret_earlier.state, "open") || changed_since(db, number, &a->ret_changed_since, err)))
        return true;
    journal_row_clear(&a->ret_earlier);
    return false;
}

bool journal_accept(struct db *db, struct journal_accept *a, struct eb_err *err)
{
    struct earlier earlier = { 0 };
    bool found = false;

    a->ret_changed_since = false;
    memset(&a->ret_earlier, 0, sizeof(a->ret_earlier));
    if (!find_key(db, a, &earlier, &found, err))
        return false;
    if (found && !load_earlier(db, earlier.operation, a, &found, err))
        return false;
    a->ret_verdict = JOURNAL_NONE;
    if (!found)
        return a->only_repeat || accept_new(db, a, err);
    if (!earlier.same_body) {
        (void)eb_fail(err, EB_IDEMPOTENCY_CONFLICT, "This Idempotency-Key was used before with another body, by operation %s. "
                      "Send a new key with a new request.", a->ret_earlier.id);
        journal_row_clear(&a->ret_earlier);
        return false;
    }
    a->ret_verdict = JOURNAL_REPEAT;
    return true;
}

/* Steps 6 and 7 */

/* key_new, id_new: the issue's names are others than the one that was sent, under which the operation is known already. */
struct open_operation { int64_t number; bool key_new, id_new; };

static bool find_open(struct db *db, const char *id, const char *issue_key, const char *issue_id, struct open_operation *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT o.number, o.issue FROM operations o JOIN open_operations p ON p.operation = o.number WHERE o.id = $1",
                                 DB_T(id));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_NOT_THERE, "There is no open operation %s.", id);
    const char *sent = db_text(s, 1);
    *ret = (struct open_operation){ db_int(s, 0), issue_key != NULL && !eb_streq(issue_key, sent), issue_id != NULL && !eb_streq(issue_id, sent) };
    return db_run(s, NULL, err);
}

static bool name_issues(struct db *db, const struct open_operation *o, const char *issue_key, const char *issue_id, struct eb_err *err)
{
    return (!o->key_new || name_issue(db, o->number, issue_key, err)) && (!o->id_new || name_issue(db, o->number, issue_id, err));
}

/* Recorded again after a long wait: once a write may have landed, what stood before stays as it was first seen. */
static bool insert_record(struct db *db, int64_t number, const struct journal_record *r, struct eb_err *err)
{
    return db_execute(db, NULL, err,
        "INSERT INTO records (operation, issue_key, issue_id, user_id, group_id, state_before, state_wanted)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (operation) DO UPDATE SET issue_key = COALESCE(excluded.issue_key, records.issue_key),"
        " issue_id = COALESCE(excluded.issue_id, records.issue_id), user_id = COALESCE(excluded.user_id, records.user_id),"
        " group_id = COALESCE(excluded.group_id, records.group_id),"
        " state_before = CASE WHEN $8 = 0 AND EXISTS (SELECT 1 FROM writes w WHERE w.operation = $1) THEN records.state_before ELSE excluded.state_before END,"
        " state_wanted = CASE WHEN $8 = 0 AND EXISTS (SELECT 1 FROM writes w WHERE w.operation = $1) THEN records.state_wanted ELSE excluded.state_wanted END",
        DB_I(number), DB_T(r->issue_key), DB_T(r->issue_id), DB_T(r->user_id), DB_T(r->group_id), DB_T(r->before), DB_T(r->wanted), DB_I(r->untouched));
}

static bool insert_write(struct db *db, int64_t number, const struct journal_write *w, int64_t now_ms, struct eb_err *err)
{
    return db_execute(db, NULL, err,
        "INSERT INTO writes (operation, n, action, object, touches, state, tries, sent_ms) VALUES ($1, $2, $3, $4, $5, 'pending', 1, $6)"
        " ON CONFLICT (operation, n) DO UPDATE SET action = excluded.action, object = excluded.object, touches = excluded.touches,"
        " tries = writes.tries + 1, sent_ms = excluded.sent_ms",
        DB_I(number), DB_I(w->n), DB_T(w->action), DB_T(w->object), DB_T(w->touches), DB_I(now_ms));
}

static bool insert_target(struct db *db, int64_t number, const struct journal_record *r, const char *object, struct eb_err *err)
{
    bool named = object == NULL;

    for (size_t i = 0; i < r->write_count && !named; i++)
        named = eb_streq(object, r->writes[i].object) || eb_streq(object, r->writes[i].touches);
    return named || db_execute(db, NULL, err, "INSERT INTO targets (operation, object) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                               DB_I(number), DB_T(object));
}

/* Writes on one object go one after another, so the newest few tell. A pending one is under way right now. */
static bool look_recent(struct db *db, int64_t number, const char *object, struct journal_record *r, struct eb_err *err)
{
    int64_t latest_ms = INT64_MIN;

    if (object == NULL || r->ret_recent)
        return true;
    if (!db_number(db_query(db, err,
            "SELECT COALESCE(MAX(CASE WHEN state = 'pending' THEN 9223372036854775807 WHEN answered_ms > sent_ms THEN answered_ms ELSE sent_ms END),"
            " -9223372036854775807) FROM (SELECT state, sent_ms, answered_ms FROM writes WHERE object = $1 AND operation <> $2"
            " AND state IN ('pending', 'done', 'nothing', 'unknown') ORDER BY operation DESC LIMIT 16) AS newest",
            DB_T(object), DB_I(number)), &latest_ms, err))
        return false;
    r->ret_recent = latest_ms >= r->now_ms - r->recent_ms;
    return true;
}

bool journal_record(struct db *db, struct journal_record *r, struct eb_err *err)
{
    struct open_operation o = { 0 };

    r->ret_recent = false;
    if (!find_open(db, r->id, r->issue_key, r->issue_id, &o, err))
        return false;
    int64_t number = o.number;
    if (!insert_record(db, number, r, err) || !name_issues(db, &o, r->issue_key, r->issue_id, err) ||
        !look_recent(db, number, r->object, r, err) || !insert_target(db, number, r, r->object, err) ||
        !insert_target(db, number, r, r->touches, err))
        return false;
    for (size_t i = 0; i < r->write_count; i++) {
        const struct journal_write *w = &r->writes[i];
        if (!insert_write(db, number, w, r->now_ms, err) ||
            (!eb_streq(w->object, r->object) && !look_recent(db, number, w->object, r, err)))
            return false;
    }
    return true;
}

static bool number_of_open(struct db *db, const char *id, int64_t *ret, struct eb_err *err)
{
    struct open_operation o = { 0 };

    if (!find_open(db, id, NULL, NULL, &o, err))
        return false;
    *ret = o.number;
    return true;
}

bool journal_write_next(struct db *db, const char *id, const struct journal_write_end *ended, const struct journal_write *next, int64_t now_ms,
                        struct eb_err *err)
{
    int64_t number = 0, found = 0;

    if (!number_of_open(db, id, &number, err) ||
        !db_execute(db, &found, err, "UPDATE writes SET state = $3, status = $4, request_id = $5, answered_ms = $6 WHERE operation = $1 AND n = $2",
                    DB_I(number), DB_I(ended->n), DB_T(ended->state), DB_I(ended->status), DB_T(ended->request_id), DB_I(now_ms)))
        return false;
    return found == 1 ? insert_write(db, number, next, now_ms, err)
                      : eb_fail(err, EB_INTERNAL, "Operation %s has no write %d that could end.", id, ended->n);
}

bool journal_write_again(struct db *db, const char *id, int n, int64_t now_ms, struct eb_err *err)
{
    int64_t changed = 0;

    if (!db_execute(db, &changed, err, "UPDATE writes SET tries = tries + 1, sent_ms = $3 WHERE n = $2 AND state = 'pending'"
                    " AND operation = (SELECT number FROM operations WHERE id = $1)", DB_T(id), DB_I(n), DB_I(now_ms)))
        return false;
    return changed == 1 || eb_fail(err, EB_NOT_THERE, "Operation %s has no pending write %d.", id, n);
}

/* Step 8 */

static bool end_write(struct db *db, int64_t number, const struct journal_conclusion *c, const struct journal_write_end *w, struct eb_err *err)
{
    int64_t found = 0;
    bool unsent = eb_streq(w->state, "unsent");

    if (!db_execute(db, &found, err,
            "UPDATE writes SET state = $3, status = $4, request_id = $5, answered_ms = $6, tries = tries * $7 WHERE operation = $1 AND n = $2",
            DB_I(number), DB_I(w->n), DB_T(w->state), DB_I(w->status), DB_T(w->request_id), DB_I(unsent ? 0 : c->now_ms), DB_I(unsent ? 0 : 1)))
        return false;
    return found == 1 || eb_fail(err, EB_INTERNAL, "Operation %s has no write %d that could end.", c->id, w->n);
}

static bool end_writes(struct db *db, int64_t number, const struct journal_conclusion *c, struct eb_err *err)
{
    int64_t rows = 0;

    for (size_t i = 0; i < c->write_count; i++)
        if (!end_write(db, number, c, &c->writes[i], err))
            return false;
    if (!db_number(db_query(db, err, "SELECT count(*) FROM writes WHERE operation = $1", DB_I(number)), &rows, err))
        return false;
    return rows <= (int64_t)c->write_count ||
           db_execute(db, NULL, err, "UPDATE writes SET state = 'unknown', answered_ms = $2 WHERE operation = $1 AND state = 'pending'",
                      DB_I(number), DB_I(c->now_ms));
}

static bool end_operation(struct db *db, int64_t number, const struct journal_conclusion *c, struct eb_err *err)
{
    return db_execute(db, NULL, err,
        "INSERT INTO conclusions (operation, outcome, code, message, issue_key, issue_id, state_after, answer, changed, ended_ms, oldest_open)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        " (SELECT MIN(number) FROM (SELECT MIN(operation) AS number FROM open_operations UNION ALL SELECT MIN(operation) FROM waiting) AS firsts))",
        DB_I(number), DB_T(c->outcome), DB_T(c->code), DB_T(c->message), DB_T(c->issue_key), DB_T(c->issue_id), DB_T(c->after), DB_T(c->answer),
        DB_I(c->changed), DB_I(c->now_ms)) &&
        db_execute(db, NULL, err, "DELETE FROM open_operations WHERE operation = $1", DB_I(number));
}

static bool free_key(struct db *db, int64_t number, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM idempotency WHERE operation = $1 AND"
                      " repeat_key = (SELECT repeat_key FROM operations WHERE number = $1)", DB_I(number));
}

static bool free_origin(struct db *db, int64_t number, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE operations SET origin = NULL WHERE number = $1 AND origin IS NOT NULL", DB_I(number));
}

/* Where the issue check was the last that happened, no record has named the issue yet. */
static bool name_unrecorded(struct db *db, const struct open_operation *o, const struct journal_conclusion *c, struct eb_err *err)
{
    bool recorded;

    if (!o->key_new && !o->id_new)
        return true;
    return db_exists(db_query(db, err, "SELECT operation FROM records WHERE operation = $1 AND issue_id = $2", DB_I(o->number), DB_T(c->issue_id)),
                     &recorded, err) &&
           (recorded || name_issues(db, o, c->issue_key, c->issue_id, err));
}

static bool keep_made(struct db *db, int64_t number, const char *user, struct eb_err *err)
{
    return user == NULL || (db_execute(db, NULL, err, "UPDATE records SET user_id = $2 WHERE operation = $1", DB_I(number), DB_T(user)) &&
                            db_execute(db, NULL, err, "INSERT INTO targets (operation, object) VALUES ($1, 'user:' || $2) ON CONFLICT DO NOTHING",
                                       DB_I(number), DB_T(user)));
}

bool journal_conclude(struct db *db, const struct journal_conclusion *c, struct eb_err *err)
{
    struct open_operation o = { 0 };

    return find_open(db, c->id, c->issue_key, c->issue_id, &o, err) && end_writes(db, o.number, c, err) && end_operation(db, o.number, c, err) &&
           name_unrecorded(db, &o, c, err) && keep_made(db, o.number, c->made_user, err) && (!c->free_key || free_key(db, o.number, err)) &&
           (!c->free_origin || free_origin(db, o.number, err));
}
