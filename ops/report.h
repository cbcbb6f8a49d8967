/* report.h - inside of ops/: an ended operation told to people (the audit comment) and to the auditor (audit row and personal record). Pure.
 *
 * The comment is made in two parts: the audit row's number and short hash stand between them, and they are known only while the row is written.
 */
#ifndef OPS_REPORT_H
#define OPS_REPORT_H

#include "base/hash.h"
#include "base/json.h"

/* The longest document that Jira takes, in characters; whether it counts text or JSON is not documented, so the JSON stays below it. */
#define OPS_COMMENT_MAX 32767

struct ops_report {                 /* all borrowed; what may be NULL is left out of comment and row */
    const char *operation, *kind, *outcome;
    const char *code;               /* NULL: it succeeded */
    const char *message;
    const char *note;               /* a further sentence, or NULL or "" */
    bool changed, dry_run;
    const char *token, *token_id;
    const char *rule;               /* that decided; NULL or "": none was asked */
    const char *issue, *issue_id;
    const char *user, *group;       /* as people know them: UPN, name; else as they were sent */
    const char *user_id, *upn, *display_name, *group_id, *group_name;
    const char *reason;
    const json_t *before, *after;   /* objects with the same members; after: NULL where it was not reached */
    const json_t *approvals;        /* seen at the last judgement: [{"id", "name", "decision", "completed", "approvers": [{"accountId", "name", "decision"}]}] */
    const json_t *steps;            /* of a composite operation: as in its answer; NULL: it is none */
    const char *request;            /* JSON: the body, without secrets */
    const char *request_id;         /* Graph's */
    const char *configuration;      /* its hash */
    const char *undo;               /* the kind that undoes it; NULL: none does */
    const char *undoes, *step_of;   /* ids of operations, or NULL */
};

struct ops_comment { char *head, *tail; char text_hash[EB_HEX_LEN]; };
/* text_hash: of the comment's text without number and hash, as jira_comment_text() reads it back. */
void ops_comment_make(const struct ops_report *r, struct ops_comment *ret);
/* The whole document, the caller's. */
char *ops_comment_whole(const struct ops_comment *c, int64_t number, const char *hash);
void ops_comment_clear(struct ops_comment *c);

/* What the chain keeps for ever: nothing in it names a person. `commented`: there is to be a comment. */
char *ops_audit_data(const struct ops_report *r, bool commented);
/* What can be erased. text_hash: of the comment; NULL: there is none. */
char *ops_audit_personal(const struct ops_report *r, const char *text_hash);

#endif
