/* snapshot.h - what all names of one policy mean: immutable, shared by reference count, asked for each decision. */
#ifndef DIRECTORY_SNAPSHOT_H
#define DIRECTORY_SNAPSHOT_H

#include "directory/name.h"

struct snapshot;

/* Copies what it needs of the names; takes a reference to the configuration that owns their texts. */
struct snapshot *snapshot_new(struct config *c, const struct names *names);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);            /* accepts NULL */
struct config *snapshot_config(const struct snapshot *s);
size_t snapshot_bindings(const struct snapshot *s, const struct directory_binding **ret);

/* How a request's group stands in the policy: an id matches the bound entries, a text the exact names of the entries. Never NULL. */
struct snapshot_group { enum policy_group_state state; const struct config_group_rule *rule; const char *id /* lower case; NULL unless BOUND */; };
const struct snapshot_group *snapshot_group(const struct snapshot *s, const char *text);

/* The entry of policy.protected.groups that this group id is, or NULL. */
const char *snapshot_protected_group(const struct snapshot *s, const char *id);
/* Is there anything to look for among a target's groups? */
bool snapshot_protects_groups(const struct snapshot *s);
/* The first entry that was never found, so that nobody can be told to be unprotected; NULL: all were. */
const char *snapshot_unfound_group(const struct snapshot *s);
const char *snapshot_unfound_user(const struct snapshot *s);
/* Is it one of policy.protected.users, by id or, ignoring case, by UPN or mail? upn and mail may be NULL. */
bool snapshot_protected_user(const struct snapshot *s, const char *id, const char *upn, const char *mail);
/* policy.separation_of_duties: each group named there is a slot; an id marks the slots that it fits in `marks`, which has snapshot_duty_slots() places. */
size_t snapshot_duty_slots(const struct snapshot *s);
void snapshot_mark_duties(const struct snapshot *s, const char *id, unsigned char *marks);
/* The group that keeps somebody who is in `held` out of `asked` (a group and all that it is nested in): an entry has it and another of `asked`. NULL: none. */
const char *snapshot_duty_conflict(const struct snapshot *s, const unsigned char *held, const unsigned char *asked);
/* The first name there that was never found, so that nobody can be told to be free of it; NULL: all were. */
const char *snapshot_unfound_duty(const struct snapshot *s);
/* The id in force of a group that `approvers` or `requester` names; NULL: it fits none or several, and nobody is in it. */
const char *snapshot_policy_group(const struct snapshot *s, const char *text);
/* The id in force of a project key, or NULL. */
const char *snapshot_project(const struct snapshot *s, const char *key);

#endif
