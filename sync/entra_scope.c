/* entra_scope.c - who and what is in scope: filters of the configuration against what the source says.
 *
 * Decided from one object's raw, its account, and the groups that the configuration names. Those are looked up by name among the groups that were read.
 */
#include "sync/entra.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- the groups that the configuration names ---- */

static bool load_named(struct db *db, json_t **ret, struct eb_err *err)
{
    char *text;

    *ret = NULL;
    if (!stage_state_get(db, ENTRA_STATE_MEMBER_OF, &text, err))
        return false;
    if (text == NULL || !eb_json_parse_reply((struct eb_span){ text, strlen(text) }, ret, NULL))
        *ret = json_object();
    free(text);
    return true;
}

/* Kept as {id: index of the entry that it fits}. A deleted group has no name, and fits nothing. */
static bool note_named(struct db *db, const struct entra_options *o, const char *id, const json_t *raw, struct eb_err *err)
{
    const struct config_list *list = &o->sync->member_of;
    const char *name = eb_json_str(raw, "displayName");
    json_t *named;
    size_t i = 0;

    if (list->count == 0)
        return true;
    if (!load_named(db, &named, err))
        return false;
    while (i < list->count && !eb_strieq(list->items[i], id) && !(name != NULL && eb_streq(list->items[i], name)))
        i++;
    if (i < list->count && name != NULL)
        json_object_set_new(named, id, json_integer((json_int_t)i));
    else
        json_object_del(named, id);
    char *text = eb_need(eb_json_canonical(named));
    bool ok = stage_state_put(db, ENTRA_STATE_MEMBER_OF, text, err);
    free(text);
    json_decref(named);
    return ok;
}

static bool entry_is_there(const json_t *named, size_t entry)
{
    const char *id;
    json_t *index;

    json_object_foreach((json_t *)(uintptr_t)named, id, index)
        if (json_integer_value(index) == (json_int_t)entry)
            return true;
    return false;
}

/* Groups that have gone are forgotten here: their raw is not there any more. */
static bool drop_gone(struct db *db, json_t *named, struct eb_err *err)
{
    const char *id;
    json_t *index;
    void *tmp;

    json_object_foreach_safe(named, tmp, id, index) {
        char *raw;
        if (!stage_object_raw(db, id, &raw, err))
            return false;
        if (raw == NULL)
            json_object_del(named, id);
        free(raw);
    }
    return true;
}

/* A name that fits no group would leave nobody in scope, or fewer than are meant: that is a mistake to be mended, not a reason to take people away. */
static bool all_are_there(const struct entra_options *o, const json_t *named, struct eb_err *err)
{
    for (size_t i = 0; i < o->sync->member_of.count; i++)
        if (!entry_is_there(named, i)) {
            char name[128];
            return eb_fail_field(err, EB_GROUP_NOT_FOUND, "sync.member_of", "sync.member_of names \"%s\", and Entra has no group of that name or id: nothing is "
                                 "synchronized until that is mended.", eb_text_clean(o->sync->member_of.items[i], name, sizeof(name)));
        }
    return true;
}

bool entra_groups_settle(struct db *db, const struct entra_options *o, struct eb_err *err)
{
    json_t *named, *index;
    const char **ids, *id;
    size_t count = 0;

    if (o->sync->member_of.count == 0)
        return stage_groups_set(db, NULL, 0, err);
    if (!load_named(db, &named, err))
        return false;
    bool ok = drop_gone(db, named, err) && all_are_there(o, named, err);
    ids = eb_alloc((json_object_size(named) + 1) * sizeof(*ids));
    json_object_foreach(named, id, index)
        ids[count++] = id;
    ok = ok && stage_groups_set(db, ids, count, err);
    free(ids);
    json_decref(named);
    return ok;
}

/* ---- one object ---- */

static bool group_in_scope(const struct entra_options *o, const char *id, const json_t *raw)
{
    const struct config_list *list = &o->sync->groups;
    const char *name = eb_json_str(raw, "displayName");

    if (!o->sync->groups_wanted || name == NULL || name[0] == '\0')
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (eb_strieq(list->items[i], id) || eb_text_matches(list->items[i], name))
            return true;
    return list->count == 0;
}

static bool value_matches(const json_t *value, const char *pattern)
{
    size_t i;
    json_t *item;

    if (json_is_boolean(value))
        return eb_text_matches(pattern, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value)) {
        char *text = eb_asprintf("%lld", (long long)json_integer_value(value));
        bool fits = eb_text_matches(pattern, text);
        free(text);
        return fits;
    }
    json_array_foreach(value, i, item)
        if (json_is_string(item) && eb_text_matches(pattern, json_string_value(item)))
            return true;
    return !json_is_array(value) && eb_text_matches(pattern, json_is_string(value) ? json_string_value(value) : "");
}

static bool passes_filters(const struct entra_options *o, const json_t *raw)
{
    const struct config_sync *c = o->sync;
    bool enabled = eb_json_bool(raw, "accountEnabled", true);

    if (eb_json_str(raw, "userPrincipalName") == NULL || eb_json_bool(raw, ENTRA_REMOVED, false) ||
        (!c->guests && eb_strieq(eb_json_str(raw, "userType"), "Guest")) ||
        (c->accounts == CONFIG_ACCOUNTS_ENABLED && !enabled) || (c->accounts == CONFIG_ACCOUNTS_DISABLED && enabled))
        return false;
    for (size_t i = 0; i < c->filter_count; i++)
        if (!value_matches(json_object_get(raw, c->filters[i].attribute), c->filters[i].matches))
            return false;
    return true;
}

static bool has_account(struct db *db, const struct stage_object *object, bool *ret, struct eb_err *err)
{
    char *account = NULL;
    enum stage_fit fit;
    bool ok = stage_account_of(db, object->mail, object->upn, &account, &fit, err);

    *ret = account != NULL;
    free(account);
    return ok;
}

bool entra_scope(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, bool *ret, struct eb_err *err)
{
    if (object->kind == STAGE_GROUP) {
        *ret = group_in_scope(o, object->id, raw);
        return note_named(db, o, object->id, raw, err);
    }
    *ret = passes_filters(o, raw);
    if (*ret && o->sync->member_of.count > 0 && !stage_in_groups(db, object->n, ret, err))
        return false;
    return !*ret || !o->accounts_first || has_account(db, object, ret, err);
}
