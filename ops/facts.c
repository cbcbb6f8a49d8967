/* facts.c - the step that gathers facts: the issue from Jira and the targets from Graph, side by side.
 *
 * A user who is to be the issue's reporter is known only once the issue is: then the three reads follow one another.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "config/attribute.h"

#include <stdlib.h>
#include <string.h>


static bool user_is_reporter(const struct operation *op)
{
    return op->fields.user != NULL && strcmp(op->fields.user, OPS_REPORTER) == 0;
}

static bool moved(const struct operation *op, const struct jira_issue *i)
{
    const char *sent = op->fields.issue;
    bool same = sent[0] >= '0' && sent[0] <= '9' ? strcmp(sent, i->id) == 0 : eb_strieq(sent, i->key);

    return !same || !directory_project_fits(op->ops->parts.directory, i->project_key, i->project_id);
}

static bool gathering(const struct operation *op)
{
    return op != NULL && op->step == 0 && op->awaited > 0;
}

static void on_facts(void *ctx, uint64_t run, struct directory_facts *facts, const struct eb_err *err)
{
    struct operation *op = ops_find(ctx, run);

    if (!gathering(op) || op->outcome != NULL) {
        directory_facts_free(facts);
        return;
    }
    op->awaited--;
    op->facts = facts;
    if (err != NULL)
        op->facts_err = *err;
    ops_ready_wake(op);
}

/* Each name once: Graph refuses one that is asked for twice. */
static void add_name(struct eb_buf *b, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = b->data != NULL ? strstr(b->data, name) : NULL; at != NULL; at = strstr(at + 1, name))
        if (at[-1] == ',' && (at[len] == ',' || at[len] == '\0'))
            return;
    eb_buf_addf(b, ",%s", name);
}

/* Which groups the policy's rules give whom: what is explained tells it too. */
static bool asks_by_rules(const struct operation *op)
{
    return op->explain || (op->kind->change != NULL && op->kind->change->by_group_rules);
}

/* The attributes that the request writes, "jobTitle,department", besides those that the kind always reads; NULL: none. The caller's. */
static char *select_of(const struct operation *op)
{
    const struct config_operation_rule *rule = ops_rule(op);
    const struct config_policy *p = &op->config->policy;
    struct eb_buf b = EB_BUF(KiB(8));
    const char *name;
    json_t *v;

    if (op->kind->select != NULL)
        eb_buf_addf(&b, ",%s", op->kind->select);
    json_object_foreach(json_object_get(op->fields.body, "attributes"), name, v)
        if (attribute_find(name) != NULL && op->kind->change != NULL)
            add_name(&b, name);
    for (size_t i = 0; asks_by_rules(op) && i < p->group_rule_count; i++)
        for (size_t k = 0; k < p->group_rules[i].when.count; k++)
            add_name(&b, p->group_rules[i].when.items[k].name);
    for (size_t i = 0; op->kind->change == NULL && rule != NULL && i < rule->attributes.count; i++)
        add_name(&b, rule->attributes.items[i]);

    char *all = eb_buf_take(&b), *select = all != NULL && all[0] == ',' ? eb_strdup(all + 1) : NULL;
    free(all);
    return select;
}

static bool needs_manager(struct operation *op)
{
    struct policy_needs needs;
    struct ops_policy_case pc;

    ops_case_fill(op, &pc);
    policy_needs(&pc.c, &needs);
    return needs.manager;
}

/* Of a write in doubt it matters what became of whom it was about: a name that means nobody any more would look as if the user were deleted, or as if
 * nothing could be known. */
static const char *whom(const struct operation *op, const char *user)
{
    return op->doubt && op->user_id != NULL ? op->user_id : user;
}

