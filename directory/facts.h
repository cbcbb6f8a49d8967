/* facts.h - from Graph's answers to facts. Pure functions over bytes from outside: table-tested and fuzzed.
 *
 * The rule in all of them: only what Graph says is known. A member that is absent is unknown, never false; an object that comes with null
 * members (of a type that the app may not read) tells its id and nothing else.
 */
#ifndef DIRECTORY_FACTS_H
#define DIRECTORY_FACTS_H

#include "directory/snapshot.h"

#define FACTS_PERSON_SELECT "id,displayName,userPrincipalName,mail,accountEnabled,userType"
#define FACTS_MATCH_SELECT FACTS_PERSON_SELECT ",otherMails"
#define FACTS_USER_SELECT "id,displayName,userPrincipalName,mail,accountEnabled,userType,onPremisesSyncEnabled"
#define FACTS_GROUP_SELECT "id,displayName,groupTypes,mailEnabled,securityEnabled,onPremisesSyncEnabled,isAssignableToRole," \
                           "isManagementRestricted,membershipRule"

/* What has been seen in a list so far, page by page. */
struct facts_scan {
    bool role;                      /* a directory role, or a role assignment of the principal looked for */
    bool role_group;                /* a role-assignable group */
    bool role_group_untold;         /* a group of which Graph does not tell whether it is one */
    bool type_untold;               /* an object of which Graph does not tell what it is */
    bool hit;                       /* the id looked for */
    const char *protected_by;       /* an entry of the policy, or NULL */
    json_t *role_groups;            /* ids of the groups that may have been given a role: role-assignable, or not told; the owner's; NULL: none */
    unsigned char *duties;          /* the marks of snapshot_mark_duties(); NULL: not wanted */
};

/* A list that is kept: of each object its members `members` (NULL-ended), and nothing else. */
struct facts_list {
    const char *const *members;
    const char *type;               /* "#microsoft.graph.group": only those; NULL: all */
    size_t max;                     /* further objects are left out */
};

/* The selected members of an object, in a new object; absent ones stay absent. NULL: not an object with an id. */
json_t *facts_user_json(const json_t *body);
json_t *facts_group_json(const json_t *body);

/* Who it is: found, id, UPN, name, mail, synced. The texts are borrowed from `user`. */
void facts_read_person(struct policy_user *u, const json_t *user);
/* Fills f->user and f->account_enabled from f->user_json. */
void facts_read_user(struct directory_facts *f, const struct snapshot *s);
/* Fills what the group object itself tells from f->group_json. */
void facts_read_group(struct directory_facts *f, const struct snapshot *s);

/* A page of transitiveMemberOf (of a user or a group). false: not a list. *ret_next: the nextLink, borrowed, or NULL. */
bool facts_scan_groups(const json_t *page, const struct snapshot *s, struct facts_scan *scan, const char **ret_next);
/* A page of objects of which one may have the id. `member` is the member to compare: "id", "principalId". */
bool facts_scan_ids(const json_t *page, const char *member, const char *id, struct facts_scan *scan, const char **ret_next);
/* A page of the groups that a user owns. */
bool facts_scan_owned(const json_t *page, struct facts_scan *scan, const char **ret_next);
/* Does the member of one of the list's objects say so? */
bool facts_list_has(const json_t *page, const char *member, const char *value);
/* Adds a page to *list, which is made where it is NULL. *ret_cut: some did not fit. false: not a list, and *list is as before. */
bool facts_list_add(json_t **list, const struct facts_list *how, const json_t *page, bool *ret_cut, const char **ret_next);
/* The named members of an object in a new one, absent ones left absent; NULL: no object. */
json_t *facts_pick(const json_t *obj, const char *const *members);
/* Puts the attributes named in `select` ("a,b") from `body` into user_json; false: `body` is another user, or none. */
bool facts_add_more(json_t *user_json, const json_t *body, const char *select);
/* A page of deleted users: how many of them have this id, or had this UPN; *first is made of the first one (with the UPN that it had) where it is NULL. */
bool facts_scan_deleted(const json_t *page, const char *id_or_upn, size_t *count, json_t **first, const char **ret_next);
/* The users that a mail fits: how many different ones, and the first. false: not a list. */
bool facts_users_by_mail(const json_t *page, size_t *ret_count, const json_t **ret_first);

/* Whom the users that were found under an e-mail address are: fills match, user_id and display_name. false: not a list. A disabled account is none. */
bool facts_match_person(const json_t *page, const char *email, struct directory_person *ret);

/* yes if seen; no if the list was read to its end and everything in it could be read; else unknown. */
enum policy_fact facts_conclude(bool seen, bool complete, bool untold);

#endif
