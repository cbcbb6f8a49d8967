/* plan_case.h - a plan as a row of a table: facts and request as JSON in, what stands before and after and what would be written as JSON out. */
#ifndef TESTS_PLAN_CASE_H
#define TESTS_PLAN_CASE_H

#include "base/clock.h"
#include "base/text.h"
#include "ops/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADA "a0000000-0000-4000-8000-000000000001"
#define BOB "a0000000-0000-4000-8000-000000000002"
#define SENT 1795000000000              /* 2026-11-18 */

enum { DOUBT = 1, STALE = 2 };

struct plan_case {
    const struct ops_change *change;
    /* user: {"id", "displayName", ...}, as Graph gave it; other, manager, skus, methods, passes, taken likewise. A member that is absent was not told. */
    const char *facts;
    const char *body;                   /* the request */
    const char *recorded, *wanted;      /* NULL: nothing was sent */
    unsigned how;
    /* What is to come out; of a failure only the code, and a part of the text. NULL: not looked at. */
    const char *before, *after, *writes;    /* writes: [{"KIND": body or null, "to": object, ...}] */
    enum eb_code code;
    const char *text;
    bool unknown, lost;
    const char *why;
    int latest;                             /* kind of the write that was sent last, and one more; 0: none is told */
    const char *made;                       /* whom Graph's answer said was made */
    const char *found;                      /* whom the plan finds to be made */
};

/* Graph itself is not asked: the only thing of it that a plan needs. */
char *graph_object_link(const struct graph *g, const char *id)
{
    return eb_asprintf("https://graph/%s", id);
}

static const char *const plan_write_names[GRAPH_WRITE_KINDS] = {
    "member.add", "member.remove", "user.create", "user.patch", "user.enable", "user.disable", "user.password", "user.delete", "user.restore", "user.invite",
    "manager.set", "manager.remove", "licenses.assign", "sessions.revoke", "pass.create", "pass.delete", "method.delete",
};

static inline json_t *plan_json(const char *text, const char *why)
{
    json_t *v = text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    if (text != NULL && v == NULL)
        fail_msg("%s: no JSON: %s", why, text);
    return v;
}

static inline void plan_read_user(const json_t *j, struct policy_user *u)
{
    u->found = eb_json_str(j, "id") != NULL;
    u->ambiguous = eb_json_bool(j, "ambiguous", false);
    u->id = eb_json_str(j, "id");
    u->upn = eb_json_str(j, "userPrincipalName");
    u->display_name = eb_json_str(j, "displayName");
    u->upn = u->found && u->upn == NULL ? "ada@contoso.com" : u->upn;
}

/* Borrows everything from doc. */
static inline void plan_read_facts(const json_t *doc, struct directory_facts *f)
{
    const json_t *enabled = json_object_get(json_object_get(doc, "user"), "accountEnabled"), *member = json_object_get(doc, "member");

    *f = (struct directory_facts){
        .has_user = json_object_get(doc, "user") != NULL, .user_json = json_object_get(doc, "user"), .has_other = json_object_get(doc, "other") != NULL,
        .group_json = json_object_get(doc, "group"), .manager_json = json_object_get(doc, "manager"), .groups_json = json_object_get(doc, "groups"),
        .members_json = json_object_get(doc, "members"), .skus_json = json_object_get(doc, "skus"), .methods_json = json_object_get(doc, "methods"),
        .passes_json = json_object_get(doc, "passes"), .taken_json = json_object_get(doc, "taken"), .found_json = json_object_get(doc, "found"),
        .account_enabled = enabled == NULL ? POLICY_UNKNOWN : json_is_true(enabled) ? POLICY_YES : POLICY_NO,
        .member = member == NULL ? POLICY_UNKNOWN : json_is_true(member) ? POLICY_YES : POLICY_NO,
    };
    plan_read_user(f->user_json, &f->user);
    plan_read_user(json_object_get(doc, "other"), &f->other);
    f->group.id = BOB;
}

