/* test_orders.c - what undo and ends of memberships keep in the store: orders, ends with their timers, origins, what has changed since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "store/membership.h"
#include "store/order.h"
#include "store/timer_table.h"

static struct db *db;
static char seen[512];

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    db = fx_open();
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    return fx_teardown(state);
}

static void note(const char *text)
{
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", text);
}

/* ---- orders ---- */

static bool see_order(void *ctx, const struct order *o)
{
    (void)ctx;
    note(o->data);
    return true;
}

static const char *take(bool again, int limit)
{
    seen[0] = '\0';
    FX_OK(order_take(db, 500, again, limit, see_order, NULL, &fx_err));
    return seen;
}

static void test_orders(void **state)
{
    struct order o;
    int64_t a, b, c;
    bool gone;

    (void)state;
    FX_OK(order_put(db, "undo", "a", 100, &a, &fx_err));
    FX_OK(order_put(db, "undo", "b", 101, &b, &fx_err));
    FX_OK(order_put(db, "undo", "c", 102, &c, &fx_err));
    FX_OK(order_withdraw(db, c, &gone, &fx_err));
    assert_true(gone);
    assert_string_equal(take(false, 1), "a ");
    assert_string_equal(take(false, 5), "b ");          /* each once */
    assert_string_equal(take(false, 5), "");
    FX_OK(order_withdraw(db, a, &gone, &fx_err));
    assert_false(gone);                                 /* taken: it will happen */
    FX_OK(order_answer(db, a, "{}", &fx_err));
    assert_string_equal(take(true, 5), "b ");           /* taken by a process that went down, not answered */
    FX_OK(order_get(db, a, &o, &fx_err));
    assert_string_equal(o.answer, "{}");
    assert_int_equal(o.taken_ms, 500);
    assert_int_equal(o.made_ms, 100);
    order_clear(&o);
    FX_OK(order_put(db, "undo", "late", 100 + 2 * 24 * 3600 * 1000, &c, &fx_err));
    assert_false(order_get(db, a, &o, &fx_err));        /* answered long ago */
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    FX_OK(order_get(db, b, &o, &fx_err));               /* never answered: kept */
    order_clear(&o);
}

/* ---- ends ---- */

static bool see_timer(void *ctx, const struct timer_row *t)
{
    char text[96];

    (void)ctx;
    snprintf(text, sizeof text, "%s:%s:%d", t->kind, t->subject, (int)t->due_ms);
    note(text);
    return true;
}

static const char *timers(void)
{
    seen[0] = '\0';
    FX_OK(timer_due(db, INT64_MAX, 100, see_timer, NULL, &fx_err));
    return seen;
}

static void put(const char *operation, int64_t ends_ms, int64_t warn_ms)
{
    char object[] = "m", id[32], user[] = "u", group[] = "g", issue[] = "10042";

    snprintf(id, sizeof id, "%s", operation);
    FX_OK(membership_put(db, &(struct membership){ .object = object, .operation = id, .issue_id = issue, .user_id = user, .group_id = group,
                                                   .ends_ms = ends_ms, .warn_ms = warn_ms }, &fx_err));
}

