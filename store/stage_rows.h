/* stage_rows.h - shared by the files of the staging file (stage_*.c) only. */
#ifndef STORE_STAGE_ROWS_H
#define STORE_STAGE_ROWS_H

#include "store/query.h"
#include "store/stage.h"

/* Left out while the first full read fills the tables, and made in one go then: what comes in no order would write each of their pages again and again. */
#define STAGE_INDEXES "CREATE INDEX IF NOT EXISTS links_dest ON links (dest, relation, source);" \
    "CREATE INDEX IF NOT EXISTS objects_mail ON objects (mail) WHERE mail IS NOT NULL;" \
    "CREATE INDEX IF NOT EXISTS objects_upn ON objects (upn) WHERE upn IS NOT NULL;" \
    "CREATE INDEX IF NOT EXISTS accounts_mail ON accounts (mail, active) WHERE mail IS NOT NULL;"

/* A statement without values. */
static inline bool stage_run(struct db *db, const char *sql, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, sql, err);

    return s != NULL && db_run(s, NULL, err);
}

struct stage_ref { int64_t n; enum stage_kind kind; };  /* n 0: not known */

/* As the column ids.id holds it; space must live until the last step. */
enum { STAGE_ID_BYTES = 16 };
void stage_bind_id(struct db_stmt *s, int index, const char *id, uint8_t space[STAGE_ID_BYTES]);
bool stage_find(struct db *db, const char *id, struct stage_ref *ret, struct eb_err *err) EB_CHECK;
/* The same; what is not known is made, as something not read yet. */
bool stage_find_or_make(struct db *db, const char *id, struct stage_ref *ret, struct eb_err *err) EB_CHECK;
bool stage_mark(struct db *db, struct stage_ref r, struct eb_err *err) EB_CHECK;
/* Users with that text as mail or UPN: whose account an account of that mail is depends on all of them. NULL: nobody. */
bool stage_mark_bearers(struct db *db, const char *text, struct eb_err *err) EB_CHECK;
/* An object's mail and UPN, the caller's; not there: NULL. */
bool stage_names(struct db *db, int64_t n, char **ret_mail, char **ret_upn, struct eb_err *err) EB_CHECK;
bool stage_mark_neighbours(struct db *db, int64_t n, struct eb_err *err) EB_CHECK;
bool stage_tell_news(struct db *db, struct eb_err *err) EB_CHECK;
/* Are indexes left out? Then everything is dirty at the end of that. Whatever cannot do without makes them at once: stage_bulk_end(). */
bool stage_in_bulk(struct db *db, bool *ret, struct eb_err *err) EB_CHECK;

/* The object goes, with its links from it and those to it that were seen last before that generation; where something names it still, its name stays. */
bool stage_remove(struct db *db, struct stage_ref r, const char *id, int64_t links_before, struct eb_err *err) EB_CHECK;
bool stage_forget(struct db *db, int64_t n, const char *id, struct eb_err *err) EB_CHECK;       /* nothing names it */

/* The number of a target row, and the object's from it. */
static inline int64_t stage_target_number(int64_t n, enum stage_kind kind)
{
    return n * 4 + (int64_t)kind;
}
_Static_assert(STAGE_KINDS <= 4, "a target row's number has two bits for the kind");

#endif
