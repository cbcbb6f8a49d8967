/* graph.h - Microsoft Graph v1.0: the token, typed calls, $batch, the error catalogue.
 *
 * Every path is made in graph/ and nowhere else; the one that removes a member is made by one function, and ends in
 * /$ref always: without it Graph deletes the user. https://learn.microsoft.com/graph/api/group-delete-members
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/json.h"
#include "config/config.h"
#include "outbound/outbound.h"

struct graph;

/* Uses the clouds "entra" (token) and "graph". The configuration must outlive it. */
bool graph_new(struct outbound *o, struct eb_loop *loop, const struct config_entra *c, struct graph **ret,
               struct eb_err *err) EB_CHECK;
void graph_free(struct graph *g);
/* Asked of each write, by its id, right before it leaves: false and it is GRAPH_NOT_SENT. Of several that leave together, of each. */
typedef bool graph_may(void *ctx, uint64_t id);
void graph_on_write(struct graph *g, graph_may *may, void *ctx);

enum graph_result {
    GRAPH_OK,            /* 2xx */
    GRAPH_NO_CHANGE,     /* the catalogue says that it was so already (member already, not a member) */
    GRAPH_REFUSED,       /* an error that repeating does not mend; err says what and what to do */
    GRAPH_THROTTLED,     /* 429: nothing was done; retry_after_ms */
    GRAPH_NOT_SENT,      /* nothing left the house */
    GRAPH_IN_DOUBT,      /* a write was sent; 5xx, a time-out or a cut answer came. Of a read: no usable answer, EB_ENTRA_UNAVAILABLE */
};
/* 404: of a read GRAPH_REFUSED with EB_USER_NOT_FOUND, EB_GROUP_NOT_FOUND (by its path) or EB_NOT_THERE; of a removal GRAPH_NO_CHANGE
 * with status 404: not a member, or one of the two objects is gone, so see that both exist. */
struct graph_reply {     /* borrowed, for the length of the call */
    enum graph_result result;
    int status;                   /* 0: none */
    json_t *body;                 /* NULL where there is none; borrowed: incref to keep */
    int64_t retry_after_ms;       /* -1: not told */
    const char *request_id;       /* Graph's, for the journal; "" */
    const char *graph_code;       /* Graph's error code, "" */
    struct eb_err err;            /* unless OK or NO_CHANGE */
};
typedef void graph_done(void *ctx, uint64_t id, const struct graph_reply *reply);

/* For whom a call is made: who goes first where calls have to wait, here and (x-ms-throttle-priority) at Graph. */
enum graph_priority {
    GRAPH_OWN,           /* the program itself; no header */
    GRAPH_DESK,          /* people who wait at the service desk: high */
    GRAPH_BACKGROUND,    /* bulk and scheduled operations: low; one grant in eight while others wait */
    GRAPH_SYNC,          /* synchronizations: low, behind everything else */
};

/* A batch of reads, one round trip. Throttled or failed items are asked again by themselves within the deadline. */
struct graph_batch;
#define GRAPH_BATCH_MAX 20
struct graph_batch *graph_batch_new(void);
/* Relative to the version root: "/users/{id}?$select=id". Returns the item's number from 0. Copies. */
int graph_batch_get(struct graph_batch *b, const char *path);
typedef void graph_batch_done(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err);
/* caller: a name; callers take turns where calls have to wait. NULL: nobody in particular. Without this call: GRAPH_OWN. */
void graph_batch_for(struct graph_batch *b, enum graph_priority priority, const char *caller);
/* Takes the batch. err is set (and count 0) when no whole answer was had: EB_ENTRA_UNAVAILABLE, EB_ENTRA_PERMISSION_MISSING, ... */
void graph_batch_send(struct graph *g, struct graph_batch *b, int64_t deadline_ms, uint64_t id, graph_batch_done *done, void *ctx);

/* A read by path, or by the nextLink of an answer (checked to stay within Graph's base). */
void graph_get(struct graph *g, const char *path, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx);
void graph_get_link(struct graph *g, const char *next_link, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx);

/* One page of a long list, as bytes, for a synchronization: it goes behind everything else that waits, with x-ms-throttle-priority: low, and is parsed
 * elsewhere (a page of 999 users takes some 6 ms). path, or a link of an earlier page (checked to stay within Graph's base). minimal: Prefer: return=minimal
 * (delta). GRAPH_OK: body is the whole of a 2xx that looks like JSON. GRAPH_REFUSED with EB_NOT_THERE: a link that is not good any more (410; 400 and
 * 404 of a link; https://learn.microsoft.com/graph/delta-query-overview): read everything anew. */
struct graph_page_reply { enum graph_result result; int status; struct eb_span body; int64_t throttled_ms; struct eb_err err; };
typedef void graph_page_done(void *ctx, uint64_t id, const struct graph_page_reply *r);
void graph_page_get(struct graph *g, const char *path_or_link, bool minimal, int64_t deadline_ms, uint64_t id, graph_page_done *done, void *ctx);
void graph_page_forget(struct graph *g, void *ctx, uint64_t id);    /* pages and batches of GRAPH_SYNC: dropped without a call back */

