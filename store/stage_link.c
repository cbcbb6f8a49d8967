/* stage_link.c - the links between the source's objects.
 *
 * A link belongs to the object that it begins at, but it may show at its other end: a member shows its groups, an owner too, a user its manager.
 * Invariant: a link that comes or goes makes the end dirty where it shows.
 */
#include "store/stage_rows.h"

static const struct { bool shows_at_dest; } relations[STAGE_RELATIONS] = {
    [STAGE_MEMBER] = { true }, [STAGE_OWNER] = { true }, [STAGE_MANAGER] = { false },
};

static bool mark_end(struct db *db, enum stage_relation r, struct stage_ref from, struct stage_ref to, struct eb_err *err)
{
    return stage_mark(db, relations[r].shows_at_dest ? to : from, err);
}

/* Most are there already, but in bulk, where what is new is not marked either. */
static bool put(struct db *db, bool bulk, struct stage_ref from, enum stage_relation r, struct stage_ref to, int64_t generation, struct eb_err *err)
{
    int64_t there = 0;

    if (bulk)
        return db_execute(db, NULL, err, "INSERT INTO links (source, relation, dest, seen) VALUES ($1, $2, $3, $4) ON CONFLICT DO UPDATE SET seen = excluded.seen",
                          DB_I(from.n), DB_I(r), DB_I(to.n), DB_I(generation));
    return db_execute(db, &there, err, "UPDATE links SET seen = $4 WHERE source = $1 AND relation = $2 AND dest = $3", DB_I(from.n), DB_I(r), DB_I(to.n),
                      DB_I(generation)) &&
           (there > 0 || (db_execute(db, NULL, err, "INSERT INTO links (source, relation, dest, seen) VALUES ($1, $2, $3, $4)", DB_I(from.n), DB_I(r), DB_I(to.n),
                                     DB_I(generation)) && mark_end(db, r, from, to, err)));
}

/* A link that is there, in one statement: of a full read most are. */
static bool see_again(struct db *db, struct stage_ref from, enum stage_relation r, const char *to, int64_t generation, int64_t *ret_there, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "UPDATE links SET seen = $4 WHERE source = $1 AND relation = $2 AND dest = (SELECT n FROM ids WHERE id = $3)", err);
    uint8_t space[STAGE_ID_BYTES];

    if (s == NULL)
        return false;
    db_bind_int(s, 1, from.n);
    db_bind_int(s, 2, r);
    stage_bind_id(s, 3, to, space);
    db_bind_int(s, 4, generation);
    return db_run(s, ret_there, err);
}

bool stage_links_put(struct db *db, const char *from, enum stage_relation r, const char *const *to, size_t count, int64_t generation, struct eb_err *err)
{
    struct stage_ref a, b;
    bool bulk;

    if (!stage_in_bulk(db, &bulk, err) || !stage_find_or_make(db, from, &a, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t there = 0;
        if (!bulk && !see_again(db, a, r, to[i], generation, &there, err))
            return false;
        if (there == 0 && (!stage_find_or_make(db, to[i], &b, err) || !put(db, bulk, a, r, b, generation, err)))
            return false;
    }
    return true;
}

bool stage_link_remove(struct db *db, const char *from, enum stage_relation r, const char *to, struct eb_err *err)
{
    struct stage_ref a, b;
    int64_t gone = 0;

    return stage_find(db, from, &a, err) && stage_find(db, to, &b, err) &&
           db_execute(db, &gone, err, "DELETE FROM links WHERE source = $1 AND relation = $2 AND dest = $3", DB_I(a.n), DB_I(r), DB_I(b.n)) &&
           (gone == 0 || mark_end(db, r, a, b, err));
}

/* All of the relation from there but the one to `keep` (0: all). */
static bool remove_others(struct db *db, struct stage_ref from, enum stage_relation r, int64_t keep, struct eb_err *err)
{
    int64_t gone = 0;

    if (relations[r].shows_at_dest &&
        !db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM links l CROSS JOIN objects o ON o.n = l.dest"
                    " WHERE l.source = $1 AND l.relation = $2 AND l.dest <> $3 AND o.kind <> 0", DB_I(from.n), DB_I(r), DB_I(keep)))
        return false;
    return db_execute(db, &gone, err, "DELETE FROM links WHERE source = $1 AND relation = $2 AND dest <> $3", DB_I(from.n), DB_I(r), DB_I(keep)) &&
           (gone == 0 || relations[r].shows_at_dest || stage_mark(db, from, err));
}

bool stage_link_set(struct db *db, const char *from, enum stage_relation r, const char *to, int64_t generation, struct eb_err *err)
{
    struct stage_ref a, b = { 0 };
    bool bulk;

    if (to == NULL)
        return stage_find(db, from, &a, err) && (a.n == 0 || remove_others(db, a, r, 0, err));
    return stage_in_bulk(db, &bulk, err) && stage_find_or_make(db, from, &a, err) && stage_find_or_make(db, to, &b, err) && remove_others(db, a, r, b.n, err) &&
           put(db, bulk, a, r, b, generation, err);
}

static bool each_id(struct db_stmt *s, stage_id_each *each, void *ctx, struct eb_err *err)
{
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, db_text(s, 0));
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_links_from(struct db *db, int64_t n, enum stage_relation r, bool all, stage_id_each *each, void *ctx, struct eb_err *err)
{
    return each_id(db_query(db, err, "SELECT o.id FROM links l CROSS JOIN objects o ON o.n = l.dest WHERE l.source = $1 AND l.relation = $2"
                            " AND (o.in_scope = 1 OR $3 = 1) ORDER BY o.id", DB_I(n), DB_I(r), DB_I(all)), each, ctx, err);
}

bool stage_links_to(struct db *db, int64_t n, enum stage_relation r, bool all, stage_id_each *each, void *ctx, struct eb_err *err)
{
    return each_id(db_query(db, err, "SELECT o.id FROM links l CROSS JOIN objects o ON o.n = l.source WHERE l.dest = $1 AND l.relation = $2"
                            " AND (o.in_scope = 1 OR $3 = 1) ORDER BY o.id", DB_I(n), DB_I(r), DB_I(all)), each, ctx, err);
}