static void look_up(struct operation *op, const char *user)
{
    char *candidates[OPS_UPN_CANDIDATES + 1] = { NULL }, *select = select_of(op);
    const char *manager = ops_field_text(&op->fields, "manager");
    struct directory_query q = {
        .user = whom(op, user), .group = op->fields.group, .other = manager != NULL ? manager : ops_field_text(&op->fields, "mail"), .select = select,
        .search = ops_field_text(&op->fields, "query"), .wants = op->kind->wants, .any_group = op->ends_member,
        .background = op->background, .caller = op->token_name,
    };

    if (op->kind->upns != NULL)
        op->kind->upns(&op->fields, ops_rule(op), candidates);
    q.upns = candidates[0] != NULL ? (const char *const *)candidates : NULL;
    if (needs_manager(op))
        q.wants |= DIRECTORY_MANAGER;
    op->awaited++;
    directory_look_up(op->ops->parts.directory, &q, OPS_READ_DEADLINE_MS, op->run, on_facts, op->ops);
    for (size_t i = 0; candidates[i] != NULL; i++)
        free(candidates[i]);
    free(select);
}

/* ---- the reporter as the user ---- */

static void fail_reporter(struct operation *op, enum policy_match match)
{
    static const char *const why[] = {
        [POLICY_MATCH_UNKNOWN] = "Graph did not tell", [POLICY_MATCH_NONE] = "no user of Entra has that e-mail address as mail, UPN or otherMails",
        [POLICY_MATCH_SEVERAL] = "several users of Entra have that e-mail address", [POLICY_MATCH_GUEST] = "it is a guest's",
        [POLICY_MATCH_NO_EMAIL] = "Jira does not tell the reporter's e-mail address: see the profile's visibility, or the permission of our account",
        [POLICY_MATCH_DISABLED] = "the account with that e-mail address is disabled",
    };

    eb_fail_field(&op->facts_err, match == POLICY_MATCH_SEVERAL ? EB_USER_AMBIGUOUS : EB_USER_NOT_FOUND, "user",
                  "The reporter of the issue was not found in Entra: %s.", why[match]);
}

static void on_reporter(void *ctx, uint64_t run, const struct directory_person *people, size_t count, const struct eb_err *err)
{
    struct operation *op = ops_find(ctx, run);

    if (!gathering(op) || op->outcome != NULL)
        return;
    op->awaited--;
    if (err != NULL)
        op->facts_err = *err;
    else if (count != 1 || people[0].match != POLICY_MATCHED)
        fail_reporter(op, count == 1 ? people[0].match : POLICY_MATCH_UNKNOWN);
    else
        look_up(op, people[0].user_id);
    if (op->awaited == 0)
        ops_ready_wake(op);
}

static void match_reporter(struct operation *op)
{
    struct directory_people_query q = { .emails = { op->issue.reporter_email }, .count = 1, .background = op->background, .caller = op->token_name };

    op->awaited++;
    directory_match_people(op->ops->parts.directory, &q, OPS_READ_DEADLINE_MS, op->run, on_reporter, op->ops);
}

/* ---- the issue ---- */

static bool refused_by_issue(struct operation *op)
{
    struct ops_policy_case pc;

    if (op->ends_member)                /* it needs no permission, and ends also where the issue is gone */
        return false;
    if (op->issue_err.code != EB_OK)
        return true;
    if (op->issue.key == NULL)
        return false;
    ops_case_fill(op, &pc);
    return !policy_decide_issue(&pc.c, &op->verdict);
}

static void keep_issue(struct operation *op, const struct jira_issue *i, const char *fields, int64_t asked_mono_ms)
{
    char *asked = eb_strdup(fields);    /* it may be op's own */

    free(op->issue_fields);
    op->issue_fields = asked;
    ops_issue_free(&op->issue);
    op->issue = (struct jira_issue){
        .id = eb_strdup(i->id), .key = eb_strdup(i->key), .project_id = eb_strdup(i->project_id), .project_key = eb_strdup(i->project_key),
        .status = eb_strdup(i->status), .request_type_id = eb_strdup(i->request_type_id),
        .reporter_account_id = eb_strdup(i->reporter_account_id), .reporter_email = eb_strdup(i->reporter_email),
        .reporter_name = eb_strdup(i->reporter_name), .created_ms = i->created_ms,
        .fields = json_incref((json_t *)(uintptr_t)i->fields),
    };
    op->issue_mono_ms = asked_mono_ms;
    op->moved = moved(op, i);
}

