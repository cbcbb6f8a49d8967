/* decide.c - the step that decides on what was gathered: policy, a doubt from before, and whether it is still worth doing.
 *
 * Invariant: nothing is written that was not allowed by the facts in hand, judged by the policy and the token of now.
 */
#include "ops/runner.h"
#include "base/text.h"

#include <string.h>

#define YOUNG_AGAIN_MS 1500

static struct policy_issue issue_of(const struct operation *op)
{
    const struct jira_issue *i = &op->issue;

    return (struct policy_issue){
        .key = i->key, .project_key = i->project_key, .project_id = i->project_id, .moved = op->moved, .status = i->status,
        .request_type_id = i->request_type_id, .reporter_account_id = i->reporter_account_id, .created_ms = i->created_ms, .fields = i->fields,
    };
}

static void name_attributes(const struct operation *op, const char *names[OPS_ATTRIBUTES_MAX + 1])
{
    const char *name;
    json_t *v;
    size_t n = 0;

    json_object_foreach(json_object_get(op->fields.body, "attributes"), name, v)
        if (n < OPS_ATTRIBUTES_MAX)
            names[n++] = name;
        else
            names[0] = "";              /* more than can be judged: no attribute has this name, and policy refuses it */
    names[n] = NULL;
}

const char *ops_judged_as(const struct operation *op)
{
    return (op->judged_as != NULL ? op->judged_as : op->kind)->name;
}

bool ops_inherits_approval(const struct operation *op)
{
    return op->is_step && op->judged_as != NULL && op->fields.group == NULL;
}

const struct config_operation_rule *ops_rule(const struct operation *op)
{
    return policy_operation(&op->config->policy, ops_judged_as(op));
}

/* The token is that of now: a revoked one permits nothing. */
void ops_case_fill(struct operation *op, struct ops_policy_case *r)
{
    const struct auth_token *t = (op->waited ? auth_find_later : auth_find)(op->ops->parts.auth, op->token_id);
    const struct ops_change *change = op->kind->change;
    static const char *const nothing[] = { NULL }, *const all[] = { "*", NULL };

    r->caller = (struct policy_caller){ op->token_name, nothing, nothing };
    if (op->by_command || op->ends_member)
        r->caller.operations = r->caller.projects = all;
    else if (op->as_operations != NULL && op->as_projects != NULL) {
        r->caller.operations = (const char *const *)op->as_operations;
        r->caller.projects = (const char *const *)op->as_projects;
    } else if (t != NULL) {
        r->caller.operations = (const char *const *)t->operations;
        r->caller.projects = (const char *const *)t->projects;
    }
    r->issue = issue_of(op);
    name_attributes(op, r->attributes);
    r->c = (struct policy_case){
        .policy = &op->config->policy, .caller = &r->caller, .kind = ops_judged_as(op),
        .changes_user = change != NULL && change->changes_user, .changes_group = change != NULL && change->changes_group,
        .adds_member = change != NULL && change->adds_member, .ends_member = op->ends_member,
        .issue = op->issue.key != NULL ? &r->issue : NULL,
        .user = op->facts != NULL && op->facts->has_user ? &op->facts->user : NULL,
        .group = op->facts != NULL && op->facts->has_group ? &op->facts->group : NULL,
        .now_ms = eb_now_ms(), .duration_ms = ops_duration_ms(op),
        .attributes = r->attributes[0] != NULL ? r->attributes : NULL, .request = op->judged_body != NULL ? op->judged_body : op->fields.body,
        .evidence = op->evidence != NULL ? &op->evidence->seen : NULL,
    };
}

static struct eb_err verdict_error(const struct policy_verdict *v)
{
    struct eb_err e = { 0 };

    eb_fail_field(&e, v->code, v->field != NULL ? v->field : "", "%s", v->reason);
    e.where = v->rule;
    return e;
}

static void pass_issue(struct operation *op)
{
    op->issue_passed = op->fields.issue != NULL;
    if (op->issue_passed && op->comment_issue == NULL) {
        op->comment_issue = eb_strdup(op->issue.id);
        op->comment_key = eb_strdup(op->issue.key);
    }
}

void ops_follow_facts(struct operation *op)
{
    if (op->facts == NULL || op->facts->config == op->config)
        return;
    config_unref(op->config);
    op->config = config_ref(op->facts->config);
}

/* Begun when it was to be written: from now on nothing is. */
static struct eb_err end_of_writing(struct operation *op)
{
    struct eb_err e = { 0 };

    op->verdict.shadow = false;         /* it was not decided in shadow mode: what was written is told as such */
    eb_fail(&e, EB_OPERATION_NOT_PERMITTED, "While the operation waited, the policy was set to shadow mode, in which nothing is written.");
    return e;
}

