/* assets_schema.c - prepare: learns the ids of schema, object types, statuses and attributes, and sees that they are what records need.
 *
 * A list of steps; each sends the next call that it still needs and is asked again after its answer. With `make` what is missing is made on the way, in the
 * order of dependence; what is there is never changed or removed. A schema that is not ours is explained and left alone.
 * Owns: struct assets_prepare, from start to done.
 */
#include "sync/assets_target.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PHASE "learning the schema"
#define SCHEMAS_MAX 1000            /* more are not looked through */
#define NAMES_SHOWN 5

struct relation { const char *name; char *id; };
#define RELATIONS_MAX 8

struct assets_prepare {
    struct assets_target *t;
    bool make;
    size_t step;
    sync_done *done;
    void *ctx;
    /* What the steps have learnt. */
    int64_t schemas_seen;
    bool schemas_read, is_ours /* made by us, by name, or just now */, types_read, foreign_types;
    bool name_taken;                /* ASSETS_SCHEMA_NAME, by a schema with another key */
    json_t *icons;
    int statuses_read;              /* 1: the schema's, 2: also the global ones */
    bool relations_read;
    struct relation relations[RELATIONS_MAX];
    size_t relation_count;
    bool attributes_read[STAGE_KINDS];
    struct eb_buf missing, faults;  /* for one text of all of them */
    enum stage_kind kind;           /* of the call under way */
    struct assets_column *column;
    struct relation *relation;
    bool active;
};

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };

enum turn { TURN_NEXT /* nothing more to ask */, TURN_WAIT, TURN_FAIL };
static void advance(struct assets_prepare *p);

static void finish(struct assets_prepare *p, const struct eb_err *err)
{
    sync_done *done = p->done;
    void *ctx = p->ctx;
    struct eb_err copy = err != NULL ? *err : (struct eb_err){ 0 };

    assets_prepare_free(p->t);
    done(ctx, err != NULL ? &copy : NULL);
}

void assets_prepare_free(struct assets_target *t)
{
    struct assets_prepare *p = t->prepare;

    if (p == NULL)
        return;
    t->prepare = NULL;
    jira_forget(t->x->jira, p, 0);
    assets_forget(t->x->assets, p, 0);
    for (size_t i = 0; i < p->relation_count; i++)
        free(p->relations[i].id);
    json_decref(p->icons);
    eb_buf_free(&p->missing);
    eb_buf_free(&p->faults);
    free(p);
}

static void on_reply(void *ctx, uint64_t id, const struct assets_reply *r);

static enum turn ask(struct assets_prepare *p, enum assets_call_kind kind, const char *a, int64_t start, json_t *body)
{
    assets_send(p->t->x->assets, &(struct assets_call){ .kind = kind, .a = a, .start = start, .body = body, .deadline_ms = 60000 }, 0, on_reply, p);
    json_decref(body);
    return TURN_WAIT;
}

static bool is_id(const char *id)
{
    return id != NULL && id[0] != '\0' && strlen(id) <= 64 && !eb_text_unclean(id);
}

static bool odd(const char *what, struct eb_err *err)
{
    return eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets answered with something that is not %s: check assets.api_url", what);
}

/* The id of what was just made. */
static bool take_id(const struct assets_reply *r, const char *what, char **to, struct eb_err *err)
{
    const char *id = eb_json_str(r->body, "id");

    if (!is_id(id))
        return odd(what, err);
    free(*to);
    *to = eb_strdup(id);
    return true;
}

/* ---- the workspace ---- */

static void on_workspace(void *ctx, uint64_t id, const char *workspace_id, const struct eb_err *err)
{
    struct assets_prepare *p = ctx;
    struct eb_err fault = { 0 };

    (void)id;
    p->t->x->counts->jira_calls++;
    if (err != NULL && err->code == EB_NOT_THERE)
        (void)eb_fail(&fault, EB_NOT_THERE, "The site has no JSM Assets, or hides it from our account: Assets needs Jira Service Management Premium or Enterprise, and our "
                      "account must be an agent. Or set assets.workspace_id.");
    else if (err != NULL)
        fault = *err;
    else if (!assets_set_workspace(p->t->x->assets, workspace_id, &fault))
        (void)fault;
    if (fault.code != EB_OK)
        finish(p, &fault);
    else
        advance(p);
}

