/* record.h - what a record is made of: the attributes that a source gives and a target shows, as one table that the configuration extends.
 *
 * A record is an object of JSON, its members named as the target shows them ("Email", "Groups"), values in one form each: text, true or false, a number, a list of
 * texts; references are ids of the source. An absent member and null mean the same: nothing is there. What a source does not tell is absent.
 */
#ifndef SYNC_RECORD_H
#define SYNC_RECORD_H

#include "base/clock.h"
#include "base/json.h"
#include "config/config.h"
#include "store/stage.h"

enum sync_type { SYNC_TEXT, SYNC_EMAIL, SYNC_BOOL, SYNC_INTEGER, SYNC_DATE_TIME, SYNC_URL, SYNC_ACCOUNT /* of Atlassian */, SYNC_REFERENCE, SYNC_TYPES };

struct sync_attribute {
    enum stage_kind kind;           /* of records that have it */
    const char *name;               /* in records, and as people read it in the target: "Job title" */
    const char *from;               /* the source's own attribute, "jobTitle"; NULL: made from links or accounts */
    enum sync_type type;
    bool identity;                  /* the source's id: unique, never changes */
    bool label;                     /* what an object is called */
    bool many;
    enum stage_kind to;             /* of REFERENCE */
    const char *relation;           /* of REFERENCE: the kind of link, "Manager", "Membership", "Ownership" */
    const char *help;
};
/* The fixed ones and those that sync.attributes adds, fixed first. Immutable; the configuration must outlive it. */
struct sync_schema { struct sync_attribute *attributes; size_t count; };
struct sync_schema *sync_schema_new(const struct config_sync *c);
void sync_schema_free(struct sync_schema *s);
const struct sync_attribute *sync_schema_find(const struct sync_schema *s, enum stage_kind kind, const char *name);
const char *sync_kind_name(enum stage_kind kind);       /* "Employee", "Group": the object types */

#define SYNC_ID "Entra User ID"             /* of Employee; a group's is "Entra Group ID" */
#define SYNC_GROUP_ID "Entra Group ID"
#define SYNC_MANAGER "Manager"
#define SYNC_MANAGER_ACCOUNT "Manager account ID"
#define SYNC_GROUPS "Groups"
#define SYNC_OWNED "Owned groups"           /* ownership stands on the employee, so that groups never wait for employees */
#define SYNC_PARENTS "Parent groups"
#define SYNC_GROUP_TYPE "Group type"
#define SYNC_NAME "Name"                    /* the label, of both kinds */
#define SYNC_ACCOUNT_ID "Atlassian account ID"
#define SYNC_JIRA_USER "Jira user"
#define SYNC_LAST_SEEN "Last seen"          /* in the table for its type, but no part of a record or its hash: written along with other changes, and when somebody leaves */
#define SYNC_STATUS "Status"                /* not in the table: active or not is a fact of the target row, which each target shows in its own way */

/* The record's text (keys sorted, null, "" and empty lists left out, lists sorted and without repetition) and the hash of it: the one way in which records are compared. *ret_text is the caller's. */
void sync_record_seal(const json_t *record, char **ret_text, char ret_hash[33]);
/* A time in the one form that records have: in UTC, without a fraction that is none, and none finer than milliseconds. Returns out; text itself where that is no time. */
const char *sync_record_time(const char *text, char out[EB_TIME_LEN]);
/* The members of `now` that differ from `was` (NULL: nothing is there), null for those that are to be cleared. The caller's. */
json_t *sync_record_difference(const json_t *was, const json_t *now);

#endif
