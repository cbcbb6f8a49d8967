/* report.c - the audit row of an operation in its two parts: what stays for ever, and what names people and can be erased. */
#include "ops/report.h"
#include "base/text.h"

#include <string.h>

/* JSON that is stored as text becomes JSON again. Borrowed texts only; a fault leaves it out. */
static void set_json_text(json_t *o, const char *key, const char *text)
{
    json_t *v = NULL;

    if (text != NULL && eb_json_parse_reply((struct eb_span){ text, strlen(text) }, &v, NULL))
        json_object_set_new(o, key, v);
}

static void set_json(json_t *o, const char *key, const json_t *v)
{
    if (v != NULL)
        json_object_set_new(o, key, json_incref((json_t *)(uintptr_t)v));
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(o, key, json_string(text));
}

static char *take_text(json_t *o)
{
    char *text = eb_json_text(o);

    json_decref(o);
    return eb_need(text);
}

char *ops_audit_data(const struct ops_report *r, bool commented)
{
    json_t *o = json_pack("{s:s, s:s, s:b, s:b, s:b}", "name", r->kind, "outcome", r->outcome, "changed", (int)r->changed,
                          "dryRun", (int)r->dry_run, "comment", (int)commented);

    set_text(o, "token", r->token);
    set_text(o, "tokenId", r->token_id);
    set_text(o, "issue", r->issue);
    set_text(o, "issueId", r->issue_id);
    set_text(o, "groupId", r->group_id);
    set_text(o, "code", r->code);
    set_text(o, "rule", r->rule);
    if (r->approvals != NULL)
        json_object_set_new(o, "approvals", json_integer((json_int_t)json_array_size(r->approvals)));
    set_text(o, "undoes", r->undoes);
    set_text(o, "stepOf", r->step_of);
    set_text(o, "requestId", r->request_id);
    set_text(o, "configuration", r->configuration);
    return take_text(o);
}

char *ops_audit_personal(const struct ops_report *r, const char *text_hash)
{
    json_t *o = json_object();

    set_text(o, "userId", r->user_id);
    set_text(o, "userPrincipalName", r->upn);
    set_text(o, "displayName", r->display_name);
    set_text(o, "groupName", r->group_name);
    set_json_text(o, "request", r->request);
    set_text(o, "reason", r->reason);
    set_text(o, "message", r->message);
    set_text(o, "note", r->note);
    set_json(o, "before", r->before);
    set_json(o, "after", r->after);
    set_json(o, "approvals", r->approvals);
    set_text(o, "comment", text_hash);
    return take_text(o);
}