static enum turn ask_workspace(struct assets_prepare *p, struct eb_err *err)
{
    if (assets_workspace(p->t->x->assets) != NULL)
        return TURN_NEXT;
    jira_workspace_get(p->t->x->jira, 0, on_workspace, p);
    return TURN_WAIT;
}

/* ---- the schema ---- */

/* The name of a schema that we make; the caller's. Names are unique in a workspace: a second schema of ours bears its key in its name. */
static char *our_name(const struct assets_prepare *p, bool with_key)
{
    return with_key ? eb_asprintf(ASSETS_SCHEMA_NAME " (%s)", p->t->x->config->assets.schema_key) : eb_strdup(ASSETS_SCHEMA_NAME);
}

static bool is_our_name(const struct assets_prepare *p, const char *name)
{
    char *with_key = our_name(p, true);
    bool is = eb_streq(name, ASSETS_SCHEMA_NAME) || eb_streq(name, with_key);

    free(with_key);
    return is;
}

static enum turn make_schema(struct assets_prepare *p)
{
    free(p->t->ids.schema_name);
    p->t->ids.schema_name = our_name(p, p->name_taken);
    return ask(p, ASSETS_SCHEMA_CREATE, NULL, 0, assets_make_schema(p->t->x->config->assets.schema_key, p->t->ids.schema_name));
}

static enum turn ask_schema(struct assets_prepare *p, struct eb_err *err)
{
    const char *key = p->t->x->config->assets.schema_key;

    if (p->t->ids.schema != NULL)
        return TURN_NEXT;
    if (!p->schemas_read)
        return ask(p, ASSETS_SCHEMAS, NULL, p->schemas_seen, NULL);
    if (p->make)
        return make_schema(p);
    (void)eb_fail(err, EB_NOT_THERE, "There is no object schema with the key %s%s: make it with `entrabridge sync init`, or set assets.schema_key.", key,
                  p->schemas_seen == 0 ? ", or our account may not see it (it sees no schema at all: give it a role in the schema)" : "");
    return TURN_FAIL;
}

static bool take_schemas(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    const json_t *values = json_object_get(r->body, "values"), *schema;
    size_t i;

    if (!json_is_array(values))
        return odd("a list of schemas", err);
    json_array_foreach(values, i, schema) {
        const char *name = eb_json_str(schema, "name"), *id = eb_json_str(schema, "id");
        if (!eb_streq(eb_json_str(schema, "objectSchemaKey"), p->t->x->config->assets.schema_key) || !is_id(id)) {
            p->name_taken = p->name_taken || eb_strieq(name, ASSETS_SCHEMA_NAME);
        } else if (p->t->ids.schema == NULL) {
            p->t->ids.schema = eb_strdup(id);
            p->t->ids.schema_name = eb_strdup(name != NULL ? name : "");
            p->is_ours = is_our_name(p, name);
        }
    }
    p->schemas_seen += (int64_t)json_array_size(values);
    p->schemas_read = eb_json_bool(r->body, "isLast", json_array_size(values) == 0) || json_array_size(values) == 0 || p->schemas_seen >= SCHEMAS_MAX;
    return true;
}

/* A schema was not made. True: its name is taken by one that our account does not see, and the other name is still to be tried. */
static bool refused_schema(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    const char *key = p->t->x->config->assets.schema_key;
    bool name = json_object_get(json_object_get(r->body, "errors"), "name") != NULL;
    char what[160], words[256];

    if (r->result == ASSETS_REFUSED && name && !p->name_taken)
        return p->name_taken = true;
    if (r->result == ASSETS_REFUSED && (name || json_object_get(json_object_get(r->body, "errors"), "objectSchemaKey") != NULL)) {
        assets_error_words(r->body, words, sizeof(words));
        return eb_fail(err, r->err.code, "Assets does not take the %s of the schema \"%s\" with the key %s; if it is taken, then by a schema that our account may not see: give the "
                       "account a role there, or set assets.schema_key to another key. (%.200s)", name ? "name" : "key", p->t->ids.schema_name, key, words);
    }
    snprintf(what, sizeof(what), "The schema \"%s\" with the key %s", p->t->ids.schema_name, key);
    assets_make_refused(what, p->schemas_seen == 0, r, err);
    return false;
}