/* The first refusal or failure, in the order of the design; EB_OK where there is none. */
static struct eb_err judge(struct operation *op)
{
    struct ops_policy_case pc;

    op->issue_passed = false;
    if (op->issue_err.code != EB_OK && !op->ends_member)
        return op->issue_err;
    ops_follow_facts(op);
    ops_case_fill(op, &pc);
    if (!op->ends_member) {
        if (!policy_decide_issue(&pc.c, &op->verdict))
            return verdict_error(&op->verdict);
        pass_issue(op);
    }
    if (op->facts_err.code != EB_OK)
        return op->facts_err;
    if (op->evidence != NULL && op->evidence->err.code != EB_OK)
        return op->evidence->err;
    json_decref(op->approvals);
    op->approvals = evidence_json(op->evidence);
    if (!policy_decide(&pc.c, &op->verdict))
        return verdict_error(&op->verdict);
    return op->row >= 0 && op->verdict.shadow ? end_of_writing(op) : (struct eb_err){ 0 };
}

static bool is_outage(enum eb_code code)
{
    return code == EB_ENTRA_UNAVAILABLE || code == EB_JIRA_UNAVAILABLE || code == EB_ENTRA_PERMISSION_MISSING ||
           code == EB_OVERLOADED || code == EB_STARTING || code == EB_INTERNAL;
}

static bool passes_by_itself(enum eb_code code)
{
    return code == EB_ENTRA_UNAVAILABLE || code == EB_JIRA_UNAVAILABLE || code == EB_OVERLOADED || code == EB_STARTING;
}

void ops_begun(struct operation *op, int64_t at_ms)
{
    op->begun_ms = at_ms;
    op->begun_mono_ms = eb_mono_ms() - (eb_now_ms() - at_ms);
}

bool ops_too_old(const struct operation *op)
{
    return eb_mono_ms() - op->begun_mono_ms > op->config->recovery_max_age_ms;
}

/* ---- what is to be written ---- */

static bool has_targets(const struct operation *op)
{
    const struct directory_facts *f = op->facts;

    return f != NULL && (!f->has_user || f->user.found) && (!f->has_group || f->group.found) && !f->user.ambiguous;
}

/* What was found out about a write whose answer was lost is kept: a later plan may not see it any more. */
static void take_plan(struct operation *op, const struct ops_plan *p)
{
    static const char *const names[] = { "userPrincipalName", "displayName" };

    op->lost |= p->lost;
    if (p->made_id[0] == '\0' || eb_json_str(op->result, "userId") != NULL)
        return;
    if (op->result == NULL)
        op->result = json_object();
    json_object_set_new(op->result, "userId", json_string(p->made_id));
    for (size_t i = 0; i < EB_LEN(names); i++)
        if (eb_json_str(p->after, names[i]) != NULL)
            json_object_set(op->result, names[i], json_object_get(p->after, names[i]));
}

bool ops_plan_make(struct operation *op, struct ops_plan *p, struct eb_err *err)
{
    const struct ops_case c = {
        .kind = op->kind, .fields = &op->fields, .rule = ops_rule(op), .facts = op->facts,
        .graph = op->ops->parts.graph, .recorded = op->row >= 0 ? op->before : NULL, .wanted = op->row >= 0 ? op->after : NULL,
        .doubt = op->doubt, .stale = op->stale, .sent_ms = op->sent_ms, .now_ms = eb_now_ms(), .secret = op->secret,
        .latest = op->row >= 0 ? (int)op->row_kind : -1, .made_id = eb_json_str(op->result, "userId"), .lost = op->lost,
    };

    *p = (struct ops_plan){ 0 };
    if (op->kind->change->plan(&c, p, err)) {
        take_plan(op, p);
        return true;
    }
    ops_plan_clear(p);
    return false;
}

bool ops_is_done(const struct ops_plan *p)
{
    return p->count == 0 && !p->unknown;
}

/* ---- after a doubt ---- */

static enum ops_flow end_unknown(struct operation *op)
{
    struct eb_err e = { 0 };

    eb_fail(&e, EB_ENTRA_UNAVAILABLE, "The change was sent to Entra and no answer came; whether it happened could not be found out. Look at the user in Entra.");
    return ops_end(op, "unknown", &e);
}

/* The name in the request has come to mean somebody else since the write was recorded. */
static bool target_moved(const struct operation *op)
{
    const struct directory_facts *f = op->facts;

    return (op->row >= 0 || op->waited) && f != NULL && ((op->user_id != NULL && f->user.found && !eb_strieq(op->user_id, f->user.id)) ||
                                         (op->group_id != NULL && f->group.found && !eb_strieq(op->group_id, f->group.id)));
}

