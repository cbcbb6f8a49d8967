/* people.c - people of Jira in Entra: one $batch for who they are, another for the groups that were asked about, then the pages that were long.
 *
 * Invariant: each query calls back exactly once, on a later turn of the loop, unless its directory goes first. A group that fits no id, or a list that was
 * not read to its end, tells nobody's membership.
 */
#include "directory/facts.h"
#include "base/clock.h"
#include "base/hashtable.h"
#include "base/log.h"
#include "base/text.h"
#include "directory/inside.h"
#include "graph/query.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 50

struct person {
    char *email;                    /* NULL: none */
    int place;                      /* in the batch under way; -1: not in it */
    int pages;
};

struct people {
    UT_hash_handle hh;              /* in directory.people, by id */
    uint64_t id;
    struct directory *directory;
    struct snapshot *snapshot;      /* NULL: not ready */
    size_t count;
    struct person asked[DIRECTORY_PEOPLE_MAX];
    struct directory_person told[DIRECTORY_PEOPLE_MAX];
    const char *groups[DIRECTORY_PEOPLE_GROUPS];    /* ids, the snapshot's; NULL: not asked, or fits none */
    int pages_under_way;
    int64_t deadline_at_ms;         /* monotonic */
    bool background;
    char *caller;                   /* or NULL */
    struct eb_err err;              /* the first failure */
    struct eb_timer *timer;         /* where nothing is to be read */
    uint64_t caller_id;
    directory_people_done *done;
    void *ctx;
};

static void people_free(struct people *p)
{
    HASH_DEL(p->directory->people, p);
    eb_timer_free(p->timer);
    free(p->caller);
    for (size_t i = 0; i < p->count; i++)
        free(p->asked[i].email);
    snapshot_unref(p->snapshot);
    free(p);
}

void people_free_all(struct directory *d)
{
    struct people *p, *next;

    HASH_ITER(hh, d->people, p, next)
        people_free(p);
}

static struct people *people_find(struct directory *d, uint64_t id)
{
    struct people *p = NULL;

    HASH_FIND(hh, d->people, &id, sizeof(id), p);
    return p;
}

static int64_t time_left(const struct people *p)
{
    int64_t left = p->deadline_at_ms - eb_mono_ms();

    return left > 1 ? left : 1;
}

static void end(void *arg)
{
    struct people *p = arg;
    struct directory_person told[DIRECTORY_PEOPLE_MAX];
    directory_people_done *done = p->done;
    void *ctx = p->ctx;
    uint64_t id = p->caller_id;
    size_t count = p->count;
    struct eb_err err = p->err;

    memcpy(told, p->told, sizeof(told));
    people_free(p);
    if (err.code == EB_OK)
        done(ctx, id, told, count, NULL);
    else
        done(ctx, id, NULL, 0, &err);
}

static void fail(struct people *p, const struct eb_err *err)
{
    if (p->err.code == EB_OK)
        p->err = *err;
    if (p->err.code == EB_OK)
        (void)eb_fail(&p->err, EB_ENTRA_UNAVAILABLE, "Graph did not answer");
}

/* ---- groups ---- */

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r);

/* Of a list read to its end: what was not in it is not so. */
static void conclude_groups(struct people *p, size_t n)
{
    for (size_t g = 0; g < DIRECTORY_PEOPLE_GROUPS; g++)
        if (p->groups[g] != NULL && p->told[n].in_group[g] == POLICY_UNKNOWN)
            p->told[n].in_group[g] = POLICY_NO;
}

static void take_groups(struct people *p, size_t n, const struct graph_reply *r)
{
    const char *next = NULL;
    struct eb_err err = { 0 };

    if (r->result == GRAPH_REFUSED && (r->status == 403 || r->status == 404)) {
        eb_warn(NULL, "the groups of an approver or reporter cannot be read, and unknown refuses: %s", r->err.text);
        return;
    }
    if (r->result != GRAPH_OK) {
        fail(p, &r->err);
        return;
    }
    for (size_t g = 0; g < DIRECTORY_PEOPLE_GROUPS; g++) {
        struct facts_scan scan = { 0 };
        if (p->groups[g] == NULL)
            continue;
        if (!facts_scan_ids(r->body, "id", p->groups[g], &scan, &next)) {
            (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph's answer about somebody's groups is not what it should be");
            fail(p, &err);
            return;
        }
        if (scan.hit)
            p->told[n].in_group[g] = POLICY_YES;
    }
    if (next == NULL) {
        conclude_groups(p, n);
    } else if (++p->asked[n].pages < MAX_PAGES) {
        p->pages_under_way++;
        graph_get_link(p->directory->graph, next, time_left(p), p->id * DIRECTORY_PEOPLE_MAX + n, on_page, p->directory);
    }
}

static void go_on(struct people *p)
{
    if (p->pages_under_way == 0 || p->err.code != EB_OK)
        end(p);
}

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct people *p = people_find(ctx, id / DIRECTORY_PEOPLE_MAX);

    if (p == NULL)
        return;
    p->pages_under_way--;
    take_groups(p, (size_t)(id % DIRECTORY_PEOPLE_MAX), r);
    go_on(p);
}

