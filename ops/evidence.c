/* evidence.c - the step that reads what the policy's conditions ask for: approvals and edits from Jira side by side, then the people in Entra.
 *
 * Owns:    struct evidence of an operation; it is dropped with the facts, so that every judgement has evidence of its own. The steps of a composite share what one of them,
 *          or the composite, has read just now for the same conditions: nobody changes it once it is whole.
 * Invariant: what was not read stays unknown, and unknown refuses; the caller is never believed about an approval.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "store/approval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evidence *evidence_new(const struct policy_needs *needs)
{
    struct evidence *e = eb_alloc(sizeof *e);

    e->references = 1;
    e->asked_mono_ms = eb_mono_ms();
    e->needs = *needs;
    e->seen.approvals = e->approvals;
    return e;
}

static void free_person(const struct policy_person *p)
{
    free((void *)(uintptr_t)p->account_id);
    free((void *)(uintptr_t)p->name);
    free((void *)(uintptr_t)p->user_id);
}

void evidence_free(struct evidence *e)
{
    if (e == NULL || --e->references > 0)
        return;
    for (size_t i = 0; i < e->seen.approval_count; i++) {
        free((void *)(uintptr_t)e->approvals[i].id);
        free((void *)(uintptr_t)e->approvals[i].name);
    }
    for (size_t i = 0; i < e->approver_count; i++) {
        free_person(&e->approvers[i].person);
        free(e->emails[i]);
    }
    for (size_t i = 0; i < e->seen.edit_count; i++)
        free((void *)(uintptr_t)e->edits[i].field_id);
    free(e->edits);
    free_person(&e->seen.requester);
    free(e);
}

static struct evidence *awaiting(struct ops *o, uint64_t run, struct operation **ret)
{
    struct operation *op = *ret = ops_find(o, run);

    return op != NULL && op->step == 1 && op->outcome == NULL && op->evidence != NULL && op->evidence->awaited > 0 ? op->evidence : NULL;
}

static void came(struct operation *op, const struct eb_err *err)
{
    struct evidence *e = op->evidence;

    e->awaited--;
    if (err != NULL && e->err.code == EB_OK)
        e->err = *err;
    if (e->awaited == 0)
        ops_ready_wake(op);
}

/* ---- approvals ---- */

static void keep_approver(struct evidence *e, const struct jira_approver *from)
{
    static const enum policy_decision decisions[] = {
        [JIRA_PENDING] = POLICY_PENDING, [JIRA_APPROVED] = POLICY_APPROVED, [JIRA_DECLINED] = POLICY_DECLINED,
    };

    e->emails[e->approver_count] = eb_strdup(from->email);
    e->approvers[e->approver_count++] = (struct policy_approver){
        .person = { .account_id = eb_strdup(from->account_id), .name = eb_strdup(from->name) }, .decision = decisions[from->decision],
    };
}

static bool keep_approval(struct evidence *e, const struct jira_approval *from)
{
    static const enum policy_decision decisions[] = {
        [JIRA_PENDING] = POLICY_PENDING, [JIRA_APPROVED] = POLICY_APPROVED, [JIRA_DECLINED] = POLICY_DECLINED,
    };

    if (e->seen.approval_count == EVIDENCE_APPROVALS_MAX || e->approver_count + from->approver_count > EVIDENCE_APPROVERS_MAX)
        return false;
    e->approvals[e->seen.approval_count++] = (struct policy_approval){
        .id = eb_strdup(from->id), .name = eb_strdup(from->name), .decision = decisions[from->decision],
        .created_ms = from->created_ms, .completed_ms = from->completed_ms,
        .approvers = &e->approvers[e->approver_count], .approver_count = from->approver_count,
    };
    for (size_t i = 0; i < from->approver_count; i++)
        keep_approver(e, &from->approvers[i]);
    return true;
}

static void on_approvals(void *ctx, uint64_t run, const struct jira_approval *approvals, size_t count, const struct eb_err *err)
{
    struct operation *op;
    struct evidence *e = awaiting(ctx, run, &op);

    if (e == NULL)
        return;
    e->seen.approvals_told = err == NULL;
    for (size_t i = 0; i < count && e->seen.approvals_told; i++)
        e->seen.approvals_told = keep_approval(e, &approvals[i]);
    came(op, err);
}

