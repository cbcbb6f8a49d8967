/* test_loop.c - what the loop promises: order of posts, timers that are set anew or free themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"

#include <pthread.h>
#include <stdlib.h>

struct world {
    struct eb_loop *loop;
    struct eb_timer *timer, *other;
    int runs, other_runs;
    int64_t fired_at;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    *state = w;
    return w != NULL && eb_loop_new(&w->loop, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    eb_timer_free(w->timer);
    eb_timer_free(w->other);
    eb_loop_free(w->loop);
    free(w);
    return 0;
}

static void stop(void *arg)
{
    struct world *w = arg;

    w->fired_at = eb_mono_ms();
    eb_loop_stop(w->loop);
}

/* ---- posts ---- */

#define POSTS 20000
struct number { struct world *w; int n; };
static struct number numbers[POSTS];

static void take_number(void *arg)
{
    struct number *x = arg;

    assert_int_equal(x->n, x->w->runs);
    if (++x->w->runs == POSTS)
        eb_loop_stop(x->w->loop);
}

static void *post_all(void *arg)
{
    for (int i = 0; i < POSTS; i++) {
        numbers[i] = (struct number){ arg, i };
        eb_loop_post(((struct world *)arg)->loop, take_number, &numbers[i]);
    }
    return NULL;
}

static void test_post_order(void **state)
{
    struct world *w = *state;
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, post_all, w), 0);
    eb_loop_run(w->loop);
    pthread_join(t, NULL);
    assert_int_equal(w->runs, POSTS);
}

static void post_again(void *arg)
{
    struct world *w = arg;

    w->runs++;
    eb_loop_post(w->loop, post_again, w);
}

/* A function that posts itself for ever must not keep the loop from its timers. */
static void test_post_does_not_starve(void **state)
{
    struct world *w = *state;

    w->timer = eb_timer_new(w->loop, stop, w);
    eb_timer_set(w->timer, 20);
    eb_loop_post(w->loop, post_again, w);
    eb_loop_run(w->loop);
    assert_true(w->fired_at > 0);
}

static void count_run(void *arg)
{
    ((struct world *)arg)->runs++;
}

static void test_free_drops_posts(void **state)
{
    struct world *w = *state;

    eb_loop_post(w->loop, count_run, w);
    eb_loop_post(w->loop, count_run, w);
    eb_loop_free(w->loop);
    w->loop = NULL;
    assert_int_equal(w->runs, 0);
}

static void test_stop_first(void **state)
{
    struct world *w = *state;

    eb_loop_stop(w->loop);
    eb_loop_run(w->loop);               /* returns at once */
    eb_loop_post(w->loop, stop, w);
    eb_loop_run(w->loop);               /* and can run again */
    assert_true(w->fired_at > 0);
}

/* ---- timers ---- */

static void test_timer_time(void **state)
{
    struct world *w = *state;
    int64_t start = eb_mono_ms();

    w->timer = eb_timer_new(w->loop, stop, w);
    eb_timer_set(w->timer, 30);
    eb_loop_run(w->loop);
    assert_true(w->fired_at - start >= 29);
    eb_timer_set(w->timer, -5);         /* in the past: soon */
    eb_loop_run(w->loop);
}

static void run_other(void *arg)
{
    ((struct world *)arg)->other_runs++;
}

static void test_timer_replaced_and_stopped(void **state)
{
    struct world *w = *state;
    int64_t start = eb_mono_ms();

    w->timer = eb_timer_new(w->loop, stop, w);
    w->other = eb_timer_new(w->loop, run_other, w);
    eb_timer_set(w->timer, 1);
    eb_timer_set(w->timer, 40);         /* later: replaces */
    eb_timer_set(w->other, 1);
    eb_timer_stop(w->other);
    eb_timer_stop(w->other);
    eb_loop_run(w->loop);
    assert_true(w->fired_at - start >= 39);
    assert_int_equal(w->other_runs, 0);
    eb_timer_set(w->timer, 60000);
    eb_timer_set(w->timer, 1);          /* sooner: replaces too */
    start = eb_mono_ms();
    eb_loop_run(w->loop);
    assert_true(w->fired_at - start < 30000);
}

static void set_again(void *arg)
{
    struct world *w = arg;

    if (++w->runs < 5)
        eb_timer_set(w->timer, 0);
    else
        eb_loop_stop(w->loop);
}

static void test_timer_set_from_itself(void **state)
{
    struct world *w = *state;

    w->timer = eb_timer_new(w->loop, set_again, w);
    eb_timer_set(w->timer, 0);
    eb_loop_run(w->loop);
    assert_int_equal(w->runs, 5);
}

static void free_itself_and_other(void *arg)
{
    struct world *w = arg;

    eb_timer_free(w->timer);
    eb_timer_free(w->other);            /* due in the same turn: must not fire any more */
    w->timer = w->other = NULL;
    w->runs++;
    eb_loop_post(w->loop, stop, w);
}

static void test_timer_frees_itself(void **state)
{
    struct world *w = *state;

    w->timer = eb_timer_new(w->loop, free_itself_and_other, w);
    w->other = eb_timer_new(w->loop, run_other, w);
    eb_timer_set(w->timer, 0);
    eb_timer_set(w->other, 0);
    eb_loop_run(w->loop);
    assert_int_equal(w->runs, 1);
    assert_int_equal(w->other_runs, 0);
    eb_timer_free(NULL);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_post_order), TEST(test_post_does_not_starve), TEST(test_free_drops_posts),
        TEST(test_stop_first), TEST(test_timer_time), TEST(test_timer_replaced_and_stopped),
        TEST(test_timer_set_from_itself), TEST(test_timer_frees_itself),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
