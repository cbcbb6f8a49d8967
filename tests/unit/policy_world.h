/* policy_world.h - a policy in which every condition is set, and a case that fulfils them all: tests spoil one thing at a time.
 *
 * Times are in days of one made-up calendar: the issue is of day 90, approved on days 95 and 96, and it is day 100.
 */
#ifndef TESTS_UNIT_POLICY_WORLD_H
#define TESTS_UNIT_POLICY_WORLD_H

#include "policy/policy.h"

#include <string.h>

#define DAY (INT64_C(86400) * 1000)

static char *itsm_items[] = { (char []){ "ITSM" }, NULL };
static char *type_items[] = { (char []){ "25" }, (char []){ "31" }, NULL };
static char *status_items[] = { (char []){ "In progress" }, (char []){ "Approved" }, NULL };
static char *attribute_items[] = { (char []){ "jobTitle" }, (char []){ "mobilePhone" }, (char []){ "accountEnabled" }, (char []){ "noSuchThing" }, NULL };
static char *duty_items[] = { (char []){ "VPN Users" }, (char []){ "Auditors" }, NULL };
static struct config_pair pairs[] = {
    { (char []){ "user" }, (char []){ "customfield_1" } }, { (char []){ "group" }, (char []){ "customfield_2" } },
};
static char bosses[] = "Bosses", staff[] = "Staff", everybody[] = "Everybody", vpn_users[] = "VPN Users";
static char add_member[] = "group.add_member", user_update[] = "user.update";
static const char *const all[] = { "*", NULL };

struct world {
    struct config_group_rule groups[2];
    struct config_operation_rule operations[2];
    struct config_duty duties[1];
    struct config_policy policy;
    struct policy_caller caller;
    struct policy_issue issue;
    struct policy_user user;
    struct policy_group group;
    struct policy_approver first[2], second[1];
    struct policy_approval rounds[2];
    struct policy_edit edits[2];
    struct policy_evidence evidence;
    struct policy_case c;
};

static inline struct policy_person person(const char *account, const char *user, const char *name)
{
    return (struct policy_person){ account, name, POLICY_MATCHED, user, { POLICY_YES, POLICY_YES } };
}

static inline struct config_conditions every_condition(int64_t max_duration_ms)
{
    return (struct config_conditions){
        .approval = true, .approvals = 2, .approvers = bosses, .approval_max_age_ms = 14 * DAY, .bind = { pairs, 2 },
        .requester = CONFIG_REQUESTER_MANAGER, .request_types = { type_items, 2 }, .statuses = { status_items, 2 }, .max_age_ms = 30 * DAY,
        .max_duration_ms = max_duration_ms,
    };
}

static inline void world_policy(struct world *w)
{
    w->groups[0] = (struct config_group_rule){ everybody, { .all = true }, { 0 } };
    w->groups[1] = (struct config_group_rule){ vpn_users, { .keys = { itsm_items, 1 } }, every_condition(20 * DAY) };
    w->operations[0] = (struct config_operation_rule){ .kind = add_member, .projects = { .keys = { itsm_items, 1 } },
                                                       .conditions = every_condition(30 * DAY) };
    w->operations[1] = (struct config_operation_rule){ .kind = user_update, .projects = { .keys = { itsm_items, 1 } },
                                                       .conditions = every_condition(0), .attributes = { attribute_items, 4 }, .sensitive = true };
    w->groups[1].conditions.requester = CONFIG_REQUESTER_GROUP;
    w->groups[1].conditions.requester_group = staff;
    w->operations[1].conditions.bind.count = 1;
    w->duties[0] = (struct config_duty){ { duty_items, 2 } };
    w->policy = (struct config_policy){ .groups = w->groups, .group_count = 2, .operations = w->operations, .operation_count = 2,
                                        .duties = w->duties, .duty_count = 1, .protect_directory_roles = true };
}

static inline void world_evidence(struct world *w)
{
    w->first[0] = (struct policy_approver){ person("acc-grace", "u-grace", "Grace Hopper"), POLICY_APPROVED };
    w->first[1] = (struct policy_approver){ person("acc-alan", "u-alan", "Alan Turing"), POLICY_PENDING };
    w->second[0] = (struct policy_approver){ person("acc-edsger", "u-edsger", "Edsger Dijkstra"), POLICY_APPROVED };
    w->rounds[0] = (struct policy_approval){ "7", "Manager", POLICY_APPROVED, 92 * DAY, 95 * DAY, w->first, 2 };
    w->rounds[1] = (struct policy_approval){ "8", "Security", POLICY_APPROVED, 95 * DAY, 96 * DAY, w->second, 1 };
    w->edits[0] = (struct policy_edit){ "customfield_1", 91 * DAY };
    w->edits[1] = (struct policy_edit){ "status", 97 * DAY };
    w->evidence = (struct policy_evidence){ true, true, w->rounds, 2, w->edits, 2, person("acc-mary", "u-mary", "Mary Manager"), POLICY_NO };
}

/* fields, request: held by the test. */
static inline void world_set(struct world *w, const json_t *fields, const json_t *request)
{
    world_policy(w);
    w->caller = (struct policy_caller){ "rule-1", all, all };
    w->issue = (struct policy_issue){ "ITSM-42", "ITSM", "10001", false, "In progress", "25", "acc-mary", 90 * DAY, fields };
    w->user = (struct policy_user){ .found = true, .id = "u-ada", .upn = "ada@contoso.com", .display_name = "Ada Lovelace", .named = POLICY_NO,
        .in_protected = POLICY_NO, .role_holder = POLICY_NO, .role_group_member = POLICY_NO, .role_group_owner = POLICY_NO, .app_owner = POLICY_NO,
        .synced = POLICY_NO, .mail = "ada.lovelace@contoso.com", .manager_id = "U-MARY", .manager_told = true, .duty_conflict = POLICY_NO };
    w->group = (struct policy_group){ POLICY_GROUP_BOUND, &w->groups[1], true, "g-vpn", "VPN Users",
                                      POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO };
    world_evidence(w);
    w->c = (struct policy_case){ .policy = &w->policy, .caller = &w->caller, .kind = "group.add_member", .changes_group = true, .issue = &w->issue,
        .user = &w->user, .group = &w->group, .adds_member = true, .now_ms = 100 * DAY, .request = request, .evidence = &w->evidence };
}

/* The same world, for an operation on the user's own attributes. */
static const char *const job_title[] = { "jobTitle", NULL };
static inline void world_update(struct world *w)
{
    w->c.kind = "user.update";
    w->c.changes_user = true;
    w->c.changes_group = w->c.adds_member = false;
    w->c.group = NULL;
    w->c.attributes = job_title;
}

#endif
