/* fake_clouds.h - Graph, Jira and the pins as a table of answers, in place of their libraries: for one test program.
 *
 * Each call is answered on a later turn of the loop, from the first row whose `path` is in the asked path (a row may be used up).
 */
#ifndef FAKE_CLOUDS_H
#define FAKE_CLOUDS_H

#include "base/loop.h"
#include "base/text.h"
#include "directory/directory.h"
#include "store/pin.h"

#include <stdlib.h>
#include <string.h>

struct answer { const char *path; int status; const char *body; int times /* 0: always */; };
static struct answer answers[96];
static size_t answer_count;
static int batches, batch_items, single_calls, jira_calls;
static bool graph_away, jira_away, store_fails;
static struct { char type[16], name[64], id[64]; } pins[32];
static size_t pin_count;
static struct eb_loop *loop;

static inline void fake_reset(void)
{
    answer_count = 0;
    batches = batch_items = single_calls = jira_calls = 0;
    graph_away = jira_away = store_fails = false;
    pin_count = 0;
}
static inline void fake_answer(const char *path, int status, const char *body)
{
    answers[answer_count++] = (struct answer){ path, status, body, 0 };
}

/* ---- Graph ---- */

struct graph { int nothing; };
struct graph_batch { char *paths[GRAPH_BATCH_MAX]; int count; };
struct fake_call { struct graph_batch batch; uint64_t id; graph_batch_done *batch_done; graph_done *done; void *ctx; };

static inline const struct answer *fake_find(const char *path)
{
    for (size_t i = 0; i < answer_count; i++)
        if (strstr(path, answers[i].path) != NULL && answers[i].times >= 0) {
            if (answers[i].times > 0 && --answers[i].times == 0)
                answers[i].times = -1;
            return &answers[i];
        }
    return NULL;
}

static inline struct graph_reply fake_reply(const char *path)
{
    const struct answer *a = fake_find(path);
    struct graph_reply r = { .result = GRAPH_REFUSED, .status = 404, .retry_after_ms = -1, .request_id = "", .graph_code = "" };

    if (a != NULL) {
        r.status = a->status;
        r.graph_code = a->body != NULL && strstr(a->body, "AadPremium") != NULL ? "AadPremiumLicenseRequired" : "";
        r.body = a->body == NULL ? NULL : json_loads(a->body, 0, NULL);
        r.result = a->status < 300 ? GRAPH_OK : a->status == 429 ? GRAPH_THROTTLED : a->status >= 500 ? GRAPH_IN_DOUBT : GRAPH_REFUSED;
    }
    if (r.result != GRAPH_OK)
        (void)eb_fail(&r.err, r.status == 403 ? EB_ENTRA_PERMISSION_MISSING : r.status == 404 ? EB_USER_NOT_FOUND : EB_ENTRA_UNAVAILABLE,
                      "fake %d", r.status);
    return r;
}

static inline void fake_batch_done(void *arg)
{
    struct fake_call *c = arg;
    struct graph_reply replies[GRAPH_BATCH_MAX];
    struct eb_err err = { 0 };

    for (int i = 0; i < c->batch.count; i++) {
        replies[i] = fake_reply(c->batch.paths[i]);
        free(c->batch.paths[i]);
    }
    if (graph_away)
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph is away");
    c->batch_done(c->ctx, c->id, graph_away ? NULL : replies, graph_away ? 0 : c->batch.count, graph_away ? &err : NULL);
    for (int i = 0; i < c->batch.count; i++)
        json_decref(replies[i].body);
    free(c);
}

static inline void fake_single_done(void *arg)
{
    struct fake_call *c = arg;
    struct graph_reply r = fake_reply(c->batch.paths[0]);

    if (graph_away) {
        r.result = GRAPH_NOT_SENT;
        r.status = 0;
        (void)eb_fail(&r.err, EB_ENTRA_UNAVAILABLE, "Graph is away");
    }
    free(c->batch.paths[0]);
    c->done(c->ctx, c->id, &r);
    json_decref(r.body);
    free(c);
}

