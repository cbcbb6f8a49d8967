/* assets_write.c - writes one object at a time, and looks for one by its Entra id.
 *
 * A creation whose identity is taken is in doubt, not refused: the object that has it is looked for and adopted. What Assets does not take of attributes that an object can
 * do without (an account that is gone, an odd mail) is left out in another try, with a fault, so that one value does not keep a person out.
 * Before an object is deleted it is looked at: only one of our object type that bears the Entra id goes. What a stale or foreign id leads to stays.
 * Owns: a struct assets_writing for each write or search under way.
 */
#include "sync/assets_target.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define REPEATED_MS 60000
#define FOUND_MAX 10
#define TRIES_MAX 4                 /* Assets may name one attribute at a time */

struct assets_writing {
    LIST_ENTRY(assets_writing) link;
    struct assets_target *t;
    enum stage_action action;
    enum stage_kind kind;
    char *key, *label, *object_id;
    json_t *body;
    int tries;                      /* that were refused, and went again without something */
    uint64_t id;
    sync_write_done *written;
    sync_find_done *found;
    void *ctx;
};

static const struct action {
    enum assets_call_kind call;
    enum sync_write_result doubt;   /* what no usable answer means */
    const char *name;
} actions[STAGE_ACTIONS] = {
    [STAGE_CREATE] = { ASSETS_OBJECT_CREATE, SYNC_WRITE_IN_DOUBT, "create" },
    [STAGE_UPDATE] = { ASSETS_OBJECT_UPDATE, SYNC_WRITE_FAILED, "update" },
    [STAGE_LEAVE] = { ASSETS_OBJECT_UPDATE, SYNC_WRITE_FAILED, "inactivate" },
    [STAGE_DELETE] = { ASSETS_OBJECT_DELETE, SYNC_WRITE_FAILED, "delete" },
};

static struct assets_writing *writing_new(struct assets_target *t, enum stage_kind kind, const char *key, uint64_t id, void *ctx)
{
    struct assets_writing *w = eb_alloc(sizeof(*w));

    w->t = t;
    w->kind = kind;
    w->key = eb_strdup(key);
    w->id = id;
    w->ctx = ctx;
    LIST_INSERT_HEAD(&t->writings, w, link);
    return w;
}

/* Not in the list any more: who is told of its end may close the target. */
static void writing_free(struct assets_writing *w)
{
    free(w->key);
    free(w->label);
    free(w->object_id);
    json_decref(w->body);
    free(w);
}

void assets_writings_free(struct assets_target *t)
{
    struct assets_writing *w;

    while ((w = LIST_FIRST(&t->writings)) != NULL) {
        assets_forget(t->x->assets, w, 0);
        LIST_REMOVE(w, link);
        writing_free(w);
    }
}

/* ---- bodies ---- */

static void add_status(struct assets_target *t, const struct sync_write *w, json_t *attributes)
{
    const struct assets_column *status = assets_column(t, w->kind, SYNC_STATUS), *seen = assets_column(t, w->kind, SYNC_LAST_SEEN);
    bool active = w->action != STAGE_LEAVE;
    json_t *value;

    if (!active || w->activate) {
        value = json_string(active ? t->ids.active : t->ids.inactive);
        json_array_append_new(attributes, assets_value_out(status, value));
        json_decref(value);
    }
    if (w->seen_ms > 0) {
        char time[EB_TIME_LEN];
        value = json_string(eb_time_format(w->seen_ms, time));
        json_array_append_new(attributes, assets_value_out(seen, value));
        json_decref(value);
    }
}

static json_t *make_body(struct assets_target *t, const struct sync_write *w)
{
    json_t *attributes = eb_need(json_array()), *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)w->values, name, value) {
        const struct assets_column *c = assets_column(t, w->kind, name);
        bool nothing = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
        if (c != NULL && c->id != NULL && c->in_record && !(nothing && w->action == STAGE_CREATE))
            json_array_append_new(attributes, assets_value_out(c, value));
    }
    add_status(t, w, attributes);
    return eb_need(json_pack("{s:s, s:o}", "objectTypeId", t->ids.type[w->kind], "attributes", attributes));
}

/* ---- answers ---- */

static bool names(const json_t *body, const char *attribute_id)
{
    char name[64];

    snprintf(name, sizeof(name), "rlabs-insight-attribute-%s", attribute_id != NULL ? attribute_id : "");
    return json_object_get(json_object_get(body, "errors"), name) != NULL;
}

/* The refusal with the attribute by its name. */
static void explain(const struct assets_writing *w, const struct assets_reply *r, struct eb_err *err)
{
    char words[256], id[32];
    const struct assets_column *c = assets_error_attribute(r->body, id) ? assets_column_of(w->t, w->kind, id) : NULL;

    *err = r->err;
    if (c == NULL)
        return;
    assets_error_words(r->body, words, sizeof(words));
    (void)eb_fail(err, r->err.code, "Assets refuses \"%s\": %s", c->name, words);
}

