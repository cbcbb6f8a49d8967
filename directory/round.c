/* round.c - a look-up's rounds: one $batch, then the pages that were long, then (seldom) another $batch.
 *
 * By id: for a user who was found by mail, of whom nothing else could be asked before. By principal: where the roles of all do not fit a page,
 * those of the user and of each of their groups that can have been given one.
 * Invariant: a fact whose list was not read to its end stays unknown; a read that failed ends the look-up, one that was refused does not.
 * No completion holds a look-up: each names it by id, and one that has ended is not found.
 */
#include "directory/look_up.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 50

static int64_t time_left(const struct look_up *l)
{
    int64_t left = l->deadline_at_ms - eb_mono_ms();

    return left > 1 ? left : 1;
}

/* 400: nobody can have a name of that form. */
static bool says_not_there(enum item item, const struct graph_reply *r)
{
    return (r->result == GRAPH_REFUSED || r->result == GRAPH_NO_CHANGE) && (r->status == 404 || (r->status == 400 && item != ITEM_GROUP && item != ITEM_DELETED));
}

static void fail(struct look_up *l, const struct eb_err *err)
{
    if (l->err.code == EB_OK)
        l->err = *err;
    if (l->err.code == EB_OK)
        eb_fail(&l->err, EB_ENTRA_UNAVAILABLE, "Graph did not answer");
}

/* Privileged Identity Management, and with it every eligibility, comes with a licence of the tenant. */
static bool says_no_licence(enum item item, const struct graph_reply *r)
{
    return (item == ITEM_ELIGIBLE || item >= ITEM_ELIGIBLE_OF) && r->result == GRAPH_REFUSED && strcmp(r->graph_code, "AadPremiumLicenseRequired") == 0;
}

/* An answer that was not given: by refusal the fact stays unknown, and for the target itself that is an error. */
static void take_refusal(struct look_up *l, enum item item, const struct graph_reply *r)
{
    bool refused = r->result == GRAPH_REFUSED && r->status == 403;

    if (says_no_licence(item, r))
        l->no_eligibilities = true;
    else if ((item == ITEM_ROLES || item == ITEM_ELIGIBLE) && says_not_there(item, r))
        l->roles_again[item == ITEM_ROLES ? ROLES_ACTIVE : ROLES_ELIGIBLE] = true;  /* what cannot be listed of all can be of one */
    else if (item == ITEM_MANAGER && r->status == 404)
        l->facts->manager_json = json_null();       /* the user is there, so it is the manager who is not */
    else if (refused && !item_row(item)->object)
        eb_warn(NULL, "%s cannot be read, and unknown refuses: %s", item_row(item)->call, r->err.text);
    else if (!says_not_there(item, r))
        fail(l, &r->err);
}

/* Takes a page; the link to the next one is in *ret_next, or NULL. */
static void take(struct look_up *l, enum item item, const struct graph_reply *r, const char **ret_next)
{
    struct item_state *s = &l->items[item];
    struct eb_err err = { 0 };

    *ret_next = NULL;
    if (r->result != GRAPH_OK) {
        take_refusal(l, item, r);
        return;
    }
    if (!item_row(item)->read(l, item, r->body, ret_next)) {
        *ret_next = NULL;
        eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph's answer about %s is not what it should be", item_row(item)->call);
        fail(l, &err);
        return;
    }
    s->pages++;
    s->complete = *ret_next == NULL;
    if (!s->complete && (item == ITEM_ROLES || item == ITEM_ELIGIBLE)) {
        l->roles_again[item == ITEM_ROLES ? ROLES_ACTIVE : ROLES_ELIGIBLE] = true;
        *ret_next = NULL;
    }
    if (s->pages >= MAX_PAGES && *ret_next != NULL) {
        eb_warn(NULL, "%s: more than %d pages, not read to the end; unknown refuses", item_row(item)->call, MAX_PAGES);
        *ret_next = NULL;
    }
}

static void round_next(struct look_up *l);
static void on_page(void *ctx, uint64_t id, const struct graph_reply *r);

