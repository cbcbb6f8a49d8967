/* test_graph_members.c - additions that wait leave together: which calls a fake Graph with a memory sees, and that each caller has an answer of its own. */
#include "base/clock.h"
#include "base/log.h"
#include "graph/internal.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { USERS = 1000, GROUPS = 3, ORDER_MAX = 64 };
enum { GONE = 900, PROTECTED = 901 };           /* users of whom Graph refuses the addition */

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct graph *g;
    struct fake_server *server;
    struct config_entra config;
    char base[64], graph_url[80];
    bool member[GROUPS][USERS];
    int posts, patches, largest, added, low, high, tokens, expired;
    int answers, wanted, results[GROUPS * USERS], statuses[GROUPS * USERS];
    int64_t retry_after_ms;
    int drop_after, throttle;                   /* so many PATCHes are done without an answer, or refused */
    char order[ORDER_MAX];                      /* h, l or n: the priorities of the writes as they came */
};

static const char *user(int n)
{
    static char id[4][40];
    static int next;

    next = (next + 1) % 4;
    snprintf(id[next], sizeof(id[next]), "a0000000-0000-4000-8000-%012d", n);
    return id[next];
}

static const char *group(int n)
{
    static char id[4][40];
    static int next;

    next = (next + 1) % 4;
    snprintf(id[next], sizeof(id[next]), "b0000000-0000-4000-8000-%012d", n);
    return id[next];
}

static void refuse(struct evbuffer *out, int status, const char *message)
{
    char body[300];

    snprintf(body, sizeof(body), "{\"error\":{\"code\":\"x\",\"message\":\"%s\"}}", message);
    fake_answer(out, status, "", body);
}

/* All or nothing, as Graph does it. False: refused. */
static bool add(struct bed *b, int to, const int *users, int count, struct evbuffer *out)
{
    for (int i = 0; i < count; i++) {
        if (users[i] == GONE)
            refuse(out, 404, "Resource does not exist or one of its queried reference-property objects are not present.");
        else if (users[i] == PROTECTED)
            refuse(out, 403, "Insufficient privileges to complete the operation.");
        else if (b->member[to][users[i]])
            refuse(out, 400, "One or more added object references already exist for the following modified properties: 'members'.");
        else
            continue;
        return false;
    }
    for (int i = 0; i < count; i++)
        b->member[to][users[i]] = true;
    b->added += count;
    return true;
}

static int links(const char *body, int users[32])
{
    int n = 0;

    for (const char *p = strstr(body, "/directoryObjects/"); p != NULL && n < 32; p = strstr(p + 1, "/directoryObjects/"))
        users[n++] = atoi(p + strlen("/directoryObjects/") + 24);
    return n;
}

static enum fake_then serve_write(struct bed *b, const struct fake_request *r, struct evbuffer *out)
{
    bool patch = strcmp(r->method, "PATCH") == 0;
    int users[32], count = links(r->body, users), to = atoi(strstr(r->path, "/groups/") + strlen("/groups/") + 24);
    bool low = strstr(r->head, "x-ms-throttle-priority: low\r\n") != NULL, high = strstr(r->head, "x-ms-throttle-priority: high\r\n") != NULL;

    if (b->posts + b->patches < ORDER_MAX - 1)
        b->order[b->posts + b->patches] = low ? 'l' : high ? 'h' : 'n';
    b->posts += !patch;
    b->patches += patch;
    b->low += low;
    b->high += high;
    b->largest = count > b->largest ? count : b->largest;
    assert_true(patch ? strstr(r->body, "{\"members@odata.bind\":[\"http") == r->body && strstr(r->path, "/members/") == NULL : count == 1);
    assert_true(strstr(r->head, "Content-Type: application/json\r\n") != NULL && count <= 20);
    if (patch && b->throttle > 0) {
        b->throttle--;
        fake_answer(out, 429, "Retry-After: 1\r\n", "{}");
        return FAKE_KEEP;
    }
    if (!add(b, to, users, count, out))
        return FAKE_KEEP;
    if (patch && b->drop_after > 0) {
        b->drop_after--;
        return FAKE_RESET;
    }
    fake_answer(out, 204, "request-id: g-1\r\n", "");
    return FAKE_KEEP;
}

static enum fake_then serve(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    char token[128];

    if (strstr(r->path, "/oauth2/") != NULL) {
        snprintf(token, sizeof(token), "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"t%d\"}", ++b->tokens);
        fake_answer(out, 200, "", token);
        return FAKE_KEEP;
    }
    if (b->expired > 0) {
        b->expired--;
        refuse(out, 401, "x");
        return FAKE_KEEP;
    }
    return serve_write(b, r, out);
}