static void on_written(void *ctx, uint64_t id, const struct assets_reply *r);

/* A creation is sent once, so that it waits for its turn; what may be sent again comes again by itself, after the others. */
static void send_it(struct assets_writing *w)
{
    assets_send(w->t->x->assets, &(struct assets_call){ .kind = actions[w->action].call, .a = w->object_id, .body = w->body,
                                                        .deadline_ms = w->action == STAGE_CREATE ? ASSETS_LONG_MS : REPEATED_MS }, 0, on_written, w);
}

/* Can an object do without it? Neither identity nor name; references are the engine's. */
static bool is_optional(const struct assets_column *c)
{
    return c->in_record && !c->identity && !c->label && c->type != SYNC_REFERENCE;
}

/* Do all the attributes that a refusal names exist and are optional? Otherwise another try would be refused as well. */
static bool names_optional_only(const struct assets_writing *w, const json_t *body)
{
    json_t *errors = json_object_get(body, "errors");
    size_t count = 0;

    for (size_t i = 0; i < w->t->column_count; i++) {
        const struct assets_column *c = &w->t->columns[i];
        if (c->kind != w->kind || c->id == NULL || !names(body, c->id))
            continue;
        if (!is_optional(c))
            return false;
        count++;
    }
    return count > 0 && count == json_object_size(errors);
}

/* Takes what a refusal names out of the body, with an account all of them; names what went. False: there was none. */
static bool strip(struct assets_writing *w, const json_t *body, struct eb_buf *ret_names)
{
    json_t *attributes = json_object_get(w->body, "attributes");
    size_t before = json_array_size(attributes);
    bool account = false;

    for (size_t i = 0; i < w->t->column_count; i++) {
        const struct assets_column *c = &w->t->columns[i];
        account = account || (c->kind == w->kind && c->type == SYNC_ACCOUNT && c->id != NULL && names(body, c->id));
    }
    for (size_t i = before; i > 0; i--) {
        const struct assets_column *c = assets_column_of(w->t, w->kind, eb_json_str(json_array_get(attributes, i - 1), "objectTypeAttributeId"));
        if (c == NULL || !(names(body, c->id) || (account && c->type == SYNC_ACCOUNT)))
            continue;
        eb_buf_addf(ret_names, "%s\"%s\"", ret_names->len > 0 ? ", " : "", c->name);
        json_array_remove(attributes, i - 1);
    }
    return json_array_size(attributes) < before;
}

/* True: something that the object can do without was refused, and the rest goes once more. */
static bool without_refused(struct assets_writing *w, const struct assets_reply *r)
{
    struct eb_buf left_out = EB_BUF(KiB(4));
    struct eb_err err;
    char *text;
    bool again = r->result == ASSETS_REFUSED && r->status != 404 && w->tries < TRIES_MAX && w->body != NULL && names_optional_only(w, r->body) && strip(w, r->body, &left_out);

    if (again) {
        w->tries++;
        explain(w, r, &err);
        text = eb_asprintf("written without %s: %s", left_out.data, err.text);
        w->t->x->fault(w->t->x->run, actions[w->action].name, w->kind, w->key, w->label, text);
        free(text);
        send_it(w);
    }
    eb_buf_free(&left_out);
    return again;
}

static void judge(struct assets_writing *w, const struct assets_reply *r, struct sync_written *out)
{
    const struct assets_column *identity = assets_identity(w->t, w->kind);
    bool create = w->action == STAGE_CREATE;

    switch (r->result) {
    case ASSETS_OK:
        out->result = w->action == STAGE_DELETE && r->status == 404 ? SYNC_WRITE_GONE : SYNC_WRITTEN;
        out->object_id = create ? eb_json_str(r->body, "id") : w->object_id;
        out->object_key = eb_json_str(r->body, "objectKey");
        if (create && (out->object_id == NULL || out->object_key == NULL)) {
            out->result = SYNC_WRITE_IN_DOUBT;
            (void)eb_fail(&out->err, EB_IN_DOUBT, "Assets answered a creation with something that is not the object");
        }
        return;
    case ASSETS_REFUSED:
        explain(w, r, &out->err);
        out->result = !create && r->status == 404 ? SYNC_WRITE_GONE : SYNC_WRITE_REFUSED;
        if (create && identity != NULL && names(r->body, identity->id))
            out->result = SYNC_WRITE_IN_DOUBT;      /* somebody has its id: whoever asks looks, and adopts it */
        return;
    case ASSETS_IN_DOUBT:
        out->err = r->err;
        out->result = actions[w->action].doubt;
        return;
    case ASSETS_DENIED:
    case ASSETS_NOT_SENT:
        out->err = r->err;
        out->result = r->result == ASSETS_DENIED ? SYNC_WRITE_DENIED : SYNC_WRITE_FAILED;
        return;
    }
}