static void follow(struct look_up *l, enum item item, const char *next)
{
    if (next == NULL || l->err.code != EB_OK)
        return;
    l->pages_under_way++;
    graph_get_link(l->directory->graph, next, time_left(l), l->id * ITEM_COUNT + item, on_page, l->directory);
}

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct look_up *l = look_up_find(ctx, id / ITEM_COUNT);
    const char *next;

    if (l == NULL)
        return;
    l->pages_under_way--;
    take(l, (enum item)(id % ITEM_COUNT), r, &next);
    follow(l, (enum item)(id % ITEM_COUNT), next);
    round_next(l);
}

/* What was asked about a user under the request's text says nothing where that user was found by mail. */
static bool matters(const struct look_up *l, enum item item)
{
    return !item_row(item)->by_user || (look_up_user_open(l) && (!l->only_by_mail || l->round == ROUND_BY_ID));
}

static void take_items(struct look_up *l, const struct graph_reply *items, int count)
{
    for (enum item i = 0; i < ITEM_COUNT; i++) {
        int place = l->items[i].place;
        const char *next;
        if (i == ITEM_DELETED + 1 && !(l->wants & DIRECTORY_DELETED))   /* of those the list may go on */
            look_up_settle_user(l);
        l->items[i].place = -1;
        if (place < 0 || place >= count || !matters(l, i))
            continue;
        take(l, i, &items[place], &next);
        follow(l, i, next);
    }
}

static void on_batch(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct look_up *l = look_up_find(ctx, id);

    if (l == NULL)
        return;
    if (err != NULL)
        fail(l, err);
    else
        take_items(l, items, count);
    round_next(l);
}

/* Is the item one of this round's? */
static bool in_round(const struct look_up *l, enum item i)
{
    switch (l->round) {
    case ROUND_FIRST:
        return i < ITEM_FIRST_ROUND;
    case ROUND_BY_ID:
        return item_row(i)->by_user;
    case ROUND_PRINCIPALS:
        return i >= ITEM_FIRST_ROUND;
    }
    return false;
}

/* Sends those of the items that are wanted. false: there was nothing to send. */
static bool send_round(struct look_up *l)
{
    struct graph_batch *b = NULL;

    for (enum item i = 0; i < ITEM_COUNT; i++) {
        l->items[i].place = -1;
        if (!in_round(l, i) || !item_row(i)->wanted(l))
            continue;
        char *path = item_row(i)->path(l, i);
        if (path == NULL)           /* too long to be anybody's name; of a principal: there are not so many */
            continue;
        if (b == NULL)
            b = graph_batch_new();
        l->items[i] = (struct item_state){ .place = graph_batch_get(b, path) };
        free(path);
    }
    if (b == NULL)
        return false;
    graph_batch_for(b, l->background ? GRAPH_BACKGROUND : GRAPH_DESK, l->caller);
    graph_batch_send(l->directory->graph, b, time_left(l), l->id, on_batch, l->directory);
    return true;
}

/* From here on the user goes by the id. */
static bool send_by_id(struct look_up *l)
{
    if (l->round != ROUND_FIRST || !l->only_by_mail)
        return false;
    l->round = ROUND_BY_ID;
    free(l->user.text);
    l->user.text = eb_strdup(l->facts->user.id);
    l->user.is_id = true;
    return send_round(l);
}

static bool send_principals(struct look_up *l)
{
    if (l->round == ROUND_PRINCIPALS || look_up_role_seen(l))
        return false;
    l->round = ROUND_PRINCIPALS;
    return send_round(l);
}

static bool send_another(struct look_up *l)
{
    return look_up_user_open(l) && (send_by_id(l) || send_principals(l));
}

static void round_next(struct look_up *l)
{
    if (l->err.code == EB_OK && (l->pages_under_way > 0 || send_another(l)))
        return;
    look_up_end(l);
}

static void end_later(void *arg) { look_up_end(arg); }

void round_start(struct look_up *l)
{
    if (l->err.code == EB_OK && send_round(l))
        return;
    l->timer = eb_timer_new(l->directory->loop, end_later, l);
    eb_timer_set(l->timer, 0);
}