static void on_edits(void *ctx, uint64_t run, const struct jira_edit *edits, size_t count, const struct eb_err *err)
{
    struct operation *op;
    struct evidence *e = awaiting(ctx, run, &op);

    if (e == NULL)
        return;
    e->edits = eb_alloc((count + 1) * sizeof *e->edits);
    for (size_t i = 0; i < count; i++)
        e->edits[i] = (struct policy_edit){ eb_strdup(edits[i].field_id), edits[i].at_ms };
    e->seen.edits = e->edits;
    e->seen.edit_count = count;
    e->seen.edits_told = err == NULL;
    came(op, err);
}

/* ---- people ---- */

static void take_person(struct policy_person *to, const struct directory_person *from, size_t first_group)
{
    to->match = from->match;
    if (from->match == POLICY_MATCHED)
        to->user_id = eb_strdup(from->user_id);
    for (size_t i = 0; i < 2; i++)
        to->in_group[i] = from->in_group[first_group + i];
}

/* The reporter comes first; then those who have approved, of whom there are no more than were asked for. */
static void on_people(void *ctx, uint64_t run, const struct directory_person *people, size_t count, const struct eb_err *err)
{
    struct operation *op;
    struct evidence *e = awaiting(ctx, run, &op);
    size_t n = 1;

    if (e == NULL)
        return;
    if (err == NULL && count > 0)
        take_person(&e->seen.requester, &people[0], 2);
    for (size_t i = 0; i < e->approver_count && err == NULL; i++)
        if (e->approvers[i].decision == POLICY_APPROVED && n < count)
            take_person(&e->approvers[i].person, &people[n++], 0);
    came(op, err);
}

static void ask_people(struct operation *op)
{
    struct evidence *e = op->evidence;
    struct directory_people_query q = {
        .emails = { op->issue.reporter_email }, .count = 1,
        .groups = { e->needs.approver_group[0], e->needs.approver_group[1], e->needs.requester_group[0], e->needs.requester_group[1] },
    };

    for (size_t i = 0; i < e->approver_count && q.count < DIRECTORY_PEOPLE_MAX; i++)
        if (e->approvers[i].decision == POLICY_APPROVED)
            q.emails[q.count++] = e->emails[i];
    e->awaited++;
    directory_match_people(op->ops->parts.directory, &q, OPS_READ_DEADLINE_MS, op->run, on_people, op->ops);
}

/* ---- have these approvals served before? ---- */

struct used_job { struct ops *ops; uint64_t run; char *issue, *approval, *kind, *user, *group, *id; bool used; };

static bool used_job(struct db *db, void *arg, struct eb_err *err)
{
    struct used_job *j = arg;

    return approval_used(db, &(struct approval_use){ j->issue, j->approval, j->kind, j->user, j->group, j->id }, &j->used, err);
}

static void on_used(void *arg, const struct eb_err *err)
{
    struct used_job *j = arg;
    struct operation *op;
    struct evidence *e = awaiting(j->ops, j->run, &op);

    if (e != NULL)
        e->seen.approval_used = err != NULL ? POLICY_UNKNOWN : j->used ? POLICY_YES : POLICY_NO;
    free(j->issue);
    free(j->approval);
    free(j->user);
    free(j->group);
    free(j->id);
    free(j);
    if (e != NULL)
        came(op, NULL);
}

const char *evidence_newest(const struct evidence *e)
{
    const struct policy_approval *newest = NULL;

    for (size_t i = 0; e != NULL && i < e->seen.approval_count; i++)
        if (newest == NULL || e->approvals[i].completed_ms >= newest->completed_ms)
            newest = &e->approvals[i];
    return newest != NULL ? newest->id : NULL;
}