static void end(struct assets_writing *w, const struct sync_written *out)
{
    LIST_REMOVE(w, link);
    w->written(w->ctx, w->id, out);
    writing_free(w);
}

static void on_written(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_writing *w = ctx;
    struct sync_written out = { 0 };

    (void)id;
    assets_counted(w->t, r, true);
    if (without_refused(w, r))
        return;
    judge(w, r, &out);
    end(w, &out);
}

/* ---- a look before a deletion ---- */

/* Has an object our type, and the Entra id that the write is about? */
static bool is_meant(const struct assets_writing *w, const json_t *object)
{
    const struct assets_column *identity = assets_identity(w->t, w->kind);
    const json_t *attribute;
    bool same = false;
    size_t i;

    if (identity == NULL || identity->id == NULL || !eb_streq(eb_json_str(object, "id"), w->object_id) ||
        !eb_streq(eb_json_str(json_object_get(object, "objectType"), "id"), w->t->ids.type[w->kind]))
        return false;
    json_array_foreach(json_object_get(object, "attributes"), i, attribute) {
        json_t *value = eb_streq(eb_json_str(attribute, "objectTypeAttributeId"), identity->id)
                            ? assets_value_in(identity, json_object_get(attribute, "objectAttributeValues")) : NULL;
        same = same || eb_strieq(json_string_value(value), w->key);
        json_decref(value);
    }
    return same;
}

static void on_looked(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_writing *w = ctx;
    struct sync_written out = { .result = SYNC_WRITE_GONE };

    (void)id;
    assets_counted(w->t, r, false);
    if (r->result == ASSETS_OK && is_meant(w, r->body)) {
        send_it(w);
        return;
    }
    if (r->result != ASSETS_OK)
        judge(w, r, &out);
    end(w, &out);
}

void assets_write_start(void *target, const struct sync_write *w, uint64_t id, sync_write_done *done, void *ctx)
{
    struct assets_target *t = target;
    struct assets_writing *writing = writing_new(t, w->kind, w->key, id, ctx);

    writing->action = w->action;
    writing->label = eb_strdup(w->label != NULL ? w->label : "");
    writing->object_id = eb_strdup(w->object_id);
    writing->written = done;
    if (w->action != STAGE_DELETE)
        writing->body = make_body(t, w);
    if (w->action == STAGE_DELETE)
        assets_send(t->x->assets, &(struct assets_call){ .kind = ASSETS_OBJECT, .a = w->object_id, .deadline_ms = ASSETS_LONG_MS }, 0, on_looked, writing);
    else
        send_it(writing);
}

/* ---- looking for one ---- */

json_t *assets_aql(struct assets_target *t, enum stage_kind kind, const char *key)
{
    const struct assets_column *identity = assets_identity(t, kind);
    struct eb_buf out = EB_BUF(KiB(4));
    json_t *body;

    eb_buf_addf(&out, "objectTypeId = %s", t->ids.type[kind]);
    if (key != NULL && identity != NULL) {
        eb_buf_str(&out, " AND ");
        assets_quote(&out, identity->name);
        eb_buf_str(&out, " = ");
        assets_quote(&out, key);
    }
    body = eb_need(json_pack("{s:s}", "qlQuery", out.data));
    eb_buf_free(&out);
    return body;
}

/* The oldest of the objects found. */
static const json_t *oldest(const json_t *values)
{
    const json_t *object, *best = NULL;
    size_t i;

    json_array_foreach(values, i, object) {
        const char *id = eb_json_str(object, "id");
        if (id != NULL && eb_json_str(object, "objectKey") != NULL &&
            (best == NULL || strtoll(id, NULL, 10) < strtoll(eb_json_str(best, "id"), NULL, 10)))
            best = object;
    }
    return best;
}

static void on_found(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_writing *w = ctx;
    struct eb_err err = r->err;
    json_t *page = NULL;
    const json_t *object;

    (void)id;
    assets_counted(w->t, r, false);
    if (r->result == ASSETS_OK && (!eb_json_parse_reply(r->bytes, &page, &err) || !json_is_array(json_object_get(page, "values"))) && err.code == EB_OK)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Assets answered with something that is not a page of objects: check assets.api_url");
    object = oldest(json_object_get(page, "values"));
    LIST_REMOVE(w, link);
    w->found(w->ctx, w->id, eb_json_str(object, "id"), eb_json_str(object, "objectKey"), err.code != EB_OK ? &err : NULL);
    writing_free(w);
    json_decref(page);
}

void assets_find_start(void *target, enum stage_kind kind, const char *key, uint64_t id, sync_find_done *done, void *ctx)
{
    struct assets_target *t = target;
    struct assets_writing *w = writing_new(t, kind, key, id, ctx);
    json_t *body = assets_aql(t, kind, key);

    w->found = done;
    assets_send(t->x->assets, &(struct assets_call){ .kind = ASSETS_AQL, .size = FOUND_MAX, .body = body, .deadline_ms = 60000 }, 0, on_found, w);
    json_decref(body);
}
