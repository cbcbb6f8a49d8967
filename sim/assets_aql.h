/* assets_aql.h - AQL: a query as a tree, what it holds of, and where to look for what it may hold of. */
#ifndef SIM_ASSETS_AQL_H
#define SIM_ASSETS_AQL_H

#include "sim/assets_store.h"
#include "sim/tracker.h"

enum aql_node_kind { AQL_AND, AQL_OR, AQL_NOT, AQL_TERM, AQL_HAVING, AQL_ALL };
enum aql_op { AQL_EQ, AQL_SAME /* == */, AQL_NE, AQL_LT, AQL_GT, AQL_LE, AQL_GE, AQL_IN, AQL_NOT_IN, AQL_LIKE, AQL_NOT_LIKE, AQL_BEGINS,
              AQL_ENDS, AQL_EMPTY, AQL_NOT_EMPTY };
enum aql_field { AQL_ATTRIBUTE, AQL_SCHEMA, AQL_SCHEMA_ID, AQL_TYPE, AQL_TYPE_ID, AQL_KEY, AQL_OBJECT_ID, AQL_LABEL, AQL_CREATED, AQL_UPDATED };

#define AQL_PATH_MAX 8
struct aql_path { enum aql_field field /* of the last step */; char *steps[AQL_PATH_MAX]; size_t count; };
struct aql_value { char *text; bool param; /* ${…}: stands for the values given */ bool below; /* objectTypeAndChildren("…") */ };
struct aql_node {
    enum aql_node_kind kind;
    struct aql_node *left, *right;  /* HAVING: left is what the other objects must be */
    struct aql_path path;
    enum aql_op op;
    struct aql_value *values;       /* HAVING: the kinds of reference that count; none: all */
    size_t value_count;
    bool inbound;
    struct { uint32_t type; const struct assets_attr *attr; } seen[AQL_PATH_MAX];      /* the step's attribute in the type met last */
};
#define AQL_ORDERS_MAX 4
struct aql_order { struct aql_path path; bool down; };
struct aql { struct aql_node *where; struct aql_order orders[AQL_ORDERS_MAX]; size_t order_count; };

/* Err: EB_INVALID_REQUEST, in words for people. */
bool aql_parse(const char *text, struct aql **ret, struct eb_err *err) EB_CHECK;
void aql_free(struct aql *q);
/* The value that a function stands for, "now(-30d)"; the caller's. NULL: it is none. */
char *aql_function(const char *text);

/* What a query is asked of. params: the values of ${…}. */
struct aql_world { struct assets *a; struct tracker *tracker; const char *const *params; size_t param_count; };
bool aql_holds(const struct aql_world *w, struct aql_node *n, const struct assets_object *o, const struct assets_body *b);
/* Objects of which it may hold, ascending; all others it does not. False: no such list, look at every object. */
struct aql_candidates { const uint32_t *ids; size_t count; uint32_t *owned; bool exact; /* it holds of each */ };
bool aql_candidates(const struct aql_world *w, struct aql_node *n, struct aql_candidates *ret);
uint32_t aql_least_id(const struct aql_node *n);             /* no object below this one can fit */
/* For ORDER BY: the text of the first value, or NULL. */
const char *aql_sort_text(const struct aql_world *w, const struct aql_path *p, const struct assets_object *o, const struct assets_body *b, char buf[48]);
uint32_t aql_id(const char *text);                           /* one spelling each; 0: it is no id */
bool aql_type_fits(const struct aql_world *w, const struct aql_node *n, const struct assets_type *t);
bool aql_schema_fits(const struct aql_world *w, const struct aql_node *n, const struct assets_schema *s);
int aql_compare(const char *a, const char *b);               /* numbers and times as such; NULL first */

#endif