/* The other steps of the composite need not ask again. */
static void lend_issue(const struct operation *op)
{
    struct operation *composite = op->parent != 0 ? ops_find(op->ops, op->parent) : NULL;

    if (composite != NULL)
        keep_issue(composite, &op->issue, op->issue_fields, op->issue_mono_ms);
}

static void on_issue(void *ctx, uint64_t run, const struct jira_issue *i, const struct eb_err *err)
{
    struct operation *op = ops_find(ctx, run);

    if (!gathering(op))
        return;
    op->awaited--;
    if (i == NULL)
        op->issue_err = *err;
    else {
        keep_issue(op, i, op->issue_fields, op->facts_mono_ms);
        lend_issue(op);
        if (user_is_reporter(op) && (op->doubt || !refused_by_issue(op)))
            match_reporter(op);
    }
    ops_ready_wake(op);
}

/* A step goes by what the composite, or another step, has read just now, where the same fields were asked for. */
static bool borrow_issue(struct operation *op, const char *fields)
{
    const struct operation *composite = op->parent != 0 ? ops_find(op->ops, op->parent) : NULL;

    if (composite == NULL || composite->issue.key == NULL || !eb_streq(composite->issue_fields, fields) || eb_mono_ms() - composite->issue_mono_ms > OPS_LENT_MS)
        return false;
    keep_issue(op, &composite->issue, fields, composite->issue_mono_ms);
    return true;
}

/* The issue's fields that a `bind` of the policy may name for this kind: "customfield_10050,customfield_10051"; NULL: none. The caller's. */
static char *bound_fields(const struct operation *op)
{
    const struct config_policy *p = &op->config->policy;
    const struct config_operation_rule *rule = ops_rule(op);
    struct eb_buf b = EB_BUF(KiB(4));

    for (size_t i = 0; rule != NULL && i < rule->conditions.bind.count; i++)
        eb_buf_addf(&b, ",%s", rule->conditions.bind.items[i].value);
    for (size_t g = 0; op->fields.group != NULL && g < p->group_count; g++)
        for (size_t i = 0; i < p->groups[g].conditions.bind.count; i++)
            if (b.data == NULL || strstr(b.data, p->groups[g].conditions.bind.items[i].value) == NULL)
                eb_buf_addf(&b, ",%s", p->groups[g].conditions.bind.items[i].value);

    char *all = eb_buf_take(&b), *fields = all != NULL && all[0] == ',' ? eb_strdup(all + 1) : NULL;
    free(all);
    return fields;
}

static void ask(struct operation *op)
{
    char *more = bound_fields(op);

    ops_forget_facts(op);
    op->facts_mono_ms = eb_mono_ms();
    op->awaited = 0;
    bool borrowed = op->fields.issue != NULL && borrow_issue(op, more);
    if (op->fields.issue != NULL && !borrowed) {
        free(op->issue_fields);
        op->issue_fields = eb_strdup(more);
        op->awaited++;
        jira_issue_get(op->ops->parts.jira, op->fields.issue, more, OPS_READ_DEADLINE_MS, op->run, on_issue, op->ops);
    }
    if (!user_is_reporter(op))
        look_up(op, op->fields.user);
    else if (borrowed && (op->doubt || !refused_by_issue(op)))
        match_reporter(op);
    free(more);
}

enum ops_flow ops_step_gather(struct operation *op)
{
    if (op->phase == OPS_START) {
        ask(op);
        return op->awaited > 0 ? OPS_WAIT : OPS_NEXT;
    }
    if (op->awaited > 0 && (op->doubt || !refused_by_issue(op)))
        return OPS_WAIT;
    return OPS_NEXT;                    /* a refusal by the issue needs no more facts: it comes first in the order */
}
