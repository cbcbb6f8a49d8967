/* assets_rows.c - objects of Assets as rows of the staging file: by their Entra ids, references as ids of the source. On the staging thread.
 *
 * A reference to an object that has no row yet stands in the row as "?ENTRA-12" and is looked up once more when all objects are in. What does not become known then
 * (an object that is not ours) stays so, which is a difference to anything that is wanted.
 */
#include "sync/assets_target.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN "?"
#define UNKNOWN_TEXT "\"?"          /* how it looks in a record's text: a glance before it is parsed */

struct row {                        /* a copy of a stage_target */
    bool found;
    int64_t n, left_ms, sent_ms;
    enum stage_kind kind;
    bool active;
    char *key, *object_id, *object_key, *attributes;
};

static void row_clear(struct row *w)
{
    free(w->key);
    free(w->object_id);
    free(w->object_key);
    free(w->attributes);
    *w = (struct row){ 0 };
}

static void row_copy(struct row *w, const struct stage_target *s)
{
    *w = (struct row){ true, s->n, s->left_ms, s->sent_ms, s->kind, s->active, eb_strdup(s->key), eb_strdup(s->object_id), eb_strdup(s->object_key),
                       eb_strdup(s->attributes) };
}

static bool keep_row(void *ctx, const struct stage_target *s)
{
    row_copy(ctx, s);
    return false;
}

/* ---- references ---- */

/* One reference as it is to stand in a record. */
static bool translate(struct db *db, enum stage_kind to, const char *object_key, json_t **ret, struct eb_err *err)
{
    char *key = NULL;

    if (!stage_target_key_of(db, to, object_key, &key, err))
        return false;
    if (key != NULL) {
        *ret = json_string(key);
    } else {
        char *unknown = eb_asprintf(UNKNOWN "%s", object_key);
        *ret = json_string(unknown);
        free(unknown);
    }
    free(key);
    return true;
}

/* A column's value with its references translated; `mend`: only those that were not known. Takes value. */
static bool translate_all(struct db *db, const struct assets_column *c, bool mend, json_t *value, json_t **ret, struct eb_err *err)
{
    json_t *items = json_is_array(value) ? json_incref(value) : eb_need(json_pack("[O]", value)), *out = eb_need(json_array()), *item;
    size_t i;
    bool ok = true;

    json_array_foreach(items, i, item) {
        const char *text = json_string_value(item);
        json_t *known = NULL;
        if (text == NULL)
            continue;
        if (mend && text[0] != UNKNOWN[0])
            known = json_incref(item);
        else if (!(ok = translate(db, c->to, mend ? text + 1 : text, &known, err)))
            break;
        json_array_append_new(out, known);
    }
    if (ok && c->many)
        *ret = json_incref(out);
    else if (ok)
        *ret = json_incref(json_array_get(out, 0));
    json_decref(out);
    json_decref(items);
    json_decref(value);
    return ok;
}

/* ---- an object as a record ---- */

struct reading { json_t *record; bool active, has_status; int64_t seen_ms; };

static bool take_attribute(struct assets_rows *r, struct db *db, struct assets_column *c, const json_t *values, struct reading *to, struct eb_err *err)
{
    json_t *value = assets_value_in(c, values);
    bool ok = true;

    if (value == NULL)
        return true;
    if (c->type == ASSETS_COLUMN_STATUS) {
        to->active = !eb_streq(json_string_value(value), r->t->ids.inactive) &&
                     eb_json_int(json_object_get(json_array_get(values, 0), "status"), "category", 1) != 0;
        to->has_status = true;
    } else if (!c->in_record) {
        if (!eb_time_parse(json_string_value(value) != NULL ? json_string_value(value) : "", &to->seen_ms, NULL))
            to->seen_ms = 0;
    } else if (c->type == SYNC_REFERENCE) {
        json_t *translated = NULL;
        if ((ok = translate_all(db, c, false, value, &translated, err)) && translated != NULL)
            json_object_set_new(to->record, c->name, translated);
        return ok;
    } else {
        json_object_set(to->record, c->name, value);
    }
    json_decref(value);
    return ok;
}

static bool read_object(struct assets_rows *r, struct db *db, enum stage_kind kind, const json_t *object, struct reading *to, struct eb_err *err)
{
    const json_t *attribute;
    size_t i;

    json_array_foreach(json_object_get(object, "attributes"), i, attribute) {
        struct assets_column *c = assets_column_of(r->t, kind, eb_json_str(attribute, "objectTypeAttributeId"));
        if (c != NULL && !take_attribute(r, db, c, json_object_get(attribute, "objectAttributeValues"), to, err))
            return false;
    }
    return true;
}

/* The Entra id, in the one spelling; false: the object is not ours. */
static bool key_of(struct assets_rows *r, enum stage_kind kind, const json_t *record, char key[40])
{
    const struct assets_column *identity = assets_identity(r->t, kind);
    const char *text = identity != NULL ? eb_json_str(record, identity->name) : NULL;

    key[0] = '\0';
    if (text == NULL || !eb_is_guid(text))
        return false;
    for (size_t i = 0; i < 37; i++)
        key[i] = (char)tolower((unsigned char)text[i]);
    return true;
}

/* ---- two objects with one Entra id ---- */

static bool is_row(void *ctx, const struct stage_target *s)
{
    *(int64_t *)ctx = s->n;
    return false;
}

