/* members.c - asks a simulator's Graph for the same additions in two ways: each by itself, as a careful script would send them, and as background
 * writes of graph/, which leave together.
 *
 * usage: bench-members URL USERS GROUPS one-by-one|together      ids are those of tests: a1000000-…, b1000000-…
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "graph/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct eb_loop *loop;
    struct graph *g;
    bool together;
    int users, groups, next, left, done, failed, repeats;
};
struct again { struct bench *b; struct eb_timer *timer; int pair; };

static void on_done(void *ctx, uint64_t pair, const struct graph_reply *r);

static void ask(struct bench *b, int pair, bool again)
{
    char user[64], group[64];

    snprintf(user, sizeof(user), "a1000000-0000-4000-8000-%012d", pair / b->groups);
    snprintf(group, sizeof(group), "b1000000-0000-4000-8000-%012d", pair % b->groups);
    graph_write(b->g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user, .other_id = group, .background = b->together, .patient = again,
                                             .alone = !b->together, .caller = "bench" }, (uint64_t)pair, on_done, b);
}

static void ask_again(void *arg)
{
    struct again *a = arg;

    ask(a->b, a->pair, true);
    eb_timer_free(a->timer);
    free(a);
}

static void on_done(void *ctx, uint64_t pair, const struct graph_reply *r)
{
    struct bench *b = ctx;

    if (r->result == GRAPH_OK) {
        b->done++;
    } else if (r->result == GRAPH_THROTTLED || r->result == GRAPH_NOT_SENT) {
        struct again *a = eb_alloc(sizeof(*a));
        *a = (struct again){ .b = b, .pair = (int)pair };
        a->timer = eb_timer_new(b->loop, ask_again, a);
        eb_timer_set(a->timer, r->retry_after_ms > 0 ? r->retry_after_ms : 500);
        b->repeats++;
        return;
    } else {
        b->failed++;
        fprintf(stderr, "bench-members: %s\n", r->err.text);
    }
    if (--b->left == 0)
        eb_loop_stop(b->loop);
    else if (b->next < b->users * b->groups)
        ask(b, b->next++, false);
}

int main(int argc, char **argv)
{
    static char tenant[] = "11111111-2222-4333-8444-555555555555", client[] = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", secret[] = "sim-client-secret";
    struct bench b = { .failed = 0 };
    struct outbound *o;
    struct eb_err err = { 0 };

    if (argc != 5)
        return 2;
    b.users = atoi(argv[2]);
    b.groups = atoi(argv[3]);
    b.together = strcmp(argv[4], "together") == 0;
    b.left = b.users * b.groups;
    char *graph_url = eb_asprintf("%s/v1.0", argv[1]);
    /* One by one is sent as fast as Graph takes it, 64 at a time, and again after each Retry-After: no account of writes is kept. */
    struct config_entra c = { .tenant_id = tenant, .client_id = client, .client_secret = secret, .authority_url = argv[1], .graph_url = graph_url,
                              .max_calls = 64, .write_quota = b.together ? 3000 : 0, .write_period_ms = 150000 };
    if (!eb_loop_new(&b.loop, &err) || !outbound_new(b.loop, &(struct outbound_options){ 0 }, &o, &err) || !graph_new(o, b.loop, &c, &b.g, &err)) {
        fprintf(stderr, "bench-members: %s\n", err.text);
        return 1;
    }
    int at_once = b.together ? b.left : 64;
    int64_t began_ms = eb_mono_ms();
    while (b.next < b.left && b.next < at_once)
        ask(&b, b.next++, false);
    eb_loop_run(b.loop);
    printf("{\"seconds\": %.1f, \"done\": %d, \"failed\": %d, \"repeats\": %d}\n", (double)(eb_mono_ms() - began_ms) / 1000, b.done, b.failed, b.repeats);
    graph_free(b.g);
    outbound_free(o);
    eb_loop_free(b.loop);
    free(graph_url);
    return b.failed == 0 ? 0 : 1;
}
