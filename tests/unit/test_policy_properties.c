/* test_policy_properties.c - in random cases: a further condition never turns a refusal into a permission, nor shortens shadow, nor lengthens a membership.
 *
 * The generator is seeded, so that a failure comes again: its number is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy_world.h"

#define CASES 60000

static uint64_t seed;
static unsigned draw(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}
static bool rarely(void) { return draw(60) == 0; }

/* ---- conditions to be added: each makes a policy stricter, or leaves it as it is ---- */

static struct config_conditions *either(struct world *w) { return draw(2) ? &w->operations[0].conditions : &w->groups[1].conditions; }

static void add_approval(struct world *w) { either(w)->approval = true; }
static void more_approvals(struct world *w) { struct config_conditions *k = either(w); k->approval = true; k->approvals++; }
static void add_approvers(struct world *w) { struct config_conditions *k = either(w); k->approval = true; k->approvers = bosses; }
static void shorten(int64_t *ms, int64_t to) { *ms = *ms == 0 || *ms > to ? to : *ms; }
static void add_approval_age(struct world *w) { struct config_conditions *k = either(w); k->approval = true; shorten(&k->approval_max_age_ms, (1 + draw(10)) * DAY); }
static void add_bind(struct world *w) { struct config_conditions *k = either(w); k->approval = true; k->bind.items = pairs; k->bind.count += k->bind.count < 2; }
static void add_requester(struct world *w)
{
    struct config_conditions *k = either(w);

    if (k->requester == CONFIG_REQUESTER_UNASKED || k->requester == CONFIG_REQUESTER_ANY)
        k->requester = (enum config_requester)(1 + draw(4));
    k->requester_group = staff;
}
static void narrow(struct config_list *l, char **items) { *l = (struct config_list){ items, l->count == 0 ? 2 : 1 }; }
static void add_types(struct world *w) { narrow(&either(w)->request_types, type_items); }
static void add_statuses(struct world *w) { narrow(&either(w)->statuses, status_items); }
static void add_age(struct world *w) { shorten(&either(w)->max_age_ms, (1 + draw(30)) * DAY); }
static void add_duration(struct world *w) { shorten(&either(w)->max_duration_ms, (1 + draw(30)) * DAY); }
static void add_shadow(struct world *w) { if (draw(2)) either(w)->mode = CONFIG_SHADOW; else w->policy.mode = CONFIG_SHADOW; }
static void add_roles(struct world *w) { w->policy.protect_directory_roles = true; }
static void add_duty(struct world *w) { w->policy.duty_count = 1; }
static void fewer_projects(struct world *w)
{
    struct config_projects *p = draw(2) ? &w->operations[0].projects : &w->groups[1].projects;

    if (p->all)
        *p = (struct config_projects){ .keys = { itsm_items, 1 } };
    else
        p->keys.count = 0;
}
static void need_issue(struct world *w) { w->operations[0].issue_optional = false; }
static void unlist(struct world *w) { if (draw(2)) w->policy.operation_count = 0; else w->caller.operations++; }

static const struct { const char *name; void (*add)(struct world *); bool refuses; } conditions[] = {
    { "approval", add_approval, true }, { "approvals", more_approvals, true }, { "approvers", add_approvers, true },
    { "approval_max_age", add_approval_age, true }, { "bind", add_bind, true }, { "requester", add_requester, true },
    { "request_types", add_types, true }, { "statuses", add_statuses, true }, { "max_age", add_age, true }, { "max_duration", add_duration, true },
    { "mode", add_shadow, false }, { "directory_roles", add_roles, true }, { "separation_of_duties", add_duty, true },
    { "projects", fewer_projects, true }, { "issue", need_issue, true }, { "unlisted", unlist, true },
};

/* ---- a random case: most facts good, and a policy that asks for some of the conditions ---- */

static void spoil_fact(enum policy_fact *f) { if (rarely()) *f = (enum policy_fact)draw(3); }

static void spoil_person(struct policy_person *p)
{
    static const char *const accounts[] = { "acc-mary", "acc-grace", "acc-edsger", "", NULL }, *const users[] = { "u-mary", "u-ada", "u-grace", "", NULL };

    if (rarely())
        p->account_id = accounts[draw(EB_LEN(accounts))];
    if (rarely())
        p->user_id = users[draw(EB_LEN(users))];
    if (rarely())
        p->match = (enum policy_match)draw(6);
    for (size_t i = 0; i < 2; i++)
        if (draw(6) == 0)
            p->in_group[i] = (enum policy_fact)draw(3);
}

static void spoil_evidence(struct world *w)
{
    static const char *const edited[] = { "customfield_1", "customfield_2", "reporter", "project", "labels", NULL };

    spoil_person(&w->evidence.requester);
    spoil_person(&w->first[0].person);
    spoil_person(&w->second[0].person);
    spoil_fact(&w->evidence.approval_used);
    if (draw(3) == 0)
        w->first[1].decision = (enum policy_decision)draw(3);
    for (size_t i = 0; i < 2; i++) {
        if (rarely())
            w->rounds[i].decision = (enum policy_decision)draw(3);
        if (draw(4) == 0)
            w->edits[i] = (struct policy_edit){ edited[draw(EB_LEN(edited))], (88 + draw(12)) * DAY };
    }
    w->evidence.approval_count = rarely() ? draw(3) : 2;
    w->evidence.edits_told = !rarely();
    w->evidence.approvals_told = !rarely();
    if (rarely())
        w->c.evidence = NULL;
}

