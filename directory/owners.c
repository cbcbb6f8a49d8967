/* owners.c - who owns the application that this program is.
 *
 * A reading: the objects of our client id in one $batch, their owners in another, then the pages that were long.
 * Invariant: `ids` changes only by a reading that came to its end; half a list never counts.
 * Owns: the ids, the timer. Borrows: the directory, which owns it.
 */
#include "directory/owners.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "graph/query.h"

#include <stdlib.h>

#define READ_MS 30000
#define AGAIN_MS (5 * 60 * 1000)
#define AGAIN_FAILED_MS 60000
#define GOOD_FOR_MS (60 * 60 * 1000)
#define MAX_PAGES 50
#define PERMISSION "Application.Read.All"

struct owners {
    struct directory *directory;
    char *client_id;                /* of `ids` and of the reading under way */
    json_t *ids;                    /* in force; NULL: never read */
    int64_t read_at_ms;             /* monotonic */
    bool refused;                   /* the last reading: may not be read, or our application is not there */
    bool warned;
    uint64_t reading;               /* 0: none under way */
    json_t *found;                  /* by the reading under way */
    int pages_under_way, pages;
    struct eb_timer *timer;
};

static void again(void *arg)
{
    struct owners *o = arg;

    owners_read(o, o->client_id);
}

struct owners *owners_new(struct directory *d)
{
    struct owners *o = eb_alloc(sizeof(*o));

    o->directory = d;
    o->timer = eb_timer_new(d->loop, again, o);
    return o;
}

void owners_free(struct owners *o)
{
    if (o == NULL)
        return;
    eb_timer_free(o->timer);
    json_decref(o->ids);
    json_decref(o->found);
    free(o->client_id);
    free(o);
}

bool owners_settled(const struct owners *o, const char *client_id)
{
    return eb_streq(o->client_id, client_id) && o->reading == 0 && (o->ids != NULL || o->refused);
}

enum policy_fact owners_fact(const struct owners *o, const char *user_id)
{
    const json_t *id;
    size_t i;

    if (o->ids == NULL || eb_mono_ms() - o->read_at_ms > GOOD_FOR_MS)
        return POLICY_UNKNOWN;
    json_array_foreach(o->ids, i, id)
        if (eb_strieq(json_string_value(id), user_id))
            return POLICY_YES;
    return POLICY_NO;
}

/* ---- the end of a reading ---- */

static void end(struct owners *o, const struct eb_err *err)
{
    o->reading = 0;
    o->pages_under_way = 0;
    json_decref(o->found);
    o->found = NULL;
    eb_timer_set(o->timer, err == NULL && !o->refused ? AGAIN_MS : AGAIN_FAILED_MS);
    directory_on_owners(o->directory, err);
}

static void end_read(struct owners *o)
{
    json_decref(o->ids);
    o->ids = json_incref(o->found);
    o->read_at_ms = eb_mono_ms();
    o->refused = o->warned = false;
    end(o, NULL);
}

static void end_refused(struct owners *o, const char *why)
{
    o->refused = true;
    if (!o->warned)
        eb_warn(NULL, "who owns the application cannot be told, and unknown refuses every change of a user: %s", why);
    o->warned = true;
    end(o, NULL);
}

static void end_failed(struct owners *o, const struct eb_err *err)
{
    if (o->ids != NULL && !o->warned)
        eb_warn(NULL, "the owners of the application could not be read again; the last reading stays in force for an hour at most: %s", err->text);
    o->warned = o->warned || o->ids != NULL;
    end(o, err);
}

/* Of a page: the ids in it. false: the reading has ended. */
static bool take(struct owners *o, const struct graph_reply *r, json_t *ids, const char **ret_next)
{
    const json_t *list = json_object_get(r->body, "value"), *obj;
    struct eb_err err = { 0 };
    size_t i;

    *ret_next = eb_json_str(r->body, "@odata.nextLink");
    if (r->result == GRAPH_REFUSED && r->status == 403) {
        end_refused(o, "grant the app registration " PERMISSION " as an application permission, with admin consent");
        return false;
    }
    if (r->result != GRAPH_OK) {
        end_failed(o, &r->err);
        return false;
    }
    if (!json_is_array(list)) {
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph's answer about the application's owners is no list");
        end_failed(o, &err);
        return false;
    }
    json_array_foreach(list, i, obj)
        if (eb_json_str(obj, "id") != NULL)
            json_array_append(ids, json_object_get(obj, "id"));
    return true;
}

