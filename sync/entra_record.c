/* entra_record.c - from what the source says to what is wanted: an object's record, made of its raw, its links and its account.
 *
 * Runs on the staging thread, in chunks of dirty objects: pass 0 settles who is in scope, pass 1 makes the records, so that a reference never names somebody
 * who is not in scope.
 */
#include "sync/entra.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 255            /* units of UTF-16 of a text in Assets, as its Java counts characters (facts: Assets, limits) */
#define NOTE_CUT "text cut"

struct making {
    struct db *db;
    const struct entra_options *o;
    const struct stage_object *object;
    const json_t *raw;
    json_t *record;
    bool cut;
    bool lacks_manager;
    struct eb_err *err;
};

/* ---- values ---- */

/* The text's length in bytes without what is more than TEXT_MAX. A character beyond U+FFFF counts twice, and is never halved. */
static size_t fitting(const char *text)
{
    size_t len = strlen(text), at = 0;
    int units = 0;

    while (at < len) {
        uint32_t c = 0;
        size_t n = eb_utf8_next(text + at, len - at, &c);
        units += n > 0 && c > 0xffff ? 2 : 1;
        if (units > TEXT_MAX)
            break;
        at += n > 0 ? n : 1;
    }
    return at;
}

static json_t *text_value(struct making *m, const char *text)
{
    size_t n = fitting(text);

    m->cut = m->cut || text[n] != '\0';
    return json_stringn(text, n);
}

static json_t *list_value(struct making *m, const json_t *list)
{
    struct eb_buf b = EB_BUF(KiB(64));
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
        if (json_is_string(item))
            eb_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", json_string_value(item));
    json_t *out = b.data != NULL && !b.failed ? text_value(m, b.data) : NULL;
    m->cut = m->cut || b.failed;
    eb_buf_free(&b);
    return out;
}

