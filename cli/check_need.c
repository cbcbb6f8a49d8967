/* check_need.c - what the enabled operations need of Graph: application permissions, and directory roles that the application itself holds.
 *
 * From the kinds' own rows, what protection reads for every user, what the listed attributes need, and what a kind needs where a request asks for more.
 */
#include "base/text.h"
#include "cli/check.h"
#include "ops/kinds.h"

#include <stdio.h>
#include <string.h>

static void add_word(struct check_need *n, const char *word, size_t len)
{
    for (size_t i = 0; i < n->count; i++)
        if (strlen(n->permissions[i]) == len && memcmp(n->permissions[i], word, len) == 0)
            return;
    if (n->count < CHECK_PERMISSIONS_MAX && len < sizeof(n->permissions[0]))
        snprintf(n->permissions[n->count++], sizeof(n->permissions[0]), "%.*s", (int)len, word);
}

static void add_words(struct check_need *n, const char *words, const char *but)
{
    for (const char *at = words; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        if (but == NULL || strlen(but) != len || memcmp(at, but, len) != 0)
            add_word(n, at, len);
        at += len;
    }
}

/* Roles, active and eligible, matter only where their holders are protected; owners of the application always are. */
static void add_protection(struct check_need *n, const struct ops_kind *kind, const struct config_policy *p)
{
    if (ops_kind_field(kind, "user") == NULL)
        return;
    if (p->protect_directory_roles)
        add_words(n, CHECK_ROLES_ELIGIBLE, NULL);
    add_words(n, CHECK_OWNERS_READ, NULL);
}

static void add_attributes(struct check_need *n, const struct config_operation_rule *o)
{
    for (size_t i = 0; strcmp(o->kind, "user.update") == 0 && i < o->attributes.count; i++)
        add_words(n, graph_attribute_permission(o->attributes.items[i]), NULL);
}

/* Writes whose row names a directory role. */
static const char *role_of(const char *kind)
{
    static const struct { const char *kind; enum graph_write_kind write; } rows[] = { { "user.reset_password", GRAPH_USER_PASSWORD } };

    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return graph_write_role(rows[i].write);
    return "";
}

size_t check_needs(const struct config_policy *p, struct check_need ret[CHECK_NEEDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < p->operation_count && count < CHECK_NEEDS_MAX; i++) {
        const struct config_operation_rule *o = &p->operations[i];
        const struct ops_kind *kind = ops_kind_find(o->kind);
        struct check_need *n = &ret[count];

        if (kind == NULL)
            continue;
        *n = (struct check_need){ .kind = kind->name, .role = role_of(kind->name) };
        add_words(n, kind->permissions, p->protect_directory_roles ? NULL : CHECK_ROLES_READ);
        add_protection(n, kind, p);
        add_attributes(n, o);
        count++;
    }
    return count;
}

/* Needed only where a request asks for it, which the policy does not say. */
const char *check_sometimes(const char *kind, const char **ret_when)
{
    static const struct { const char *kind, *permission, *when; } rows[] = {
        { "user.create", "UserAuthMethod-TAP.ReadWrite.All", "for requests with accessPass: true" },
    };

    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0) {
            *ret_when = rows[i].when;
            return rows[i].permission;
        }
    return NULL;
}

/* Roles by template id, each with those that do as well. https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference */
bool check_holds_role(char *const *held, const char *role)
{
    static const struct { const char *role, *ids[3]; } rows[] = {
        { "User Administrator", { "fe930be7-5e62-47db-91af-98c3a49a38b1",       /* itself */
                                  "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",       /* Privileged Authentication Administrator */
                                  "62e90394-69f5-4237-9190-012177145e10" } },   /* Global Administrator */
    };

    for (size_t i = 0; i < EB_LEN(rows); i++)
        for (size_t k = 0; strcmp(rows[i].role, role) == 0 && k < EB_LEN(rows[i].ids); k++)
            for (char *const *id = held; *id != NULL; id++)
                if (eb_strieq(*id, rows[i].ids[k]))
                    return true;
    return false;
}