/* Each person's item of a batch, where one was asked. */
static void take_each(struct people *p, const struct graph_reply *items, int count, const struct eb_err *err,
                      void (*take)(struct people *p, size_t n, const struct graph_reply *r))
{
    if (err != NULL)
        fail(p, err);
    for (size_t n = 0; err == NULL && n < p->count; n++)
        if (p->asked[n].place >= 0 && p->asked[n].place < count)
            take(p, n, &items[p->asked[n].place]);
}

static void on_groups(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct people *p = people_find(ctx, id);

    if (p == NULL)
        return;
    take_each(p, items, count, err, take_groups);
    go_on(p);
}

/* b NULL: there was nothing to ask, false. */
static bool send_batch(const struct people *p, struct graph_batch *b, graph_batch_done *done)
{
    if (b == NULL)
        return false;
    graph_batch_for(b, p->background ? GRAPH_BACKGROUND : GRAPH_DESK, p->caller);
    graph_batch_send(p->directory->graph, b, time_left(p), p->id, done, p->directory);
    return true;
}

/* false: there was nothing to ask. */
static bool ask_groups(struct people *p)
{
    struct graph_batch *b = NULL;
    bool any = false;

    for (size_t g = 0; g < DIRECTORY_PEOPLE_GROUPS; g++)
        any |= p->groups[g] != NULL;
    for (size_t n = 0; n < p->count; n++) {
        p->asked[n].place = -1;
        if (!any || p->told[n].match != POLICY_MATCHED)
            continue;
        char *path = graph_path_user(p->told[n].user_id, "/transitiveMemberOf?$select=id&$top=999");
        if (b == NULL)
            b = graph_batch_new();
        p->asked[n].place = graph_batch_get(b, path);
        free(path);
    }
    return send_batch(p, b, on_groups);
}

/* ---- who they are ---- */

static void take_person(struct people *p, size_t n, const struct graph_reply *r)
{
    struct eb_err err = { 0 };

    if (r->result == GRAPH_REFUSED && (r->status == 400 || r->status == 404))
        eb_warn(NULL, "somebody's e-mail address cannot be looked up in Entra, and unknown refuses: %s", r->err.text);
    else if (r->result != GRAPH_OK)
        fail(p, &r->err);
    else if (!facts_match_person(r->body, p->asked[n].email, &p->told[n])) {
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph's answer about an e-mail address is not what it should be");
        fail(p, &err);
    }
}

static void on_people(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct people *p = people_find(ctx, id);

    if (p == NULL)
        return;
    take_each(p, items, count, err, take_person);
    if (p->err.code != EB_OK || !ask_groups(p))
        end(p);
}

/* false: there was nothing to ask. */
static bool ask_people(struct people *p)
{
    struct graph_batch *b = NULL;

    for (size_t n = 0; n < p->count; n++) {
        const char *email = p->asked[n].email;
        p->asked[n].place = -1;
        p->told[n].match = email == NULL ? POLICY_MATCH_NO_EMAIL : POLICY_MATCH_NONE;
        char *path = email == NULL || strchr(email, '@') == NULL ? NULL : graph_query_users_by_address(email, FACTS_MATCH_SELECT);
        if (path == NULL)           /* no address, or too long to be anybody's */
            continue;
        p->told[n].match = POLICY_MATCH_UNKNOWN;
        if (b == NULL)
            b = graph_batch_new();
        p->asked[n].place = graph_batch_get(b, path);
        free(path);
    }
    return send_batch(p, b, on_people);
}

void directory_match_people(struct directory *d, const struct directory_people_query *q, int64_t deadline_ms, uint64_t id, directory_people_done *done, void *ctx)
{
    struct people *p = eb_alloc(sizeof(*p));

    p->id = ++d->last_id;
    p->directory = d;
    p->deadline_at_ms = eb_mono_ms() + deadline_ms;
    p->background = q->background;
    p->caller = eb_strdup(q->caller);
    p->caller_id = id;
    p->done = done;
    p->ctx = ctx;
    p->count = q->count <= DIRECTORY_PEOPLE_MAX ? q->count : DIRECTORY_PEOPLE_MAX;
    for (size_t n = 0; n < p->count; n++)
        p->asked[n].email = q->emails[n] == NULL || q->emails[n][0] == '\0' ? NULL : eb_strdup(q->emails[n]);
    HASH_ADD(hh, d->people, id, sizeof(p->id), p);
    if (directory_ready(d, &p->err)) {
        p->snapshot = snapshot_ref(d->snapshot);
        for (size_t g = 0; g < DIRECTORY_PEOPLE_GROUPS; g++)
            p->groups[g] = q->groups[g] == NULL ? NULL : snapshot_policy_group(p->snapshot, q->groups[g]);
        if (ask_people(p))
            return;
    }
    p->timer = eb_timer_new(d->loop, end, p);
    eb_timer_set(p->timer, 0);
}
