/* rule_values.c - readers of values that stand in rules of the policy only.
 *
 * Invariant: a list that narrows a rule (statuses, request types, bound fields) is never empty, for empty means all.
 */
#include "config/values.h"

#include "base/text.h"
#include "config/attribute.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 32

static bool names_something(const struct spot *s, const struct node *n)
{
    return n->type != NODE_LIST || n->first != NULL || wrong(s, n, "is an empty list");
}

bool read_names(const struct spot *s, const struct node *n)
{
    return names_something(s, n) && read_texts(s, n, NULL, s->into);
}

static const char *form_number(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 18 && strspn(text, "0123456789") == len ? NULL : "is not a number";
}

bool read_numbers(const struct spot *s, const struct node *n)
{
    return names_something(s, n) && read_texts(s, n, form_number, s->into);
}

static const char *form_attribute(const char *text)
{
    return attribute_find(text) != NULL ? NULL : "names an attribute that is not known here";
}

bool read_attributes(const struct spot *s, const struct node *n)
{
    return read_texts(s, n, form_attribute, s->into);
}

/* ---- bind ---- */

static bool all_of(const char *text, const char *others)
{
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr(others, *text) == NULL)
            return false;
    return true;
}

/* "user", "group", "attributes.jobTitle" */
static bool is_request_field(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 120 && islower((unsigned char)*text) && all_of(text, "._") && strstr(text, "..") == NULL && text[len - 1] != '.';
}

/* customfield_10050, or a field of Jira's own such as reporter */
static bool is_issue_field(const char *text)
{
    static const char custom[] = "customfield_";

    if (strncmp(text, custom, sizeof(custom) - 1) == 0)
        return form_number(text + sizeof(custom) - 1) == NULL;
    return islower((unsigned char)*text) && strlen(text) <= 60 && all_of(text, "");
}

static bool read_pair(const struct spot *s, const struct node *item, struct config_pairs *into)
{
    if (!is_request_field(item->name))
        return wrong(s, item, "binds something that is no field of a request");
    if (!clean_text(s, item))
        return false;
    if (!is_issue_field(item->text))
        return wrong(s, item, "binds to something that is no id of a field in Jira");
    into->items[into->count++] = (struct config_pair){ eb_strdup(item->name), eb_strdup(item->text) };
    return true;
}

/* A mapping, each of whose entries `one` checks and adds; never empty. */
static bool read_pairs(const struct spot *s, const struct node *n, bool (*one)(const struct spot *s, const struct node *item, struct config_pairs *into))
{
    struct config_pairs *into = s->into;
    size_t count = 0;
    bool good = true;

    if (n->type != NODE_MAP)
        return wrong(s, n, "is not a mapping");
    for (const struct node *item = n->first; item != NULL; item = item->next)
        count++;
    if (count == 0 || count > PAIRS_MAX)
        return wrong(s, n, count == 0 ? "is empty" : "has more than 32 fields");
    into->items = eb_alloc(count * sizeof(*into->items));
    for (const struct node *item = n->first; item != NULL; item = item->next)
        good = one(s, item, into) && good;
    return good;
}

bool read_bind(const struct spot *s, const struct node *n)
{
    return read_pairs(s, n, read_pair);
}

/* ---- rules of groups ---- */

static const char *when_fault(const char *name)
{
    const struct attribute *a = attribute_find(name);

    if (a == NULL || (a->flags & ATTRIBUTE_FORBIDDEN) != 0)
        return "names an attribute that is not known here";
    return a->type == ATTRIBUTE_TEXT ? NULL : "names an attribute that is no text";
}

static bool read_condition(const struct spot *s, const struct node *item, struct config_pairs *into)
{
    const char *fault = when_fault(item->name);

    if (fault != NULL)
        return wrong(s, item, fault);
    if (!clean_text(s, item))
        return false;
    into->items[into->count++] = (struct config_pair){ eb_strdup(item->name), eb_strdup(item->text) };
    return true;
}

bool read_when(const struct spot *s, const struct node *n)
{
    return read_pairs(s, n, read_condition);
}

/* ---- people ---- */

/* The name in "group:NAME", or NULL. */
static const char *group_of(const char *text)
{
    static const char start[] = "group:";

    if (strncmp(text, start, sizeof(start) - 1) != 0)
        return NULL;
    for (text += sizeof(start) - 1; *text == ' '; text++)
        ;
    return *text != '\0' ? text : NULL;
}

bool read_group(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *name = group_of(n->text);
    return name != NULL ? keep_text(s, eb_strdup(name)) : wrong(s, n, "names no group");
}

bool read_requester(const struct spot *s, const struct node *n)
{
    static const struct { const char *word; enum config_requester requester; } words[] = {
        { "manager", CONFIG_REQUESTER_MANAGER }, { "self", CONFIG_REQUESTER_SELF }, { "any", CONFIG_REQUESTER_ANY },
    };
    struct config_conditions *into = s->into;

    if (!clean_text(s, n))
        return false;
    for (size_t i = 0; i < EB_LEN(words); i++)
        if (strcmp(words[i].word, n->text) == 0) {
            into->requester = words[i].requester;
            return true;
        }
    const char *name = group_of(n->text);
    if (name == NULL)
        return wrong(s, n, "is not known");
    into->requester = CONFIG_REQUESTER_GROUP;
    into->requester_group = eb_strdup(name);
    return true;
}

/* ---- names and places of new users ---- */

/* Past "{attribute}", or NULL: not closed, or no attribute that is text. */
static const char *past_attribute(const char *at)
{
    char name[64];
    size_t len = strcspn(at + 1, "{}");

    if (at[1 + len] != '}' || len >= sizeof(name))
        return NULL;
    memcpy(name, at + 1, len);
    name[len] = '\0';
    const struct attribute *a = attribute_find(name);
    return a != NULL && a->type == ATTRIBUTE_TEXT && (a->flags & ATTRIBUTE_CREATE) != 0 ? at + len + 2 : NULL;
}

bool read_pattern(const struct spot *s, const struct node *n)
{
    const char *at = n->text;
    bool any = false;

    if (!clean_text(s, n))
        return false;
    for (; *at != '\0' && *at != '@'; any = true) {
        if (*at == '{' && (at = past_attribute(at)) == NULL)
            return wrong(s, n, "has something in { } that is no attribute of a new user");
        if (*at == '\0' || *at == '@' || *at == '{')
            continue;
        if (!isalnum((unsigned char)*at) && strchr("'.-_!#^~", *at) == NULL)
            return wrong(s, n, "holds a character that a user principal name may not have");
        at++;
    }
    if (!any || *at != '@')
        return wrong(s, n, "has no @ with a name before it");
    const char *fault = form_host(at + 1, 48);
    return fault != NULL ? wrong(s, n, fault) : keep_text(s, eb_strdup(n->text));
}

/* Unlike the URLs that the service itself calls it may have a query: Microsoft's own portal takes the tenant there. */
bool read_redirect(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    if (strncasecmp(n->text, "https://", 8) != 0)
        return wrong(s, n, "does not begin with https://");
    size_t host = strcspn(n->text + 8, "/?#");
    if (host == 0 || memchr(n->text + 8, '@', host) != NULL)
        return wrong(s, n, "has no host, or a user before it");
    for (const char *p = n->text; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("-._~:/?#[]@!$&'()*+,;=%", *p) == NULL)
            return wrong(s, n, "holds a character that no URL has");
    return keep_text(s, eb_strdup(n->text));
}
