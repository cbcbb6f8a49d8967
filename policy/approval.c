/* approval.c - what approvals must say: every round, who approved, how many, when, what, and that they were not used before.
 *
 * Invariant: only what Jira told counts; an empty list is no approval, and a moment that is not known lies on the wrong side.
 */
#include "policy/verdict.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

struct asking { const struct policy_case *c; const struct policy_asked *a; const struct policy_evidence *e; struct policy_verdict *v; };

static bool refuse(const struct asking *q, const char *key, const char *reason)
{
    return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, key, "issue", "%s", reason);
}

/* ---- every round stands as approved ---- */

static size_t approvers_of(const struct policy_approval *round)
{
    size_t count = 0;

    for (size_t i = 0; i < round->approver_count; i++)
        count += round->approvers[i].decision == POLICY_APPROVED;
    return count;
}

static bool check_round(const struct asking *q, const struct policy_approval *r)
{
    struct shown name = policy_show(r->name != NULL && *r->name != '\0' ? r->name : "(without a name)");

    if (r->decision == POLICY_DECLINED)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue", "The approval \"%s\" was declined. Raise a new issue if it still holds.", name.text);
    if (r->decision != POLICY_APPROVED)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue",
                                   "The approval \"%s\" is still pending. Let the rule run when it has been given.", name.text);
    for (size_t i = 0; i < r->approver_count; i++)
        if (r->approvers[i].decision == POLICY_DECLINED)
            return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue", "%s declined the approval \"%s\".",
                                       policy_show(r->approvers[i].person.name).text, name.text);
    if (approvers_of(r) == 0)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue", "The approval \"%s\" was given by nobody that Jira names.", name.text);
    if (r->completed_ms <= 0)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue", "Jira did not tell when the approval \"%s\" was given.", name.text);
    return true;
}

static bool check_rounds(const struct asking *q)
{
    if (!q->e->approvals_told)
        return refuse(q, "approval", "The issue's approvals could not be read from Jira. Try again.");
    if (q->e->approval_count == 0)
        return refuse(q, "approval", "This needs an approval, and the issue has none. Give the request type an approval step, and let the rule run after it.");
    for (size_t i = 0; i < q->e->approval_count; i++)
        if (!check_round(q, &q->e->approvals[i]))
            return false;
    return true;
}

/* ---- nobody approves for themselves ---- */

static bool check_approver(const struct asking *q, const struct policy_person *p)
{
    const struct policy_issue *issue = q->c->issue;
    const struct policy_user *u = q->c->user;
    const char *why = policy_unmatched(p);
    struct shown name = policy_show(p->name);

    if (p->account_id == NULL || *p->account_id == '\0' || issue->reporter_account_id == NULL || *issue->reporter_account_id == '\0')
        return refuse(q, "approval", "Jira did not tell who reported the issue or who approved it, so they could be one person.");
    if (strcmp(p->account_id, issue->reporter_account_id) == 0 || policy_same_person(p, &q->e->requester))
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue",
                                   "%s reported this issue and approved it too. Somebody else must approve it.", name.text);
    if (why != NULL && (u != NULL || q->a->k->approvers != NULL))
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue", "%s, who approved, must be found in Entra, but %s", name.text, why);
    if (u != NULL && eb_strieq(p->user_id, u->id))
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval", "issue",
                                   "%s approved a change of their own account. Somebody else must approve it.", name.text);
    return true;
}

/* ---- how many, and whose count ---- */

static bool seen_before(const struct asking *q, size_t round, size_t index)
{
    const struct policy_person *p = &q->e->approvals[round].approvers[index].person;

    for (size_t r = 0; r <= round; r++) {
        const struct policy_approval *a = &q->e->approvals[r];
        for (size_t i = 0; i < (r < round ? a->approver_count : index); i++)
            if (a->approvers[i].decision == POLICY_APPROVED && policy_same_person(&a->approvers[i].person, p))
                return true;
    }
    return false;
}

/* People who approved, each once: all of them, and those whose membership of the group could not be told. */
struct tally { int counted, untold; };

static bool count_round(const struct asking *q, size_t round, struct tally *t)
{
    const struct policy_approval *r = &q->e->approvals[round];

    for (size_t i = 0; i < r->approver_count; i++) {
        const struct policy_person *p = &r->approvers[i].person;
        if (r->approvers[i].decision != POLICY_APPROVED)
            continue;
        if (!check_approver(q, p))
            return false;
        if (seen_before(q, round, i))
            continue;
        t->counted += q->a->k->approvers == NULL || p->in_group[q->a->side] == POLICY_YES;
        t->untold += q->a->k->approvers != NULL && p->in_group[q->a->side] == POLICY_UNKNOWN;
    }
    return true;
}

