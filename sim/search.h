/* search.h - OData $search as Graph serves it for users and groups: "property:text", joined by AND and OR. */
#ifndef SIM_SEARCH_H
#define SIM_SEARCH_H

#include "sim/entra.h"

struct sim_search;

/* The result is the caller's. EB_INVALID_REQUEST: no search in that form, or of a property that is not searched. */
bool sim_search_parse(const char *text, enum entra_kind kind, struct sim_search **ret, struct eb_err *err) EB_CHECK;
void sim_search_free(struct sim_search *s);          /* accepts NULL */
/* A word of displayName or description begins with the text, or another property's value does. */
bool sim_search_match(const struct sim_search *s, const struct entra *e, const struct entra_object *o);

#endif
