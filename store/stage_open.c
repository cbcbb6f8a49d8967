/* stage_open.c - the tables of a staging file, and what is done where they are of another version.
 *
 * There are no migrations: the file may be lost at any time, so one of another version is deleted and made anew. One that holds somebody else's tables is
 * refused, for its name may be a mistake.
 * What is walked by the hundred thousand is narrow and stands in the order of the objects' numbers; long texts stand apart. A target row has the number
 * 4 * (number of the object that it stands for) + kind, so that the plan is one walk through two tables in the same order, without a key to look up.
 */
#include "store/stage_rows.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/driver.h"

#define VERSION 3

/* ids: an id to its number and kind (a GUID as its 16 bytes, see stage_find()). dirty, in_groups: sets. objects.shown: see stage_account_shown(). accounts.hidden: the generation
 * that did not show the mail any more, which stays as it was (0: it shows). bulk: has a row while indexes are left out; all_dirty: while everything that is known is dirty; news: see stage_news(). */
static const char schema[] =
    "CREATE TABLE stage_version (version INTEGER NOT NULL, made_ms INTEGER NOT NULL);"
    "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE bulk (one INTEGER PRIMARY KEY);"
    "CREATE TABLE all_dirty (one INTEGER PRIMARY KEY);"
    "CREATE TABLE news (one INTEGER PRIMARY KEY);"
    "CREATE TABLE ids (id BLOB PRIMARY KEY, n INTEGER NOT NULL, kind INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE objects (n INTEGER PRIMARY KEY, id TEXT NOT NULL, kind INTEGER NOT NULL, seen INTEGER NOT NULL, in_scope INTEGER NOT NULL,"
    " mail TEXT, upn TEXT, shown TEXT);"
    "CREATE TABLE raws (n INTEGER PRIMARY KEY, raw TEXT NOT NULL);"
    "CREATE TABLE links (source INTEGER, relation INTEGER, dest INTEGER, seen INTEGER NOT NULL, PRIMARY KEY (source, relation, dest)) WITHOUT ROWID;"
    "CREATE TABLE dirty (kind INTEGER, n INTEGER, PRIMARY KEY (kind, n)) WITHOUT ROWID;"
    "CREATE TABLE group_numbers (n INTEGER PRIMARY KEY);"
    "CREATE TABLE in_groups (n INTEGER PRIMARY KEY);"
    "CREATE TABLE in_groups_next (n INTEGER PRIMARY KEY);"
    "CREATE TABLE accounts (id TEXT PRIMARY KEY, mail TEXT, name TEXT, active INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " hidden INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE wanted (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, level INTEGER NOT NULL, lacks_manager INTEGER NOT NULL, hash TEXT NOT NULL);"
    "CREATE INDEX wanted_level ON wanted (kind, level);"
    "CREATE INDEX wanted_lacks ON wanted (n) WHERE lacks_manager = 1;"
    "CREATE TABLE wanted_texts (n INTEGER PRIMARY KEY, label TEXT, attributes TEXT);"
    "CREATE TABLE levels (n INTEGER PRIMARY KEY, level INTEGER NOT NULL);"
    "CREATE TABLE target (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, active INTEGER NOT NULL, doubt INTEGER NOT NULL, left_ms INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL, seen INTEGER NOT NULL, object_id TEXT, object_key TEXT, hash TEXT);"
    "CREATE INDEX target_object_key ON target (object_key, kind) WHERE object_key IS NOT NULL;"
    "CREATE INDEX target_doubt ON target (n) WHERE doubt <> 0;"
    "CREATE TABLE target_texts (n INTEGER PRIMARY KEY, attributes TEXT);"
    "CREATE TABLE notes (n INTEGER PRIMARY KEY, category TEXT NOT NULL, key TEXT NOT NULL, label TEXT, text TEXT NOT NULL, UNIQUE (category, key, text));"
    STAGE_INDEXES;

enum found { FOUND_NOTHING, FOUND_FOREIGN, FOUND_OTHER, FOUND_GOOD };

static bool look(struct db *db, enum found *ret, struct eb_err *err)
{
    int64_t tables = 0, ours = 0, version = -1;

    if (!db_number(db_prepare(db, "SELECT count(*) FROM sqlite_schema", err), &tables, err) ||
        !db_number(db_prepare(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'stage_version'", err), &ours, err) ||
        (ours > 0 && !db_number(db_prepare(db, "SELECT version FROM stage_version", err), &version, err)))
        return false;
    *ret = tables == 0 ? FOUND_NOTHING : ours == 0 ? FOUND_FOREIGN : version != VERSION ? FOUND_OTHER : FOUND_GOOD;
    return true;
}

static bool make_tables(struct db *db, struct eb_err *err)
{
    if (db_begin(db, err) && db_script(db, schema, err) &&
        db_execute(db, NULL, err, "INSERT INTO stage_version (version, made_ms) VALUES ($1, $2)", DB_I(VERSION), DB_I(eb_now_ms())) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

static bool ready(struct db *db, struct eb_err *err)
{
    enum found found;

    if (!look(db, &found, err))
        return false;
    if (found == FOUND_FOREIGN)
        return eb_fail_field(err, EB_INTERNAL, "store", "The staging file of the synchronization holds tables of another program: move that file away.");
    if (found == FOUND_OTHER) {
        eb_warn(NULL, "stage_anew reason=version");
        db_discard(db);
        if (!db_reopen(db, err))
            return false;
    }
    return found == FOUND_GOOD || make_tables(db, err);
}

bool db_open_staging(const char *path, struct db **ret, struct eb_err *err)
{
    struct db *db;

    if (!db_connect(&db_sqlite, path, DB_STAGE, &db, err))
        return false;
    bool ok = ready(db, err);
    if (!ok && db_damaged(db)) {
        eb_warn(NULL, "stage_anew reason=damaged");
        db_discard(db);
        ok = db_reopen(db, err) && ready(db, err);
    }
    if (ok)
        *ret = db;
    else
        db_close(db);
    return ok;
}

bool db_open_stage(const char *path, struct db **ret, struct eb_err *err)
{
    enum found found = FOUND_NOTHING;
    struct db *db;

    if (!db_connect(&db_sqlite, path, DB_STAGE_READ, &db, err))
        return false;
    bool ok = look(db, &found, err);
    if (ok && found == FOUND_GOOD) {
        *ret = db;
        return true;
    }
    if (ok)
        ok = eb_fail(err, EB_NOT_THERE, "The staging file %s holds nothing that this program knows: no synchronization of this version has run yet.", path);
    db_close(db);
    return ok;
}
