/* jira.h - Jira Cloud v3: the issue, the comment, an earlier comment found again, the issue property. */
#ifndef JIRA_JIRA_H
#define JIRA_JIRA_H

#include "base/json.h"
#include "config/config.h"
#include "outbound/outbound.h"

struct jira;

bool jira_new(struct outbound *o, struct eb_loop *loop, const struct config_jira *c, struct jira **ret, struct eb_err *err) EB_CHECK;
void jira_free(struct jira *j);

/* Strings are borrowed, for the length of the call; "" where Jira did not tell. */
struct jira_issue {
    const char *id, *key;               /* key as Jira has it now: another one than asked for means a moved issue */
    const char *project_id, *project_key;
    const char *status;
    const char *request_type_id;        /* of the field of type vp-origin, "" where it is no request */
    const char *reporter_account_id, *reporter_email, *reporter_name;
    int64_t created_ms;                 /* 0: not told */
    const json_t *fields;               /* all that were asked for, as Jira gave them; borrowed too (json_incref to keep) */
};
/* err: NULL and issue set; or issue NULL: EB_ISSUE_NOT_FOUND, EB_JIRA_UNAVAILABLE (also 401/403: says which setting to mend). */
typedef void jira_issue_done(void *ctx, uint64_t id, const struct jira_issue *issue, const struct eb_err *err);
/* more: further fields, "customfield_10050,customfield_10051", or NULL. */
void jira_issue_get(struct jira *j, const char *key_or_id, const char *more, int64_t deadline_ms, uint64_t id, jira_issue_done *done, void *ctx);

/* The approvals of a request, all rounds, oldest first, read to the last page (JSM, facts: approvals). Borrowed during the call back. */
enum jira_decision { JIRA_PENDING, JIRA_APPROVED, JIRA_DECLINED };     /* a word that is none of the three: EB_JIRA_UNAVAILABLE, never a guess */
struct jira_approver { const char *account_id, *email, *name; enum jira_decision decision; };      /* email "": not told */
struct jira_approval {
    const char *id, *name;
    enum jira_decision decision;
    int64_t created_ms, completed_ms;   /* 0: not told */
    const struct jira_approver *approvers; size_t approver_count;
};
/* An issue that is no request has none: count 0. Too many pages, a cut or odd answer: err, EB_JIRA_UNAVAILABLE. */
typedef void jira_approvals_done(void *ctx, uint64_t id, const struct jira_approval *approvals, size_t count, const struct eb_err *err);
void jira_approvals_get(struct jira *j, const char *key_or_id, int64_t deadline_ms, uint64_t id, jira_approvals_done *done, void *ctx);

/* Every edit of the issue (changelog), read to the last page. field_id: "customfield_10050", "reporter", "project", "issuetype", "Key" (a move), and
 * "requesttype" for the field of type vp-origin, whose id differs in each site; NULL: a field that Jira does not name. at_ms 0: not told. */
struct jira_edit { const char *field_id; int64_t at_ms; };
typedef void jira_edits_done(void *ctx, uint64_t id, const struct jira_edit *edits, size_t count, const struct eb_err *err);
void jira_edits_get(struct jira *j, const char *key_or_id, int64_t deadline_ms, uint64_t id, jira_edits_done *done, void *ctx);

enum jira_post_result {
    JIRA_POSTED,         /* comment_id */
    JIRA_AGAIN,          /* surely not posted (429, not sent): try later, retry_after_ms */
    JIRA_POST_IN_DOUBT,  /* may have been posted: look (jira_comment_find) before posting again */
    JIRA_POST_REFUSED,   /* repeating does not mend it: err says why (issue gone, no permission, body refused) */
};
struct jira_post_reply { enum jira_post_result result; const char *comment_id; int64_t retry_after_ms; struct eb_err err; };
typedef void jira_post_done(void *ctx, uint64_t id, const struct jira_post_reply *reply);

/* The longest that a post can be under way: a lost one cannot land after it. */
#define JIRA_WRITE_DEADLINE_MS 15000
/* The comment property {"operation": id}; in an operation's further comments {"operation": "id:kind"}, so that each is found for itself. */
#define JIRA_COMMENT_PROPERTY "entrabridge"
/* Posts an ADF document (JSON, borrowed) with the operation's id as a property; internal unless `internal` is false. The answer's jsdPublic
 * is checked: a comment that came out public though it was to be internal is deleted at once and refused with how to mend it. */
