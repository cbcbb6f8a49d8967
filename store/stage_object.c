/* stage_object.c - the source's objects: put, read, removed; and which of them are dirty.
 *
 * Invariant: whatever a link or a target row names has a row in ids and objects; of kind STAGE_UNKNOWN where it was not read (yet), or has gone.
 * Such a row is never dirty and never in scope; stage_sweep() removes those that nothing names any more.
 */
#include "store/stage_rows.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>

enum { GUID_BYTES = STAGE_ID_BYTES, GUID_TEXT = 36 };

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* In lower case only: another spelling is another id, as it is to who compares texts. */
static bool pack_guid(const char *id, uint8_t out[GUID_BYTES])
{
    size_t n = 0;

    if (!eb_is_guid(id))
        return false;
    for (const char *p = id; *p != '\0'; p++) {
        if (*p == '-')
            continue;
        if (isupper((unsigned char)*p))
            return false;
        int value = hex_value(*p);
        out[n / 2] = (uint8_t)(n % 2 == 0 ? value << 4 : out[n / 2] | value);
        n++;
    }
    return true;
}

/* Half as long as text, the index of ids of a large directory fits into the cache. A blob never equals a text. */
void stage_bind_id(struct db_stmt *s, int index, const char *id, uint8_t space[STAGE_ID_BYTES])
{
    if (pack_guid(id, space))
        db_bind_blob(s, index, space, GUID_BYTES);
    else
        db_bind_text(s, index, id);
}

bool stage_find(struct db *db, const char *id, struct stage_ref *ret, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "SELECT n, kind FROM ids WHERE id = $1", err);
    uint8_t space[STAGE_ID_BYTES];
    bool found;

    *ret = (struct stage_ref){ 0 };
    if (s == NULL)
        return false;
    stage_bind_id(s, 1, id, space);
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret = (struct stage_ref){ db_int(s, 0), (enum stage_kind)db_int(s, 1) };
    return db_run(s, NULL, err);
}

static bool name(struct db *db, const char *id, struct stage_ref r, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "INSERT INTO ids (id, n, kind) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind", err);
    uint8_t space[STAGE_ID_BYTES];

    if (s == NULL)
        return false;
    stage_bind_id(s, 1, id, space);
    db_bind_int(s, 2, r.n);
    db_bind_int(s, 3, r.kind);
    return db_run(s, NULL, err);
}

static bool make(struct db *db, const struct stage_object *o, int64_t generation, struct stage_ref *ret, struct eb_err *err)
{
    ret->kind = o->kind;
    return db_execute(db, NULL, err, "INSERT INTO objects (id, kind, seen, in_scope, mail, upn) VALUES ($1, $2, $3, $4, $5, $6)", DB_T(o->id), DB_I(o->kind),
                      DB_I(generation), DB_I(o->in_scope), DB_T(o->mail), DB_T(o->upn)) &&
           db_last_number(db, &ret->n, err) && name(db, o->id, *ret, err);
}

bool stage_find_or_make(struct db *db, const char *id, struct stage_ref *ret, struct eb_err *err)
{
    return stage_find(db, id, ret, err) && (ret->n != 0 || make(db, &(struct stage_object){ .id = id }, 0, ret, err));
}

/* In bulk this waits for the end: everything is dirty then. */
bool stage_mark(struct db *db, struct stage_ref r, struct eb_err *err)
{
    return r.kind == STAGE_UNKNOWN || db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM bulk)",
                                                 DB_I(r.kind), DB_I(r.n));
}

bool stage_mark_neighbours(struct db *db, int64_t n, struct eb_err *err)
{
    bool dirty;

    if (!stage_bulk_end(db, err) || !db_exists(db_prepare(db, "SELECT 1 FROM all_dirty", err), &dirty, err))
        return false;
    if (dirty)
        return true;
    return db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM links l CROSS JOIN objects o ON o.n = l.dest"
                      " WHERE l.source = $1 AND o.kind <> 0", DB_I(n)) &&
           db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM links l CROSS JOIN objects o ON o.n = l.source"
                      " WHERE l.dest = $1 AND o.kind <> 0", DB_I(n));
}

bool stage_names(struct db *db, int64_t n, char **ret_mail, char **ret_upn, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT mail, upn FROM objects WHERE n = $1", DB_I(n));
    bool found;

    *ret_mail = *ret_upn = NULL;
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret_mail = db_copy(s, 0);
    *ret_upn = db_copy(s, 1);
    return db_run(s, NULL, err);
}

static bool mark_both(struct db *db, const char *was, const char *now, struct eb_err *err)
{
    return eb_streq(was, now) || (stage_mark_bearers(db, was, err) && stage_mark_bearers(db, now, err));
}

/* A user's account depends on who else bears its mail or UPN. */
static bool mark_bearers(struct db *db, struct stage_ref r, const char *mail, const char *upn, struct eb_err *err)
{
    char *old_mail = NULL, *old_upn = NULL;
    bool ok = r.kind != STAGE_USER || (stage_names(db, r.n, &old_mail, &old_upn, err) && mark_both(db, old_mail, mail, err) && mark_both(db, old_upn, upn, err));

    free(old_mail);
    free(old_upn);
    return ok;
}

static bool put_raw(struct db *db, int64_t n, const char *raw, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO raws (n, raw) VALUES ($1, $2) ON CONFLICT (n) DO UPDATE SET raw = excluded.raw", DB_I(n), DB_T(raw));
}

