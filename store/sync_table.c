/* sync_table.c - the history of synchronizations, and the mark of one whose answers stand in the staging file only. */
#include "store/sync_table.h"

#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "number, kind, cause, started_ms, ended_ms, updated_ms, phase, done, total, counts, calls, throttled_ms, outcome, message"

void sync_run_clear(struct sync_run *r)
{
    char *const texts[] = { r->kind, r->trigger, r->phase, r->counts, r->calls, r->outcome, r->message };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        free(texts[i]);
    memset(r, 0, sizeof *r);
}

static void read_row(struct db_stmt *s, struct sync_run *r)
{
    *r = (struct sync_run){ .number = db_int(s, 0), .kind = db_copy(s, 1), .trigger = db_copy(s, 2), .started_ms = db_int(s, 3), .ended_ms = db_int(s, 4),
                            .updated_ms = db_int(s, 5), .phase = db_copy(s, 6), .done = db_int(s, 7), .total = db_int(s, 8), .counts = db_copy(s, 9),
                            .calls = db_copy(s, 10), .throttled_ms = db_int(s, 11), .outcome = db_copy(s, 12), .message = db_copy(s, 13) };
}

/* One that was killed ended when it was heard of last. */
static bool close_open(struct db *db, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE sync_runs SET outcome = 'interrupted', message = $1, ended_ms = CASE WHEN updated_ms > started_ms"
                      " THEN updated_ms ELSE started_ms END WHERE ended_ms = 0",
                      DB_T("The process ended before the synchronization did. The next one goes on from there."));
}

bool sync_run_begin(struct db *db, const struct sync_run *r, int64_t *ret_number, struct eb_err *err)
{
    return close_open(db, err) &&
           db_execute(db, NULL, err, "INSERT INTO sync_runs (kind, cause, started_ms, ended_ms, updated_ms, phase, done, total, counts, calls, throttled_ms)"
                      " VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10)", DB_T(r->kind), DB_T(r->trigger), DB_I(r->started_ms), DB_I(r->updated_ms),
                      DB_T(r->phase), DB_I(r->done), DB_I(r->total), DB_T(r->counts), DB_T(r->calls), DB_I(r->throttled_ms)) &&
           db_last_number(db, ret_number, err);
}

bool sync_run_progress(struct db *db, const struct sync_run *r, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE sync_runs SET phase = $2, done = $3, total = $4, counts = $5, calls = $6, throttled_ms = $7, updated_ms = $8, kind = $9"
                      " WHERE number = $1 AND ended_ms = 0", DB_I(r->number), DB_T(r->phase), DB_I(r->done), DB_I(r->total), DB_T(r->counts), DB_T(r->calls),
                      DB_I(r->throttled_ms), DB_I(r->updated_ms), DB_T(r->kind));
}

bool sync_run_end(struct db *db, const struct sync_run *r, struct eb_err *err)
{
    return sync_run_progress(db, r, err) &&
           db_execute(db, NULL, err, "UPDATE sync_runs SET ended_ms = $2, outcome = $3, message = $4 WHERE number = $1 AND ended_ms = 0",
                      DB_I(r->number), DB_I(r->ended_ms), DB_T(r->outcome), DB_T(r->message));
}

static bool one_run(struct db_stmt *s, struct sync_run *ret, bool *ret_found, struct eb_err *err)
{
    if (!db_first(s, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    read_row(s, ret);
    if (db_run(s, NULL, err))
        return true;
    sync_run_clear(ret);
    return false;
}

bool sync_run_get(struct db *db, int64_t number, struct sync_run *ret, struct eb_err *err)
{
    bool found;

    if (!one_run(db_query(db, err, "SELECT " COLUMNS " FROM sync_runs WHERE number = $1", DB_I(number)), ret, &found, err))
        return false;
    return found || eb_fail(err, EB_NOT_THERE, "There is no synchronization %lld in the history.", (long long)number);
}

bool sync_run_open(struct db *db, struct sync_run *ret, bool *ret_found, struct eb_err *err)
{
    return one_run(db_prepare(db, "SELECT " COLUMNS " FROM sync_runs WHERE ended_ms = 0 ORDER BY number DESC LIMIT 1", err), ret, ret_found, err);
}

bool sync_runs_list(struct db *db, int64_t before, int limit, sync_run_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM sync_runs WHERE number < $1 ORDER BY number DESC LIMIT $2",
                                 DB_I(before > 0 ? before : INT64_MAX), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct sync_run r;

        read_row(s, &r);
        more = each(ctx, &r);
        sync_run_clear(&r);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool sync_run_last(struct db *db, bool full, int64_t *ret_started_ms, int64_t *ret_ended_ms, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT started_ms, ended_ms FROM sync_runs WHERE outcome IN ('succeeded', 'partial')"
                                 " AND (kind = 'full' OR (kind = 'delta' AND $1 = 0)) ORDER BY number DESC LIMIT 1", DB_I(full));
    bool found;

    *ret_started_ms = *ret_ended_ms = 0;
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret_started_ms = db_int(s, 0);
    *ret_ended_ms = db_int(s, 1);
    return db_run(s, NULL, err);
}

bool sync_fault_put(struct db *db, int64_t run, const struct sync_fault *f, struct eb_err *err)
{
    int64_t n = 0;

    if (!db_number(db_query(db, err, "SELECT COALESCE(MAX(n), 0) FROM sync_faults WHERE run = $1", DB_I(run)), &n, err))
        return false;
    return n >= SYNC_FAULTS_MAX ||
           db_execute(db, NULL, err, "INSERT INTO sync_faults (run, n, action, kind, key, label, text) VALUES ($1, $2, $3, $4, $5, $6, $7)", DB_I(run),
                      DB_I(n + 1), DB_T(f->action), DB_T(f->kind), DB_T(f->key), DB_T(f->label), DB_T(f->text));
}

bool sync_faults_list(struct db *db, int64_t run, int limit, sync_fault_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT action, kind, key, label, text FROM sync_faults WHERE run = $1 ORDER BY n LIMIT $2", DB_I(run), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct sync_fault){ db_text(s, 0), db_text(s, 1), db_text(s, 2), db_text(s, 3), db_text(s, 4) });
    db_stop(s);
    return step != DB_FAILED;
}

#define OLD "ended_ms > 0 AND ended_ms < $1 AND number < (SELECT MAX(number) FROM sync_runs)"

bool sync_forget(struct db *db, int64_t before_ms, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM sync_faults WHERE run IN (SELECT number FROM sync_runs WHERE " OLD ")", DB_I(before_ms)) &&
           db_execute(db, NULL, err, "DELETE FROM sync_runs WHERE " OLD, DB_I(before_ms));
}

bool sync_mark_open(struct db *db, const char *boot_id, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO sync_mark (one, boot_id) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET boot_id = excluded.boot_id", DB_T(boot_id));
}

bool sync_mark_close(struct db *db, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM sync_mark WHERE one = $1", DB_I(1));
}

bool sync_mark_get(struct db *db, char **ret_boot, struct eb_err *err)
{
    return db_copy_first(db_query(db, err, "SELECT boot_id FROM sync_mark WHERE one = $1", DB_I(1)), ret_boot, err);
}