static enum ops_flow end_moved(struct operation *op)
{
    struct eb_err e = { 0 };

    eb_fail_field(&e, EB_USER_NOT_FOUND, "user", "While the operation waited, this name has come to mean another user. Nothing more was changed; send the request again.");
    return ops_fail(op, "failed", &e);
}

/* A deleted user is not found any more by the operation that deleted it: that, too, is for its plan to say. */
static bool can_plan(const struct operation *op)
{
    return has_targets(op) || (op->facts != NULL && op->kind->change->plans_without_target);
}

static enum ops_flow found_done(struct operation *op)
{
    op->changed |= op->differs;
    op->doubt = false;
    op->confirmed++;
    op->row_state = "done";
    return ops_end(op, "succeeded", NULL);
}

/* What do the facts say about the write that was sent? (docs/decisions, "Doubt") */
static enum ops_flow settle(struct operation *op, const struct eb_err *refusal)
{
    struct eb_err err = { 0 };
    struct ops_plan p = { 0 };
    bool planned = can_plan(op) && !target_moved(op) && ops_plan_make(op, &p, &err), done = planned && ops_is_done(&p);
    bool tells = planned && !p.unknown;
    int64_t can_land_ms = op->sent_mono_ms + GRAPH_WRITE_DEADLINE_MS - eb_mono_ms();

    ops_plan_clear(&p);
    if (target_moved(op))
        return end_unknown(op);
    if (done)
        return found_done(op);
    if (is_outage(refusal->code) && !ops_too_old(op)) {     /* a write may have left: go on until it is known */
        ops_retry_in(op, 10000);
        return OPS_WAIT;
    }
    if (op->refusal.code != EB_OK)
        refusal = &op->refusal;
    if (refusal->code == EB_OK && op->kind->change->settle != OPS_SETTLE_LOOK)
        return OPS_NEXT;
    if (can_land_ms > 0) {
        ops_retry_in(op, can_land_ms);
        return OPS_WAIT;
    }
    if (!tells)
        return end_unknown(op);
    if (refusal->code == EB_OK)
        return OPS_NEXT;
    return ops_end(op, "unknown", refusal);     /* it looks undone; but a read may be older than the write, and nothing more may be sent */
}

/* ---- the step ---- */

static bool expired(const struct operation *op)
{
    return op->recovered && !op->is_step && !op->doubt && op->confirmed == 0 && op->at_ms == 0 && ops_too_old(op);   /* a step ends what was begun */
}

static enum ops_flow end_expired(struct operation *op)
{
    struct eb_err e = { 0 };

    eb_fail(&e, EB_ENTRA_UNAVAILABLE, "The service was down for too long: the request was not carried out. Send it again if it still holds.");
    return ops_end(op, "expired", &e);
}

/* A list that Graph did not give is no empty list. */
static enum ops_flow end_read(struct operation *op)
{
    const struct ops_case c = {
        .kind = op->kind, .fields = &op->fields, .rule = ops_rule(op), .facts = op->facts,
    };
    EB_AUTO(json_t, json_decref) told = op->kind->read != NULL ? op->kind->read(&c) : json_null();
    struct eb_err e = { 0 };

    if (told != NULL)
        return ops_end(op, "succeeded", NULL);
    eb_fail(&e, EB_ENTRA_PERMISSION_MISSING, "Graph did not tell what was asked. Grant the app registration User.Read.All and GroupMember.Read.All.");
    return ops_end(op, "failed", &e);
}

/* Graph finds a new user only after some seconds. */
static bool is_young(const struct operation *op, const struct eb_err *e)
{
    return e->code == EB_USER_NOT_FOUND && eb_mono_ms() < op->young_mono_ms;
}

enum ops_flow ops_step_decide(struct operation *op)
{
    if (op->phase == OPS_READY)         /* the wait below, or of settle(), is over */
        return OPS_AGAIN;

    struct eb_err e = judge(op);

    if (is_young(op, &e)) {
        ops_retry_in(op, YOUNG_AGAIN_MS);
        return OPS_WAIT;
    }

    if (op->doubt)
        return settle(op, &e);
    if (expired(op))
        return end_expired(op);
    if (op->waited && passes_by_itself(e.code) && !ops_too_old(op)) {
        ops_retry_in(op, 30000);        /* nobody sends it again, so that it is tried again here */
        return OPS_WAIT;
    }
    if (e.code != EB_OK)
        return ops_fail(op, is_outage(e.code) ? "failed" : "refused", &e);
    if (op->kind->change == NULL)
        return end_read(op);
    return target_moved(op) ? end_moved(op) : OPS_NEXT;
}
