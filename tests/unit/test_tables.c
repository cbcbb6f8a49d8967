/* test_tables.c - the smaller tables: outbox, tokens, pins, timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open_store.h"

#include "base/log.h"
#include "store/outbox.h"
#include "store/pin.h"
#include "store/timer_table.h"
#include "store/token_table.h"

/* ---- outbox ---- */

static char seen[256];

static bool see(void *ctx, const struct outbox_row *r)
{
    (void)ctx;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s:%s:%d%s ", r->operation, r->state, r->tries, r->doubt ? "?" : "");
    return true;
}

static const char *due(int64_t until_ms, int limit)
{
    seen[0] = '\0';
    FX_OK(outbox_due(db, until_ms, limit, see, NULL, &fx_err));
    return seen;
}

static const char *in_state(const char *state)
{
    seen[0] = '\0';
    FX_OK(outbox_list(db, state, 10, see, NULL, &fx_err));
    return seen;
}

static int64_t put(const char *operation, const char *kind, int64_t due_ms)
{
    int64_t number = -1;

    FX_OK(outbox_put(db, operation, "ITSM-42", kind, "{}", due_ms, 1, &number, &fx_err));
    return number;
}

static void test_outbox(void **state)
{
    int64_t next, n;

    (void)state;
    FX_OK(outbox_next_due(db, &next, &fx_err));
    assert_true(next == INT64_MAX);
    int64_t a = put("a", "comment", 300), b = put("b", "comment", 100), c = put("c", "comment", 200);
    assert_true(a > 0 && b > a && c > b);
    assert_int_equal(put("a", "comment", 1), 0);            /* one comment an operation */
    assert_true(put("a", "property", 400) > c);
    assert_string_equal(due(250, 10), "b:ready:0 c:ready:0 ");
    assert_string_equal(due(999, 1), "b:ready:0 ");
    FX_OK(outbox_next_due(db, &next, &fx_err));
    assert_int_equal(next, 100);

    FX_OK(outbox_sending(db, b, 5000, &fx_err));            /* leased: not handed out again meanwhile, and in doubt */
    assert_string_equal(due(250, 10), "c:ready:0 ");
    assert_string_equal(due(5000, 1), "c:ready:0 ");
    FX_OK(outbox_posted(db, b, "10001", 250, &fx_err));
    assert_string_equal(in_state("posted"), "b:posted:1 ");
    assert_false(outbox_posted(db, b, "10002", 251, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_false(outbox_sending(db, b, 1, &fx_err));
    assert_false(outbox_later(db, 4711, false, "", 1, &fx_err));

    FX_OK(outbox_sending(db, c, 5000, &fx_err));
    FX_OK(outbox_later(db, c, true, "timeout", 700, &fx_err));
    assert_string_equal(due(700, 10), "a:ready:0 a:ready:0 c:ready:1? ");
    FX_OK(outbox_later(db, c, false, "503", 800, &fx_err));
    FX_OK(outbox_dead(db, c, "gave up", 900, &fx_err));
    assert_string_equal(in_state("dead"), "c:dead:1 ");
    assert_string_equal(in_state(NULL), "a:ready:0 c:dead:1 a:ready:0 ");
    FX_OK(outbox_count(db, "dead", &n, &fx_err));
    assert_int_equal(n, 1);
    FX_OK(outbox_count(db, "ready", &n, &fx_err));
    assert_int_equal(n, 2);
    FX_OK(outbox_count(db, "posted", &n, &fx_err));
    assert_int_equal(n, 1);
    assert_false(outbox_list(db, "lost", 1, see, NULL, &fx_err));

    FX_OK(outbox_retry(db, NULL, 1000, &n, &fx_err));
    assert_int_equal(n, 1);
    assert_string_equal(in_state("dead"), "");
    FX_OK(outbox_retry(db, "a", 50, &n, &fx_err));
    assert_int_equal(n, 2);                                 /* comment and property */
    assert_string_equal(due(50, 10), "a:ready:0 a:ready:0 ");
    FX_OK(outbox_retry(db, "b", 50, &n, &fx_err));
    assert_int_equal(n, 0);                                 /* posted is posted */
}

/* ---- tokens ---- */

static bool see_token(void *ctx, const struct token_row *t)
{
    (void)ctx;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s=%s%s%s ", t->id, t->name, t->revoked_ms > 0 ? "-" : "", t->reveal_secrets ? "!" : "");
    assert_string_equal(t->operations, "[\"user.get\"]");
    return true;
}

static void test_tokens(void **state)
{
    struct token_row t = { .id = "t1", .name = "rule", .operations = "[\"user.get\"]", .projects = "[\"*\"]", .expires_ms = 1000, .created_ms = 1 };
    int64_t n;

    (void)state;
    FX_OK(token_insert(db, &t, &fx_err));
    assert_false(token_insert(db, &t, &fx_err));            /* an id once */
    t.id = "t2";
    t.created_ms = 2;
    t.reveal_secrets = true;
    FX_OK(token_insert(db, &t, &fx_err));                   /* the same name: rotation */
    t.id = "t3";
    t.name = "old";
    t.expires_ms = 10;
    FX_OK(token_insert(db, &t, &fx_err));
    FX_OK(token_revoke(db, "t1", 500, &n, &fx_err));
    assert_int_equal(n, 1);
    FX_OK(token_revoke(db, "rule", 501, &n, &fx_err));
    assert_int_equal(n, 1);                                 /* t2 only: t1 had gone */
    FX_OK(token_revoke(db, "old", 502, &n, &fx_err));
    assert_int_equal(n, 0);                                 /* had expired */
    FX_OK(token_revoke(db, "nobody", 503, &n, &fx_err));
    assert_int_equal(n, 0);
    seen[0] = '\0';
    FX_OK(token_list(db, see_token, NULL, &fx_err));
    assert_string_equal(seen, "t1=rule- t2=rule-! t3=old-! ");
}

/* ---- pins ---- */

static bool see_pin(void *ctx, const char *type, const char *name, const char *id, int64_t since_ms)
{
    (void)ctx;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s/%s=%s@%lld ", type, name, id, (long long)since_ms);
    return true;
}

static void test_pins(void **state)
{
    char id[64], longest[80];

    (void)state;
    assert_false(pin_get(db, "group", "VPN Users", id, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    FX_OK(pin_put(db, "group", "VPN Users", "g1", 1, id, &fx_err));
    assert_string_equal(id, "g1");
    FX_OK(pin_put(db, "group", "VPN Users", "g2", 2, id, &fx_err));
    assert_string_equal(id, "g1");                          /* a second group of that name changes nothing */
    FX_OK(pin_put(db, "project", "VPN Users", "p1", 3, id, &fx_err));
    assert_string_equal(id, "p1");
    FX_OK(pin_replace(db, "group", "VPN Users", "g2", 4, &fx_err));
    FX_OK(pin_get(db, "group", "VPN Users", id, &fx_err));
    assert_string_equal(id, "g2");
    memset(longest, 'x', sizeof(longest));
    longest[64] = '\0';
    assert_false(pin_put(db, "group", "long", longest, 5, id, &fx_err));
    assert_false(pin_replace(db, "group", "empty", "", 5, &fx_err));
    longest[63] = '\0';
    FX_OK(pin_put(db, "group", "long", longest, 5, id, &fx_err));
    assert_string_equal(id, longest);
    FX_OK(pin_replace(db, "group", "long", "l", 6, &fx_err));
    seen[0] = '\0';
    FX_OK(pin_list(db, see_pin, NULL, &fx_err));
    assert_string_equal(seen, "group/VPN Users=g2@4 group/long=l@6 project/VPN Users=p1@3 ");
}

/* ---- timers ---- */

static bool see_timer(void *ctx, const struct timer_row *t)
{
    (void)ctx;
    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s/%s@%lld ", t->kind, t->subject, (long long)t->due_ms);
    return true;
}

static const char *timers(int64_t until_ms, int limit)
{
    seen[0] = '\0';
    FX_OK(timer_due(db, until_ms, limit, see_timer, NULL, &fx_err));
    return seen;
}

static void test_timers(void **state)
{
    int64_t next;

    (void)state;
    FX_OK(timer_next(db, &next, &fx_err));
    assert_true(next == INT64_MAX);
    FX_OK(timer_put(db, "expire", "op1", 200, &fx_err));
    FX_OK(timer_put(db, "expire", "op2", 100, &fx_err));
    FX_OK(timer_put(db, "sync", "op1", 150, &fx_err));
    assert_string_equal(timers(150, 9), "expire/op2@100 sync/op1@150 ");
    assert_string_equal(timers(999, 1), "expire/op2@100 ");
    FX_OK(timer_put(db, "expire", "op2", 300, &fx_err));    /* put off */
    FX_OK(timer_next(db, &next, &fx_err));
    assert_int_equal(next, 150);
    FX_OK(timer_finish(db, "expire", "op2", 100, 0, &fx_err));      /* the end of what was due at 100 spares the new time */
    FX_OK(timer_finish(db, "sync", "op1", 150, 400, &fx_err));
    FX_OK(timer_finish(db, "expire", "op1", 200, 0, &fx_err));
    assert_string_equal(timers(999, 9), "expire/op2@300 sync/op1@400 ");
    FX_OK(timer_remove(db, "sync", "op1", &fx_err));
    FX_OK(timer_remove(db, "sync", "op1", &fx_err));
    assert_string_equal(timers(999, 9), "expire/op2@300 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_outbox), TEST(test_tokens), TEST(test_pins), TEST(test_timers),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
