/* verdict.h - inside policy/: refusals, the conditions that apply to a case, and how names are written in reasons. */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include "policy/policy.h"

#define POLICY_SHOWN 100
struct shown { char text[POLICY_SHOWN]; };

/* A name from outside, cleaned and cut; NULL becomes "it". */
struct shown policy_show(const char *name);
/* Fills *v; is false, so that a check can return it. */
bool policy_refuse(struct policy_verdict *v, enum eb_code code, const char *rule, const char *field, const char *fmt, ...) EB_PRINTF(5, 6);

/* ---- rule.c: the entries of the policy that ask something of this case ---- */
enum { POLICY_OF_OPERATION, POLICY_OF_GROUP, POLICY_SIDES };    /* also the index into in_group[], approver_group[], requester_group[] */
struct policy_asked {
    const struct config_conditions *k;
    size_t side;
    char rule[80];                      /* "policy.operations.user.disable", "policy.serviceable_groups[2]" */
};
/* The conditions of that side; false: it asks nothing of this case. */
bool policy_asked(const struct policy_case *c, size_t side, struct policy_asked *ret);
/* The same, for approval and requester: a group's entry asks these of changes only, since it is there to say who may be made a member. */
bool policy_asked_of_people(const struct policy_case *c, size_t side, struct policy_asked *ret);
/* policy_refuse() by the key of these conditions. */
bool policy_refuse_asked(struct policy_verdict *v, enum eb_code code, const struct policy_asked *a, const char *key, const char *field, const char *fmt, ...)
    EB_PRINTF(6, 7);
/* "user": "reporter" in the request: the reporter is the target, whether or not a condition asks who the reporter is. */
/* The entry's place in the file: "policy.serviceable_groups[2]". */
void policy_group_path(const struct config_policy *p, const struct config_group_rule *rule, char *out, size_t size);
bool policy_names_reporter(const struct policy_case *c);
/* A time of Jira's is this much ahead of our clock at most; more, and nothing is known about ages. */
#define POLICY_CLOCK_MS (5 * 60 * INT64_C(1000))

/* ---- checks, one a rule; true: nothing against it ---- */
typedef bool policy_check(const struct policy_case *c, struct policy_verdict *v);
policy_check policy_check_attributes;                                           /* attribute.c */
policy_check policy_check_issue_present, policy_check_project, policy_check_issue_conditions, policy_check_group_issue;     /* issue.c */
policy_check policy_check_user, policy_check_principal, policy_check_user_modifiable;       /* user.c */
policy_check policy_check_group, policy_check_group_modifiable;                 /* group.c */
policy_check policy_check_duties, policy_check_duration;                        /* duty.c, duration.c */
policy_check policy_check_approval, policy_check_requester;                     /* approval.c, requester.c */

/* ---- issue.c ---- */
bool policy_listed(const char *const *list, const char *name);      /* NULL-ended; "*" is everything */
bool policy_projects_allow(const struct config_projects *p, const struct policy_issue *issue);   /* issue NULL: only "*" does */
bool policy_check_issue_given(const struct policy_case *c, bool has_issue, struct policy_verdict *v);
bool policy_check_without_issue(const struct policy_case *c, struct policy_verdict *v);

/* ---- bind.c ---- */
bool policy_check_bind(const struct policy_case *c, const struct policy_asked *a, struct policy_verdict *v);

/* ---- person.c ---- */
/* What keeps this person from being known in Entra, and how to mend it; NULL: they are known. */
const char *policy_unmatched(const struct policy_person *p);
bool policy_same_person(const struct policy_person *a, const struct policy_person *b);      /* by accountId, or by Entra's id where both are known */

#endif
