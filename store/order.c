/* order.c - what the command line asks of the running service. */
#include "store/order.h"

#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MS (24 * 3600 * INT64_C(1000))     /* answered orders */
#define COLUMNS "number, made_ms, taken_ms, kind, data, answer"

void order_clear(struct order *o)
{
    free(o->kind);
    free(o->data);
    free(o->answer);
    memset(o, 0, sizeof *o);
}

static void read_row(struct db_stmt *s, struct order *o)
{
    *o = (struct order){ db_int(s, 0), db_int(s, 1), db_int(s, 2), db_copy(s, 3), db_copy(s, 4), db_copy(s, 5) };
}

bool order_put(struct db *db, const char *kind, const char *data, int64_t now_ms, int64_t *ret_number, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM orders WHERE answer IS NOT NULL AND made_ms < $1", DB_I(now_ms - KEPT_MS)) &&
           db_execute(db, NULL, err, "INSERT INTO orders (kind, data, made_ms) VALUES ($1, $2, $3)", DB_T(kind), DB_T(data), DB_I(now_ms)) &&
           db_last_number(db, ret_number, err);
}

bool order_take(struct db *db, int64_t now_ms, bool again, int limit, order_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM orders WHERE answer IS NULL AND (taken_ms = 0 OR $1 = 1) ORDER BY number LIMIT $2",
                                 DB_I(again), DB_I(limit));
    int64_t last = 0;
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct order o;

        read_row(s, &o);
        last = o.number;
        more = each(ctx, &o);
        order_clear(&o);
    }
    db_stop(s);
    return step != DB_FAILED && db_execute(db, NULL, err, "UPDATE orders SET taken_ms = $2 WHERE answer IS NULL AND taken_ms = 0 AND number <= $1",
                                           DB_I(last), DB_I(now_ms));
}

bool order_answer(struct db *db, int64_t number, const char *answer, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE orders SET answer = $2 WHERE number = $1", DB_I(number), DB_T(answer));
}

bool order_get(struct db *db, int64_t number, struct order *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM orders WHERE number = $1", DB_I(number));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_NOT_THERE, "There is no such order.");
    read_row(s, ret);
    if (db_run(s, NULL, err))
        return true;
    order_clear(ret);
    return false;
}

bool order_withdraw(struct db *db, int64_t number, bool *ret_gone, struct eb_err *err)
{
    int64_t gone = 0;

    if (!db_execute(db, &gone, err, "DELETE FROM orders WHERE number = $1 AND taken_ms = 0", DB_I(number)))
        return false;
    *ret_gone = gone > 0;
    return true;
}