static void spoil_facts(struct world *w)
{
    enum policy_fact *const facts[] = { &w->user.named, &w->user.in_protected, &w->user.role_group_member, &w->group.protected_, &w->group.dynamic, &w->group.synced };

    for (size_t i = 0; i < EB_LEN(facts); i++)
        spoil_fact(facts[i]);
    if (draw(4) == 0)
        w->user.role_holder = (enum policy_fact)draw(3);
    if (draw(4) == 0)
        w->user.duty_conflict = (enum policy_fact)draw(3);
    if (draw(4) == 0)
        w->user.manager_id = draw(2) ? "u-grace" : NULL;
    if (draw(4) == 0)
        w->issue.request_type_id = draw(2) ? "31" : "7";
    if (draw(4) == 0)
        w->issue.status = draw(2) ? "Approved" : "Done";
    if (draw(4) == 0)
        w->issue.created_ms = draw(100) * DAY;
    if (draw(4) == 0)
        w->c.duration_ms = draw(40) * DAY;
    if (rarely())
        w->issue.project_key = "HR";
    if (draw(10) == 0)
        w->c.issue = NULL;
}

static void random_case(struct world *w, const json_t *fields, const json_t *request)
{
    world_set(w, fields, request);
    w->operations[0].conditions = w->groups[1].conditions = (struct config_conditions){ 0 };
    w->operations[0].issue_optional = draw(3) == 0;
    w->operations[0].projects.all = draw(3) == 0;
    w->groups[1].projects.all = draw(3) == 0;
    w->policy.duty_count = 0;
    w->policy.protect_directory_roles = draw(2);
    for (unsigned i = draw(4); i > 0; i--)
        conditions[draw(EB_LEN(conditions) - 3)].add(w);       /* not those that forbid nearly everything */
    spoil_facts(w);
    spoil_evidence(w);
}

static int64_t length(const struct policy_verdict *v) { return v->duration_ms == 0 ? INT64_MAX : v->duration_ms; }

static void test_a_condition_never_permits(void **state)
{
    unsigned allowed = 0, taken[EB_LEN(conditions)] = { 0 };
    json_t *fields = json_loads("{\"customfield_1\": \"ada@contoso.com\", \"customfield_2\": \"another group\"}", 0, NULL);
    json_t *request = json_loads("{\"user\": \"ada@contoso.com\", \"group\": \"VPN Users\"}", 0, NULL);

    for (unsigned n = 0; n < CASES; n++) {
        struct world w;
        struct policy_verdict before, after;

        seed = n * UINT64_C(2654435761) + 1;
        random_case(&w, fields, request);
        unsigned k = draw(EB_LEN(conditions));
        bool was = policy_decide(&w.c, &before);
        conditions[k].add(&w);
        bool is = policy_decide(&w.c, &after);
        if (is && !was)
            fail_msg("case %u: %s turned a refusal (%s) into a permission", n, conditions[k].name, before.reason);
        if (is && (length(&after) > length(&before) || before.shadow > after.shadow))
            fail_msg("case %u: %s eased a permission", n, conditions[k].name);
        allowed += was;
        taken[k] += was && !is;
    }
    assert_true(allowed > CASES / 10 && allowed < CASES);           /* the cases are of both sorts */
    for (size_t k = 0; k < EB_LEN(conditions); k++)
        if ((taken[k] > 0) != conditions[k].refuses)
            fail_msg("%s refused %u cases", conditions[k].name, taken[k]);
    json_decref(fields);
    json_decref(request);
}

/* What policy_needs() says is what policy_decide() looks at: without the rest the verdict is the same. */
static void test_needs_are_enough(void **state)
{
    json_t *fields = json_loads("{\"customfield_1\": \"ada@contoso.com\", \"customfield_2\": \"VPN Users\"}", 0, NULL);
    json_t *request = json_loads("{\"user\": \"ada@contoso.com\", \"group\": \"VPN Users\"}", 0, NULL);

    for (unsigned n = 0; n < CASES / 4; n++) {
        struct world w;
        struct policy_needs needs;
        struct policy_verdict before, after;

        seed = n * UINT64_C(40503) + 7;
        random_case(&w, fields, request);
        bool was = policy_decide(&w.c, &before);
        policy_needs(&w.c, &needs);
        w.evidence.approvals_told &= needs.approvals;
        w.evidence.edits_told &= needs.edits;
        w.user.manager_told &= needs.manager;
        if (!needs.reporter)
            w.evidence.requester = (struct policy_person){ 0 };
        if (!needs.duties)
            w.user.duty_conflict = POLICY_UNKNOWN;
        for (size_t i = 0; i < 2; i++) {
            if (needs.requester_group[i] == NULL)
                w.evidence.requester.in_group[i] = POLICY_UNKNOWN;
            if (needs.approver_group[i] == NULL)
                w.first[0].person.in_group[i] = w.second[0].person.in_group[i] = w.first[1].person.in_group[i] = POLICY_UNKNOWN;
        }
        bool is = policy_decide(&w.c, &after);
        if (was != is || strcmp(before.rule, after.rule) != 0)
            fail_msg("case %u: %s, and without what is not needed %s", n, before.rule, after.rule);
    }
    json_decref(fields);
    json_decref(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_condition_never_permits),
        cmocka_unit_test(test_needs_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
