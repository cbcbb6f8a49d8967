/* requester.c - who the issue's reporter must be.
 *
 * The reporter is the person who asks. Whoever may edit issues may set another one, so a reporter that was ever edited is nobody.
 */
#include "policy/verdict.h"

#include "base/text.h"

#include <string.h>

#define KEY "requester"

struct asking { const struct policy_case *c; const struct policy_asked *a; const struct policy_person *who; struct policy_verdict *v; };

static bool refuse(const struct asking *q, const char *reason)
{
    return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue", "%s", reason);
}

/* Why nobody can be taken for the reporter; NULL: the reporter is who it was from the first. */
static const char *edited(const struct policy_evidence *e)
{
    if (!e->edits_told)
        return "Whether the issue's reporter was changed could not be read from Jira, so nobody is taken for the requester. Try again.";
    for (size_t i = 0; i < e->edit_count; i++)
        if (e->edits[i].field_id == NULL || eb_strieq(e->edits[i].field_id, "reporter"))
            return "The issue's reporter was changed after it was created. Let the person raise an issue of their own.";
    return NULL;
}

static bool check_unedited(const struct asking *q)
{
    const char *why = edited(q->c->evidence);

    return why == NULL || refuse(q, why);
}

static bool check_known(const struct asking *q)
{
    const char *reporter = q->c->issue->reporter_account_id, *why;

    if (reporter == NULL || *reporter == '\0' || q->who->account_id == NULL || strcmp(reporter, q->who->account_id) != 0)
        return refuse(q, "Jira did not tell who the issue's reporter is, so nobody is known to ask for this.");
    why = policy_unmatched(q->who);
    if (why == NULL)
        return true;
    return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                               "The reporter %s must be found in Entra, but %s", policy_show(q->who->name).text, why);
}

static bool check_manager(const struct asking *q)
{
    const struct policy_user *u = q->c->user;

    if (u == NULL || !u->manager_told)
        return refuse(q, "Who the user's manager is could not be read from Entra. Grant the app registration User.Read.All.");
    if (u->manager_id == NULL || *u->manager_id == '\0')
        return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                                   "Only a user's manager may ask for this, and %s has none in Entra. Set one there.", policy_show(u->display_name).text);
    if (eb_strieq(u->manager_id, q->who->user_id))
        return true;
    return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                               "Only the manager of %s in Entra may ask for this, and %s is not. Let the manager raise the issue.",
                               policy_show(u->display_name).text, policy_show(q->who->name).text);
}

static bool check_self(const struct asking *q)
{
    const struct policy_user *u = q->c->user;

    if (u != NULL && u->id != NULL && eb_strieq(u->id, q->who->user_id))
        return true;
    return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                               "People may ask for this for themselves only, and %s is another person than the user. Let the user raise the issue.",
                               policy_show(q->who->name).text);
}

static bool check_member(const struct asking *q)
{
    enum policy_fact in = q->who->in_group[q->a->side];

    if (in == POLICY_YES)
        return true;
    if (in != POLICY_NO)
        return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                                   "Whether %s is a member of \"%s\" could not be told: Graph did not say, or the name fits no group. See `entrabridge check`.",
                                   policy_show(q->who->name).text, policy_show(q->a->k->requester_group).text);
    return policy_refuse_asked(q->v, EB_REQUESTER_NOT_PERMITTED, q->a, KEY, "issue",
                               "Only members of \"%s\" may ask for this, and %s is none. Let a member raise the issue.",
                               policy_show(q->a->k->requester_group).text, policy_show(q->who->name).text);
}

static bool check_who(const struct asking *q)
{
    switch (q->a->k->requester) {
    case CONFIG_REQUESTER_MANAGER: return check_manager(q);
    case CONFIG_REQUESTER_SELF: return check_self(q);
    case CONFIG_REQUESTER_GROUP: return check_member(q);
    case CONFIG_REQUESTER_ANY: case CONFIG_REQUESTER_UNASKED: return true;
    }
    return refuse(q, "The policy asks for a requester that is not known here.");
}

static bool check_side(const struct policy_case *c, const struct policy_asked *a, struct policy_verdict *v)
{
    struct asking q = { c, a, c->evidence != NULL ? &c->evidence->requester : NULL, v };

    if (a->k->requester == CONFIG_REQUESTER_UNASKED)
        return true;
    if (c->issue == NULL)
        return refuse(&q, "It matters who asks for this, so an issue is needed: send the issue whose reporter asks.");
    if (c->evidence == NULL)
        return refuse(&q, "Who the issue's reporter is was not read, so nobody is known to ask for this.");
    return check_unedited(&q) && check_known(&q) && check_who(&q);
}

/* Who is set as reporter later would be made the target of what another person asked for. */
static bool check_target(const struct policy_case *c, struct policy_verdict *v)
{
    const char *why = !policy_names_reporter(c) ? NULL : c->evidence != NULL ? edited(c->evidence)
        : "Whether the issue's reporter was changed was not read, so nobody is taken for the user.";

    return why == NULL || policy_refuse(v, EB_REQUESTER_NOT_PERMITTED, "user.reporter", "user", "%s", why);
}

bool policy_check_requester(const struct policy_case *c, struct policy_verdict *v)
{
    struct policy_asked a;

    if (!check_target(c, v))
        return false;
    for (size_t side = 0; side < POLICY_SIDES; side++)
        if (policy_asked_of_people(c, side, &a) && !check_side(c, &a, v))
            return false;
    return true;
}