void jira_comment_post(struct jira *j, const char *issue, const char *adf, const char *operation, bool internal,
                       uint64_t id, jira_post_done *done, void *ctx);
/* Looks through all pages, properties expanded, for our own account's comment of that operation. comment_id "" when there is none. */
typedef void jira_find_done(void *ctx, uint64_t id, const char *comment_id, const struct eb_err *err);
void jira_comment_find(struct jira *j, const char *issue, const char *operation, uint64_t id, jira_find_done *done, void *ctx);
/* One comment as it stands in Jira now. Strings are borrowed. EB_NOT_THERE: comment or issue is gone, or hidden from us. */
struct jira_comment { const char *id, *account_id, *created, *updated /* as Jira writes times: equal where it was never edited */, *text; };
typedef void jira_comment_done(void *ctx, uint64_t id, const struct jira_comment *c, const struct eb_err *err);
void jira_comment_get(struct jira *j, const char *issue, const char *comment_id, uint64_t id, jira_comment_done *done, void *ctx);
/* The text of an ADF document: that of all its text nodes in order, nothing in between. The caller's; NULL: too long, or too deep. */
char *jira_comment_text(const json_t *adf);
/* Sets the issue property `entrabridge` to value (JSON, borrowed): says to a second rule how an operation that was answered 202 has ended. */
void jira_property_put(struct jira *j, const char *issue, const char *value, uint64_t id, jira_post_done *done, void *ctx);

/* One page of all users of the site, as bytes, for a synchronization: behind everything else that waits. Up to 1000 a page, which may be shorter; the last is the
 * empty one. Needs the global permission "Browse users and groups" (403 says so). (Jira: GET /rest/api/3/users/search) */
struct jira_page_reply { struct eb_span body; int64_t throttled_ms; struct eb_err err; /* code EB_OK: none */ };
typedef void jira_users_done(void *ctx, uint64_t id, const struct jira_page_reply *r);
void jira_users_page(struct jira *j, int64_t start_at, uint64_t id, jira_users_done *done, void *ctx);
void jira_forget(struct jira *j, void *ctx, uint64_t id);       /* calls of a synchronization: dropped without a call back */
/* The workspace of JSM Assets (GET /rest/servicedeskapi/assets/workspace); EB_NOT_THERE: the site has none. */
typedef void jira_workspace_done(void *ctx, uint64_t id, const char *workspace_id, const struct eb_err *err);
void jira_workspace_get(struct jira *j, uint64_t id, jira_workspace_done *done, void *ctx);

/* Our own account; also tells whether the credentials work. account_id "" with err. */
typedef void jira_myself_done(void *ctx, uint64_t id, const char *account_id, const struct eb_err *err);
void jira_myself(struct jira *j, uint64_t id, jira_myself_done *done, void *ctx);
/* A project's id by its key: project keys of the policy are pinned to ids. EB_NOT_THERE when there is none. */
typedef void jira_project_done(void *ctx, uint64_t id, const char *project_id, const char *project_key, const struct eb_err *err);
void jira_project_get(struct jira *j, const char *key, uint64_t id, jira_project_done *done, void *ctx);
/* Which of the permissions that operations need our account lacks in a project: "ADD_COMMENTS, EDIT_ISSUES", "" for none. For `check`. */
typedef void jira_permissions_done(void *ctx, uint64_t id, const char *missing, const struct eb_err *err);
void jira_permissions_get(struct jira *j, const char *project_key, uint64_t id, jira_permissions_done *done, void *ctx);
/* The same of the global permission that listing users asks for: "USER_PICKER" (Browse users and groups), or "". For `check`. */
void jira_browse_get(struct jira *j, uint64_t id, jira_permissions_done *done, void *ctx);
/* Is our account an agent in the project? In a service project everybody else can write public comments only, and sees no approvals. For `check`. */
enum jira_agent { JIRA_AGENT, JIRA_NO_AGENT, JIRA_NO_SERVICE_PROJECT /* no agents there, and no approvals either */ };
typedef void jira_agent_done(void *ctx, uint64_t id, enum jira_agent agent, const struct eb_err *err);     /* agent counts without err only */
void jira_agent_get(struct jira *j, const char *project_key, uint64_t id, jira_agent_done *done, void *ctx);
/* The classic scopes that a token with scopes needs, "A B C": for what is always done, and with approvals besides. Static. For `check` and texts. */
const char *jira_scopes(bool approvals);

#endif
