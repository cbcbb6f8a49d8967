/* attributes.c - the attributes of employees and groups, as one table, and what the configuration adds to it.
 *
 * The order is the one in which a target makes them. An attribute with `from` is one of the source's own and is asked for under that name; the others are made
 * of links and accounts (sync/entra_record.c).
 */
#include "sync/record.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct sync_attribute fixed[] = {
    { STAGE_GROUP, SYNC_GROUP_ID, "id", SYNC_TEXT, .identity = true, .help = "The group's object id in Entra; never changes" },
    { STAGE_GROUP, SYNC_NAME, "displayName", SYNC_TEXT, .label = true, .help = "The group's display name" },
    { STAGE_GROUP, "Description", "description", SYNC_TEXT },
    { STAGE_GROUP, "Email", "mail", SYNC_EMAIL },
    { STAGE_GROUP, SYNC_GROUP_TYPE, NULL, SYNC_TEXT, .help = "Security, Microsoft 365, Mail-enabled security or Distribution; \", dynamic\" where a rule makes its members" },
    { STAGE_GROUP, "On-premises synced", "onPremisesSyncEnabled", SYNC_BOOL },
    { STAGE_GROUP, SYNC_PARENTS, NULL, SYNC_REFERENCE, .many = true, .to = STAGE_GROUP, .relation = "Membership", .help = "Groups that this group is in" },
    { STAGE_GROUP, SYNC_LAST_SEEN, NULL, SYNC_DATE_TIME, .help = "When a synchronization wrote this object last" },
    { STAGE_USER, SYNC_ID, "id", SYNC_TEXT, .identity = true, .help = "The user's object id in Entra; never changes" },
    { STAGE_USER, SYNC_NAME, "displayName", SYNC_TEXT, .label = true, .help = "The full name" },
    { STAGE_USER, "Email", "mail", SYNC_EMAIL },
    { STAGE_USER, "UPN", "userPrincipalName", SYNC_TEXT, .help = "The name to sign in with" },
    { STAGE_USER, "Job title", "jobTitle", SYNC_TEXT },
    { STAGE_USER, "Department", "department", SYNC_TEXT },
    { STAGE_USER, "Office", "officeLocation", SYNC_TEXT },
    { STAGE_USER, "Employee ID", "employeeId", SYNC_TEXT },
    { STAGE_USER, "Account enabled", "accountEnabled", SYNC_BOOL },
    { STAGE_USER, "On-premises synced", "onPremisesSyncEnabled", SYNC_BOOL },
    { STAGE_USER, SYNC_MANAGER, NULL, SYNC_REFERENCE, .to = STAGE_USER, .relation = "Manager" },
    { STAGE_USER, SYNC_MANAGER_ACCOUNT, NULL, SYNC_TEXT, .help = "The manager's Atlassian account, for approvals" },
    { STAGE_USER, SYNC_GROUPS, NULL, SYNC_REFERENCE, .many = true, .to = STAGE_GROUP, .relation = "Membership", .help = "Groups that the user is in directly" },
    { STAGE_USER, SYNC_OWNED, NULL, SYNC_REFERENCE, .many = true, .to = STAGE_GROUP, .relation = "Ownership", .help = "Groups that the user owns" },
    { STAGE_USER, SYNC_JIRA_USER, NULL, SYNC_ACCOUNT },
    { STAGE_USER, SYNC_ACCOUNT_ID, NULL, SYNC_TEXT },
    { STAGE_USER, SYNC_LAST_SEEN, NULL, SYNC_DATE_TIME, .help = "When a synchronization wrote this object last" },
};

#define SAME(ours, word) _Static_assert((int)SYNC_##ours == (int)CONFIG_ATTRIBUTE_##word, "a word of the configuration means another type here")
SAME(TEXT, TEXT);
SAME(EMAIL, EMAIL);
SAME(BOOL, BOOLEAN);
SAME(INTEGER, INTEGER);
SAME(DATE_TIME, DATE);
SAME(URL, URL);

struct sync_schema *sync_schema_new(const struct config_sync *c)
{
    struct sync_schema *s = eb_alloc(sizeof(*s));

    s->attributes = eb_alloc((EB_LEN(fixed) + c->attribute_count) * sizeof(*s->attributes));
    memcpy(s->attributes, fixed, sizeof(fixed));
    s->count = EB_LEN(fixed);
    for (size_t i = 0; i < c->attribute_count; i++) {
        const struct config_sync_attribute *a = &c->attributes[i];
        if (sync_schema_find(s, STAGE_USER, a->name) == NULL)       /* one of ours is never replaced */
            s->attributes[s->count++] = (struct sync_attribute){ STAGE_USER, a->name, a->from, (enum sync_type)a->type };
    }
    return s;
}

void sync_schema_free(struct sync_schema *s)
{
    if (s == NULL)
        return;
    free(s->attributes);
    free(s);
}

const struct sync_attribute *sync_schema_find(const struct sync_schema *s, enum stage_kind kind, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->attributes[i].kind == kind && eb_strieq(s->attributes[i].name, name))
            return &s->attributes[i];
    return NULL;
}

const char *sync_kind_name(enum stage_kind kind)
{
    static const char *const names[STAGE_KINDS] = { "", "Employee", "Group" };

    return names[kind];
}
