/* stage_note.c - the job's state by name, and the warnings of the last reading and planning. */
#include "store/stage_rows.h"

#include <stdlib.h>

bool stage_state_get(struct db *db, const char *name, char **ret, struct eb_err *err)
{
    return db_copy_first(db_query(db, err, "SELECT value FROM state WHERE name = $1", DB_T(name)), ret, err);
}

bool stage_state_put(struct db *db, const char *name, const char *value, struct eb_err *err)
{
    if (value == NULL)
        return db_execute(db, NULL, err, "DELETE FROM state WHERE name = $1", DB_T(name));
    return db_execute(db, NULL, err, "INSERT INTO state (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", DB_T(name),
                      DB_T(value));
}

bool stage_state_number(struct db *db, const char *name, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT CAST(value AS INTEGER) FROM state WHERE name = $1", DB_T(name)), ret, err);
}

bool stage_state_put_number(struct db *db, const char *name, int64_t value, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO state (name, value) VALUES ($1, CAST($2 AS TEXT)) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                      DB_T(name), DB_I(value));
}

/* The same page may be read twice, after a kill: a warning stands once. */
bool stage_note_put(struct db *db, const char *category, const char *key, const char *label, const char *text, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO notes (category, key, label, text) VALUES ($1, $2, $3, $4) ON CONFLICT (category, key, text)"
                      " DO UPDATE SET label = excluded.label", DB_T(category), DB_T(key != NULL ? key : ""), DB_T(label), DB_T(text));
}

bool stage_notes_clear(struct db *db, const char *category, struct eb_err *err)
{
    return category == NULL ? stage_run(db, "DELETE FROM notes", err) : db_execute(db, NULL, err, "DELETE FROM notes WHERE category = $1", DB_T(category));
}

bool stage_notes_each(struct db *db, int64_t after, int limit, stage_note_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT category, key, label, text, n FROM notes WHERE n > $1 ORDER BY n LIMIT $2", DB_I(after), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct stage_note){ db_text(s, 0), db_text(s, 1), db_text(s, 2), db_text(s, 3), db_int(s, 4) });
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_notes_count(struct db *db, int64_t *ret, struct eb_err *err)
{
    return db_number(db_prepare(db, "SELECT count(*) FROM notes", err), ret, err);
}