/* Writes, as data: one row each in graph/write.c gives its name, method, path, permission and what Graph's answers to it mean. */
enum graph_write_kind {
    GRAPH_MEMBER_ADD, GRAPH_MEMBER_REMOVE,          /* other_id: the group */
    GRAPH_USER_CREATE,                              /* body */
    GRAPH_USER_PATCH,                               /* body: attributes, never accountEnabled or passwordProfile */
    GRAPH_USER_ENABLE, GRAPH_USER_DISABLE,          /* alone, always */
    GRAPH_USER_PASSWORD,                            /* body: {"passwordProfile": {...}} */
    GRAPH_USER_DELETE, GRAPH_USER_RESTORE,          /* restore: body or NULL */
    GRAPH_USER_INVITE,                              /* body */
    GRAPH_MANAGER_SET, GRAPH_MANAGER_REMOVE,        /* set: other_id: the manager */
    GRAPH_LICENSES_ASSIGN,                          /* body: addLicenses and removeLicenses, both */
    GRAPH_SESSIONS_REVOKE,
    GRAPH_PASS_CREATE, GRAPH_PASS_DELETE,           /* temporary access pass. create: body; delete: method_id */
    GRAPH_METHOD_DELETE,                            /* method_type: "phoneMethods", ..., and method_id */
    GRAPH_WRITE_KINDS
};
struct graph_write {                /* borrowed during the call */
    enum graph_write_kind kind;
    const char *user_id, *other_id; /* object ids (GUIDs); anything else is GRAPH_NOT_SENT, EB_INTERNAL */
    const char *method_type, *method_id;    /* one of the six types in graph/path.c; letters, digits, "-_=" */
    const json_t *body;
    bool background;                /* bulk or scheduled: GRAPH_BACKGROUND; else GRAPH_DESK */
    bool patient;                   /* it may wait up to a second for others that can leave with it; background work is always so */
    bool alone;                     /* in a call of its own, whatever waits: for one that was in doubt */
    const char *caller;             /* as of graph_batch_for() */
};
/* Sent once, and by itself if it can leave at once. Additions to one group that have to wait, and patient ones, leave as one PATCH of up to 20 (graph/members.c); each has its own answer all the same, as if it had been sent by itself. Answers that say "it was so already" (member already, not a member, no manager, already deleted) are GRAPH_NO_CHANGE. */
void graph_write(struct graph *g, const struct graph_write *w, uint64_t id, graph_done *done, void *ctx);
/* "member.add", "user.create", ...: in the journal's write rows. Static. */
const char *graph_write_action(enum graph_write_kind kind);
bool graph_write_parse(const char *action, enum graph_write_kind *ret);
/* The least application permissions that it needs, "A B" (all of them), for texts, `check` and docs; of GRAPH_USER_PATCH those for ordinary
 * attributes (see graph_attribute_permission). Static. */
const char *graph_write_permissions(enum graph_write_kind kind);
/* The directory role that the application itself must hold besides, "User Administrator"; "" for none. Static. */
const char *graph_write_role(enum graph_write_kind kind);
/* The application permissions that writing this attribute of a user needs, "A B" (all of them). Static. */
const char *graph_attribute_permission(const char *attribute);
/* False: the cloud that the tenant is in does not offer it, and err (EB_REJECTED_BY_ENTRA) says so; graph_write() would answer GRAPH_REFUSED. */
bool graph_write_offered(const struct graph *g, enum graph_write_kind kind, struct eb_err *err) EB_CHECK;
/* "<graph_url>/directoryObjects/<id>", for "@odata.id" and "manager@odata.bind"; the caller's to free. NULL: not an object id. */
char *graph_object_link(const struct graph *g, const char *id);

/* Fetches a token if there is none; tells whether credentials work. */
void graph_check_credentials(struct graph *g, uint64_t id, graph_done *done, void *ctx);
/* The longest that a write can be under way: a lost request cannot land after it. */
#define GRAPH_WRITE_DEADLINE_MS 30000

/* Paths, one function each (graph/path.c). The result is the caller's to free. Values are escaped. */
char *graph_path_user(const char *id_or_upn, const char *tail);   /* "/users/{…}" + tail ("?$select=…" or "/memberOf?…"), $-UPNs as users('…') */
char *graph_path_users_by_mail(const char *mail, const char *select);
char *graph_path_group(const char *id, const char *tail);
char *graph_path_groups_by_name(const char *display_name, const char *select);
char *graph_path_role_assignments(const char *principal_id);      /* id and principalId; NULL: of everybody, 999 a page */

/* The application permissions that the token in hand carries (its `roles` claim), NULL-ended; NULL where there is no token, or it is no JWT that can be
 * looked into: Graph calls it opaque, so that only `check` may look and nothing may depend on it. The caller's: one free() for all of it. */
char **graph_token_roles(const struct graph *g);
/* The same of the directory roles that the application itself holds (`wids`): template ids. */
char **graph_token_directory_roles(const struct graph *g);

#endif