static bool take_schema(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    if (!p->schemas_read)
        return r->result == ASSETS_OK ? take_schemas(p, r, err) : (*err = r->err, false);
    if (r->result != ASSETS_OK)
        return refused_schema(p, r, err);
    p->is_ours = true;
    assets_made(p->t, "object schema", p->t->ids.schema_name, p->t->x->config->assets.schema_key);
    return take_id(r, "a schema", &p->t->ids.schema, err);
}

/* ---- object types ---- */

/* A schema of somebody else: named differently, with other types and none of ours. */
static bool is_taken(const struct assets_prepare *p)
{
    return !p->is_ours && p->foreign_types && p->t->ids.type[STAGE_USER] == NULL && p->t->ids.type[STAGE_GROUP] == NULL;
}

static enum turn explain_taken(struct assets_prepare *p, struct eb_err *err)
{
    char name[128];

    (void)eb_fail(err, EB_INVALID_REQUEST, "The key %s belongs to the schema \"%s\", which holds other object types (%s): it is left alone. Set assets.schema_key to another key "
                  "(`sync init` then makes a schema of its own), or to that of an empty schema.", p->t->x->config->assets.schema_key,
                  eb_text_clean(p->t->ids.schema_name, name, sizeof(name)), p->faults.data != NULL ? p->faults.data : "");
    return TURN_FAIL;
}

static enum turn ask_types(struct assets_prepare *p, struct eb_err *err)
{
    if (!p->types_read)
        return ask(p, ASSETS_TYPES, p->t->ids.schema, 0, NULL);
    if (is_taken(p))
        return explain_taken(p, err);
    eb_buf_reset(&p->faults);
    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        p->kind = kinds[k];
        if (p->t->ids.type[p->kind] != NULL)
            continue;
        if (!p->make) {
            (void)eb_fail(err, EB_NOT_THERE, "The schema %s has no object type %s: make it with `entrabridge sync init`.", p->t->x->config->assets.schema_key,
                          sync_kind_name(p->kind));
            return TURN_FAIL;
        }
        if (p->icons == NULL)
            return ask(p, ASSETS_ICONS, NULL, 0, NULL);
        return ask(p, ASSETS_TYPE_CREATE, NULL, 0, assets_make_type(p->kind, p->t->ids.schema, p->icons));
    }
    return TURN_NEXT;
}

static bool take_type_list(struct assets_prepare *p, const json_t *types, struct eb_err *err)
{
    const json_t *type;
    size_t i, shown = 0;

    if (!json_is_array(types))
        return odd("a list of object types", err);
    json_array_foreach(types, i, type) {
        const char *name = eb_json_str(type, "name"), *id = eb_json_str(type, "id");
        enum stage_kind kind = STAGE_UNKNOWN;
        char clean[64];
        for (size_t k = 0; k < EB_LEN(kinds); k++)
            if (eb_strieq(name, sync_kind_name(kinds[k])))
                kind = kinds[k];
        if (kind != STAGE_UNKNOWN && is_id(id) && p->t->ids.type[kind] == NULL) {
            p->t->ids.type[kind] = eb_strdup(id);
        } else if (kind == STAGE_UNKNOWN) {
            p->foreign_types = true;
            if (shown++ < NAMES_SHOWN && name != NULL)
                eb_buf_addf(&p->faults, "%s%s", shown > 1 ? ", " : "", eb_text_clean(name, clean, sizeof(clean)));
        }
    }
    p->types_read = true;
    return true;
}

