/* assets.h - JSM Assets: typed calls for schemas, object types, attributes, objects, AQL and external imports.
 *
 * Ids are text everywhere (facts: Assets, data model). Answers are handed over as JSON, or as bytes where they are pages of objects, which are parsed elsewhere.
 * Limits: writes go one object a call; reads and writes are throttled by what 429 says. https://developer.atlassian.com/cloud/assets/rest/
 */
#ifndef ASSETS_ASSETS_H
#define ASSETS_ASSETS_H

#include "base/json.h"
#include "config/config.h"
#include "outbound/outbound.h"

struct assets;

/* Both sections must outlive it: credentials are those of jira. */
bool assets_new(struct outbound *o, struct eb_loop *loop, const struct config_assets *c, const struct config_jira *jira, struct assets **ret, struct eb_err *err) EB_CHECK;
void assets_free(struct assets *a);
/* Where the configuration does not say it: found by jira_workspace_get(). Calls before it fail. Copied. */
bool assets_set_workspace(struct assets *a, const char *workspace_id, struct eb_err *err) EB_CHECK;
const char *assets_workspace(const struct assets *a);          /* NULL: not known yet */

enum assets_result {
    ASSETS_OK,
    ASSETS_REFUSED,             /* 400, 404, 409: repeating does not mend it; err has Assets' own words, with the attribute's id translated by the caller */
    ASSETS_DENIED,              /* 401, 403: nothing will work until somebody mends credentials or permissions */
    ASSETS_NOT_SENT,            /* surely nothing was done: not sent, or throttled for longer than the deadline */
    ASSETS_IN_DOUBT,            /* a write was sent and no usable answer came. Of a read: no usable answer within the deadline */
};
struct assets_reply {           /* borrowed, for the length of the call */
    enum assets_result result;
    int status;
    const json_t *body;         /* also of a refusal; NULL: none, or handed over as bytes */
    struct eb_span bytes;       /* with raw: the whole body of a 2xx */
    int64_t throttled_ms;       /* how long it was held back by 429 */
    const char *location;       /* of a 303 (a mapping that is taken in the background): the link to its progress; else "" */
    int attempts;               /* rounds that were sent; for counting calls */
    struct eb_err err;          /* unless OK; code EB_NOT_THERE for 404, EB_INVALID_REQUEST for other refusals, EB_JIRA_UNAVAILABLE for the rest */
};
typedef void assets_done(void *ctx, uint64_t id, const struct assets_reply *r);

/* Calls, as data: a row each in assets/call.c gives name, method, path, and whether it may be repeated. */
enum assets_call_kind {
    ASSETS_SCHEMAS,                 /* GET objectschema/list, the page at `start` */
    ASSETS_SCHEMA_CREATE,           /* body */
    ASSETS_TYPES,                   /* GET objectschema/{a}/objecttypes/flat */
    ASSETS_TYPE_CREATE,             /* body */
    ASSETS_ICONS,                   /* GET icon/global */
    ASSETS_ATTRIBUTES,              /* GET objecttype/{a}/attributes */
    ASSETS_ATTRIBUTE_CREATE,        /* POST objecttypeattribute/{a}, body */
    ASSETS_REFERENCE_TYPES, ASSETS_REFERENCE_TYPE_CREATE,
    ASSETS_STATUS_TYPES, ASSETS_STATUS_TYPE_CREATE,
    ASSETS_AQL,                     /* POST object/aql?startAt={start}&maxResults={size}&includeAttributes=true, body {"qlQuery"}; a read, repeated; raw */
    ASSETS_OBJECT,                  /* GET object/{a} */
    ASSETS_OBJECT_CREATE,           /* sent once */
    ASSETS_OBJECT_UPDATE,           /* PUT object/{a}: absolute values, repeated */
    ASSETS_OBJECT_DELETE,           /* repeated; 404 is OK */
    ASSETS_USAGE,
    ASSETS_IMPORT_INFO,             /* with the import token, as all that follow; links are followed as given */
    ASSETS_IMPORT_STATUS, ASSETS_IMPORT_MAPPING_PUT, ASSETS_IMPORT_MAPPING_PATCH, ASSETS_IMPORT_MAPPING_PROGRESS, ASSETS_IMPORT_START,
    ASSETS_IMPORT_PROGRESS, ASSETS_IMPORT_DATA, ASSETS_IMPORT_EXECUTION, ASSETS_IMPORT_CANCEL,
    ASSETS_CALL_KINDS
};
struct assets_call {                /* borrowed during the call */
    enum assets_call_kind kind;
    const char *a;                  /* the id in the path; of imports: the link, checked to stay within the base */
    int64_t start; int size;
    const json_t *body;
    int64_t deadline_ms;            /* 0: 30 s */
};
void assets_send(struct assets *a, const struct assets_call *c, uint64_t id, assets_done *done, void *ctx);
void assets_forget(struct assets *a, void *ctx, uint64_t id);       /* dropped without a call back */
/* The longest that one round of a write can be under way: a lost one cannot land after it. */
#define ASSETS_WRITE_DEADLINE_MS 30000

/* A page of ASSETS_AQL, object by object, each borrowed for its call; false from `each` ends the walk with its error. Objects have, at whatever depth, only the members that are
 * read: id, label, objectKey, attributes, objectTypeAttributeId, objectAttributeValues, value, searchValue, referencedObject, user, key, status, category. *ret_rest: the page's
 * other members (isLast, total), the caller's. EB_INTERNAL: it is no such page; objects before the fault were told. */
typedef bool assets_page_object(void *ctx, const json_t *object, struct eb_err *err);
bool assets_page_each(struct eb_span page, assets_page_object *each, void *ctx, json_t **ret_rest, int64_t *ret_count, struct eb_err *err) EB_CHECK;

/* A value within quotes for AQL: quote and backslash escaped (facts: AQL). */
void assets_quote(struct eb_buf *out, const char *value);
/* Assets names an attribute by its id, "rlabs-insight-attribute-135": the number in the first such name, copied to id; false: there is none. */
bool assets_error_attribute(const json_t *body, char id[32]);
/* Assets' own words in a body: the first of errorMessages, else of errors. Cleaned of control characters. */
void assets_error_words(const json_t *body, char *out, size_t size);
/* Is an import token at hand? */
bool assets_imports(const struct assets *a);
/* The classic scopes that a token with scopes needs. Static. */
const char *assets_scopes(bool make_schema);

#endif
