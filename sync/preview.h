/* preview.h - what a run would do, as rows for people and programs, read from the staging file after a preview.
 *
 * One object at a time is in memory, and a bounded list of names for references. Reads only; in a command-line program that has the file open (db_open_stage()).
 */
#ifndef SYNC_PREVIEW_H
#define SYNC_PREVIEW_H

#include "config/config.h"
#include "store/stage.h"

/* In the order in which they are told. */
enum sync_preview_category {
    SYNC_PREVIEW_CREATE, SYNC_PREVIEW_UPDATE, SYNC_PREVIEW_INACTIVATE, SYNC_PREVIEW_DELETE,
    SYNC_PREVIEW_MANAGER,           /* the manager is not among those who are kept */
    SYNC_PREVIEW_UNMATCHED,         /* an account of the site that fits nobody */
    SYNC_PREVIEW_WARNING,
    SYNC_PREVIEW_CATEGORIES
};
/* Categories of a source's notes that have a place of their own; any other one is a warning. */
#define SYNC_NOTE_UNMATCHED "unmatched account"
#define SYNC_NOTE_MANAGER "manager missing"     /* passed over: the same are found as SYNC_PREVIEW_MANAGER */
const char *sync_preview_word(enum sync_preview_category c);        /* "create", "unmatched account", ...; static */

/* Values as text: references by the names of what they lead to, lists with commas between. NULL: nothing is there. */
struct sync_preview_value { const char *attribute; char *was, *now; };
struct sync_preview_row {           /* borrowed during the call */
    enum sync_preview_category category;
    const char *kind;               /* "Employee", "Group"; of notes: NULL */
    const char *key, *label;        /* the source's id (of accounts: the account's) and the name; NULL: not known */
    const struct sync_preview_value *values; size_t count;      /* of CREATE and UPDATE */
    const char *text;               /* of the others, for people; or NULL */
};
typedef bool sync_preview_each(void *ctx, const struct sync_preview_row *row);      /* false ends the walk, which then succeeds */

struct sync_preview { struct db *stage; const struct config_sync *config; int64_t now_ms; };
bool sync_preview_totals(const struct sync_preview *p, int64_t ret[SYNC_PREVIEW_CATEGORIES], struct eb_err *err) EB_CHECK;
bool sync_preview_rows(const struct sync_preview *p, sync_preview_each *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