static bool take_types(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    if (r->result != ASSETS_OK && p->types_read && p->icons != NULL) {
        assets_make_refused(sync_kind_name(p->kind), false, r, err);
        return false;
    }
    if (r->result != ASSETS_OK) {
        *err = r->err;
        return false;
    }
    if (!p->types_read)
        return take_type_list(p, r->body, err);
    if (p->icons == NULL) {
        if (!json_is_array(r->body) || json_array_size(r->body) == 0)
            return odd("a list of icons", err);
        p->icons = eb_need(json_deep_copy(r->body));
        return true;
    }
    assets_made(p->t, "object type", sync_kind_name(p->kind), p->t->x->config->assets.schema_key);
    return take_id(r, "an object type", &p->t->ids.type[p->kind], err);
}

/* ---- statuses ---- */

static char **status_slot(struct assets_prepare *p, bool active)
{
    return active ? &p->t->ids.active : &p->t->ids.inactive;
}

static enum turn ask_statuses(struct assets_prepare *p, struct eb_err *err)
{
    if (p->statuses_read < 2)
        return ask(p, ASSETS_STATUS_TYPES, p->statuses_read == 0 ? p->t->ids.schema : NULL, 0, NULL);
    if (p->t->ids.active != NULL && p->t->ids.inactive != NULL)
        return TURN_NEXT;
    p->active = p->t->ids.active == NULL;
    if (p->make)
        return ask(p, ASSETS_STATUS_TYPE_CREATE, NULL, 0, assets_make_status(p->active, p->t->ids.schema));
    (void)eb_fail(err, EB_NOT_THERE, "Assets has no status %s: make it with `entrabridge sync init`.", p->active ? "Active" : "Inactive");
    return TURN_FAIL;
}

static bool take_statuses(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    const json_t *status;
    size_t i;

    if (r->result != ASSETS_OK && p->statuses_read == 2) {
        assets_make_refused(p->active ? "The status Active" : "The status Inactive", false, r, err);
        return false;
    }
    if (r->result != ASSETS_OK) {
        *err = r->err;
        return false;
    }
    if (p->statuses_read == 2) {
        assets_made(p->t, "status", p->active ? "Active" : "Inactive", p->t->x->config->assets.schema_key);
        return take_id(r, "a status", status_slot(p, p->active), err);
    }
    json_array_foreach(r->body, i, status)
        for (int active = 0; active < 2; active++) {
            const json_t *of = json_object_get(status, "objectSchemaId");
            bool usable = of == NULL || json_is_null(of) || eb_streq(json_string_value(of), p->t->ids.schema);
            if (usable && *status_slot(p, active == 1) == NULL && eb_json_int(status, "category", -1) == active && is_id(eb_json_str(status, "id")) &&
                eb_strieq(eb_json_str(status, "name"), active == 1 ? "Active" : "Inactive"))
                *status_slot(p, active == 1) = eb_strdup(eb_json_str(status, "id"));
        }
    p->statuses_read++;
    return true;
}

/* ---- attributes ---- */

static void list_fault(struct assets_prepare *p, const struct assets_column *c, const char *is)
{
    eb_buf_addf(&p->faults, "%s%s \"%s\" is %s, %s%s is needed", p->faults.len > 0 ? "; " : "", sync_kind_name(c->kind), c->name, is,
                assets_form(c->type)->word, c->many ? " with any number of values" : "");
}

/* Is an attribute that bears our name what our column needs? */
static void check_attribute(struct assets_prepare *p, const struct assets_column *c, const json_t *attribute)
{
    const struct assets_form *f = assets_form(c->type);
    int64_t type = eb_json_int(attribute, "type", -1), plain = eb_json_int(json_object_get(attribute, "defaultType"), "id", -1);
    const char *to = eb_json_str(attribute, "referenceObjectTypeId"), *word = eb_json_str(json_object_get(attribute, "defaultType"), "name");
    char is[64];

    if (type != f->type || (f->type == 0 && plain != f->plain && (f->also < 0 || plain != f->also)))
        list_fault(p, c, eb_text_clean(type == 0 && word != NULL ? word : type == 1 ? "a reference" : type == 2 ? "User" : "of another type", is, sizeof(is)));
    else if (c->type == SYNC_REFERENCE && to != NULL && !eb_streq(to, p->t->ids.type[c->to]))
        list_fault(p, c, "a reference to another object type");
    else if (c->many && eb_json_int(attribute, "maximumCardinality", -1) == 1)
        list_fault(p, c, "of one value");
    else if (c->identity && !eb_json_bool(attribute, "uniqueAttribute", false))
        eb_buf_addf(&p->faults, "%s%s \"%s\" is not unique: make it so in the settings of the attribute, or the same %s could stand there twice", p->faults.len > 0 ? "; " : "",
                    sync_kind_name(c->kind), c->name, sync_kind_name(c->kind));
}

