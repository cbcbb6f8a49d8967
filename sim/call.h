/* call.h - one call to a simulated cloud, and its answer.
 *
 * A call is made from an HTTP request or from an item of a $batch; handlers cannot tell the difference.
 * Invariant: a handler is synchronous and fills the reply; delays, faults and sending are http.c's.
 */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include "base/json.h"
#include "base/random.h"

struct sim;

enum sim_cloud { SIM_CLOUD_NONE, SIM_CLOUD_CONTROL, SIM_CLOUD_TOKEN, SIM_CLOUD_GRAPH, SIM_CLOUD_JIRA, SIM_CLOUD_ASSETS };
const char *sim_cloud_name(enum sim_cloud cloud);
enum sim_priority { SIM_PRIORITY_NORMAL, SIM_PRIORITY_LOW, SIM_PRIORITY_HIGH };
enum sim_priority sim_priority_parse(const char *header /* or NULL */);
const char *sim_priority_name(enum sim_priority priority);

#define SIM_SEGMENTS_MAX 16
#define SIM_QUERY_MAX 24
#define SIM_ROUTE_PARAMS_MAX 4

struct sim_call {
    enum sim_cloud cloud;
    char method[8];
    char *target;                   /* path and query as sent; owned */
    char *work;                     /* the decoded pieces point into this; owned */
    const char *segments[SIM_SEGMENTS_MAX];
    size_t segment_count;
    struct { const char *name, *value; } query[SIM_QUERY_MAX];
    size_t query_count;
    const char *params[SIM_ROUTE_PARAMS_MAX];   /* what {} of the route matched */
    size_t param_count;
    struct eb_span body;            /* borrowed */
    json_t *json;                   /* the body parsed, by sim_call_json(); owned */
    bool json_tried;
    bool in_batch;
    bool eventual;                  /* header ConsistencyLevel: eventual */
    char authorization[3200];       /* holds a token of SIM_TOKEN_LEN */
    char client_request_id[64];
    char content_type[96];
    char base_url[160];             /* scheme and host, for links */
    bool minimal;                   /* header Prefer: return=minimal */
    enum sim_priority priority;     /* header x-ms-throttle-priority */
    char request_id[EB_ID_LEN];
};

/* Copies the target and takes it apart. False: too many pieces, or not a path. */
bool sim_call_target(struct sim_call *c, const char *target) EB_CHECK;
/* Splits a segment like users('x') in two, as OData allows it. */
void sim_call_split_keys(struct sim_call *c);
const char *sim_call_query(const struct sim_call *c, const char *name);      /* decoded, or NULL */
int64_t sim_call_query_int(const struct sim_call *c, const char *name, int64_t dflt);   /* dflt also for text */
/* The body as any JSON value; NULL when there is none or it is no JSON. Borrowed. */
json_t *sim_call_json(struct sim_call *c);
void sim_call_free(struct sim_call *c);             /* what it owns, not itself */

#define SIM_HEADERS_MAX 10
#define SIM_HEADER_VALUE_MAX 1024
struct sim_action;
struct sim_reply {
    int status;
    json_t *body;                   /* owned; NULL: no body, or `text` */
    char *text;                     /* owned; text/plain, or JSON where text_is_json */
    bool text_is_json;
    const char *content_type;       /* static; NULL: the cloud's JSON */
    struct { char name[40], value[SIM_HEADER_VALUE_MAX]; } headers[SIM_HEADERS_MAX];
    size_t header_count;
    json_t *log;                    /* for the call log: {"items": [...]} of a batch; owned */
    struct sim_action *transport;   /* a fault of a batch item that holds for the whole answer; owned */
};
void sim_reply_header(struct sim_reply *r, const char *name, const char *fmt, ...) EB_PRINTF(3, 4);
void sim_reply_json(struct sim_reply *r, int status, json_t *body);     /* takes body */
void sim_reply_text(struct sim_reply *r, int status, char *json);     /* the same, as text; takes it */
/* As Jira and Assets refuse: {"errorMessages": [text], "errors": {}}; with field: {"errors": {field: text}}. */
void atlassian_error(struct sim_reply *r, int status, const char *field, const char *fmt, ...) EB_PRINTF(4, 5);
json_t *sim_reply_tree(const struct sim_reply *r);   /* the body, whichever way it is held; the caller's, or NULL */
void sim_reply_clear(struct sim_reply *r);          /* frees what it holds; may be filled again */

typedef void sim_handler(struct sim *s, struct sim_call *c, struct sim_reply *r);
struct sim_route {
    const char *method;
    const char *pattern;            /* "/users/{}/manager/$ref" */
    sim_handler *handler;
    const char *permissions;        /* Graph: any of these, divided by '|'; NULL elsewhere */
};
enum sim_match { SIM_NO_PATH, SIM_NO_METHOD, SIM_MATCHED };
/* Looks for the route; `skip` leading segments are not compared. Fills params. */
enum sim_match sim_route_find(const struct sim_route *routes, size_t count, size_t skip, struct sim_call *c,
                              const struct sim_route **ret);

/* A UUID that is cheap to make: for request ids, not for secrets. */
void sim_quick_id(char out[EB_ID_LEN]);

#endif
