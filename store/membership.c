/* membership.c - memberships that end by themselves. */
#include "store/membership.h"

#include "store/query.h"
#include "store/timer_table.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "object, operation, issue_id, issue_key, user_id, group_id, user_name, group_name, stopped, ends_ms, warn_ms"

void membership_clear(struct membership *m)
{
    char **texts[] = { &m->object, &m->operation, &m->issue_id, &m->issue_key, &m->user_id, &m->group_id, &m->user_name, &m->group_name, &m->stopped };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        free(*texts[i]);
    memset(m, 0, sizeof *m);
}

static void read_row(struct db_stmt *s, struct membership *m)
{
    char **texts[] = { &m->object, &m->operation, &m->issue_id, &m->issue_key, &m->user_id, &m->group_id, &m->user_name, &m->group_name, &m->stopped };
    int i = 0;

    for (; i < (int)EB_LEN(texts); i++)
        *texts[i] = db_copy(s, i);
    m->ends_ms = db_int(s, i++);
    m->warn_ms = db_int(s, i);
}

bool membership_put(struct db *db, const struct membership *m, struct eb_err *err)
{
    return db_execute(db, NULL, err,
        "INSERT INTO memberships (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10)"
        " ON CONFLICT (object) DO UPDATE SET operation = excluded.operation, issue_id = excluded.issue_id, issue_key = excluded.issue_key,"
        " user_name = excluded.user_name, group_name = excluded.group_name, stopped = NULL, ends_ms = excluded.ends_ms, warn_ms = excluded.warn_ms",
        DB_T(m->object), DB_T(m->operation), DB_T(m->issue_id), DB_T(m->issue_key), DB_T(m->user_id), DB_T(m->group_id), DB_T(m->user_name),
        DB_T(m->group_name), DB_I(m->ends_ms), DB_I(m->warn_ms)) &&
        timer_put(db, MEMBERSHIP_END, m->object, m->ends_ms, err) &&
        (m->warn_ms > 0 ? timer_put(db, MEMBERSHIP_WARN, m->object, m->warn_ms, err) : timer_remove(db, MEMBERSHIP_WARN, m->object, err));
}

bool membership_remove(struct db *db, const char *object, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM memberships WHERE object = $1", DB_T(object)) &&
           timer_remove(db, MEMBERSHIP_END, object, err) && timer_remove(db, MEMBERSHIP_WARN, object, err);
}

static bool get_one(struct db_stmt *s, struct membership *ret, struct eb_err *err)
{
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_NOT_THERE, "This membership has no end that was set here.");
    memset(ret, 0, sizeof *ret);
    read_row(s, ret);
    if (db_run(s, NULL, err))
        return true;
    membership_clear(ret);
    return false;
}

bool membership_get(struct db *db, const char *object, struct membership *ret, struct eb_err *err)
{
    return get_one(db_query(db, err, "SELECT " COLUMNS " FROM memberships WHERE object = $1", DB_T(object)), ret, err);
}

bool membership_find(struct db *db, const char *operation, struct membership *ret, struct eb_err *err)
{
    return get_one(db_query(db, err, "SELECT " COLUMNS " FROM memberships WHERE operation = $1", DB_T(operation)), ret, err);
}

bool membership_warned(struct db *db, const char *object, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE memberships SET warn_ms = 0 WHERE object = $1", DB_T(object));
}

bool membership_stopped(struct db *db, const char *object, const char *why, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE memberships SET stopped = $2 WHERE object = $1", DB_T(object), DB_T(why));
}

bool membership_list(struct db *db, int64_t until_ms, int limit, membership_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM memberships WHERE ends_ms <= $1 ORDER BY ends_ms LIMIT $2", DB_I(until_ms),
                                 DB_I(limit > 0 ? limit : INT64_MAX));
    enum db_step step;

    if (s == NULL)
        return false;
    while ((step = db_step(s, err)) == DB_ROW) {
        struct membership m = { 0 };

        read_row(s, &m);
        bool more = each(ctx, &m);
        membership_clear(&m);
        if (!more)
            return db_run(s, NULL, err);
    }
    return step == DB_DONE;
}
