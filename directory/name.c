/* name.c - one name of the policy on its way to an id.
 *
 * Invariant: the first pin stays. Whatever a name fits later, name_id() is the pinned id; any employee may be able to make
 * a second "VPN Users", and must gain nothing by it.
 * Owns: the lists of ids. Borrows: the texts, from the configuration.
 */
#include "directory/name.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *what, *pin_type, *setting; } kinds[NAME_KIND_COUNT] = {
    [NAME_GROUP]           = { "serviceable group", "group",   "policy.serviceable_groups" },
    [NAME_PROTECTED_GROUP] = { "protected group",   "group",   "policy.protected.groups" },
    [NAME_PROTECTED_USER]  = { "protected user",    "user",    "policy.protected.users" },
    [NAME_DUTY_GROUP]      = { "duty group",        "group",   "policy.separation_of_duties" },
    [NAME_POLICY_GROUP]    = { "policy group",      "group",   "`approvers` or `requester`" },
    [NAME_PROJECT]         = { "project",           "project", "projects" },
};

const char *name_what(enum name_kind kind) { return kinds[kind].what; }
const char *name_pin_type(enum name_kind kind) { return kinds[kind].pin_type; }
const char *name_setting(enum name_kind kind) { return kinds[kind].setting; }

void name_id_copy(char out[NAME_ID_LEN], const char *id)
{
    size_t i = 0;

    for (; id[i] != '\0' && i + 1 < NAME_ID_LEN; i++)
        out[i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] + 32) : id[i];
    out[i] = '\0';
}

static struct name *names_add(struct names *n, enum name_kind kind, const char *text)
{
    struct name *grown = realloc(n->items, (n->count + 1) * sizeof(*grown));

    if (grown == NULL)
        eb_no_memory();
    n->items = grown;
    grown[n->count] = (struct name){ .kind = kind, .text = text, .by_id = kind != NAME_PROJECT && eb_is_guid(text) };
    return &grown[n->count++];
}

static void names_add_once(struct names *n, enum name_kind kind, const char *text)
{
    for (size_t k = 0; k < n->count; k++)
        if (n->items[k].kind == kind && strcmp(n->items[k].text, text) == 0)
            return;
    names_add(n, kind, text);
}

static void names_add_projects(struct names *n, const struct config_projects *p)
{
    for (size_t i = 0; !p->all && i < p->keys.count; i++)
        names_add_once(n, NAME_PROJECT, p->keys.items[i]);
}

static void names_add_conditions(struct names *n, const struct config_conditions *c)
{
    if (c->approvers != NULL)
        names_add_once(n, NAME_POLICY_GROUP, c->approvers);
    if (c->requester_group != NULL)
        names_add_once(n, NAME_POLICY_GROUP, c->requester_group);
}

static void names_add_duties(struct names *n, const struct config_policy *p)
{
    for (size_t i = 0; i < p->duty_count; i++)
        for (size_t k = 0; k < p->duties[i].groups.count; k++)
            names_add(n, NAME_DUTY_GROUP, p->duties[i].groups.items[k])->duty = i;
}

void names_gather(struct names *n, const struct config_policy *p)
{
    *n = (struct names){ 0 };
    for (size_t i = 0; i < p->group_count; i++)
        names_add(n, NAME_GROUP, p->groups[i].group)->rule = &p->groups[i];
    for (size_t i = 0; i < p->protected_groups.count; i++)
        names_add(n, NAME_PROTECTED_GROUP, p->protected_groups.items[i]);
    for (size_t i = 0; i < p->protected_users.count; i++)
        names_add(n, NAME_PROTECTED_USER, p->protected_users.items[i]);
    names_add_duties(n, p);
    for (size_t i = 0; i < p->group_count; i++)
        names_add_conditions(n, &p->groups[i].conditions);
    for (size_t i = 0; i < p->operation_count; i++)
        names_add_conditions(n, &p->operations[i].conditions);
    for (size_t i = 0; i < p->group_count; i++)
        names_add_projects(n, &p->groups[i].projects);
    for (size_t i = 0; i < p->operation_count; i++)
        names_add_projects(n, &p->operations[i].projects);
}

void names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        name_forget_fits(&n->items[i]);
    free(n->items);
    *n = (struct names){ 0 };
}

void names_set_pin(struct names *n, const char *type, const char *text, const char *id)
{
    for (size_t i = 0; i < n->count; i++) {
        struct name *x = &n->items[i];
        if (!x->by_id && strcmp(name_pin_type(x->kind), type) == 0 && strcmp(x->text, text) == 0)
            name_id_copy(x->pin, id);
    }
}