static void on_done(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct bed *b = ctx;

    assert_int_equal(b->results[id], -1);       /* one answer each */
    b->results[id] = (int)r->result;
    b->statuses[id] = r->status;
    b->retry_after_ms = r->retry_after_ms;
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static void wait_for(struct bed *b, int answers)
{
    b->wanted = answers;
    if (b->answers < answers)
        eb_loop_run(b->loop);
}

static void forget_results(struct bed *b)
{
    for (int i = 0; i < GROUPS * USERS; i++)
        b->results[i] = -1;
    b->answers = 0;
}

/* quota: writes that leave in the test's time; 0: any number. The token is there. */
static struct bed *bed_up(int max_calls, int quota)
{
    struct bed *b = eb_alloc(sizeof(*b));
    struct eb_err err = { 0 };
    static char tenant[] = "tenant", client[] = "c0000000-0000-4000-8000-000000000000", secret[] = "s";

    assert_true(eb_loop_new(&b->loop, &err));
    b->server = fake_server_new(b->loop, serve, b);
    snprintf(b->base, sizeof(b->base), "http://127.0.0.1:%d", b->server->port);
    snprintf(b->graph_url, sizeof(b->graph_url), "%s/v1.0", b->base);
    b->config = (struct config_entra){ .tenant_id = tenant, .client_id = client, .client_secret = secret, .authority_url = b->base,
                                       .graph_url = b->graph_url, .max_calls = max_calls, .write_quota = quota, .write_period_ms = 600 };
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    assert_true(graph_new(b->o, b->loop, &b->config, &b->g, &err));
    forget_results(b);
    graph_check_credentials(b->g, 0, on_done, b);
    wait_for(b, 1);
    forget_results(b);
    return b;
}

static void bed_down(struct bed *b)
{
    graph_free(b->g);
    outbound_free(b->o);
    fake_server_free(b->server);
    eb_loop_free(b->loop);
    free(b);
}

/* The answer's number is the pair's. */
static void ask(struct bed *b, int to, int who, bool background, bool alone)
{
    graph_write(b->g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user(who), .other_id = group(to), .background = background,
                                             .alone = alone, .caller = "token" }, (uint64_t)(to * USERS + who), on_done, b);
}

static void ask_many(struct bed *b, int to, int from, int count, bool background)
{
    for (int i = from; i < from + count; i++)
        ask(b, to, i, background, false);
}

static void all_are(const struct bed *b, int to, int from, int count, enum graph_result result)
{
    for (int i = from; i < from + count; i++)
        if (b->results[to * USERS + i] != (int)result)
            fail_msg("user %d: %d where %d was due", i, b->results[to * USERS + i], result);
}

static void test_free_places(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    ask_many(b, 0, 0, 30, false);
    assert_int_equal(outbound_calls_under_way(b->g->cloud), 30);        /* none waits for others */
    wait_for(b, 30);
    assert_int_equal(b->posts, 30);
    assert_int_equal(b->patches, 0);
    assert_int_equal(b->high, 30);
    bed_down(b);
}

static void test_waiting_go_together(void **state)
{
    struct bed *b = bed_up(64, 1);

    (void)state;
    ask_many(b, 0, 0, 26, false);
    wait_for(b, 26);
    assert_int_equal(b->posts, 1);              /* the first found the quota free */
    assert_int_equal(b->patches, 2);
    assert_int_equal(b->largest, 20);
    assert_int_equal(b->added, 26);
    all_are(b, 0, 0, 26, GRAPH_OK);
    bed_down(b);
}

/* The figure of docs/performance.md, without the network. */
static void test_thousand_to_three(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    for (int who = 0; who < 900; who++)
        for (int to = 0; to < GROUPS; to++)
            ask(b, to, who, true, false);
    wait_for(b, 2700);
    assert_int_equal(b->added, 2700);
    assert_int_equal(b->posts, 0);
    assert_int_equal(b->patches, 2700 / 20);
    assert_int_equal(b->low, b->patches);
    bed_down(b);
}

/* Right after the start, before there is a token: those that are twenty ask for it. */
static void test_before_the_token(void **state)
{
    struct bed *b = bed_up(64, 3000);
    struct eb_err err = { 0 };

    (void)state;
    graph_free(b->g);
    assert_true(graph_new(b->o, b->loop, &b->config, &b->g, &err));
    ask_many(b, 0, 0, 400, true);
    wait_for(b, 400);
    assert_int_equal(b->patches, 20);
    assert_int_equal(b->tokens, 2);
    all_are(b, 0, 0, 400, GRAPH_OK);
    bed_down(b);
}

/* A few do not wait for twenty. */
static void test_background_waits_shortly(void **state)
{
    struct bed *b = bed_up(64, 0);
    int64_t began_ms = eb_mono_ms();

    (void)state;
    ask_many(b, 0, 0, 3, true);
    ask(b, 1, 0, true, false);
    wait_for(b, 4);
    assert_int_equal(b->patches, 1);
    assert_int_equal(b->posts, 1);              /* one by itself is added as ever */
    assert_in_range(eb_mono_ms() - began_ms, 150, 5000);
    bed_down(b);
}

