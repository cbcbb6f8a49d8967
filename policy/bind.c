/* bind.c - what was approved is what is asked for: fields of the issue that must say the same as the request.
 *
 * Invariant: a field that is absent, says several things, or is no plain value says nothing, and nothing equals nothing.
 */
#include "policy/verdict.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 1100
struct value { char text[VALUE_MAX]; const char *account_id; };     /* account_id: of a person of Jira, else NULL */

static bool keep(struct value *ret, const char *text)
{
    size_t len;

    if (text == NULL)
        return false;
    for (; isspace((unsigned char)*text); text++)
        ;
    for (len = strlen(text); len > 0 && isspace((unsigned char)text[len - 1]); len--)
        ;
    if (len == 0 || len >= sizeof(ret->text))
        return false;
    memcpy(ret->text, text, len);
    ret->text[len] = '\0';
    return true;
}

/* A person ({accountId, emailAddress}), an option ({value}; with a child it is a choice of two), something with a name (a status, a group). */
static bool object_value(const json_t *v, struct value *ret)
{
    ret->account_id = eb_json_str(v, "accountId");
    if (ret->account_id != NULL || json_object_get(v, "emailAddress") != NULL)
        return keep(ret, eb_json_str(v, "emailAddress")) || ret->account_id != NULL;
    if (json_object_get(v, "child") != NULL)
        return false;
    return keep(ret, eb_json_str(v, "value")) || keep(ret, eb_json_str(v, "name"));
}

static bool single_value(const json_t *v, struct value *ret)
{
    char number[40];

    *ret = (struct value){ 0 };
    if (json_is_object(v))
        return object_value(v, ret);
    if (json_is_boolean(v))
        return keep(ret, json_is_true(v) ? "true" : "false");
    if (json_is_number(v)) {
        snprintf(number, sizeof(number), "%.15g", json_number_value(v));
        return keep(ret, number);
    }
    return keep(ret, json_string_value(v));
}

static bool value_of(const json_t *v, struct value *ret)
{
    if (!json_is_array(v))
        return single_value(v, ret);
    return json_array_size(v) == 1 && single_value(json_array_get(v, 0), ret);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && *a != '\0' && eb_strieq(a, b);
}

static bool names_user(const struct policy_case *c, const struct value *issue)
{
    const struct policy_user *u = c->user;
    const struct policy_person *r = &c->evidence->requester;
    bool reporter = issue->account_id != NULL && r->account_id != NULL && strcmp(issue->account_id, r->account_id) == 0 && policy_unmatched(r) == NULL;

    if (u == NULL)
        return false;
    return same(u->id, issue->text) || same(u->upn, issue->text) || same(u->mail, issue->text) || (reporter && same(u->id, r->user_id));
}

static bool names_group(const struct policy_case *c, const struct value *issue)
{
    const struct policy_group *g = c->group;

    return g != NULL && (same(g->id, issue->text) || same(g->name, issue->text));
}

static bool equal(const struct policy_case *c, const char *field, const struct value *request, const struct value *issue)
{
    bool user = strcmp(field, "user") == 0, group = strcmp(field, "group") == 0;

    if (user && c->user != NULL && strcmp(request->text, "reporter") == 0)      /* a word for a person, which the issue's text must not repeat */
        return names_user(c, issue);
    return same(request->text, issue->text) || (user && names_user(c, issue)) || (group && names_group(c, issue));
}

static bool check_pair(const struct policy_case *c, const struct policy_asked *a, const struct config_pair *pair, struct policy_verdict *v)
{
    struct value request, issue;
    struct shown name = policy_show(pair->name), field = policy_show(pair->value);

    if (c->request == NULL || !value_of(eb_json_path(c->request, pair->name), &request))
        return policy_refuse_asked(v, EB_APPROVAL_MISSING, a, "bind", "issue",
                                   "The approval is for a certain %s, and the request names none, or several. Send `%s` with one value.", name.text, name.text);
    if (c->issue->fields == NULL || !value_of(json_object_get(c->issue->fields, pair->value), &issue))
        return policy_refuse_asked(v, EB_APPROVAL_MISSING, a, "bind", "issue",
                                   "The issue's field %s must say which %s was approved, and it is empty, says several things, or is no plain value.", field.text, name.text);
    if (equal(c, pair->name, &request, &issue))
        return true;
    return policy_refuse_asked(v, EB_APPROVAL_MISSING, a, "bind", "issue",
                               "The request's %s is not what was approved: the issue's field %s says another one. Send what the issue says.", name.text, field.text);
}

bool policy_check_bind(const struct policy_case *c, const struct policy_asked *a, struct policy_verdict *v)
{
    for (size_t i = 0; i < a->k->bind.count; i++)
        if (!check_pair(c, a, &a->k->bind.items[i], v))
            return false;
    return true;
}