static bool seen_now(struct db *db, int64_t generation, int64_t n, bool *ret, struct eb_err *err)
{
    int64_t unseen = -1;

    if (!stage_target_unseen(db, generation, n - 1, 1, is_row, &unseen, err))
        return false;
    *ret = unseen != n;
    return true;
}

/* Is the row's object to stay the one that counts? The older one does: the lower number. */
static bool settle_double(struct assets_rows *r, struct db *db, const struct row *old, const char *id, const char *object_key, const char *label, bool *ret_keep,
                          struct eb_err *err)
{
    char text[256];
    bool seen;

    *ret_keep = false;
    if (!old->found || old->object_id == NULL || strcmp(old->object_id, id) == 0)
        return true;
    if (!seen_now(db, r->generation, old->n, &seen, err))
        return false;
    if (!seen)                      /* the row is of an earlier reading */
        return true;
    *ret_keep = strtoll(old->object_id, NULL, 10) < strtoll(id, NULL, 10);
    r->doubles++;
    snprintf(text, sizeof(text), "%s %s and %s have the same Entra id: the older one is kept true, the other one is left alone. Delete it in Assets.",
             sync_kind_name(old->kind), *ret_keep ? old->object_key : object_key, *ret_keep ? object_key : old->object_key);
    return stage_note_put(db, ASSETS_NOTES, old->key, label, text, err);
}

/* ---- rows ---- */

static bool put(struct assets_rows *r, struct db *db, enum stage_kind kind, const json_t *object, const struct reading *reading, const struct row *old, struct eb_err *err)
{
    bool active = reading->has_status && reading->active;
    char *text = NULL, hash[33];
    bool ok;

    sync_record_seal(reading->record, &text, hash);
    ok = stage_target_put(db, &(struct stage_target){ .kind = kind, .key = r->key, .object_id = eb_json_str(object, "id"), .object_key = eb_json_str(object, "objectKey"),
        .active = active, .left_ms = active ? 0 : old->found && !old->active && old->left_ms > 0 ? old->left_ms : reading->seen_ms, .doubt = STAGE_SURE,
        .hash = hash, .attributes = text }, r->generation, err);
    free(text);
    r->objects += ok ? 1 : 0;
    return ok;
}

bool assets_row_put(struct assets_rows *r, struct db *db, enum stage_kind kind, const json_t *object, struct eb_err *err)
{
    const char *id = eb_json_str(object, "id"), *object_key = eb_json_str(object, "objectKey");
    struct reading reading = { .record = eb_need(json_object()) };
    struct row old = { 0 };
    bool ok, keep = false;

    r->key[0] = '\0';
    ok = read_object(r, db, kind, object, &reading, err);
    if (ok && (id == NULL || object_key == NULL || !key_of(r, kind, reading.record, r->key)))
        r->foreign++;
    else
        ok = ok && stage_target_get(db, kind, r->key, keep_row, &old, err) &&
             settle_double(r, db, &old, id, object_key, eb_json_str(object, "label"), &keep, err) &&
             (keep || put(r, db, kind, object, &reading, &old, err));
    if (keep)
        r->key[0] = '\0';
    row_clear(&old);
    json_decref(reading.record);
    return ok;
}

/* ---- mending references ---- */

struct batch { struct row rows[64]; size_t count; int64_t last; int walked; };

static bool gather(void *ctx, const struct stage_target *s)
{
    struct batch *b = ctx;

    b->last = s->n;
    b->walked++;
    if (s->object_id != NULL && s->attributes != NULL && strstr(s->attributes, UNKNOWN_TEXT) != NULL)
        row_copy(&b->rows[b->count++], s);
    return b->count < EB_LEN(b->rows);
}

static bool mend(struct assets_rows *r, struct db *db, const struct row *w, struct eb_err *err)
{
    json_t *record = json_loads(w->attributes, 0, NULL);
    char *text = NULL, hash[33];
    bool ok = true;

    for (size_t i = 0; i < r->t->column_count && ok; i++) {
        const struct assets_column *c = &r->t->columns[i];
        json_t *value = c->kind == w->kind && c->in_record && c->type == SYNC_REFERENCE ? json_object_get(record, c->name) : NULL, *mended = NULL;
        if (value == NULL)
            continue;
        ok = translate_all(db, c, true, json_incref(value), &mended, err);
        if (ok && mended != NULL)
            json_object_set_new(record, c->name, mended);
    }
    if (ok) {
        sync_record_seal(record, &text, hash);
        if (strcmp(text, w->attributes) != 0)
            ok = stage_target_put(db, &(struct stage_target){ .kind = w->kind, .key = w->key, .object_id = w->object_id, .object_key = w->object_key, .active = w->active,
                .left_ms = w->left_ms, .doubt = STAGE_SURE, .sent_ms = w->sent_ms, .hash = hash, .attributes = text }, r->generation, err);
    }
    free(text);
    json_decref(record);
    return ok;
}

bool assets_rows_mend(struct assets_rows *r, struct db *db, int64_t *after, int limit, bool *ret_more, struct eb_err *err)
{
    struct batch *b = eb_alloc(sizeof(*b));
    bool ok = stage_target_unseen(db, r->generation + 1 /* none was seen by it: all rows */, *after, limit, gather, b, err);

    for (size_t i = 0; i < b->count; i++) {
        ok = ok && mend(r, db, &b->rows[i], err);
        row_clear(&b->rows[i]);
    }
    *ret_more = b->walked == limit || b->count == EB_LEN(b->rows);
    if (b->walked > 0)
        *after = b->last;
    free(b);
    return ok;
}