static void test_ends(void **state)
{
    struct membership m;

    (void)state;
    put("op1", 1000, 800);
    assert_string_equal(timers(), "member_warn:m:800 member_end:m:1000 ");
    FX_OK(membership_warned(db, "m", &fx_err));
    FX_OK(membership_stopped(db, "m", "protected", &fx_err));
    FX_OK(membership_find(db, "op1", &m, &fx_err));
    assert_string_equal(m.stopped, "protected");
    assert_int_equal(m.warn_ms, 0);
    membership_clear(&m);
    put("op2", 5000, 0);                                /* moved, too short to be announced: told of no more, tried anew */
    assert_string_equal(timers(), "member_end:m:5000 ");
    assert_false(membership_find(db, "op1", &m, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    FX_OK(membership_get(db, "m", &m, &fx_err));
    assert_null(m.stopped);
    assert_string_equal(m.operation, "op2");
    membership_clear(&m);
    FX_OK(membership_remove(db, "m", &fx_err));
    FX_OK(membership_remove(db, "m", &fx_err));         /* twice is once */
    assert_string_equal(timers(), "");
}

static void test_timers_of_others(void **state)
{
    static const char *const one[TIMER_LEFT_OUT] = { "a" }, *const two[TIMER_LEFT_OUT] = { "a", "b" };

    (void)state;
    FX_OK(timer_put(db, "a", "1", 1, &fx_err));
    FX_OK(timer_put(db, "b", "2", 2, &fx_err));
    FX_OK(timer_put(db, "c", "3", 3, &fx_err));
    seen[0] = '\0';
    FX_OK(timer_due_of_others(db, INT64_MAX, one, 1, see_timer, NULL, &fx_err));
    FX_OK(timer_due_of_others(db, INT64_MAX, two, 5, see_timer, NULL, &fx_err));
    FX_OK(timer_due_of_others(db, 2, two, 5, see_timer, NULL, &fx_err));
    assert_string_equal(seen, "b:2:2 c:3:3 ");
}

/* ---- origins, and what has changed since ---- */

static bool accept_from(const char *id, const char *origin)
{
    char own[32], kind[] = "group.add_member", from[32], text[] = "{}";
    struct journal_row row = { .id = own, .kind = kind, .request = text, .config_hash = text, .origin = origin != NULL ? from : NULL, .accepted_ms = 1 };
    struct journal_accept a = { .row = &row, .key = id, .body_hash = id, .window_ms = 10 };

    snprintf(own, sizeof own, "%s", id);
    snprintf(from, sizeof from, "%s", origin != NULL ? origin : "");
    return journal_accept(db, &a, &fx_err);
}

static void conclude(const char *id, const char *outcome, const char *object, bool changed, bool free_origin)
{
    struct journal_write w = { .action = "member.add", .object = object, .touches = "user:u" };
    struct journal_record r = { .id = id, .object = object, .writes = &w, .write_count = changed, .before = "{}" };
    struct journal_write_end end = { .state = "done" };
    struct journal_conclusion c = { .id = id, .outcome = outcome, .changed = changed, .free_origin = free_origin, .writes = &end, .write_count = changed,
                                    .after = "{\"member\":true}", .now_ms = 2 };

    FX_OK(journal_record(db, &r, &fx_err));
    FX_OK(journal_conclude(db, &c, &fx_err));
}

static void test_origins(void **state)
{
    (void)state;
    assert_true(accept_from("u1", "undo:x"));
    assert_false(accept_from("u2", "undo:x"));          /* under way */
    assert_int_equal(fx_err.code, EB_UNDO_NOT_POSSIBLE);
    assert_non_null(strstr(fx_err.text, "u1"));
    conclude("u1", "refused", "m", false, true);
    assert_true(accept_from("u2", "undo:x"));           /* it came to nothing */
    conclude("u2", "succeeded", "m", true, false);
    assert_false(accept_from("u3", "undo:x"));
    assert_non_null(strstr(fx_err.text, "u2"));
    assert_true(accept_from("u3", "undo:y"));
    assert_true(accept_from("u4", NULL));
    assert_true(accept_from("u5", NULL));
}

static bool see_row(void *ctx, const struct journal_row *r)
{
    const char *stop = ctx;

    note(r->id);
    return !eb_streq(r->id, stop);
}

static const char *since(const char *id, const char *stop)
{
    seen[0] = '\0';
    FX_OK(journal_list_since(db, id, see_row, (void *)(uintptr_t)stop, &fx_err));
    return seen;
}

static void change(const char *id, const char *object, bool changed)
{
    assert_true(accept_from(id, NULL));
    conclude(id, "succeeded", object, changed, false);
}

static void test_since(void **state)
{
    (void)state;
    change("before", "m", true);
    change("op", "m", true);
    assert_string_equal(since("op", NULL), "");
    change("nothing", "m", false);
    change("other", "n", true);
    change("first", "m", true);
    change("second", "user:u", true);                   /* what op touches counts: whoever asks sees the rows */
    assert_string_equal(since("op", NULL), "first second ");
    assert_string_equal(since("op", "first"), "first ");
    assert_string_equal(since("second", NULL), "");
    assert_string_equal(since("no such", NULL), "");
}

static void test_served(void **state)
{
    struct db *service;
    bool served = true;

    (void)state;
    FX_OK(db_is_served(fx_url, &served, &fx_err));
    assert_false(served);                               /* a tool's connection is no service */
    FX_OK(db_open(fx_url, DB_SERVE, &service, &fx_err));
    FX_OK(db_is_served(fx_url, &served, &fx_err));
    assert_true(served);
    db_close(service);
    FX_OK(db_is_served(fx_url, &served, &fx_err));
    assert_false(served);
    assert_false(db_is_served("nosql:x", &served, &fx_err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_orders), TEST(test_ends), TEST(test_timers_of_others), TEST(test_origins), TEST(test_since), TEST(test_served),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