static void test_one_fails_no_other(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    b->member[0][5] = true;
    ask_many(b, 0, 0, 10, true);
    ask(b, 0, GONE, true, false);
    ask(b, 0, PROTECTED, true, false);
    wait_for(b, 12);
    assert_int_equal(b->patches, 1);
    assert_int_equal(b->posts, 12);
    assert_int_equal(b->added, 9);
    all_are(b, 0, 0, 5, GRAPH_OK);
    all_are(b, 0, 5, 1, GRAPH_NO_CHANGE);
    all_are(b, 0, 6, 4, GRAPH_OK);
    all_are(b, 0, GONE, 2, GRAPH_REFUSED);
    assert_int_equal(b->statuses[GONE], 404);
    assert_int_equal(b->statuses[PROTECTED], 403);
    bed_down(b);
}

static void test_lost_answer(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    b->drop_after = 1;
    ask_many(b, 0, 0, 8, true);
    wait_for(b, 8);
    all_are(b, 0, 0, 8, GRAPH_IN_DOUBT);
    assert_int_equal(b->patches, 1);            /* and not again by itself */
    forget_results(b);
    for (int i = 0; i < 8; i++)
        ask(b, 0, i, true, true);
    wait_for(b, 8);
    all_are(b, 0, 0, 8, GRAPH_NO_CHANGE);
    assert_int_equal(b->posts, 8);
    assert_int_equal(b->added, 8);
    bed_down(b);
}

static void test_throttled(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    b->throttle = 1;
    ask_many(b, 0, 0, 8, true);
    wait_for(b, 8);
    all_are(b, 0, 0, 8, GRAPH_THROTTLED);
    assert_int_equal(b->retry_after_ms, 1000);
    assert_int_equal(b->posts, 0);
    bed_down(b);
}

/* A new token, and the same PATCH again; nobody joins what has left already. */
static void test_token_renewed(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    b->expired = 1;
    ask_many(b, 0, 0, 8, true);
    wait_for(b, 8);
    assert_int_equal(b->patches, 1);
    assert_int_equal(b->added, 8);
    all_are(b, 0, 0, 8, GRAPH_OK);
    bed_down(b);
}

static void test_nobody_twice(void **state)
{
    struct bed *b = bed_up(64, 0);

    (void)state;
    ask_many(b, 0, 0, 3, true);
    graph_write(b->g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user(1), .other_id = group(0), .background = true }, 99, on_done, b);
    wait_for(b, 4);
    assert_int_equal(b->patches, 1);
    assert_int_equal(b->largest, 3);
    assert_int_equal(b->results[99], GRAPH_NO_CHANGE);
    bed_down(b);
}

/* Groups do not mix, nor does the desk with the background; what the desk asks for later overtakes. */
static void test_desk_overtakes(void **state)
{
    struct bed *b = bed_up(64, 2);

    (void)state;
    ask(b, 2, 0, false, true);                  /* these use up what is left */
    ask(b, 2, 1, false, true);
    ask_many(b, 0, 0, 20, true);
    ask_many(b, 0, 20, 20, true);
    ask_many(b, 0, 100, 2, false);
    ask_many(b, 1, 100, 2, false);
    wait_for(b, 46);
    assert_int_equal(b->added, 46);
    assert_string_equal(b->order, "hhhhll");
    assert_int_equal(b->patches, 4);
    bed_down(b);
}

/* One that is sent again after a throttling waits for others; somebody who is not patient takes it along. */
static void test_patience(void **state)
{
    struct bed *b = bed_up(64, 2);

    (void)state;
    for (int i = 0; i < 5; i++)
        graph_write(b->g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user(i), .other_id = group(0), .patient = true }, (uint64_t)i, on_done, b);
    wait_for(b, 5);
    assert_int_equal(b->patches, 1);
    assert_int_equal(b->high, 1);
    ask(b, 1, 0, false, true);                  /* the quota is used up: the desk has to wait */
    graph_write(b->g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user(5), .other_id = group(0), .patient = true }, 5, on_done, b);
    ask(b, 0, 6, false, false);
    assert_true(TAILQ_EMPTY(&b->g->waiting) || TAILQ_FIRST(&b->g->waiting)->not_before_ms <= eb_mono_ms());
    wait_for(b, 8);
    assert_int_equal(b->patches, 2);
    all_are(b, 0, 0, 7, GRAPH_OK);
    bed_down(b);
}

/* The program ends while some gather, some wait and some are under way. */
static void test_end_in_between(void **state)
{
    struct bed *b = bed_up(2, 0);

    (void)state;
    ask_many(b, 0, 0, 30, true);
    ask_many(b, 1, 0, 30, false);
    bed_down(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_free_places),
        cmocka_unit_test(test_waiting_go_together),
        cmocka_unit_test(test_thousand_to_three),
        cmocka_unit_test(test_before_the_token),
        cmocka_unit_test(test_background_waits_shortly),
        cmocka_unit_test(test_one_fails_no_other),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_throttled),
        cmocka_unit_test(test_token_renewed),
        cmocka_unit_test(test_nobody_twice),
        cmocka_unit_test(test_desk_overtakes),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_end_in_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