static bool check_approvers(const struct asking *q)
{
    int wanted = q->a->k->approvals > 1 ? q->a->k->approvals : 1;
    struct tally t = { 0 };

    for (size_t i = 0; i < q->e->approval_count; i++)
        if (!count_round(q, i, &t))
            return false;
    if (t.counted >= wanted)
        return true;
    if (q->a->k->approvers == NULL)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approvals", "issue",
                                   "%d people must approve this, and %d did. Let the rule run when the others have approved.", wanted, t.counted);
    struct shown group = policy_show(q->a->k->approvers);
    if (t.untold > 0)
        return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approvers", "issue",
                                   "Whether those who approved are members of \"%s\" could not be told: Graph did not say, or the name fits no group. "
                                   "See `entrabridge check`.", group.text);
    return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approvers", "issue",
                               "%d member%s of \"%s\" must approve this, and %d did.", wanted, wanted == 1 ? "" : "s", group.text, t.counted);
}

/* ---- when ---- */

static bool check_age(const struct asking *q)
{
    int64_t max = q->a->k->approval_max_age_ms, now = q->c->now_ms;
    char text[EB_TIME_LEN];

    for (size_t i = 0; max > 0 && i < q->e->approval_count; i++) {
        int64_t given = q->e->approvals[i].completed_ms;
        if (given > now + POLICY_CLOCK_MS)
            return refuse(q, "approval_max_age", "The approval is of a time that is yet to come, so how old it is cannot be told. Set the clocks.");
        if (now - given > max)
            return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, "approval_max_age", "issue",
                                       "An approval was given more than %s ago, and counts no more. Ask for it anew.", eb_duration_format(max, text));
    }
    return true;
}

/* From when on what was approved must not have changed. Jira tells when a round ended, not when each person answered: where one person approved
 * that is the end of the round; where several did, the first may have answered as soon as it was asked for. */
static int64_t approved_from(const struct policy_evidence *e)
{
    int64_t from = INT64_MAX;

    for (size_t i = 0; i < e->approval_count; i++) {
        const struct policy_approval *r = &e->approvals[i];
        int64_t at = approvers_of(r) > 1 ? r->created_ms : r->completed_ms;
        from = at < from ? at : from;
    }
    return from;
}

/* NULL: an edit of this field does not matter. */
static const char *approved_field(const struct policy_asked *a, const char *field)
{
    static const struct { const char *field, *name; } always[] = {
        { "project", "project" }, { "Key", "project" }, { "issuetype", "request type" }, { "requesttype", "request type" }, { "reporter", "reporter" },
    };

    if (field == NULL)
        return "field that Jira does not name";
    for (size_t i = 0; i < EB_LEN(always); i++)
        if (eb_strieq(always[i].field, field))
            return always[i].name;
    for (size_t i = 0; i < a->k->bind.count; i++)
        if (eb_strieq(a->k->bind.items[i].value, field))
            return a->k->bind.items[i].name;
    return NULL;
}

static bool check_edits(const struct asking *q)
{
    int64_t from = approved_from(q->e);

    if (!q->e->edits_told)
        return refuse(q, "approval", "Whether the issue was changed after the approval could not be read from Jira. Try again.");
    for (size_t i = 0; i < q->e->edit_count; i++) {
        const struct policy_edit *edit = &q->e->edits[i];
        const char *what = approved_field(q->a, edit->field_id);
        if (what != NULL && (edit->at_ms <= 0 || edit->at_ms >= from))
            return policy_refuse_asked(q->v, EB_APPROVAL_MISSING, q->a, q->a->k->bind.count > 0 ? "bind" : "approval", "issue",
                                       "The issue's %s was changed after it was approved, so this is not what was approved. Raise a new issue.", what);
    }
    return true;
}

/* ---- once ---- */

static bool check_unused(const struct asking *q)
{
    if (q->e->approval_used == POLICY_NO)
        return true;
    return refuse(q, "approval", q->e->approval_used == POLICY_YES
        ? "This approval has served already: it is good for one operation of a kind and target. Raise a new issue."
        : "Whether this approval has served already could not be told. Try again.");
}

static bool check_side(const struct policy_case *c, const struct policy_asked *a, struct policy_verdict *v)
{
    struct asking q = { c, a, c->evidence, v };

    if (!a->k->approval)
        return true;
    if (c->issue == NULL)
        return refuse(&q, "approval", "This needs an approval, so an issue is needed: send the issue that was approved.");
    if (c->evidence == NULL)
        return refuse(&q, "approval", "This needs an approval, and the issue's approvals were not read.");
    return check_rounds(&q) && check_approvers(&q) && check_age(&q) && check_edits(&q) && policy_check_bind(c, a, v) && check_unused(&q);
}

bool policy_check_approval(const struct policy_case *c, struct policy_verdict *v)
{
    struct policy_asked a;

    for (size_t side = 0; side < POLICY_SIDES; side++)
        if (policy_asked_of_people(c, side, &a) && !check_side(c, &a, v))
            return false;
    return true;
}
