/* change.c - from a row of the plan to what is to be written: the members that differ, references as the target's own keys.
 *
 * On the staging thread. A reference to an object that the target does not have yet is left out of the write and of what is noted as standing there: it stays a difference,
 * which a later round, or run, finds and mends.
 */
#include "sync/run.h"

#include <stdlib.h>
#include <string.h>

void change_free(struct change *c)
{
    if (c == NULL)
        return;
    free(c->key);
    free(c->label);
    free(c->object_id);
    json_decref(c->values);
    free(c->record);
    free(c->hash);
    free(c);
}

/* Of one reference, or of a list of them: those that lead somewhere. *ret NULL: none does. `keys`: as the target's object keys, else as the ids that they were. */
static bool resolve(struct db *db, enum stage_kind to, const json_t *value, bool keys, json_t **ret, int *lost, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) list = json_array();
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < count; i++) {
        const char *id = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
        char *key = NULL;
        if (id != NULL && !stage_target_object_key(db, to, id, &key, err))
            return false;
        if (key != NULL)
            json_array_append_new(list, json_string(keys ? key : id));
        else
            (*lost)++;
        free(key);
    }
    if (json_array_size(list) > 0)
        *ret = json_is_array(value) ? json_incref(list) : json_incref(json_array_get(list, 0));
    return true;
}

/* Replaces the references of a record. Members without any that leads somewhere go; null stays. */
static bool resolve_all(struct db *db, const struct sync_schema *schema, enum stage_kind kind, json_t *record, bool keys, int *lost, struct eb_err *err)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct sync_attribute *a = &schema->attributes[i];
        const json_t *value = a->kind == kind && a->type == SYNC_REFERENCE ? json_object_get(record, a->name) : NULL;
        json_t *resolved = NULL;
        if (value == NULL || json_is_null(value))
            continue;
        if (!resolve(db, a->to, value, keys, &resolved, lost, err))
            return false;
        if (resolved != NULL)
            json_object_set_new(record, a->name, resolved);
        else
            json_object_del(record, a->name);
    }
    return true;
}

/* What the configuration does not map any more is left alone. */
static void drop_unknown(const struct sync_schema *schema, enum stage_kind kind, json_t *values)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(values, next, name, value)
        if (sync_schema_find(schema, kind, name) == NULL)
            json_object_del(values, name);
}

static json_t *parse(const char *text)
{
    return text != NULL && *text != '\0' ? json_loads(text, 0, NULL) : NULL;
}

static struct change *change_new(const struct stage_change *p)
{
    struct change *c = eb_alloc(sizeof *c);

    c->action = p->action;
    c->kind = p->wanted != NULL ? p->wanted->kind : p->target->kind;
    c->key = eb_strdup(p->wanted != NULL ? p->wanted->key : p->target->key);
    c->object_id = p->target != NULL ? eb_strdup(p->target->object_id) : NULL;
    c->active_before = p->target != NULL && p->target->active;
    return c;
}

/* What a creation in doubt has left there is not known: every attribute differs, so that all are written, and those that nobody wants are cleared. */
static json_t *anything(const struct sync_schema *schema, enum stage_kind kind)
{
    json_t *record = json_object();

    for (size_t i = 0; i < schema->count; i++) {
        const struct sync_attribute *a = &schema->attributes[i];
        if (a->kind == kind && !a->identity && strcmp(a->name, SYNC_LAST_SEEN) != 0)
            json_object_set_new(record, a->name, json_string("?"));
    }
    return record;
}

/* NULL: nothing stands there. */
static json_t *record_there(const struct sync_schema *schema, enum stage_kind kind, const struct stage_target *t)
{
    json_t *record = t == NULL ? NULL : *t->hash == '\0' ? anything(schema, kind) : parse(t->attributes);

    drop_unknown(schema, kind, record);
    return record;
}

static bool fill_values(struct db *db, const struct sync_schema *schema, const struct stage_change *p, struct change *c, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) record = parse(p->wanted->attributes);
    EB_AUTO(json_t, json_decref) was = record_there(schema, c->kind, p->target);
    char hash[33];
    int ignored = 0;

    if (record == NULL)
        return eb_fail(err, EB_INTERNAL, "The staging file holds a record that cannot be read. Delete the file; the next run reads everything anew.");
    if (!resolve_all(db, schema, c->kind, record, false, &c->unresolved, err))
        return false;
    sync_record_seal(record, &c->record, hash);
    c->hash = eb_strdup(c->unresolved > 0 ? hash : p->wanted->hash);
    c->label = eb_strdup(p->wanted->label);
    c->values = sync_record_difference(was, record);
    return resolve_all(db, schema, c->kind, c->values, true, &ignored, err);
}

/* A record that stands there already as far as it can: nothing to write. */
static bool is_needless(const struct change *c)
{
    return c->action == STAGE_UPDATE && c->active_before && json_object_size(c->values) == 0;
}

bool change_make(struct db *db, const struct sync_schema *schema, const struct stage_change *p, struct change **ret, struct eb_err *err)
{
    struct change *c = change_new(p);

    *ret = NULL;
    if (p->wanted != NULL && !fill_values(db, schema, p, c, err)) {
        change_free(c);
        return false;
    }
    if (p->wanted == NULL) {
        EB_AUTO(json_t, json_decref) was = parse(p->target->attributes);
        c->label = eb_strdup(eb_json_str(was, "Name") != NULL ? eb_json_str(was, "Name") : c->key);
        c->record = eb_strdup(p->target->attributes);
        c->hash = eb_strdup(p->target->hash);
    }
    c->needless = p->wanted != NULL && is_needless(c);
    if (c->needless && c->unresolved > 0)       /* it stays a difference */
        change_free(c);
    else
        *ret = c;
    return true;
}