/* The operation may be gone when the store answers: a repeat is dropped as soon as the first commit has told that it is one. */
static void ask_used(struct operation *op)
{
    struct used_job *j = eb_alloc(sizeof *j);
    const struct directory_facts *f = op->facts;

    *j = (struct used_job){
        .ops = op->ops, .run = op->run, .issue = eb_strdup(op->issue.id), .approval = eb_strdup(evidence_newest(op->evidence)), .kind = (char *)(uintptr_t)op->kind->name,
        .user = eb_strdup(f != NULL ? f->user.id : NULL), .group = eb_strdup(f != NULL ? f->group.id : NULL), .id = eb_strdup(op->id),
    };
    op->evidence->awaited++;
    store_submit(op->ops->parts.store, used_job, j, on_used);
}

json_t *evidence_json(const struct evidence *e)
{
    static const char *const words[] = { [POLICY_PENDING] = "pending", [POLICY_APPROVED] = "approved", [POLICY_DECLINED] = "declined" };
    json_t *all = e != NULL && e->seen.approval_count > 0 ? json_array() : NULL;
    char when[EB_TIME_LEN];

    for (size_t i = 0; all != NULL && i < e->seen.approval_count; i++) {
        const struct policy_approval *a = &e->approvals[i];
        json_t *people = json_array();

        for (size_t n = 0; n < a->approver_count; n++)
            json_array_append_new(people, json_pack("{s:s, s:s?, s:s}", "accountId", a->approvers[n].person.account_id, "name", a->approvers[n].person.name,
                                                    "decision", words[a->approvers[n].decision]));
        json_array_append_new(all, json_pack("{s:s, s:s?, s:s, s:s?, s:o}", "id", a->id, "name", a->name, "decision", words[a->decision],
                                             "completed", a->completed_ms > 0 ? eb_time_format(a->completed_ms, when) : NULL, "approvers", people));
    }
    return all;
}

/* ---- was this user deleted by us? ---- */

#define DELETED_SKEW_MS 300000          /* Microsoft's clock against ours */

struct deleted_job { struct ops *ops; uint64_t run; char object[OPS_OBJECT_MAX]; int64_t sent_ms, answered_ms; };

static bool deleted_job(struct db *db, void *arg, struct eb_err *err)
{
    struct deleted_job *j = arg;

    return journal_last_written(db, "user.delete", j->object, &j->sent_ms, &j->answered_ms, err);
}

/* Graph tells no groups of a deleted user. One whom we deleted was not protected then, and nobody could give them groups or roles since: if it was
 * this deletion, and not a later one by somebody else. */
static void on_deleted(void *arg, const struct eb_err *err)
{
    struct deleted_job *j = arg;
    struct operation *op;
    bool awaited = awaiting(j->ops, j->run, &op) != NULL;
    const char *when = awaited ? eb_json_str(op->facts->user_json, "deletedDateTime") : NULL;
    struct eb_err e = { 0 };
    int64_t deleted_ms = 0;

    if (awaited)
        op->facts->user.deleted_by_us = err == NULL && j->sent_ms > 0 && when != NULL && eb_time_parse(when, &deleted_ms, &e) &&
                                        deleted_ms >= j->sent_ms - DELETED_SKEW_MS && deleted_ms <= j->answered_ms + DELETED_SKEW_MS;
    free(j);
    if (awaited)
        came(op, NULL);
}

static void ask_deleted(struct operation *op)
{
    struct deleted_job *j = eb_alloc(sizeof *j);

    j->ops = op->ops;
    j->run = op->run;
    snprintf(j->object, sizeof j->object, "user:%s", op->facts->user.id);
    op->evidence->awaited++;
    store_submit(op->ops->parts.store, deleted_job, j, on_deleted);
}

static bool wants_deleted(const struct operation *op)
{
    return (op->kind->wants & DIRECTORY_DELETED) != 0 && op->facts != NULL && op->facts->user.found && !op->facts->user.ambiguous;
}

/* ---- the step ---- */