/* The source's value as the attribute's type; NULL: nothing is there, or it is of another kind. */
static json_t *value_of(struct making *m, const struct sync_attribute *a, json_t *value)
{
    char number[32], time[EB_TIME_LEN];

    switch (a->type) {
    case SYNC_BOOL:
        return json_is_boolean(value) ? json_incref(value) : NULL;
    case SYNC_INTEGER:
        if (json_is_string(value)) {
            char *end;
            long long n = strtoll(json_string_value(value), &end, 10);
            return end != json_string_value(value) && *end == '\0' ? json_integer(n) : NULL;
        }
        return json_is_integer(value) ? json_incref(value) : NULL;
    case SYNC_DATE_TIME:            /* Graph writes some with seven digits of a second, a target shows three */
        return json_is_string(value) ? text_value(m, sync_record_time(json_string_value(value), time)) : NULL;
    default:
        if (json_is_integer(value)) {
            (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
            return json_string(number);
        }
        if (json_is_boolean(value))
            return json_string(json_is_true(value) ? "true" : "false");
        return json_is_array(value) ? list_value(m, value) : json_is_string(value) ? text_value(m, json_string_value(value)) : NULL;
    }
}

static void set(struct making *m, const char *name, json_t *value)
{
    if (value != NULL)
        json_object_set_new_nocheck(m->record, name, value);
}

static void add_plain(struct making *m)
{
    const struct sync_schema *s = m->o->schema;

    for (size_t i = 0; i < s->count; i++) {
        const struct sync_attribute *a = &s->attributes[i];
        if (a->kind == m->object->kind && a->from != NULL)
            set(m, a->name, a->identity ? json_string(m->object->id) : value_of(m, a, json_object_get(m->raw, a->from)));
    }
}

/* ---- links ---- */

static bool add_id(void *list, const char *id)
{
    json_array_append_new(list, json_string(id));
    return true;
}

static bool add_list(struct making *m, const char *name, enum stage_relation relation)
{
    json_t *list = json_array();
    bool ok = stage_links_to(m->db, m->object->n, relation, false, add_id, list, m->err);

    set(m, name, list);
    return ok;
}

static bool add_manager(struct making *m)
{
    json_t *in_scope = json_array(), *all = json_array();
    const char *manager;
    char *account = NULL;
    bool ok = stage_links_from(m->db, m->object->n, STAGE_MANAGER, false, add_id, in_scope, m->err) &&
              (json_array_size(in_scope) > 0 || stage_links_from(m->db, m->object->n, STAGE_MANAGER, true, add_id, all, m->err));

    manager = json_string_value(json_array_get(in_scope, 0));
    m->lacks_manager = manager == NULL && json_array_size(all) > 0;
    if (ok && manager != NULL) {
        set(m, SYNC_MANAGER, json_string(manager));
        ok = stage_account_of_id(m->db, manager, &account, m->err);
        set(m, SYNC_MANAGER_ACCOUNT, account != NULL ? json_string(account) : NULL);
    }
    free(account);
    json_decref(in_scope);
    json_decref(all);
    return ok;
}

static bool add_account(struct making *m)
{
    char *account;
    enum stage_fit fit;

    if (!stage_account_of(m->db, m->object->mail, m->object->upn, &account, &fit, m->err))
        return false;
    if (account != NULL) {
        set(m, SYNC_JIRA_USER, json_string(account));
        set(m, SYNC_ACCOUNT_ID, json_string(account));
    }
    free(account);
    return true;
}

static bool has_type(const json_t *raw, const char *type)
{
    const json_t *list = json_object_get(raw, "groupTypes"), *item;
    size_t i;

    json_array_foreach(list, i, item)
        if (eb_strieq(json_string_value(item), type))
            return true;
    return false;
}

/* https://learn.microsoft.com/graph/api/resources/groups-overview */
static void add_group_type(struct making *m)
{
    bool mail = eb_json_bool(m->raw, "mailEnabled", false), security = eb_json_bool(m->raw, "securityEnabled", false);
    const char *type = has_type(m->raw, "Unified") ? "Microsoft 365" : mail && security ? "Mail-enabled security" : mail ? "Distribution" : security ? "Security" : NULL;

    if (type == NULL)
        return;
    char *text = eb_asprintf("%s%s", type, has_type(m->raw, "DynamicMembership") ? ", dynamic" : "");
    set(m, SYNC_GROUP_TYPE, json_string(text));
    free(text);
}

static bool add_made(struct making *m)
{
    if (m->object->kind == STAGE_USER)
        return add_manager(m) && add_list(m, SYNC_GROUPS, STAGE_MEMBER) && add_list(m, SYNC_OWNED, STAGE_OWNER) && add_account(m);
    add_group_type(m);
    return add_list(m, SYNC_PARENTS, STAGE_MEMBER);
}

bool entra_record_put(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, struct eb_err *err)
{
    struct making m = { .db = db, .o = o, .object = object, .raw = raw, .record = json_object(), .err = err };
    char *text = NULL, hash[33];

    add_plain(&m);
    bool ok = add_made(&m);
    if (json_string_length(json_object_get(m.record, SYNC_NAME)) == 0) {       /* a label must be: the name to sign in with, or the id */
        const char *upn = eb_json_str(raw, "userPrincipalName");
        json_object_set_new(m.record, SYNC_NAME, json_string(upn != NULL ? upn : object->id));
    }
    const char *label = eb_json_str(m.record, SYNC_NAME);
    if (ok) {
        sync_record_seal(m.record, &text, hash);
        ok = stage_wanted_put(db, &(struct stage_wanted){ .n = object->n, .kind = object->kind, .key = object->id, .label = label, .hash = hash, .attributes = text,
                                                          .lacks_manager = m.lacks_manager }, err) &&
             (!m.cut || stage_note_put(db, NOTE_CUT, object->id, label, "A text of more than 255 characters was cut.", err));
    }
    free(text);
    json_decref(m.record);
    return ok;
}

/* ---- chunks of dirty objects ---- */

struct chunk { struct stage_object *items; size_t count; };

/* Copies: what is done with one object may change the list that is walked. */
static bool keep(void *ctx, const struct stage_object *o)
{
    struct chunk *c = ctx;

    c->items[c->count++] = (struct stage_object){ .n = o->n, .kind = o->kind, .id = eb_strdup(o->id), .raw = eb_strdup(o->raw), .mail = eb_strdup(o->mail),
                                                  .upn = eb_strdup(o->upn), .in_scope = o->in_scope };
    return true;
}

static void chunk_free(struct chunk *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct stage_object *o = &c->items[i];
        free((void *)(uintptr_t)o->id);
        free((void *)(uintptr_t)o->raw);
        free((void *)(uintptr_t)o->mail);
        free((void *)(uintptr_t)o->upn);
    }
    free(c->items);
}