static bool take_attribute_list(struct assets_prepare *p, const json_t *attributes, struct eb_err *err)
{
    const json_t *a;
    size_t i;

    if (!json_is_array(attributes))
        return odd("a list of attributes", err);
    for (size_t n = 0; n < p->t->column_count; n++) {
        struct assets_column *c = &p->t->columns[n];
        if (c->kind != p->kind)
            continue;
        json_array_foreach(attributes, i, a) {
            bool fits = c->label ? eb_json_bool(a, "label", false) : eb_strieq(eb_json_str(a, "name"), c->name);
            if (!fits || c->id != NULL || !is_id(eb_json_str(a, "id")))
                continue;
            c->id = eb_strdup(eb_json_str(a, "id"));
            check_attribute(p, c, a);
        }
        if (c->id == NULL)
            eb_buf_addf(&p->missing, "%s%s \"%s\"", p->missing.len > 0 ? ", " : "", sync_kind_name(c->kind), c->name);
    }
    p->attributes_read[p->kind] = true;
    return true;
}

static enum turn ask_attributes(struct assets_prepare *p, struct eb_err *err)
{
    for (size_t k = 0; k < EB_LEN(kinds); k++)
        if (!p->attributes_read[kinds[k]]) {
            p->kind = kinds[k];
            return ask(p, ASSETS_ATTRIBUTES, p->t->ids.type[p->kind], 0, NULL);
        }
    if (p->faults.len > 0) {
        (void)eb_fail(err, EB_INVALID_REQUEST, "Attributes in the schema %s do not fit: %s. Mend or rename them in Assets, and run `entrabridge sync init` again; nothing was changed.",
                      p->t->x->config->assets.schema_key, p->faults.data);
        return TURN_FAIL;
    }
    if (p->missing.len > 0 && !p->make) {
        (void)eb_fail(err, EB_NOT_THERE, "The schema %s lacks attributes (%s): make them with `entrabridge sync init`.", p->t->x->config->assets.schema_key, p->missing.data);
        return TURN_FAIL;
    }
    return TURN_NEXT;
}

static bool take_attributes(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    if (r->result == ASSETS_OK)
        return take_attribute_list(p, r->body, err);
    *err = r->err;
    return false;
}

/* ---- kinds of references, where an attribute that needs one is to be made ---- */

static struct relation *relation_of(struct assets_prepare *p, const char *name)
{
    for (size_t i = 0; i < p->relation_count; i++)
        if (strcmp(p->relations[i].name, name) == 0)
            return &p->relations[i];
    return NULL;
}

static void gather_relations(struct assets_prepare *p)
{
    for (size_t n = 0; n < p->t->column_count; n++) {
        const struct assets_column *c = &p->t->columns[n];
        if (c->id == NULL && c->relation != NULL && relation_of(p, c->relation) == NULL && p->relation_count < RELATIONS_MAX)
            p->relations[p->relation_count++] = (struct relation){ c->relation, NULL };
    }
}

static enum turn ask_relations(struct assets_prepare *p, struct eb_err *err)
{
    if (p->relation_count == 0)
        gather_relations(p);
    if (p->relation_count == 0)
        return TURN_NEXT;
    if (!p->relations_read)
        return ask(p, ASSETS_REFERENCE_TYPES, p->t->ids.schema, 0, NULL);
    for (size_t i = 0; i < p->relation_count; i++)
        if (p->relations[i].id == NULL) {
            p->relation = &p->relations[i];
            return ask(p, ASSETS_REFERENCE_TYPE_CREATE, NULL, 0, assets_make_relation(p->relation->name, p->t->ids.schema));
        }
    return TURN_NEXT;
}