void name_add_fit(struct name *n, const char *id)
{
    char lower[NAME_ID_LEN];

    name_id_copy(lower, id);
    for (size_t i = 0; i < n->fits.count; i++)
        if (strcmp(n->fits.ids[i], lower) == 0)
            return;
    char (*grown)[NAME_ID_LEN] = realloc(n->fits.ids, (n->fits.count + 1) * sizeof(*grown));
    if (grown == NULL)
        eb_no_memory();
    n->fits.ids = grown;
    memcpy(grown[n->fits.count++], lower, sizeof(lower));
}

void name_forget_fits(struct name *n)
{
    free(n->fits.ids);
    n->fits = (struct name_ids){ 0 };
}

/* Does one object of an answer count? A user was asked for by UPN or by mail, so that each one given fits. */
static void read_object(struct name *n, const json_t *obj)
{
    const char *id = eb_json_str(obj, "id"), *display_name = eb_json_str(obj, "displayName");

    if (id == NULL || !eb_is_guid(id))
        return;
    if (n->kind == NAME_PROTECTED_USER || (display_name != NULL && strcmp(display_name, n->text) == 0))
        name_add_fit(n, id);
}

bool name_read_fits(struct name *n, const json_t *body, const char **ret_next)
{
    const json_t *list = json_object_get(body, "value"), *obj;
    size_t i;

    *ret_next = NULL;
    if (!json_is_object(body))
        return false;
    if (n->kind == NAME_PROTECTED_USER && eb_json_str(body, "id") != NULL) {
        read_object(n, body);
        return true;
    }
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, i, obj)
        read_object(n, obj);
    *ret_next = eb_json_str(body, "@odata.nextLink");
    return true;
}

void name_settle(struct name *n)
{
    if (n->by_id)
        n->state = DIRECTORY_BOUND;
    else if (n->fits.count == 0)
        n->state = DIRECTORY_NONE;
    else if (n->fits.count > 1)
        n->state = DIRECTORY_SEVERAL;
    else
        n->state = n->pin[0] == '\0' || strcmp(n->pin, n->fits.ids[0]) == 0 ? DIRECTORY_BOUND : DIRECTORY_MOVED;
}

const char *name_id(const struct name *n)
{
    if (n->by_id)
        return n->text;
    if (n->pin[0] != '\0')
        return n->pin;
    return n->state == DIRECTORY_BOUND && n->fits.count == 1 ? n->fits.ids[0] : NULL;
}

/* What an unpinned name that fits nothing, or several, means for the policy. */
static const char *consequence(const struct name *n)
{
    bool none = n->state == DIRECTORY_NONE;

    switch (n->kind) {
    case NAME_PROTECTED_GROUP:
        return none ? "until it is found every user and group counts as protected" : "all of them are protected";
    case NAME_PROTECTED_USER:
        return none ? "until it is found every user counts as protected" : "all of them are protected";
    case NAME_DUTY_GROUP:
        return none ? "until it is found nobody is added to any group" : "all of them count";
    case NAME_POLICY_GROUP:
        return "nobody counts as its member";
    case NAME_PROJECT:
        return "it is not pinned, so that another project could take its key";
    default:
        return "it permits nothing";
    }
}

const char *name_warning(const struct name *n, char *out, size_t size)
{
    const char *what = name_what(n->kind), *cloud = n->kind == NAME_PROJECT ? "Jira" : "Entra";

    out[0] = '\0';
    if (n->state == DIRECTORY_BOUND)
        return out;
    if (n->state == DIRECTORY_MOVED)
        snprintf(out, size, "%s '%s' is pinned to %s, but the name now fits %s: the pinned one stays in force", what, n->text, n->pin,
                 n->fits.ids[0]);
    else if (n->pin[0] != '\0')
        snprintf(out, size, "%s '%s' is pinned to %s, but the name now fits %s in %s: the pinned one stays in force", what, n->text, n->pin,
                 n->state == DIRECTORY_NONE ? "nothing" : "several", cloud);
    else if (n->state == DIRECTORY_NONE)
        snprintf(out, size, "%s '%s' was not found in %s: correct %s; %s", what, n->text, cloud, name_setting(n->kind), consequence(n));
    else
        snprintf(out, size, "%s '%s' fits %zu in %s: name the right one by its id in %s; %s", what, n->text, n->fits.count, cloud,
                 name_setting(n->kind), consequence(n));
    return out;
}
