/* policy.h - pure decisions: may this caller do this to that target for this issue?
 *
 * No I/O, no clock, no allocation: facts in, verdict out. A fact that was not given is POLICY_UNKNOWN, and unknown refuses.
 * The first refusal in this order decides: token, operation (its attributes too), issue, user, principal, group (duties too), approval and
 * requester, limits (design, section 4).
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/json.h"
#include "config/config.h"

enum policy_fact { POLICY_UNKNOWN, POLICY_NO, POLICY_YES };

/* What a token may do. Lists as in the token: {"*"} means all. */
struct policy_caller { const char *name; const char *const *operations; const char *const *projects; };

struct policy_issue {               /* as Jira gave it; not given at all where the request has no issue */
    const char *key, *project_key, *project_id;
    bool moved;                     /* found under another key than was sent, or its project is not the pinned one of that key */
    const char *status, *request_type_id, *reporter_account_id;     /* "" or NULL: not told */
    int64_t created_ms;             /* 0: not told */
    const json_t *fields;           /* the issue's fields as Jira gave them: those that a `bind` names are looked up here; NULL: not asked */
};

/* How a person of Jira was found in Entra: by e-mail against mail, UPN and otherMails (design, section 6). */
enum policy_match {
    POLICY_MATCH_UNKNOWN, POLICY_MATCHED, POLICY_MATCH_NONE, POLICY_MATCH_SEVERAL, POLICY_MATCH_GUEST, POLICY_MATCH_NO_EMAIL,
    POLICY_MATCH_DISABLED,          /* the only one is disabled: who cannot sign in asks for nothing and approves nothing */
};
struct policy_person {
    const char *account_id, *name;
    enum policy_match match;
    const char *user_id;            /* Entra's, where matched */
    enum policy_fact in_group[2];   /* transitive member of the group that a condition names (`approvers`, `requester`): [0] the operation's, [1] the group's */
};

enum policy_decision { POLICY_PENDING, POLICY_APPROVED, POLICY_DECLINED };
struct policy_approver { struct policy_person person; enum policy_decision decision; };     /* a decision that is not known is a pending one */
struct policy_approval {            /* a round */
    const char *id, *name;
    enum policy_decision decision;
    int64_t created_ms, completed_ms;   /* 0: not told */
    const struct policy_approver *approvers; size_t approver_count;
};
/* Of the issue's changelog: "customfield_10050", "reporter", "project", "issuetype", ...; an edit of the request type (a field of type vp-origin, whose id
 * differs from site to site) is told as "requesttype". at_ms 0 (not told) counts as after everything. */
struct policy_edit { const char *field_id; int64_t at_ms; };

/* What was read besides, where a condition asks for it (policy_needs). */
struct policy_evidence {
    bool approvals_told, edits_told;            /* the lists were read to their end */
    const struct policy_approval *approvals; size_t approval_count;
    const struct policy_edit *edits; size_t edit_count;
    struct policy_person requester;             /* the reporter */
    enum policy_fact approval_used;             /* these approvals have served another operation of this kind and target already */
};

struct policy_user {
    bool found, ambiguous;
    bool deleted_by_us;                 /* and it was an operation of ours that did it, after all checks on the living user */
    bool deleted;                       /* found among the deleted users, of whom Graph tells neither roles nor memberships */
    const char *id, *upn, *display_name;
    enum policy_fact named;             /* is one of protected.users */
    enum policy_fact in_protected;      /* transitive member of a protected group, or all protected names could not be told */
    const char *protected_by;           /* that group's name, for the reason; or NULL */
    enum policy_fact role_holder;       /* holds a directory role, also scoped or custom */
    enum policy_fact role_group_member; /* member of a role-assignable group */
    enum policy_fact role_group_owner;  /* owner of a role-assignable group */
    enum policy_fact app_owner;         /* owner of entrabridge's own app registration or service principal */
    enum policy_fact synced;            /* mastered on premises */
    const char *mail;                   /* NULL: none */
    const char *manager_id;             /* NULL: none, or not told; see manager_told */
    bool manager_told;
    enum policy_fact duty_conflict;     /* holds a group that may not be held together with the one of this case */
    const char *duty_group;             /* that group's name, or NULL */
};

enum policy_group_state { POLICY_GROUP_BOUND, POLICY_GROUP_NONE, POLICY_GROUP_SEVERAL, POLICY_GROUP_NOT_LISTED };
struct policy_group {
    enum policy_group_state state;      /* how the name or id in the request stands in the policy */
    const struct config_group_rule *rule;   /* BOUND, NONE, SEVERAL: the entry that lists it */
    bool found;                         /* Graph still has the pinned id */
    const char *id, *name;
    enum policy_fact protected_;        /* is a protected group, or nested in one */
    enum policy_fact dynamic, synced, mail_managed /* mailEnabled and not Unified */, role_assignable, restricted;
};

