/* sync.c - what the sections `assets` and `sync` say: values of their own forms, and what their keys say together.
 *
 * Invariant: what loads can be done as written; a key that would not do what it says beside the others is a fault.
 */
#include "config/reader.h"
#include "config/rules.h"
#include "config/values.h"

#include "base/text.h"
#include "config/attribute.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define ATTRIBUTES_MAX 60               /* Assets advises at most 35 of a type */

/* Assets' own (Key, Name, Created, Updated) and those that every Employee has. */
const char *const config_employee_attributes[] = {
    "Key", "Name", "Created", "Updated", "Entra User ID", "Email", "UPN", "Job title", "Department", "Office", "Employee ID",
    "Account enabled", "On-premises synced", "Manager", "Manager account ID", "Groups", "Owned groups", "Jira user", "Atlassian account ID", "Last seen", "Status", NULL
};

/* ---- values ---- */

bool read_period(const struct spot *s, const struct node *n)
{
    if (n->type != NODE_TEXT || strcmp(n->text, "never") != 0)
        return read_duration(s, n);
    *(int64_t *)s->into = 0;
    return true;
}

/* "HH:MM"; -1: not one. */
static int minute_of(const char *text)
{
    int hour, minute;

    if (strlen(text) != 5 || text[2] != ':')
        return -1;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && !isdigit((unsigned char)text[i]))
            return -1;
    hour = (text[0] - '0') * 10 + text[1] - '0';
    minute = (text[3] - '0') * 10 + text[4] - '0';
    return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

bool read_clock(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    int minute = minute_of(n->text);
    if (minute < 0 && strcmp(n->text, "any") != 0)
        return wrong(s, n, "is no time of day");
    *(int *)s->into = minute;
    return true;
}

#define EXTENSIONS "onPremisesExtensionAttributes"

static bool is_extension_attribute(const char *name)
{
    const struct attribute *all = attribute_find(EXTENSIONS);

    for (size_t i = 0; all->members[i] != NULL; i++)
        if (strcmp(all->members[i], name) == 0)
            return true;
    return false;
}

/* extensionAttribute1 to 15, by themselves or behind the name of the object that holds them; they are kept by themselves. */
static const char *without_object(const char *text)
{
    bool within = strncmp(text, EXTENSIONS ".", sizeof EXTENSIONS) == 0;

    return within && is_extension_attribute(text + sizeof EXTENSIONS) ? text + sizeof EXTENSIONS : text;
}

/* NULL: a value of a person can be read by that name. */
static const char *source_fault(const char *name)
{
    const struct attribute *a = attribute_find(name);

    if (is_extension_attribute(name))
        return NULL;
    if (a == NULL || strcmp(name, "passwordProfile") == 0 || strcmp(name, "identities") == 0)
        return "names an attribute that is not known here";
    return a->type == ATTRIBUTE_OBJECT ? "names an attribute with several members, which is no one value" : NULL;
}

bool read_source(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *name = without_object(n->text), *fault = source_fault(name);
    return fault != NULL ? wrong(s, n, fault) : keep_text(s, eb_strdup(name));
}

/* ---- one further attribute ---- */

static void name_fault(struct reader *r, const char *path, const struct node *n, const char *text)
{
    char key[300];
    const struct node *name = node_child(n, "name", 4);

    snprintf(key, sizeof key, "%s.name", path);
    fault_add(r->faults, name != NULL ? name->line : n->line, key, "%s", text);
}

void check_sync_attribute(struct reader *r, const char *path, const struct node *n, void *item)
{
    const struct config_sync_attribute *a = item, *first = r->c->sync.attributes;

    if (a - first == ATTRIBUTES_MAX)
        name_fault(r, path, n, "is one too many, expected at most 60 further attributes");
    if (a->name == NULL)
        return;
    for (size_t i = 0; config_employee_attributes[i] != NULL; i++)
        if (eb_strieq(config_employee_attributes[i], a->name)) {
            name_fault(r, path, n, "is an attribute that every Employee has, expected another name");
            return;
        }
    for (const struct config_sync_attribute *other = first; other < a; other++)
        if (other->name != NULL && eb_strieq(other->name, a->name)) {
            name_fault(r, path, n, "is the name of an earlier attribute, expected one of its own");
            return;
        }
}

/* ---- together ---- */

static void check_assets(struct reader *r)
{
    struct config *c = r->c;
    bool gateway = c->jira.api_url != NULL && strstr(c->jira.api_url, "/ex/jira/") != NULL;

    if (c->assets.api_url == NULL)
        c->assets.api_url = eb_strdup(gateway ? c->jira.api_url : "https://api.atlassian.com");
    if (c->sync.stage == NULL && c->store_url != NULL)
        c->sync.stage = eb_asprintf("%s.sync", c->store_url + strlen("sqlite:"));
}

void read_check_sync(struct reader *r)
{
    const struct config_sync *s = &r->c->sync;
    const struct { bool wrong; const char *key, *text; } rules[] = {
        { reader_given(r, "sync") && !reader_given(r, "assets"), "sync", "has nowhere to put people and groups, expected a section `assets` beside it (assets: {} will do)" },
        { s->at_minute >= 0 && (s->every_ms == 0 || s->every_ms % DAY_MS != 0), "sync.at", "has no effect unless runs are whole days apart, expected every: 1d or more days beside it" },
        { s->every_ms > 0 && s->jitter_ms >= s->every_ms, "sync.jitter", "is as long as the time between two runs, expected less than `every`" },
        { reader_given(r, "sync.groups.names") && !s->groups_wanted, "sync.groups.names", "has no effect beside include: none, expected include: all" },
        { reader_given(r, "sync.load_above") && s->loading != CONFIG_LOAD_AUTO, "sync.load_above", "has no effect, expected load: auto beside it" },
        { s->loading == CONFIG_LOAD_ALWAYS && !reader_given(r, "assets.import_token"), "sync.load", "has no import source to load by, expected assets.import_token" },
    };

    check_assets(r);
    for (size_t i = 0; i < EB_LEN(rules); i++)
        if (rules[i].wrong)
            fault_add(r->faults, reader_line(r, rules[i].key), rules[i].key, "%s", rules[i].text);
}