/* ---- its second half: their owners ---- */

static void follow(struct owners *o, const char *next);

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct owners *o = ((struct directory *)ctx)->owners;
    const char *next;

    if (o->reading != id)
        return;
    o->pages_under_way--;
    if (!take(o, r, o->found, &next))
        return;
    follow(o, next);
    if (o->reading == id && o->pages_under_way == 0)
        end_read(o);
}

static void follow(struct owners *o, const char *next)
{
    struct eb_err err = { 0 };

    if (next == NULL)
        return;
    if (++o->pages > MAX_PAGES) {
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "the application has more than %d pages of owners", MAX_PAGES);
        end_failed(o, &err);
        return;
    }
    o->pages_under_way++;
    graph_get_link(o->directory->graph, next, READ_MS, o->reading, on_page, o->directory);
}

static void on_owners(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct owners *o = ((struct directory *)ctx)->owners;

    if (o->reading != id)
        return;
    if (err != NULL) {
        end_failed(o, err);
        return;
    }
    for (int i = 0; i < count && o->reading == id; i++) {
        const char *next;
        if (take(o, &items[i], o->found, &next))
            follow(o, next);
    }
    if (o->reading == id && o->pages_under_way == 0)
        end_read(o);
}

/* ---- its first half: what we are ---- */

static const struct { char *(*find)(const char *client_id); char *(*owners)(const char *object_id); } objects[] = {
    { graph_query_application, graph_query_application_owners },
    { graph_query_service_principal, graph_query_service_principal_owners },
};

/* The registration can be another tenant's; the service principal is here wherever we have a token. */
static void read_owners(struct owners *o, json_t *const ids[EB_LEN(objects)])
{
    struct graph_batch *b = NULL;

    for (size_t i = 0; i < EB_LEN(objects); i++) {
        char *path = json_array_size(ids[i]) == 1 ? objects[i].owners(json_string_value(json_array_get(ids[i], 0))) : NULL;
        if (path != NULL && b == NULL)
            b = graph_batch_new();
        if (path != NULL)
            graph_batch_get(b, path);
        free(path);
    }
    if (b == NULL)
        end_refused(o, "no application or service principal of the tenant has the client id of entra.client_id");
    else
        graph_batch_send(o->directory->graph, b, READ_MS, o->reading, on_owners, o->directory);
}

static void on_objects(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct owners *o = ((struct directory *)ctx)->owners;
    json_t *ids[EB_LEN(objects)] = { json_array(), json_array() };
    const char *next;

    if (o->reading == id && err != NULL)
        end_failed(o, err);
    for (int i = 0; i < count && i < (int)EB_LEN(objects) && o->reading == id; i++)
        (void)take(o, &items[i], ids[i], &next);
    if (o->reading == id)
        read_owners(o, ids);
    for (size_t i = 0; i < EB_LEN(objects); i++)
        json_decref(ids[i]);
}

void owners_read(struct owners *o, const char *client_id)
{
    struct graph_batch *b;

    if (o->reading != 0 && eb_streq(o->client_id, client_id))
        return;
    if (!eb_streq(o->client_id, client_id)) {
        char *copy = eb_strdup(client_id);
        free(o->client_id);
        o->client_id = copy;
        json_decref(o->ids);
        o->ids = NULL;
        o->refused = false;
    }
    o->reading = ++o->directory->last_id;
    o->pages = o->pages_under_way = 0;
    json_decref(o->found);
    o->found = eb_need(json_array());
    b = graph_batch_new();
    for (size_t i = 0; i < EB_LEN(objects); i++) {
        char *path = objects[i].find(client_id);
        graph_batch_get(b, path);
        free(path);
    }
    graph_batch_send(o->directory->graph, b, READ_MS, o->reading, on_objects, o->directory);
}
