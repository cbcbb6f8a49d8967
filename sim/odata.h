/* odata.h - the common shape of Graph's answers: errors, $select, pages. */
#ifndef SIM_ODATA_H
#define SIM_ODATA_H

#include "sim/call.h"
#include "sim/entra.h"
#include "sim/filter.h"

#define ODATA_GONE "Resource '%s' does not exist or one of its queried reference-property objects are not present."
#define ODATA_DENIED "Insufficient privileges to complete the operation."

/* {"error": {code, message, innerError}}; the caller's. */
json_t *odata_error_body(const struct sim_call *c, const char *code, const char *message);
void odata_error(const struct sim_call *c, struct sim_reply *r, int status, const char *code, const char *fmt, ...) EB_PRINTF(5, 6);
void odata_bad_request(const struct sim_call *c, struct sim_reply *r, const char *fmt, ...) EB_PRINTF(3, 4);
void odata_not_found(const struct sim_call *c, struct sim_reply *r, const char *id);
void odata_denied(const struct sim_call *c, struct sim_reply *r);
const char *odata_usual_code(int status);
const char *odata_usual_message(int status);

/* Which properties an answer shows: those of $select, else the type's default ones. */
#define ODATA_SELECT_MAX 48
struct odata_select { char text[2048]; const char *names[ODATA_SELECT_MAX]; size_t n; };
/* False: answered with 400 (a property that the type does not have; kind ENTRA_KINDS allows those of any type). */
bool odata_select_parse(const struct sim_call *c, enum entra_kind kind, struct odata_select *ret, struct sim_reply *r) EB_CHECK;
/* The same of a text; what: names the option in the error. */
bool odata_select_text(const struct sim_call *c, enum entra_kind kind, const char *text, struct odata_select *ret, struct sim_reply *r) EB_CHECK;
json_t *odata_render(const struct entra *e, const struct entra_object *o, const struct odata_select *sel, bool with_type);
const char *odata_type(enum entra_kind kind);        /* "#microsoft.graph.user" */

/* An object as text, straight into a buffer: pages of 999 must not be what a measurement measures (odata_write.c). */
enum odata_expand { ODATA_EXPAND_NONE, ODATA_EXPAND_MANAGER, ODATA_EXPAND_MEMBERS, ODATA_EXPAND_OWNERS };
struct odata_column { const char *name; bool list, extension; int field; };     /* field: of the company, or -1 */
struct odata_columns { struct odata_column v[ODATA_SELECT_MAX]; size_t n; bool made; };
struct odata_view {
    struct entra *entra;
    const struct odata_select *select;      /* NULL or empty: the type's default properties */
    bool with_type;
    enum odata_expand expand;
    struct odata_view *expanded;            /* how the expanded ones are shown */
    struct odata_columns columns[ENTRA_KINDS];      /* made as they are needed */
};
void odata_write(struct eb_buf *out, struct odata_view *view, const struct entra_object *o);
/* The members of an object with a comma before each but the first; for delta, which adds its own. `first`: nothing was written yet. */
void odata_write_members(struct eb_buf *out, struct odata_view *view, const struct entra_object *o, bool first);
void odata_write_text(struct eb_buf *out, const char *text);       /* as a JSON string */
/* $expand of a kind into view->expand and its select. False: answered with 400. */
bool odata_expand_parse(const struct sim_call *c, enum entra_kind kind, enum odata_expand *ret, struct odata_select *select, struct sim_reply *r) EB_CHECK;
/* The columns of a type for a $select (or its default ones). */
void odata_columns_make(enum entra_kind kind, const struct odata_select *select, struct odata_columns *ret);

/* Answers a list of objects: filters, orders, counts, pages. `mixed`: several types, each with @odata.type. */
struct odata_list {
    struct entra *entra;
    struct entra_list objects;      /* candidates; freed by odata_answer_list. Or instead, for a page at the cost of a page: */
    const struct entra_list *order; /* all of the kind, of which the filter keeps some; */
    const struct entra_edges *edges;        /* the ends of these edges */
    enum entra_kind kind;           /* ENTRA_KINDS when mixed */
    bool with_type;
    bool cast;                      /* a cast segment: filtering it is an advanced query */
    const char *context;
    int64_t page_size;
    int64_t page_most;              /* whatever $top says; 0: no less than that */
};
void odata_answer_list(struct sim_call *c, struct odata_list *l, struct sim_reply *r);
/* The same for an array of plain JSON objects (borrowed). */
void odata_answer_json_list(struct sim_call *c, const json_t *items, const char *context, int64_t page_size, struct sim_reply *r);
/* $filter parsed and checked; *ret NULL when there is none. False: answered. */
bool odata_filter(struct sim_call *c, bool advanced_anyway, struct sim_filter **ret, struct sim_reply *r) EB_CHECK;
/* Known property of the type (also extension_…)? */
bool odata_has_property(enum entra_kind kind, const char *name);

#endif
