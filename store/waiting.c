/* waiting.c - from the open operations to those that wait, and back. */
#include "store/waiting.h"

#include "base/text.h"
#include "store/query.h"
#include "store/timer_table.h"

#include <string.h>

static bool number_of_open(struct db *db, const char *id, int64_t *ret, struct eb_err *err)
{
    *ret = -1;
    return db_number(db_query(db, err, "SELECT o.number FROM operations o JOIN open_operations p ON p.operation = o.number WHERE o.id = $1", DB_T(id)),
                     ret, err) &&
           (*ret >= 0 || eb_fail(err, EB_NOT_THERE, "There is no open operation %s.", id));
}

static bool name_issue(struct db *db, int64_t number, const char *issue, struct eb_err *err)
{
    return issue == NULL || db_execute(db, NULL, err, "INSERT INTO operation_issues (issue, operation) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                                       DB_T(issue), DB_I(number));
}

/* Whom it was about when it was decided: a name that means another by then is not acted upon. */
static bool keep_found(struct db *db, int64_t number, const struct waiting *w, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO records (operation, issue_key, issue_id, user_id, group_id) VALUES ($1, $2, $3, $4, $5)"
                      " ON CONFLICT (operation) DO UPDATE SET issue_key = COALESCE(excluded.issue_key, records.issue_key),"
                      " issue_id = COALESCE(excluded.issue_id, records.issue_id), user_id = COALESCE(excluded.user_id, records.user_id),"
                      " group_id = COALESCE(excluded.group_id, records.group_id)",
                      DB_I(number), DB_T(w->issue_key), DB_T(w->issue_id), DB_T(w->user_id), DB_T(w->group_id)) &&
           name_issue(db, number, w->issue_key, err) && name_issue(db, number, w->issue_id, err);
}

bool waiting_put(struct db *db, const struct waiting *w, struct eb_err *err)
{
    bool scheduled = eb_streq(w->why, WAITING_SCHEDULED);
    int64_t number;

    return number_of_open(db, w->id, &number, err) &&
           db_execute(db, NULL, err, "INSERT INTO waiting (operation, why, reason, at_ms, ready_ms, passed) VALUES ($1, $2, $3, $4, $5, $6)",
                      DB_I(number), DB_T(w->why), DB_T(w->reason), DB_I(w->at_ms), DB_I(scheduled ? w->at_ms : 0), DB_I(w->passed)) &&
           db_execute(db, NULL, err, "DELETE FROM open_operations WHERE operation = $1", DB_I(number)) && keep_found(db, number, w, err) &&
           (!scheduled || timer_put(db, WAITING_TIMER, w->id, w->at_ms, err));
}

static bool move_back(struct db *db, int64_t number, int64_t now_ms, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO open_operations (operation, since_ms, at_ms, passed)"
                      " SELECT operation, $2, at_ms, passed FROM waiting WHERE operation = $1", DB_I(number), DB_I(now_ms)) &&
           db_execute(db, NULL, err, "DELETE FROM waiting WHERE operation = $1", DB_I(number));
}

static bool find(struct db *db, const char *id, int64_t *ret_number, int64_t *ret_ready_ms, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT q.operation, q.ready_ms FROM waiting q JOIN operations o ON o.number = q.operation WHERE o.id = $1", DB_T(id));
    bool found;

    *ret_number = -1;
    *ret_ready_ms = 0;
    if (!db_first(s, &found, err) || !found)
        return s != NULL && !found;
    *ret_number = db_int(s, 0);
    *ret_ready_ms = db_int(s, 1);
    return db_run(s, NULL, err);
}

bool waiting_take(struct db *db, const char *id, int64_t now_ms, int64_t *ret_next_ms, struct eb_err *err)
{
    int64_t number, ready_ms;

    *ret_next_ms = -1;
    if (!find(db, id, &number, &ready_ms, err))
        return false;
    if (number < 0 || ready_ms == 0)
        return true;
    *ret_next_ms = ready_ms > now_ms ? ready_ms : 0;
    return ready_ms > now_ms || move_back(db, number, now_ms, err);
}

bool waiting_reopen(struct db *db, const char *id, int64_t now_ms, bool *ret_was, struct eb_err *err)
{
    int64_t number, ready_ms;

    if (!find(db, id, &number, &ready_ms, err))
        return false;
    *ret_was = number >= 0;
    return number < 0 || (move_back(db, number, now_ms, err) && timer_remove(db, WAITING_TIMER, id, err));
}

/* $1 id, $2 kind, $3 issue, $4 token name, $5 why */
#define FITS \
    " (CAST($1 AS TEXT) IS NULL OR o.id = $1) AND (CAST($2 AS TEXT) IS NULL OR o.kind = $2) AND (CAST($4 AS TEXT) IS NULL OR o.token_name = $4)" \
    " AND (CAST($5 AS TEXT) IS NULL OR q.why = $5)" \
    " AND (CAST($3 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM operation_issues i WHERE i.issue = $3 AND i.operation = q.operation))"
#define FILTER(f) DB_T((f)->id), DB_T((f)->kind), DB_T((f)->issue), DB_T((f)->token_name), DB_T((f)->why)

bool waiting_release(struct db *db, const struct waiting_filter *f, bool passed, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO timers (kind, subject, due_ms) SELECT '" WAITING_TIMER "', o.id, $6 FROM waiting q"
                      " JOIN operations o ON o.number = q.operation WHERE q.why IN ('limit', 'paused') AND" FITS
                      " ON CONFLICT (kind, subject) DO UPDATE SET due_ms = excluded.due_ms", FILTER(f), DB_I(now_ms)) &&
           db_execute(db, ret_count, err, "UPDATE waiting SET why = 'released', ready_ms = $6, passed = CASE WHEN $7 = 1 THEN 1 ELSE passed END"
                      " WHERE operation IN (SELECT q.operation FROM waiting q JOIN operations o ON o.number = q.operation"
                      " WHERE q.why IN ('limit', 'paused') AND" FITS ")", FILTER(f), DB_I(now_ms), DB_I(passed));
}

bool waiting_list(struct db *db, const struct waiting_filter *f, int limit, waiting_each *each, void *ctx, struct eb_err *err)
{
    static const char all[] = "SELECT o.id FROM waiting q JOIN operations o ON o.number = q.operation WHERE" FITS " ORDER BY q.operation LIMIT $6";
    static const char of_issue[] = "SELECT o.id FROM operation_issues w JOIN waiting q ON q.operation = w.operation"
                                   " JOIN operations o ON o.number = q.operation WHERE w.issue = $3 AND" FITS " ORDER BY q.operation LIMIT $6";
    struct db_stmt *s = db_query(db, err, f->issue != NULL ? of_issue : all, FILTER(f), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, db_text(s, 0));
    db_stop(s);
    return step != DB_FAILED;
}

bool waiting_resume(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
#define RESUMED "q.why = 'paused' AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.kind = '*' OR p.kind = o.kind)"
    return db_execute(db, NULL, err, "INSERT INTO timers (kind, subject, due_ms) SELECT '" WAITING_TIMER "', o.id, $1 FROM waiting q"
                      " JOIN operations o ON o.number = q.operation WHERE " RESUMED
                      " ON CONFLICT (kind, subject) DO UPDATE SET due_ms = excluded.due_ms", DB_I(now_ms)) &&
           db_execute(db, ret_count, err, "UPDATE waiting SET why = 'released', ready_ms = $1"
                      " WHERE operation IN (SELECT q.operation FROM waiting q JOIN operations o ON o.number = q.operation WHERE " RESUMED ")", DB_I(now_ms));
}
