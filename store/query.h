/* query.h - a statement with its values in one call, for the table files of store/ only.
 *
 *     if (!db_execute(db, NULL, err, "DELETE FROM pins WHERE type = $1 AND since_ms < $2", DB_T(type), DB_I(ms)))
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "store/db.h"

struct db_value { const char *text; int64_t integer; bool is_text; };
#define DB_T(t) { .text = (t), .is_text = true }        /* NULL binds null */
#define DB_I(i) { .integer = (i) }

/* Prepared and bound, to be stepped (without values db_prepare() does); NULL: err is set. The texts must live until the last step. */
#define db_query(db, err, sql, ...) db_query_values((db), (err), (sql), DB_VALUES(__VA_ARGS__))
/* Runs it. ret_changed may be NULL. */
#define db_execute(db, ret_changed, err, sql, ...) db_execute_values((db), (ret_changed), (err), (sql), DB_VALUES(__VA_ARGS__))
#define DB_VALUES(...) (const struct db_value[]){ __VA_ARGS__ }, sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)

struct db_stmt *db_query_values(struct db *db, struct eb_err *err, const char *sql, const struct db_value *values, size_t count);
bool db_execute_values(struct db *db, int64_t *ret_changed, struct eb_err *err, const char *sql, const struct db_value *values,
                       size_t count) EB_CHECK;

/* For a statement that gives one row at most (s may be NULL: a failed db_query). *ret_found: there is a row, to be read now and then
 * left by db_run(s, NULL, err), which also tells when a value could not be read. */
bool db_first(struct db_stmt *s, bool *ret_found, struct eb_err *err) EB_CHECK;
/* One number; *ret keeps its value where there is no row. */
bool db_number(struct db_stmt *s, int64_t *ret, struct eb_err *err) EB_CHECK;
/* One text, the caller's; NULL where there is no row. */
bool db_copy_first(struct db_stmt *s, char **ret, struct eb_err *err) EB_CHECK;
bool db_exists(struct db_stmt *s, bool *ret, struct eb_err *err) EB_CHECK;      /* does it give a row? */
/* The number that the database gave to the row inserted last. */
bool db_last_number(struct db *db, int64_t *ret, struct eb_err *err) EB_CHECK;
char *db_copy(struct db_stmt *s, int column);           /* the caller's; NULL for null */

#endif
