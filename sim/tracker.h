/* tracker.h - the state of the simulated Jira and JSM: projects, accounts, issues with comments, approvals, properties.
 *
 * Pointers are borrowed and live until tracker_free(). An issue is found by each of its keys, also former ones, and by its id.
 */
#ifndef SIM_TRACKER_H
#define SIM_TRACKER_H

#include "base/json.h"

#include "sim/company.h"

#include <sys/queue.h>
#include <uthash.h>

#define TRACKER_OWN_ACCOUNT "712020:00000000-0000-4000-8000-00000000b07d"
#define TRACKER_ACCOUNT_PREFIX "712020:"    /* of the account of an Entra person, before the object id */
#define TRACKER_OPERATION_PROPERTY "entrabridge"     /* the comment property whose member `operation` is counted */

struct tracker_project { char key[32], id[24], name[64]; UT_hash_handle hh; };
struct tracker_account {
    char id[128];
    char *name, *email;             /* email NULL: hidden */
    const char *type;               /* static: atlassian, customer, app */
    bool active;
    bool email_hidden;              /* by the owner's profile: shown by no API ... */
    bool email_empty;               /* ... as "" rather than left out */
    UT_hash_handle hh;
};
/* A person of the generated company with an account that nobody has touched: only the number is kept. */
struct tracker_numbered { uint32_t number; bool own; };        /* own: has become a tracker_account */
struct tracker_comment {
    char id[24];
    const struct tracker_account *author, *updater;
    int64_t created_ms, updated_ms;
    bool internal;
    json_t *body;                   /* ADF */
    json_t *properties;             /* array of {key, value} */
    char operation[64];             /* "" : none */
    TAILQ_ENTRY(tracker_comment) next;
};
TAILQ_HEAD(tracker_comments, tracker_comment);
struct tracker_approval {
    char id[24];
    char *name;
    char decision[12];              /* approved, pending, declined */
    int64_t created_ms, completed_ms;
    struct { const struct tracker_account *account; char decision[12]; } *approvers;
    size_t approver_count;
    TAILQ_ENTRY(tracker_approval) next;
};
struct tracker_issue {
    char key[40], id[24];
    const struct tracker_project *project;
    const struct tracker_account *reporter;
    char *summary, *status;
    char request_type[16];          /* "" : no request */
    int64_t created_ms, updated_ms;
    bool hidden;                    /* 404, as for an issue that we may not see */
    int64_t max_comments;           /* 0: no limit; else 413 beyond */
    struct tracker_comments comments;
    size_t comment_count;
    TAILQ_HEAD(, tracker_approval) approvals;
    json_t *properties;             /* object */
    json_t *former_keys;            /* array */
    json_t *fields;                 /* customfield_N: text, number, {"value", "id"}, {"account": id}, or an array of those */
    json_t *history;                /* array of {"id", "author": account id, "ms", "items"}, oldest first */
    TAILQ_ENTRY(tracker_issue) next;
};
struct tracker_name { char name[40]; struct tracker_issue *issue; UT_hash_handle hh; };
struct tracker {
    struct tracker_project *projects;
    struct tracker_account *accounts;
    struct tracker_account **roll;  /* in the order of making, but those that were numbers */
    size_t roll_count;
    struct tracker_numbered *numbered;      /* by rising number */
    size_t numbered_count;
    const struct company *company;  /* borrowed: says who a number is; NULL: no numbers */
    struct tracker_name *names;     /* keys and ids of issues */
    TAILQ_HEAD(, tracker_issue) issues;
    uint64_t last_id;               /* of comments, approvals and made issues */
    size_t keep_comments;           /* of each issue; 0: all */
};

struct tracker *tracker_new(size_t keep_comments);
void tracker_free(struct tracker *t);

struct tracker_project *tracker_project(struct tracker *t, const char *key, const char *id, const char *name);  /* found or made; id and name may be NULL */
struct tracker_account *tracker_account(struct tracker *t, const char *id);      /* or NULL */
/* The accounts in order, each with its place from 0: own ones first, then the numbers. A number is answered by *ret_number, else it is 0. */
bool tracker_account_exists(const struct tracker *t, const char *id);
size_t tracker_account_count(const struct tracker *t);
const struct tracker_account *tracker_account_at(struct tracker *t, size_t place, uint32_t *ret_number);
void tracker_numbered_add(struct tracker *t, uint32_t number);         /* higher than all before */
void tracker_roll_add(struct tracker *t, struct tracker_account *a);    /* for tracker.c */
struct tracker_account *tracker_account_put(struct tracker *t, const char *id, const char *name, const char *email, const char *type);
struct tracker_issue *tracker_issue(struct tracker *t, const char *key_or_id);   /* any case of letters; NULL: none */
/* Made when it is not there. id NULL: chosen. NULL: the key is none, or the id is another issue's. */
struct tracker_issue *tracker_issue_put(struct tracker *t, const char *key, const char *id);
/* Gives the issue another key, and so perhaps another project; the old key finds it still. False: no key, or taken. */
bool tracker_issue_move(struct tracker *t, struct tracker_issue *i, const char *key);
/* Records a change; takes items, an array as Jira's changelog shows them; nothing when it is empty. */
void tracker_history_add(struct tracker *t, struct tracker_issue *i, const struct tracker_account *author, int64_t ms, json_t *items);
void tracker_issue_alias(struct tracker *t, struct tracker_issue *i, const char *former_key);
/* Takes body and properties. Forgets the oldest beyond keep_comments. */
struct tracker_comment *tracker_comment_add(struct tracker *t, struct tracker_issue *i, const struct tracker_account *author,
                                            json_t *body, json_t *properties, bool internal);
struct tracker_comment *tracker_comment(struct tracker_issue *i, const char *id);
void tracker_comment_remove(struct tracker_issue *i, struct tracker_comment *m);
struct tracker_approval *tracker_approval_add(struct tracker *t, struct tracker_issue *i, const char *name, const char *decision);
void tracker_approver_add(struct tracker_approval *a, const struct tracker_account *who, const char *decision);
void tracker_approvals_clear(struct tracker_issue *i);
size_t tracker_comments_of(const struct tracker_issue *i, const char *operation /* NULL: all */);

#endif
