/* test_outbound_queue.c - who goes next among calls that wait, and the account of writes: both pure. */
#include "base/error.h"
#include "base/log.h"
#include "outbound/budget.h"
#include "outbound/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ALL UINT32_MAX

/* What waits is written as text, three letters each: rank (h n B b l), lane (r w), caller. */
static const char rank_letters[] = "hnBbl", lane_letters[] = "rw";
struct named { struct queue_item item; char name[4]; };

static void put(struct queue *q, struct named *n, const char *name, bool first)
{
    snprintf(n->name, sizeof(n->name), "%.3s", name);
    n->item = (struct queue_item){ .rank = (enum queue_rank)(strchr(rank_letters, name[0]) - rank_letters),
                                   .lane = (int)(strchr(lane_letters, name[1]) - lane_letters), .caller = (uint32_t)name[2] };
    queue_put(q, &n->item, first);
}

static const char *take(struct queue *q, unsigned may)
{
    struct queue_item *i = queue_take(q, may);
    return i != NULL ? ((struct named *)(void *)i)->name : "-";
}

static unsigned only(int lane)
{
    unsigned may = 0;

    for (int rank = 0; rank < RANKS; rank++)
        may |= QUEUE_MAY(rank, lane);
    return may;
}

static void test_order(void **state)
{
    static const struct { const char *waits, *goes; unsigned shut; const char *why; } cases[] = {
        { "nr1 hw1", "hw1 nr1", 0, "writes before reads" },
        { "lr1 br1 Bw1 nr1 hw1", "hw1 nr1 Bw1 br1 lr1", 0, "the desk, then background, then synchronizations" },
        { "nr1 nr2 nr3", "nr1 nr2 nr3", 0, "in order" },
        { "nr1 nr1 nr1 nr2 nr3", "nr1 nr2 nr3 nr1 nr1", 0, "callers take turns" },
        { "hw1 nr1 Bw1", "nr1 -", 1u << LANE_WRITE, "no writes now" },
        { "hw1 nr1 br2", "hw1 -", 1u << LANE_READ, "no reads now" },
        { "lr1 lw1 lr1", "lr1 lw1 lr1", 0, "of one rank and caller the older first, whatever it is" },
        { "", "-", 0, "nothing waits" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct named items[8];
        struct queue q;
        size_t n = 0;
        unsigned may = ALL;
        queue_init(&q);
        for (int lane = 0; lane < LANES; lane++)
            if ((cases[i].shut & 1u << lane) != 0)
                may &= ~only(lane);
        for (const char *p = cases[i].waits; *p != '\0'; p += strspn(p + 3, " ") + 3)
            put(&q, &items[n++], p, false);
        for (const char *p = cases[i].goes; *p != '\0'; p += strcspn(p, " "), p += strspn(p, " ")) {
            const char *name = take(&q, may);
            if (strncmp(name, p, strlen(name)) != 0)
                fail_msg("case %zu (%s): %s where %s was due", i, cases[i].why, name, p);
        }
        while (strcmp(take(&q, ALL), "-") != 0)
            ;
        assert_int_equal(q.length, 0);
    }
}

static void test_first(void **state)
{
    struct named items[3];
    struct queue q;

    (void)state;
    queue_init(&q);
    put(&q, &items[0], "nr1", false);
    put(&q, &items[1], "nr1", false);
    put(&q, &items[2], "nr1", true);
    assert_ptr_equal(queue_take(&q, ALL), &items[2].item);
    queue_remove(&q, &items[0].item);
    assert_ptr_equal(queue_take(&q, ALL), &items[1].item);
    assert_null(queue_take(&q, ALL));
}

/* As long as everybody always waits: how many of 64 grants each rank has. */
static void test_shares(void **state)
{
    static const struct { const char *waits; int grants[RANKS]; const char *why; } cases[] = {
        { "hw1 nr1 Bw1 br1 lr1", { 49, 7, 7, 1, 0 }, "the desk has seven of eight, and so on down" },
        { "hw1 br1", { 56, 0, 0, 8, 0 }, "one in eight for background work" },
        { "nr1 lr1", { 0, 56, 0, 0, 8 }, "and for synchronizations where nothing else waits" },
        { "Bw1 lr1", { 0, 0, 56, 0, 8 }, "also behind background work" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct named items[RANKS];
        struct queue q;
        int grants[RANKS] = { 0 }, n = 0;
        queue_init(&q);
        for (const char *p = cases[i].waits; *p != '\0'; p += strspn(p + 3, " ") + 3)
            put(&q, &items[n++], p, false);
        for (int k = 0; k < 64; k++) {
            struct queue_item *taken = queue_take(&q, ALL);
            grants[taken->rank]++;
            queue_put(&q, taken, false);
        }
        for (int rank = 0; rank < RANKS; rank++)
            if (abs(grants[rank] - cases[i].grants[rank]) > 1)
                fail_msg("case %zu (%s): rank %d had %d", i, cases[i].why, rank, grants[rank]);
        while (queue_take(&q, ALL) != NULL)
            ;
    }
}

/* Whoever waits is served within a bounded number of grants, however many calls another caller has. */
static void test_nobody_starves(void **state)
{
    enum { MANY = 500 };
    static struct named items[MANY], one;
    struct queue q;
    int grants = 0;

    (void)state;
    queue_init(&q);
    for (int i = 0; i < MANY; i++)
        put(&q, &items[i], i % 2 == 0 ? "hw1" : "bw1", false);
    put(&q, &one, "bw2", false);
    while (queue_take(&q, ALL) != &one.item)
        grants++;
    assert_true(grants <= 2 * QUEUE_SHARE);
    while (queue_take(&q, ALL) != NULL)
        ;
}

/* ---- budget ---- */

static int spend(struct budget *b, int64_t now_ms, bool background, int most)
{
    int n = 0;

    while (n < most && budget_wait_ms(b, now_ms, background) == 0) {
        budget_sent(b, now_ms);
        n++;
    }
    return n;
}

static void test_budget(void **state)
{
    struct budget b;
    int64_t now_ms = 1000000, wait;

    (void)state;
    budget_init(&b, 0, 150000, now_ms);
    assert_int_equal(spend(&b, now_ms, false, 10000), 10000);           /* none is kept */
    assert_int_equal(budget_at_once(&b, now_ms, true), INT32_MAX);

    budget_init(&b, 3000, 150000, now_ms);
    assert_int_equal(spend(&b, now_ms, true, 10000), 2400);             /* background work leaves a fifth */
    assert_int_equal(spend(&b, now_ms, false, 10000), 600);
    assert_int_equal(spend(&b, now_ms + 149000, false, 10000), 0);
    wait = budget_wait_ms(&b, now_ms, false);
    assert_true(wait >= 150000 && wait <= 153000);
    assert_int_equal(budget_wait_ms(&b, now_ms + wait - 1, false), 1);
    assert_int_equal(spend(&b, now_ms + wait, true, 10000), 2400);
    assert_int_equal(spend(&b, now_ms + 3600000, false, 10000), 3000);  /* after a long rest */

    budget_init(&b, 1, 1000, now_ms);
    assert_int_equal(spend(&b, now_ms, true, 10), 1);                   /* even background work gets on */
}

/* In no period more than the quota, whenever it begins. */
static void test_budget_sliding(void **state)
{
    enum { QUOTA = 30, PERIOD = 1500, STEPS = 20000 };
    static int sent[STEPS];
    struct budget b;
    unsigned seed = 7;
    int64_t in_period = 0, most = 0, all = 0;

    (void)state;
    budget_init(&b, QUOTA, PERIOD, 5000);
    for (int t = 0; t < STEPS; t++) {
        sent[t] = rand_r(&seed) % 20 == 0 ? spend(&b, 5000 + t, rand_r(&seed) % 2 == 0, rand_r(&seed) % 40) : 0;
        in_period += sent[t] - (t >= PERIOD ? sent[t - PERIOD] : 0);
        most = in_period > most ? in_period : most;
        all += sent[t];
    }
    assert_int_equal(most, QUOTA);
    assert_true(all > (int64_t)STEPS / PERIOD * QUOTA * 8 / 10);        /* nor much less */
}

static void test_budget_refused(void **state)
{
    struct budget b;
    int64_t now_ms = 1000000;

    (void)state;
    budget_init(&b, 3000, 150000, now_ms);
    assert_int_equal(budget_at_once(&b, now_ms, false), BUDGET_AT_ONCE_YOUNG);
    assert_int_equal(budget_at_once(&b, now_ms + 150000, false), INT32_MAX);
    assert_int_equal(budget_at_once(&b, now_ms + 150000, true), BUDGET_AT_ONCE);
    budget_refused(&b, now_ms, 2000, true);                             /* what was sent before a restart used it up */
    assert_true(budget_wait_ms(&b, now_ms, true) >= 2000);
    assert_int_equal(budget_wait_ms(&b, now_ms, false), 0);             /* the desk's fifth may be left */
    assert_int_equal(spend(&b, now_ms + 2000, true, 10), 0);            /* not all that Graph's answer was about comes back at once */
    int later = spend(&b, now_ms + 11000, true, 10000);
    assert_in_range(later, 40, 180);                                    /* it comes back as the quota does: 20 a second */
    budget_refused(&b, now_ms + 11000, -1, false);
    assert_true(budget_wait_ms(&b, now_ms + 11000, false) >= 1000);
    assert_true(budget_wait_ms(&b, now_ms + 11000, true) > budget_wait_ms(&b, now_ms + 11000, false));
    assert_int_equal(spend(&b, now_ms + 13000, false, 10), 0);
    assert_int_equal(spend(&b, now_ms + 400000, false, 10000), 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_nobody_starves),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_sliding),
        cmocka_unit_test(test_budget_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