static bool is_unchanged(struct db *db, struct stage_ref r, const struct stage_object *o, bool *ret, struct eb_err *err)
{
    *ret = false;
    if (r.kind != o->kind)
        return true;
    return db_exists(db_query(db, err, "SELECT 1 FROM objects o, raws r WHERE o.n = $1 AND r.n = $1 AND o.mail IS $2 AND o.upn IS $3 AND r.raw = $4",
                              DB_I(r.n), DB_T(o->mail), DB_T(o->upn), DB_T(o->raw)), ret, err);
}

/* In bulk the neighbours of what is new wait for the end: everything is dirty then. */
static bool appear(struct db *db, struct stage_ref r, const char *id, struct eb_err *err)
{
    bool bulk;

    return stage_in_bulk(db, &bulk, err) && (bulk || stage_mark_neighbours(db, r.n, err)) && name(db, id, r, err);
}

static bool change(struct db *db, struct stage_ref was, const struct stage_object *o, int64_t generation, struct eb_err *err)
{
    struct stage_ref r = { was.n, o->kind };

    return mark_bearers(db, r, o->mail, o->upn, err) &&
           db_execute(db, NULL, err, "UPDATE objects SET kind = $2, seen = $3, mail = $4, upn = $5, in_scope = CASE WHEN kind = $2 THEN in_scope ELSE $6 END"
                      " WHERE n = $1", DB_I(r.n), DB_I(r.kind), DB_I(generation), DB_T(o->mail), DB_T(o->upn), DB_I(o->in_scope)) &&
           put_raw(db, r.n, o->raw, err) && stage_mark(db, r, err) && (was.kind == r.kind || appear(db, r, o->id, err));
}

bool stage_object_put(struct db *db, const struct stage_object *o, int64_t generation, struct eb_err *err)
{
    struct stage_ref r;
    bool same;

    if (!stage_find(db, o->id, &r, err))
        return false;
    if (r.n == 0)
        return (o->kind != STAGE_USER || (stage_mark_bearers(db, o->mail, err) && stage_mark_bearers(db, o->upn, err))) &&
               make(db, o, generation, &r, err) && put_raw(db, r.n, o->raw, err) && stage_mark(db, r, err);
    if (r.kind != STAGE_UNKNOWN && r.kind != o->kind)
        return eb_fail(err, EB_INTERNAL, "The source names one id for a user and for a group.");
    if (!is_unchanged(db, r, o, &same, err))
        return false;
    return same ? db_execute(db, NULL, err, "UPDATE objects SET seen = $2 WHERE n = $1 AND seen <> $2", DB_I(r.n), DB_I(generation))
                : change(db, r, o, generation, err);
}

bool stage_object_raw(struct db *db, const char *id, char **ret_raw, struct eb_err *err)
{
    struct stage_ref r;

    *ret_raw = NULL;
    return stage_find(db, id, &r, err) && db_copy_first(db_query(db, err, "SELECT raw FROM raws WHERE n = $1", DB_I(r.n)), ret_raw, err);
}

/* Links to it that this generation has seen stay, and so does its name: what is read first and what second must not matter. */
static bool is_named(struct db *db, int64_t n, bool *ret, struct eb_err *err)
{
    return db_exists(db_query(db, err, "SELECT 1 FROM target WHERE n BETWEEN $1 * 4 AND $1 * 4 + 3 UNION ALL SELECT 1 FROM links WHERE dest = $1", DB_I(n)),
                     ret, err);
}

bool stage_forget(struct db *db, int64_t n, const char *id, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "DELETE FROM ids WHERE id = $1", err);
    uint8_t space[STAGE_ID_BYTES];

    if (s == NULL)
        return false;
    stage_bind_id(s, 1, id, space);
    return db_run(s, NULL, err) && db_execute(db, NULL, err, "DELETE FROM objects WHERE n = $1", DB_I(n));
}

bool stage_remove(struct db *db, struct stage_ref r, const char *id, int64_t links_before, struct eb_err *err)
{
    bool named;

    if (!stage_tell_news(db, err) || !stage_mark_neighbours(db, r.n, err) || !mark_bearers(db, r, NULL, NULL, err) || !db_execute(db, NULL, err, "DELETE FROM links WHERE source = $1", DB_I(r.n)) ||
        !db_execute(db, NULL, err, "DELETE FROM links WHERE dest = $1 AND seen < $2", DB_I(r.n), DB_I(links_before)) ||
        !stage_wanted_remove(db, r.n, err) || !db_execute(db, NULL, err, "DELETE FROM raws WHERE n = $1", DB_I(r.n)) ||
        !db_execute(db, NULL, err, "DELETE FROM in_groups WHERE n = $1", DB_I(r.n)) ||
        !db_execute(db, NULL, err, "DELETE FROM dirty WHERE n = $1 AND kind = $2", DB_I(r.n), DB_I(r.kind)) || !is_named(db, r.n, &named, err))
        return false;
    if (!named)
        return stage_forget(db, r.n, id, err);
    return name(db, id, (struct stage_ref){ r.n, STAGE_UNKNOWN }, err) &&
           db_execute(db, NULL, err, "UPDATE objects SET kind = 0, in_scope = 0, mail = NULL, upn = NULL, shown = NULL WHERE n = $1", DB_I(r.n));
}

bool stage_object_remove(struct db *db, const char *id, struct eb_err *err)
{
    struct stage_ref r;

    return stage_find(db, id, &r, err) && (r.n == 0 || stage_remove(db, r, id, INT64_MAX, err));
}

bool stage_object_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) FROM objects WHERE kind = $1", DB_I(kind)), ret, err);
}