static void ask_jira(struct operation *op)
{
    struct evidence *e = op->evidence;
    struct jira *j = op->ops->parts.jira;

    if (e->needs.approvals) {
        e->awaited++;
        jira_approvals_get(j, op->issue.id, OPS_READ_DEADLINE_MS, op->run, on_approvals, op->ops);
    }
    if (e->needs.edits) {
        e->awaited++;
        jira_edits_get(j, op->issue.id, OPS_READ_DEADLINE_MS, op->run, on_edits, op->ops);
    }
    e->seen.requester.account_id = eb_strdup(op->issue.reporter_account_id);
    e->seen.requester.name = eb_strdup(op->issue.reporter_name);
}

static void ask_rest(struct operation *op)
{
    struct evidence *e = op->evidence;
    bool approved = false;

    e->matched = true;
    for (size_t i = 0; i < e->approver_count; i++)
        approved |= e->approvers[i].decision == POLICY_APPROVED;
    if (approved || e->needs.reporter)
        ask_people(op);
    if (ops_inherits_approval(op))
        e->seen.approval_used = POLICY_NO;
    else if (evidence_newest(e) != NULL)
        ask_used(op);
}

/* ---- shared by the steps of a composite ---- */

static bool same_needs(const struct policy_needs *a, const struct policy_needs *b)
{
    bool same = a->approvals == b->approvals && a->edits == b->edits && a->reporter == b->reporter;

    for (size_t i = 0; i < EB_LEN(a->approver_group); i++)
        same = same && eb_streq(a->approver_group[i], b->approver_group[i]) && eb_streq(a->requester_group[i], b->requester_group[i]);
    return same;
}

/* Whether an approval has served is each target's own, and looked at again when it is taken. */
static bool is_whole(const struct evidence *e)
{
    return e != NULL && e->awaited == 0 && e->matched && e->err.code == EB_OK && (!e->needs.approvals || e->seen.approval_used == POLICY_NO);
}

static bool borrow(struct operation *op, const struct policy_needs *needs)
{
    const struct operation *composite = op->parent != 0 ? ops_find(op->ops, op->parent) : NULL;
    struct evidence *e = composite != NULL ? composite->evidence : NULL;

    if (!is_whole(e) || !same_needs(&e->needs, needs) || eb_mono_ms() - e->asked_mono_ms > OPS_LENT_MS)
        return false;
    e->references++;
    op->evidence = e;
    return true;
}

static void lend(const struct operation *op)
{
    struct operation *composite = op->parent != 0 ? ops_find(op->ops, op->parent) : NULL;

    if (composite == NULL || !is_whole(op->evidence) || wants_deleted(op) || composite->evidence == op->evidence)
        return;
    evidence_free(composite->evidence);
    op->evidence->references++;
    composite->evidence = op->evidence;
}

/* Would the operation be refused whatever an approval says? Then none is read. */
static bool refused_before(struct operation *op, struct policy_needs *needs)
{
    struct ops_policy_case pc;

    if (op->issue_err.code != EB_OK || op->facts_err.code != EB_OK || op->issue.key == NULL || op->ends_member)
        return true;
    ops_case_fill(op, &pc);
    policy_needs(&pc.c, needs);
    return !policy_decide_issue(&pc.c, &op->verdict);
}

enum ops_flow ops_step_verify(struct operation *op)
{
    struct policy_needs needs = { 0 };

    if (op->phase == OPS_START) {
        ops_follow_facts(op);           /* evidence is asked for by the policy that it will be judged by */
        bool refused = refused_before(op, &needs), conditions = !refused && (needs.approvals || needs.edits || needs.reporter);

        if (!conditions && !wants_deleted(op))
            return OPS_NEXT;
        evidence_free(op->evidence);
        op->evidence = NULL;
        if (!wants_deleted(op) && borrow(op, &needs))
            return OPS_NEXT;
        op->evidence = evidence_new(&needs);
        if (wants_deleted(op))
            ask_deleted(op);
        if (conditions)
            ask_jira(op);
        op->evidence->matched = !conditions;
        if (op->evidence->awaited > 0)
            return OPS_WAIT;
    }
    if (op->evidence->err.code == EB_OK && !op->evidence->matched) {
        ask_rest(op);
        if (op->evidence->awaited > 0)
            return OPS_WAIT;
    }
    lend(op);
    return OPS_NEXT;
}