static inline json_t *plan_shown_write(const struct ops_write *w)
{
    json_t *o = json_object();

    json_object_set_new(o, plan_write_names[w->kind], w->body != NULL ? json_deep_copy(w->body) : json_null());
    if (w->object[0] != '\0' && strcmp(w->object, "user:" ADA) != 0)
        json_object_set_new(o, "to", json_string(w->object));
    if (w->user_id[0] != '\0' && strcmp(w->user_id, ADA) != 0)
        json_object_set_new(o, "user", json_string(w->user_id));
    if (w->other_id[0] != '\0')
        json_object_set_new(o, "other", json_string(w->other_id));
    if (w->method_type != NULL)
        json_object_set_new(o, "type", json_string(w->method_type));
    if (w->method_id[0] != '\0')
        json_object_set_new(o, "method", json_string(w->method_id));
    return o;
}

static inline void plan_expect(const char *what, const char *expected, json_t *is, const char *why)
{
    json_t *e = plan_json(expected, why);
    char *shown = json_dumps(is, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);

    if (e != NULL && json_equal(e, is) != 1)
        fail_msg("%s: %s is %s", why, what, shown);
    free(shown);
    json_decref(e);
}

static inline void plan_check(const struct plan_case *k, const struct ops_plan *p)
{
    json_t *writes = json_array();

    for (size_t i = 0; i < p->count; i++)
        json_array_append_new(writes, plan_shown_write(&p->writes[i]));
    plan_expect("before", k->before, p->before, k->why);
    plan_expect("after", k->after, p->after, k->why);
    plan_expect("writes", k->writes, writes, k->why);
    if (p->unknown != k->unknown || p->lost != k->lost)
        fail_msg("%s: unknown %d lost %d", k->why, p->unknown, p->lost);
    if (k->unknown && p->count > 0)
        fail_msg("%s: unknown, and something would be sent", k->why);
    if (k->found != NULL && strcmp(p->made_id, k->found) != 0)
        fail_msg("%s: finds \"%s\"", k->why, p->made_id);
    if (k->text != NULL && strstr(p->note, k->text) == NULL)
        fail_msg("%s: note \"%s\"", k->why, p->note);
    json_decref(writes);
}

static inline void plan_run(const struct plan_case *k, const struct config_operation_rule *rule, const char *secret)
{
    json_t *doc = plan_json(k->facts, k->why), *recorded = plan_json(k->recorded, k->why), *wanted = plan_json(k->wanted, k->why);
    struct directory_facts facts;
    struct ops_fields fields = { .body = plan_json(k->body != NULL ? k->body : "{}", k->why) };
    struct ops_plan p = { 0 };
    struct eb_err err = { 0 };

    plan_read_facts(doc, &facts);
    fields.dry_run = eb_json_bool(fields.body, "dryRun", false);
    fields.user = (char *)(uintptr_t)eb_json_str(fields.body, "user");
    const struct ops_case c = {
        .fields = &fields, .rule = rule, .facts = &facts, .recorded = recorded, .wanted = wanted, .doubt = (k->how & DOUBT) != 0, .stale = (k->how & STALE) != 0,
        .sent_ms = recorded != NULL ? SENT : 0, .now_ms = SENT + 60000, .secret = secret,
        .latest = k->latest - 1, .made_id = k->made,
    };
    bool ok = k->change->plan(&c, &p, &err);

    if (ok != (k->code == EB_OK) || err.code != k->code)
        fail_msg("%s: %s %s", k->why, eb_code_text(err.code), err.text);
    if (!ok && k->text != NULL && strstr(err.text, k->text) == NULL)
        fail_msg("%s: says \"%s\"", k->why, err.text);
    if (ok)
        plan_check(k, &p);
    ops_plan_clear(&p);
    json_decref(fields.body);
    json_decref(doc);
    json_decref(recorded);
    json_decref(wanted);
}

#endif
