/* pin.c - the ids that the policy's names were found to mean. The first pin of a name stays until somebody replaces it. */
#include "store/pin.h"

#include "store/query.h"

#include <stdio.h>
#include <string.h>

enum { ID_SIZE = 64 };

bool pin_get(struct db *db, const char *type, const char *name, char ret_id[64], struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT id FROM pins WHERE type = $1 AND name = $2", DB_T(type), DB_T(name));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_NOT_THERE, "The %s \"%s\" is not pinned.", type, name);
    const char *id = db_text(s, 0);
    snprintf(ret_id, ID_SIZE, "%s", id != NULL ? id : "");
    return db_run(s, NULL, err);
}

/* An id cut short would be another's: refused. */
static bool id_fits(const char *id, struct eb_err *err)
{
    return (id[0] != '\0' && strlen(id) < ID_SIZE) || eb_fail(err, EB_INVALID_REQUEST, "An id has 1 to %d characters.", ID_SIZE - 1);
}

bool pin_put(struct db *db, const char *type, const char *name, const char *id, int64_t now_ms, char ret_id[64], struct eb_err *err)
{
    return id_fits(id, err) &&
           db_execute(db, NULL, err, "INSERT INTO pins (type, name, id, since_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (type, name) DO NOTHING",
                      DB_T(type), DB_T(name), DB_T(id), DB_I(now_ms)) &&
           pin_get(db, type, name, ret_id, err);
}

bool pin_replace(struct db *db, const char *type, const char *name, const char *id, int64_t now_ms, struct eb_err *err)
{
    return id_fits(id, err) &&
           db_execute(db, NULL, err, "INSERT INTO pins (type, name, id, since_ms) VALUES ($1, $2, $3, $4)"
                      " ON CONFLICT (type, name) DO UPDATE SET id = excluded.id, since_ms = excluded.since_ms",
                      DB_T(type), DB_T(name), DB_T(id), DB_I(now_ms));
}

bool pin_release(struct db *db, const char *name, int64_t *ret_count, struct eb_err *err)
{
    return db_execute(db, ret_count, err, "DELETE FROM pins WHERE name = $1 AND type <> 'configuration'", DB_T(name));
}

bool pin_list(struct db *db, pin_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "SELECT type, name, id, since_ms FROM pins ORDER BY type, name", err);
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, db_text(s, 0), db_text(s, 1), db_text(s, 2), db_int(s, 3));
    db_stop(s);
    return step != DB_FAILED;
}