static bool one_is_enough(void *found, const char *id)
{
    *(bool *)found = true;
    return false;
}

/* The reports show the account of their manager. Where it is another than before, they are judged anew: as neighbours of somebody whose scope changes. */
static bool account_moved(struct db *db, const struct stage_object *object, bool in_scope, struct eb_err *err)
{
    char *account = NULL;
    bool has_reports = false, other = false;
    enum stage_fit fit;

    if (!stage_links_to(db, object->n, STAGE_MANAGER, true, one_is_enough, &has_reports, err))
        return false;
    if (!has_reports)
        return true;
    bool ok = stage_account_of(db, object->mail, object->upn, &account, &fit, err) && stage_account_shown(db, object->n, account, &other, err) &&
              (!other || (stage_scope_set(db, object->n, !in_scope, err) && stage_scope_set(db, object->n, in_scope, err)));
    free(account);
    return ok;
}

static bool settle(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, struct eb_err *err)
{
    bool in_scope;

    return entra_scope(db, o, object, raw, &in_scope, err) && stage_scope_set(db, object->n, in_scope, err) &&
           (object->kind != STAGE_USER || account_moved(db, object, in_scope, err));
}

static bool make(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, struct eb_err *err)
{
    return object->in_scope ? entra_record_put(db, o, object, raw, err) : stage_wanted_remove(db, object->n, err);
}

static bool judge(struct db *db, const struct entra_options *o, int pass, const struct stage_object *object, struct eb_err *err)
{
    json_t *raw = NULL;

    if (object->raw == NULL || !eb_json_parse_reply((struct eb_span){ object->raw, strlen(object->raw) }, &raw, err))
        return eb_fail(err, EB_INTERNAL, "The staging file holds an object that cannot be read.");
    bool ok = (pass == 0 ? settle : make)(db, o, object, raw, err);
    json_decref(raw);
    return ok;
}

/* What belongs to the beginning of a walk. */
static bool before(struct db *db, const struct entra_options *o, int pass, enum stage_kind kind, struct eb_err *err)
{
    struct entra_place place;
    bool ok = true;

    if (pass == 0 && kind == STAGE_USER)
        return entra_groups_settle(db, o, err);
    if (pass == 1 && kind == STAGE_GROUP) {
        ok = entra_place_load(db, &place, err) && (!place.all || stage_notes_clear(db, NOTE_CUT, err));
        entra_place_clear(&place);
    }
    return ok;
}

bool entra_project(void *source, struct db *db, int pass, enum stage_kind kind, int64_t *after, int limit, bool *ret_more, struct eb_err *err)
{
    const struct entra_options *o = entra_options_of(source);
    struct chunk c = { .items = eb_alloc((size_t)limit * sizeof(*c.items)) };
    bool ok = (*after > 0 || before(db, o, pass, kind, err)) && stage_dirty_each(db, kind, *after, limit, keep, &c, err);

    for (size_t i = 0; ok && i < c.count; i++)
        ok = judge(db, o, pass, &c.items[i], err);
    ok = ok && (pass == 0 || c.count == 0 || stage_clean(db, kind, *after, c.items[c.count - 1].n, err));
    *ret_more = c.count == (size_t)limit;
    if (ok && c.count > 0)
        *after = c.items[c.count - 1].n;
    chunk_free(&c);
    return ok;
}
