/* limit_table.c - counting: a row for each subject and sixtieth of the window, so that a sum reads 61 rows at most.
 *
 * The sixtieth that the window begins in counts whole: never more than the limit within any window.
 */
#include "store/limit_table.h"

#include "store/query.h"

#define PIECES 60

static int64_t piece_ms(const struct limit_take *t)
{
    return t->window_ms / PIECES;
}

static bool forget(struct db *db, const struct limit_take *t, struct eb_err *err)
{
    int64_t before_ms = t->now_ms - t->window_ms - piece_ms(t);

    return db_execute(db, NULL, err, "DELETE FROM limit_counts WHERE start_ms < $1", DB_I(before_ms)) &&
           db_execute(db, NULL, err, "DELETE FROM limit_alerts WHERE told_ms < $1", DB_I(before_ms));
}

static bool is_past(struct db *db, const struct limit_take *t, const struct limit_row *r, bool *ret, struct eb_err *err)
{
    int64_t sum = 0;

    if (!db_number(db_query(db, err, "SELECT COALESCE(SUM(weight), 0) FROM limit_counts WHERE subject = $1 AND start_ms > $2 AND start_ms <= $3",
                            DB_T(r->subject), DB_I(t->now_ms - t->window_ms - piece_ms(t)), DB_I(t->now_ms)), &sum, err))
        return false;
    *ret = sum + t->weight > r->most;
    return true;
}

static bool is_news(struct db *db, struct limit_take *t, const char *subject, struct eb_err *err)
{
    int64_t told_ms = INT64_MIN;

    if (!db_number(db_query(db, err, "SELECT told_ms FROM limit_alerts WHERE subject = $1", DB_T(subject)), &told_ms, err))
        return false;
    t->ret_alert = told_ms == INT64_MIN || told_ms > t->now_ms || t->now_ms - told_ms >= t->window_ms;
    return !t->ret_alert || db_execute(db, NULL, err, "INSERT INTO limit_alerts (subject, told_ms) VALUES ($1, $2)"
                                       " ON CONFLICT (subject) DO UPDATE SET told_ms = excluded.told_ms", DB_T(subject), DB_I(t->now_ms));
}

static bool count(struct db *db, const struct limit_take *t, struct eb_err *err)
{
    for (size_t i = 0; i < t->count; i++)
        if (!db_execute(db, NULL, err, "INSERT INTO limit_counts (subject, start_ms, weight) VALUES ($1, $2, $3)"
                        " ON CONFLICT (subject, start_ms) DO UPDATE SET weight = limit_counts.weight + excluded.weight",
                        DB_T(t->rows[i].subject), DB_I(t->now_ms - t->now_ms % piece_ms(t)), DB_I(t->weight)))
            return false;
    return db_execute(db, NULL, err, "UPDATE open_operations SET passed = 1 WHERE operation = (SELECT number FROM operations WHERE id = $1)", DB_T(t->id));
}

bool limit_take(struct db *db, struct limit_take *t, struct eb_err *err)
{
    bool past = false;

    t->ret_past = -1;
    t->ret_alert = false;
    if (!forget(db, t, err))
        return false;
    for (size_t i = 0; i < t->count; i++) {
        if (!is_past(db, t, &t->rows[i], &past, err))
            return false;
        if (past) {
            t->ret_past = (int)i;
            return is_news(db, t, t->rows[i].subject, err);
        }
    }
    return count(db, t, err);
}
