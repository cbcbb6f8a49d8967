/* stage_plan.c - the plan: what differs between what is wanted and what the target holds. Nothing of it is stored.
 *
 * Both tables are walked in the order of the objects' numbers, and only narrow rows are read until a difference is found. So records that do not differ
 * cost well below a microsecond each, and a walk in pages reads each of them once.
 */
#include "store/stage_rows.h"

#define WANTED_COLUMNS "w.n, w.kind, o.id, wt.label, w.hash, wt.attributes, w.lacks_manager"
#define NO_WANTED "NULL, NULL, NULL, NULL, NULL, NULL, NULL"
#define TARGET_COLUMNS "t.n, t.kind, o.id, t.object_id, t.object_key, t.active, t.left_ms, t.doubt, t.sent_ms, t.hash, x.attributes"
enum { WANTED_AT, TARGET_AT = 7 };

/* $1 kind, $2 level or time, $3 after, $4 limit. "+" keeps the walk on the numbers themselves. */
#define ANY_LEVEL "+w.kind = $1"
#define ONE_LEVEL "w.kind = $1 AND w.level = $2"
#define OF_OBJECT " CROSS JOIN objects o ON o.n = w.n CROSS JOIN wanted_texts wt ON wt.n = w.n"
#define OF_TARGET " CROSS JOIN target_texts x ON x.n = t.n"

#define MISSING " AND NOT EXISTS (SELECT 1 FROM target t WHERE t.n = w.n * 4 + w.kind)"
#define CREATE(level) "SELECT " WANTED_COLUMNS " FROM wanted w" OF_OBJECT " WHERE w.n > $3 AND " level MISSING " ORDER BY w.n LIMIT $4"
#define CREATE_COUNT(level) "SELECT count(*) FROM wanted w WHERE " level MISSING

#define PAIRS " FROM wanted w CROSS JOIN target t ON t.n = w.n * 4 + w.kind"
#define DIFFER " AND t.doubt = 0 AND (t.active = 0 OR t.hash IS NOT w.hash)"
#define UPDATE(level) "SELECT " WANTED_COLUMNS ", " TARGET_COLUMNS PAIRS OF_OBJECT OF_TARGET " WHERE w.n > $3 AND " level DIFFER " ORDER BY w.n LIMIT $4"
#define UPDATE_COUNT(level) "SELECT count(*)" PAIRS " WHERE " level DIFFER

#define UNWANTED "t.kind = $1 AND t.doubt = 0 AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.n = t.n / 4 AND w.kind = t.kind)"
#define LEFT " AND t.active = 0 AND t.left_ms > 0 AND t.left_ms < $2"
#define FROM_TARGET(more) "SELECT " NO_WANTED ", " TARGET_COLUMNS " FROM target t CROSS JOIN objects o ON o.n = t.n / 4" OF_TARGET \
    " WHERE t.n > $3 AND " UNWANTED more " ORDER BY t.n LIMIT $4"
#define TARGET_COUNT(more) "SELECT count(*) FROM target t WHERE " UNWANTED more

static const struct {
    const char *each, *count;               /* of all levels */
    const char *level_each, *level_count;   /* of one; NULL: levels do not matter */
    bool wanted, target;                    /* what its rows have */
    bool left;                              /* is asked since when they have left */
} actions[STAGE_ACTIONS] = {
    [STAGE_CREATE] = { CREATE(ANY_LEVEL), CREATE_COUNT(ANY_LEVEL), CREATE(ONE_LEVEL), CREATE_COUNT(ONE_LEVEL), .wanted = true },
    [STAGE_UPDATE] = { UPDATE(ANY_LEVEL), UPDATE_COUNT(ANY_LEVEL), UPDATE(ONE_LEVEL), UPDATE_COUNT(ONE_LEVEL), .wanted = true, .target = true },
    [STAGE_LEAVE] = { FROM_TARGET(" AND t.active = 1"), TARGET_COUNT(" AND t.active = 1"), .target = true },
    [STAGE_DELETE] = { FROM_TARGET(LEFT), TARGET_COUNT(LEFT), .target = true, .left = true },
};

static struct stage_wanted wanted_of(struct db_stmt *s)
{
    return (struct stage_wanted){ .n = db_int(s, WANTED_AT), .kind = (enum stage_kind)db_int(s, WANTED_AT + 1), .key = db_text(s, WANTED_AT + 2),
                                  .label = db_text(s, WANTED_AT + 3), .hash = db_text(s, WANTED_AT + 4), .attributes = db_text(s, WANTED_AT + 5),
                                  .lacks_manager = db_int(s, WANTED_AT + 6) != 0 };
}

static struct stage_target target_of(struct db_stmt *s)
{
    return (struct stage_target){ .n = db_int(s, TARGET_AT), .kind = (enum stage_kind)db_int(s, TARGET_AT + 1), .key = db_text(s, TARGET_AT + 2),
                                  .object_id = db_text(s, TARGET_AT + 3), .object_key = db_text(s, TARGET_AT + 4), .active = db_int(s, TARGET_AT + 5) != 0,
                                  .left_ms = db_int(s, TARGET_AT + 6), .doubt = (enum stage_doubt)db_int(s, TARGET_AT + 7),
                                  .sent_ms = db_int(s, TARGET_AT + 8), .hash = db_text(s, TARGET_AT + 9), .attributes = db_text(s, TARGET_AT + 10) };
}

static bool tell(struct db_stmt *s, enum stage_action action, stage_change_each *each, void *ctx)
{
    struct stage_wanted w = { 0 };
    struct stage_target t = { 0 };

    if (actions[action].wanted)
        w = wanted_of(s);
    if (actions[action].target)
        t = target_of(s);
    return each(ctx, &(struct stage_change){ action, actions[action].wanted ? &w : NULL, actions[action].target ? &t : NULL });
}

static bool of_level(const struct stage_plan *p)
{
    return p->level >= 0 && p->kind == STAGE_USER && actions[p->action].level_each != NULL;
}

static int64_t second_value(const struct stage_plan *p)
{
    return actions[p->action].left ? p->left_before_ms : p->level;
}

bool stage_plan_each(struct db *db, const struct stage_plan *p, int64_t after, int limit, stage_change_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, of_level(p) ? actions[p->action].level_each : actions[p->action].each, DB_I(p->kind), DB_I(second_value(p)),
                                 DB_I(after), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = tell(s, p->action, each, ctx);
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_plan_count(struct db *db, const struct stage_plan *p, int64_t *ret, struct eb_err *err)
{
    const struct db_value values[] = { DB_I(p->kind), DB_I(second_value(p)) };
    bool level = of_level(p);

    return db_number(db_query_values(db, err, level ? actions[p->action].level_count : actions[p->action].count, values,
                                     level || actions[p->action].left ? 2 : 1), ret, err);
}
