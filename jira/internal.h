/* internal.h - what the files of jira share. */
#ifndef JIRA_INTERNAL_H
#define JIRA_INTERNAL_H

#include "jira/jira.h"

#include <sys/queue.h>

#define JIRA_READ_MS 30000
#define JIRA_APPROVAL_SCOPES "read:servicedesk-request"

struct jira_approval_list { struct jira_approval *items; size_t count, approvers; };    /* approvers: of all */
struct jira_edit_list { struct jira_edit *items; size_t count; };

struct jira_call;
/* Told once of the end of a call, before it is freed. doc: the answer's JSON, or NULL; borrowed. */
typedef void jira_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc);

struct jira_call {
    LIST_ENTRY(jira_call) link;
    bool low;                       /* of a synchronization: behind everything else, and may be forgotten */
    bool raw;                       /* `end` reads the body itself: doc is NULL */
    struct jira *jira;
    jira_end *end;
    char *issue, *operation;        /* where the call needs them again; owned */
    char *comment_id;
    bool internal;
    int64_t deadline_ms;            /* monotonic, of a search over several pages */
    int64_t start_at;
    const struct jira_paging *paging;       /* of a list that is read to its last page */
    int pages;
    struct jira_approval_list approvals;
    struct jira_edit_list edits;
    uint64_t id;
    void *ctx;
    union {
        jira_issue_done *issue; jira_post_done *post; jira_find_done *find; jira_comment_done *comment; jira_myself_done *myself; jira_project_done *project;
        jira_permissions_done *permissions; jira_agent_done *agent; jira_approvals_done *approvals; jira_edits_done *edits;
        jira_users_done *users; jira_workspace_done *workspace;
    } done;
};

struct jira {
    struct outbound_cloud *cloud;
    char *authorization;            /* the whole header; wiped */
    char *account_id;               /* ours; NULL until it is known */
    char *issue_fields;             /* "?fields=…" */
    bool fields_known;
    char *request_type_field;       /* NULL: not known (yet), or the site has none */
    struct eb_timer *field_timer;
    LIST_HEAD(jira_calls, jira_call) calls;
};

struct jira_call *jira_call_new(struct jira *j, jira_end *end, uint64_t id, void *ctx);
/* Sends; the call's `end` is told. path is freed. body: NULL or JSON text, freed. */
void jira_call_send(struct jira_call *call, const char *name, const char *method, char *path, char *body, int64_t deadline_ms);
void jira_call_free(struct jira_call *call);
/* "/rest/api/3/issue/{key}" + tail; the caller's to free. */
char *jira_path_issue(const char *issue, const char *tail);
char *jira_path_request(const char *issue, const char *tail);       /* the same with "/rest/servicedeskapi/request/{key}" */

/* Why a call did not do what it should: false. not_found: the code for 404. Nothing of the answer but Jira's own messages is used. */
bool jira_succeeded(const struct outbound_reply *o, const json_t *doc, enum eb_code not_found, struct eb_err *err);

/* From the list of all fields: which one is the request type. False: it is no such list. */
bool jira_fields_take(struct jira *j, const json_t *fields, struct eb_err *err) EB_CHECK;

/* ---- lists in pages (page.c) ---- */

struct jira_paging {                        /* static data of a list */
    const char *call, *tail;
    const char *start, *size, *last;        /* Jira's words for them; `last` is a boolean */
    const char *what;                       /* for texts: "approvals" */
    int page_size, pages_max;
    bool is_request;                        /* below servicedeskapi/request */
};
/* Where the next page begins; -1: this one is the last. False: it is no page, or not the one that was asked for. Pure. */
bool jira_page_next(const json_t *page, const struct jira_paging *p, int64_t start_at, int64_t *ret_next, struct eb_err *err) EB_CHECK;
/* Asks for the page at call->start_at. */
void jira_page_send(struct jira_call *call);
/* After a page: *ret_more when another one is to be sent for, with start_at set. */
bool jira_page_more(struct jira_call *call, const json_t *page, bool *ret_more, struct eb_err *err) EB_CHECK;

/* ---- pure parts (comment.c, issue.c, approvals.c, edits.c) ---- */

/* Add what a page holds. False: it is odd, or there is too much; the list is to be cleared all the same. */
bool jira_approvals_add(const json_t *page, struct jira_approval_list *list, struct eb_err *err) EB_CHECK;
void jira_approvals_sort(struct jira_approval_list *list);
void jira_approvals_clear(struct jira_approval_list *list);
/* request_type_field: NULL for none. */
bool jira_edits_add(const json_t *page, const char *request_type_field, struct jira_edit_list *list, struct eb_err *err) EB_CHECK;
void jira_edits_clear(struct jira_edit_list *list);
/* The issue's fields to ask for, after `have` ("?fields=..."): the caller's to free; NULL where `more` is no list of field ids. */
char *jira_fields_query(const char *have, const char *more);

/* The body of a comment: the ADF document with our properties; the caller's to free; NULL where operation is no UUID. */
char *jira_comment_body(const char *adf, const char *operation, bool internal);
/* Of the answer to a post only two members count, "id" (text) and "jsdPublic": they are picked out without building the whole
 * tree. *ret_public: -1 where it is absent. False: not plainly such an object; parse it as any other. */
bool jira_comment_scan(struct eb_span body, char id[32], int *ret_public);
/* One page of comments. *ret_comment: our account's comment of that operation, borrowed, or NULL; *ret_next: where the next page
 * begins, -1 at the end. False: it is no page. */
bool jira_comment_page(const json_t *page, const char *account_id, const char *operation, int64_t start_at,
                       const json_t **ret_comment, int64_t *ret_next);
void jira_issue_read(const json_t *doc, const char *request_type_field, struct jira_issue *ret);

#endif
