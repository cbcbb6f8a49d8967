/* entra_bin.c - the recycle bin: users deleted softly, restored, or deleted for good.
 *
 * Invariant: an object in the bin is in no list, index or edge; what it was linked to stands as ids in `left_behind`.
 */
#include "sim/entra.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static json_t *containers(const struct entra_object *o, enum entra_relation rel)
{
    const struct entra_edge *edge;
    json_t *ids = json_array();

    TAILQ_FOREACH(edge, &o->in[rel], in_to)
        if (edge->gone_ms == 0 && edge->key.from->kind == ENTRA_GROUP)
            json_array_append_new(ids, json_string(edge->key.from->id));
    return ids;
}

/* Notes manager, reports and groups of a user, and takes it out of its reports. */
static void remember(struct entra *e, struct entra_object *o)
{
    json_t *reports = json_array();
    struct entra_object *other;

    while ((other = TAILQ_FIRST(&o->reports)) != NULL) {
        entra_set_manager(e, other, NULL);
        json_array_append_new(reports, json_string(other->id));
    }
    o->left_behind = json_pack("{s:o, s:o, s:o}", "memberOf", containers(o, ENTRA_MEMBER), "ownerOf", containers(o, ENTRA_OWNER), "reports", reports);
    if (o->manager != NULL)
        json_object_set_new(o->left_behind, "manager", json_string(o->manager->id));
    entra_set_manager(e, o, NULL);
}

static void unlink_all(struct entra *e, struct entra_object *o)
{
    struct entra_edge *edge;

    for (int r = 0; r < ENTRA_RELATIONS; r++) {
        TAILQ_FOREACH(edge, &o->out[r], in_from)
            if (edge->gone_ms == 0)
                entra_unlink(e, (enum entra_relation)r, o, edge->key.to);
        TAILQ_FOREACH(edge, &o->in[r], in_to)
            if (edge->gone_ms == 0)
                entra_unlink(e, (enum entra_relation)r, edge->key.from, o);
    }
    TAILQ_FOREACH(edge, &e->dying, dying)
        if (edge->key.from == o || edge->key.to == o)
            edge->gone_ms = 1;      /* a deleted object is seen by no read, however late */
    entra_prune(e);
}

/* The object's id without dashes: what stands before a deleted user's UPN. */
static size_t prefix(const struct entra_object *o, char out[EB_ID_LEN])
{
    size_t n = 0;

    for (const char *p = o->id; *p != '\0'; p++)
        if (*p != '-')
            out[n++] = *p;
    out[n] = '\0';
    return n;
}

const char *entra_binned_upn(const struct entra_object *o)
{
    char id[EB_ID_LEN];
    const char *upn = eb_json_str(o->attrs, "userPrincipalName");
    size_t n = prefix(o, id);

    return upn != NULL && strncmp(upn, id, n) == 0 ? upn + n : upn;
}

void entra_delete(struct entra *e, struct entra_object *o)
{
    char id[EB_ID_LEN], now[EB_TIME_LEN];

    entra_log_add(&e->log, o, o->kind == ENTRA_USER ? CHANGE_DELETED : CHANGE_PURGED, NULL, NULL);
    if (o->kind == ENTRA_USER) {
        entra_inflate(e, o);
        remember(e, o);
        e->log.off++;               /* its groups say nothing of it before it is purged */
    }
    unlink_all(e, o);
    entra_detach(e, o);
    if (o->kind != ENTRA_USER) {
        entra_object_free(o);
        return;
    }
    e->log.off--;
    prefix(o, id);
    char *upn = eb_asprintf("%s%s", id, eb_json_str(o->attrs, "userPrincipalName"));
    json_object_set_new(o->attrs, "userPrincipalName", json_string(upn));
    free(upn);
    json_object_set_new(o->attrs, "deletedDateTime", json_string(entra_time(eb_now_ms(), now)));
    HASH_ADD_STR(e->bin, id, o);
}

struct entra_object *entra_binned(struct entra *e, const char *id)
{
    char lower[EB_ID_LEN];
    struct entra_object *o;
    size_t n = strlen(id);

    if (n >= sizeof(lower))
        return NULL;
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)tolower((unsigned char)id[i]);
    HASH_FIND_STR(e->bin, lower, o);
    return o;
}

static void log_loss(struct entra *e, const struct entra_object *o, enum entra_change_what what, const json_t *ids)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const struct entra_object *g = entra_find_kind(e, ENTRA_GROUP, json_string_value(json_array_get(ids, i)));
        if (g != NULL)
            entra_log_add(&e->log, g, what, NULL, o);
    }
}

void entra_purge(struct entra *e, struct entra_object *o)
{
    entra_log_add(&e->log, o, CHANGE_PURGED, NULL, NULL);
    log_loss(e, o, CHANGE_MEMBER, json_object_get(o->left_behind, "memberOf"));
    log_loss(e, o, CHANGE_OWNER, json_object_get(o->left_behind, "ownerOf"));
    HASH_DEL(e->bin, o);
    entra_object_free(o);
}

static void relink(struct entra *e, struct entra_object *o, enum entra_relation rel, const json_t *ids)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        struct entra_object *g = entra_find_kind(e, ENTRA_GROUP, json_string_value(json_array_get(ids, i)));
        if (g != NULL)
            entra_link(e, rel, g, o);
    }
}

void entra_restore(struct entra *e, struct entra_object *o)
{
    json_t *left = o->left_behind;
    const json_t *reports = json_object_get(left, "reports");
    const char *manager = eb_json_str(left, "manager");

    json_object_set_new(o->attrs, "userPrincipalName", json_string(entra_binned_upn(o)));
    json_object_del(o->attrs, "deletedDateTime");
    HASH_DEL(e->bin, o);
    entra_attach(e, o);
    entra_log_add(&e->log, o, CHANGE_RESTORED, NULL, NULL);
    e->log.off++;                   /* for delta it never left its groups */
    relink(e, o, ENTRA_MEMBER, json_object_get(left, "memberOf"));
    relink(e, o, ENTRA_OWNER, json_object_get(left, "ownerOf"));
    e->log.off--;
    entra_set_manager(e, o, manager != NULL ? entra_find_kind(e, ENTRA_USER, manager) : NULL);
    for (size_t i = 0; i < json_array_size(reports); i++) {
        struct entra_object *r = entra_find_kind(e, ENTRA_USER, json_string_value(json_array_get(reports, i)));
        if (r != NULL && r->manager == NULL)
            entra_set_manager(e, r, o);
    }
    o->left_behind = NULL;
    json_decref(left);
}