struct graph_batch *graph_batch_new(void) { return eb_alloc(sizeof(struct graph_batch)); }
int graph_batch_get(struct graph_batch *b, const char *path)
{
    if (b->count >= GRAPH_BATCH_MAX)
        abort();
    b->paths[b->count] = eb_strdup(path);
    return b->count++;
}
void graph_batch_for(struct graph_batch *b, enum graph_priority priority, const char *caller) { }
void graph_batch_send(struct graph *g, struct graph_batch *b, int64_t deadline_ms, uint64_t id, graph_batch_done *done, void *ctx)
{
    struct fake_call *c = eb_alloc(sizeof(*c));

    *c = (struct fake_call){ *b, id, done, NULL, ctx };
    batches++;
    batch_items += b->count;
    free(b);
    eb_loop_post(loop, fake_batch_done, c);
}
static inline void fake_single(const char *path, uint64_t id, graph_done *done, void *ctx)
{
    struct fake_call *c = eb_alloc(sizeof(*c));

    *c = (struct fake_call){ .id = id, .done = done, .ctx = ctx };
    c->batch.paths[0] = eb_strdup(path);
    eb_loop_post(loop, fake_single_done, c);
}
void graph_get_link(struct graph *g, const char *next_link, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx)
{
    single_calls++;
    fake_single(next_link, id, done, ctx);
}
void graph_check_credentials(struct graph *g, uint64_t id, graph_done *done, void *ctx) { fake_single("credentials", id, done, ctx); }
char *graph_path_user(const char *id_or_upn, const char *tail) { return eb_asprintf("/users/%s%s", id_or_upn, tail); }
char *graph_path_users_by_mail(const char *mail, const char *select) { return eb_asprintf("/users?mail=%s&%s", mail, select); }
char *graph_path_group(const char *id, const char *tail) { return eb_asprintf("/groups/%s%s", id, tail); }
char *graph_path_groups_by_name(const char *name, const char *select) { return eb_asprintf("/groups?name=%s&%s", name, select); }
char *graph_path_role_assignments(const char *id) { return eb_asprintf("/roleAssignments?of=%s", id == NULL ? "all" : id); }

/* ---- Jira: rows "project/KEY", the body is "id KEY" ---- */

struct fake_jira { uint64_t id; char *key; jira_myself_done *myself; jira_project_done *project; void *ctx; };

static inline void fake_jira_done(void *arg)
{
    struct fake_jira *c = arg;
    struct eb_err err = { 0 };
    char path[64], id[32] = "", key[32] = "";

    jira_calls++;
    if (jira_away)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira is away");
    if (c->project == NULL) {
        c->myself(c->ctx, c->id, jira_away ? "" : "me", jira_away ? &err : NULL);
    } else {
        snprintf(path, sizeof(path), "project/%s.", c->key);
        const struct answer *a = fake_find(path);
        if (a != NULL && sscanf(a->body, "%31s %31s", id, key) == 2 && !jira_away)
            c->project(c->ctx, c->id, id, key, NULL);
        else {
            if (!jira_away)
                (void)eb_fail(&err, EB_NOT_THERE, "no such project");
            c->project(c->ctx, c->id, NULL, NULL, &err);
        }
    }
    free(c->key);
    free(c);
}
void jira_myself(struct jira *j, uint64_t id, jira_myself_done *done, void *ctx)
{
    struct fake_jira *c = eb_alloc(sizeof(*c));

    *c = (struct fake_jira){ id, NULL, done, NULL, ctx };
    eb_loop_post(loop, fake_jira_done, c);
}
void jira_project_get(struct jira *j, const char *key, uint64_t id, jira_project_done *done, void *ctx)
{
    struct fake_jira *c = eb_alloc(sizeof(*c));

    *c = (struct fake_jira){ id, eb_strdup(key), NULL, done, ctx };
    eb_loop_post(loop, fake_jira_done, c);
}

/* ---- the pins ---- */

struct fake_job { store_fn *fn; void *arg; store_done *done; };

static inline void fake_store_run(void *arg)
{
    struct fake_job *j = arg;
    struct eb_err err = { 0 };
    bool ok = j->fn(NULL, j->arg, &err) && j->fn(NULL, j->arg, &err);       /* a transaction may be repeated */

    if (store_fails)
        ok = eb_fail(&err, EB_OVERLOADED, "the disk is full");
    j->done(j->arg, ok ? NULL : &err);
    free(j);
}
void store_submit(struct store *s, store_fn *fn, void *arg, store_done *done)
{
    struct fake_job *j = eb_alloc(sizeof(*j));

    *j = (struct fake_job){ fn, arg, done };
    eb_loop_post(loop, fake_store_run, j);
}
bool pin_put(struct db *db, const char *type, const char *name, const char *id, int64_t now_ms, char ret_id[64], struct eb_err *err)
{
    size_t i = 0;

    while (i < pin_count && (strcmp(pins[i].type, type) != 0 || strcmp(pins[i].name, name) != 0))
        i++;
    if (i == pin_count && !store_fails) {
        snprintf(pins[i].type, sizeof(pins[i].type), "%s", type);
        snprintf(pins[i].name, sizeof(pins[i].name), "%s", name);
        snprintf(pins[i].id, sizeof(pins[i].id), "%s", id);
        pin_count++;
    }
    snprintf(ret_id, 64, "%s", store_fails ? id : pins[i].id);
    return true;
}
bool pin_list(struct db *db, pin_each *each, void *ctx, struct eb_err *err)
{
    for (size_t i = 0; i < pin_count; i++)
        if (!each(ctx, pins[i].type, pins[i].name, pins[i].id, 0))
            break;
    return true;
}

#endif
