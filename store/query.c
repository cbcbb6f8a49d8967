/* query.c - a statement with its values in one call. */
#include "store/query.h"

#include "base/text.h"

#include <stdlib.h>

struct db_stmt *db_query_values(struct db *db, struct eb_err *err, const char *sql, const struct db_value *values, size_t count)
{
    struct db_stmt *s = db_prepare(db, sql, err);

    for (size_t i = 0; s != NULL && i < count; i++) {
        if (values[i].is_text)
            db_bind_text(s, (int)i + 1, values[i].text);
        else
            db_bind_int(s, (int)i + 1, values[i].integer);
    }
    return s;
}

bool db_execute_values(struct db *db, int64_t *ret_changed, struct eb_err *err, const char *sql, const struct db_value *values, size_t count)
{
    struct db_stmt *s = db_query_values(db, err, sql, values, count);

    return s != NULL && db_run(s, ret_changed, err);
}

bool db_first(struct db_stmt *s, bool *ret_found, struct eb_err *err)
{
    if (s == NULL)
        return false;
    enum db_step step = db_step(s, err);
    *ret_found = step == DB_ROW;
    return step != DB_FAILED;
}

bool db_number(struct db_stmt *s, int64_t *ret, struct eb_err *err)
{
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret = db_int(s, 0);
    return db_run(s, NULL, err);
}

bool db_copy_first(struct db_stmt *s, char **ret, struct eb_err *err)
{
    bool found;

    *ret = NULL;
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret = db_copy(s, 0);
    if (db_run(s, NULL, err))
        return true;
    free(*ret);
    *ret = NULL;
    return false;
}

bool db_exists(struct db_stmt *s, bool *ret, struct eb_err *err)
{
    return db_first(s, ret, err) && (!*ret || db_run(s, NULL, err));
}

char *db_copy(struct db_stmt *s, int column)
{
    return eb_strdup(db_text(s, column));
}