struct policy_case {
    const struct config_policy *policy;
    const struct policy_caller *caller;
    const char *kind;                   /* "group.add_member" */
    bool changes_user;                  /* writes attributes of the user itself (enable, disable): synced users refuse */
    bool changes_group;                 /* writes membership: groups that Graph cannot change refuse */
    const struct policy_issue *issue;   /* NULL: the request has none */
    const struct policy_user *user;     /* NULL: the kind has no user */
    const struct policy_group *group;   /* NULL: the kind has no group */
    bool adds_member;                   /* duties and max_duration matter */
    bool ends_member;                   /* the end of a membership that was given for a time: needs no permission, only protection stops it */
    int64_t now_ms;                     /* wall clock, for ages */
    int64_t duration_ms;                /* of the membership asked for; 0: no end was asked for */
    const char *const *attributes;      /* NULL-ended: those that the request writes; NULL: the kind writes none */
    const json_t *request;              /* the validated body: what a `bind` compares */
    const struct policy_evidence *evidence;     /* NULL: nothing was read; then whatever needs it refuses */
};
/* What must be read before policy_decide() can say yes. Where `user` is "reporter", edits are, whatever the conditions ask: a reporter that was changed is
 * nobody (EB_REQUESTER_NOT_PERMITTED, rule "user.reporter"). */
struct policy_needs {
    bool approvals, edits, reporter, manager, duties;
    const char *approver_group[2], *requester_group[2];      /* names as in the policy; NULL: none. [0] the operation's, [1] the group's condition */
};
struct policy_verdict {
    enum eb_code code;                  /* EB_OK: allowed */
    char rule[96];                      /* the setting or rule that decided: "policy.operations.user.disable.approval", "policy.serviceable_groups[2].projects" */
    const char *field;                  /* "user", "group", "issue", or NULL */
    bool shadow;                        /* allowed, but the policy's mode says to write nothing */
    int64_t duration_ms;                /* allowed: of the membership, max_duration where none was asked for; 0: for ever */
    char reason[384];                   /* for people */
};
/* All of it. */
bool policy_decide(const struct policy_case *c, struct policy_verdict *v);
/* Only what can be said before anything is read: token and operation (and that an issue is needed and missing: EB_INVALID_REQUEST, field issue). */
bool policy_decide_early(const struct policy_case *c, bool has_issue, struct policy_verdict *v);
/* Only up to the issue, token scope on the project included: did the operation pass the issue check? */
bool policy_decide_issue(const struct policy_case *c, struct policy_verdict *v);
/* From kind, request and group of the case. Without the group (nothing was read yet) `manager` and `duties`, which are read with the target, are
 * true where any entry could need them; the rest is asked again once the group is known. */
void policy_needs(const struct policy_case *c, struct policy_needs *ret);
/* The operation's entry of the policy, or NULL. */
bool policy_listed(const char *const *list, const char *name);      /* in a list of a token, NULL-ended; "*" is everything */
const struct config_operation_rule *policy_operation(const struct config_policy *p, const char *kind);
/* Which limits apply to an operation that was allowed, in the order in which they are asked. Each says how many there may be within limits.window. */
#define POLICY_LIMITS_MAX 8
struct policy_limit {
    char rule[96];                      /* "policy.limits.per_token", "policy.operations.user.disable.limits.per_issue" */
    char subject[400];                  /* what is counted together: "token:vpn-rule" */
    char about[300];                    /* for people: "by the token \"vpn-rule\"" */
    int most;
};
struct policy_limit_case { const char *kind, *token, *issue_id, *issue_key, *user_id; const struct policy_group *group; bool part; };     /* NULL: has none. part: of a list that is counted: only what is about its own user and group */
size_t policy_limits(const struct config_policy *p, const struct policy_limit_case *c, struct policy_limit out[POLICY_LIMITS_MAX]);
/* May never be written by user.update, whatever the policy says; and those that need `sensitive: true` (config/attribute.h). Names without regard to case. */
bool policy_attribute_forbidden(const char *name);
bool policy_attribute_sensitive(const char *name);

/* ---- group_rule.c: policy.group_rules ---- */
bool policy_group_rule_fits(const struct config_group_map *m, const json_t *attributes);
/* The groups of all rules that fit, each once, in the order of the policy. The caller's. */
json_t *policy_groups_of(const struct config_policy *p, const json_t *attributes);
/* Those of `groups` that are not among `others`. The caller's. */
json_t *policy_groups_without(const json_t *groups, const json_t *others);
/* May an issue of that project ask for changes of this serviceable group? issue NULL: only where every project may. */
bool policy_group_serves(const struct config_group_rule *g, const struct policy_issue *issue);

#endif
