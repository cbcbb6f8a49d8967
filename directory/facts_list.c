/* facts_list.c - lists of Graph's answers, of which only named members are kept.
 *
 * Invariant: a member that is not named is never kept: a phone number in a list of authentication methods goes no further than this.
 */
#include "directory/facts.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

json_t *facts_pick(const json_t *obj, const char *const *members)
{
    if (!json_is_object(obj))
        return NULL;
    json_t *out = eb_need(json_object());
    for (; *members != NULL; members++) {
        json_t *v = json_object_get(obj, *members);
        if (v != NULL)
            json_object_set(out, *members, v);
    }
    return out;
}

static const json_t *list_of(const json_t *page, const char **ret_next)
{
    const json_t *list = json_object_get(page, "value");

    *ret_next = eb_json_str(page, "@odata.nextLink");
    return json_is_array(list) ? list : NULL;
}

bool facts_list_has(const json_t *page, const char *member, const char *value)
{
    const json_t *obj;
    size_t i;

    json_array_foreach(json_object_get(page, "value"), i, obj) {
        const char *have = eb_json_str(obj, member);
        if (have != NULL && eb_strieq(have, value))
            return true;
    }
    return false;
}

bool facts_list_add(json_t **list, const struct facts_list *how, const json_t *page, bool *ret_cut, const char **ret_next)
{
    const json_t *objects = list_of(page, ret_next), *obj;
    size_t i;

    *ret_cut = false;
    if (objects == NULL)
        return false;
    if (*list == NULL)
        *list = eb_need(json_array());
    json_array_foreach(objects, i, obj) {
        const char *type = eb_json_str(obj, "@odata.type");
        if (!json_is_object(obj) || (how->type != NULL && !eb_streq(type, how->type)))
            continue;
        if (json_array_size(*list) >= how->max) {
            *ret_cut = true;
            break;
        }
        json_array_append_new(*list, facts_pick(obj, how->members));
    }
    *ret_cut = *ret_cut || (*ret_next != NULL && json_array_size(*list) >= how->max);
    return true;
}

static bool is_selected(const char *select, const char *name)
{
    for (const char *p = select; *p != '\0'; p += strspn(p, ",")) {
        size_t len = strcspn(p, ",");
        if (strlen(name) == len && strncasecmp(p, name, len) == 0)
            return true;
        p += len;
    }
    return false;
}

bool facts_add_more(json_t *user_json, const json_t *body, const char *select)
{
    const char *name, *id = eb_json_str(body, "id");
    json_t *value;

    if (id == NULL || !eb_strieq(id, eb_json_str(user_json, "id")))
        return false;
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
        if (is_selected(select, name) && json_object_get(user_json, name) == NULL)
            json_object_set(user_json, name, value);
    return true;
}

/* The UPN that a deleted user had: Graph puts the id before it, without dashes. */
static const char *former_upn(const char *id, const char *upn)
{
    const char *p = upn;

    for (; *id != '\0'; id++) {
        if (*id == '-')
            continue;
        if (strncasecmp(p, id, 1) != 0)
            return upn;
        p++;
    }
    return p;
}

bool facts_scan_deleted(const json_t *page, const char *id_or_upn, size_t *count, json_t **first, const char **ret_next)
{
    const json_t *list = list_of(page, ret_next), *obj;
    size_t i;

    if (list == NULL)
        return false;
    json_array_foreach(list, i, obj) {
        const char *id = eb_json_str(obj, "id"), *upn = eb_json_str(obj, "userPrincipalName");
        if (id == NULL || !eb_is_guid(id))
            continue;
        upn = upn == NULL ? NULL : former_upn(id, upn);
        if (!eb_strieq(id, id_or_upn) && (upn == NULL || !eb_strieq(upn, id_or_upn)))
            continue;
        if ((*count)++ > 0 || *first != NULL)
            continue;
        *first = facts_user_json(obj);
        if (upn != NULL)
            json_object_set_new(*first, "userPrincipalName", json_string(upn));
    }
    return true;
}