static bool take_relations(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    const json_t *item;
    size_t i;

    if (r->result != ASSETS_OK && p->relations_read) {
        assets_make_refused(p->relation->name, false, r, err);
        return false;
    }
    if (r->result != ASSETS_OK) {
        *err = r->err;
        return false;
    }
    if (p->relations_read) {
        assets_made(p->t, "reference type", p->relation->name, p->t->x->config->assets.schema_key);
        return take_id(r, "a reference type", &p->relation->id, err);
    }
    json_array_foreach(r->body, i, item) {
        const json_t *of = json_object_get(item, "objectSchemaId");
        bool usable = of == NULL || json_is_null(of) || eb_streq(json_string_value(of), p->t->ids.schema);
        for (size_t n = 0; n < p->relation_count; n++)
            if (usable && p->relations[n].id == NULL && eb_strieq(eb_json_str(item, "name"), p->relations[n].name) && is_id(eb_json_str(item, "id")))
                p->relations[n].id = eb_strdup(eb_json_str(item, "id"));
    }
    p->relations_read = true;
    return true;
}

/* ---- attributes that are missing ---- */

static enum turn ask_missing(struct assets_prepare *p, struct eb_err *err)
{
    for (size_t n = 0; n < p->t->column_count; n++) {
        p->column = &p->t->columns[n];
        if (p->column->id != NULL)
            continue;
        struct relation *relation = p->column->relation != NULL ? relation_of(p, p->column->relation) : NULL;
        return ask(p, ASSETS_ATTRIBUTE_CREATE, p->t->ids.type[p->column->kind], 0,
                   assets_make_attribute(p->t, p->column, relation != NULL ? relation->id : NULL));
    }
    return TURN_NEXT;
}

static bool take_missing(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err)
{
    if (r->result != ASSETS_OK) {
        char what[200];
        snprintf(what, sizeof(what), "The attribute \"%s\" of %s", p->column->name, sync_kind_name(p->column->kind));
        assets_make_refused(what, false, r, err);
        return false;
    }
    assets_made(p->t, "attribute", p->column->name, sync_kind_name(p->column->kind));
    return take_id(r, "an attribute", &p->column->id, err);
}

/* ---- the walk ---- */

static const struct step {
    enum turn (*ask)(struct assets_prepare *p, struct eb_err *err);
    bool (*take)(struct assets_prepare *p, const struct assets_reply *r, struct eb_err *err);
} steps[] = {
    { ask_workspace, NULL },
    { ask_schema, take_schema },
    { ask_types, take_types },
    { ask_statuses, take_statuses },
    { ask_attributes, take_attributes },
    { ask_relations, take_relations },
    { ask_missing, take_missing },
};

static void advance(struct assets_prepare *p)
{
    struct eb_err err = { 0 };
    enum turn turn = TURN_NEXT;

    while (p->step < EB_LEN(steps) && (turn = steps[p->step].ask(p, &err)) == TURN_NEXT)
        p->step++;
    if (turn == TURN_WAIT)
        return;
    finish(p, turn == TURN_FAIL ? &err : NULL);
}

static void on_reply(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_prepare *p = ctx;
    struct eb_err err = { 0 };

    (void)id;
    assets_counted(p->t, r, false);
    if (steps[p->step].take(p, r, &err))
        advance(p);
    else
        finish(p, &err);
}

void assets_prepare_start(void *target, bool make, sync_done *done, void *ctx)
{
    struct assets_target *t = target;
    struct assets_prepare *p = eb_alloc(sizeof(*p));

    assets_ids_clear(t);
    json_array_clear(t->made);
    *p = (struct assets_prepare){ .t = t, .make = make, .done = done, .ctx = ctx, .missing = EB_BUF(KiB(4)), .faults = EB_BUF(KiB(4)) };
    t->prepare = p;
    t->x->progress(t->x->run, PHASE, 0, -1);
    advance(p);
}
