/* envelope.h - inside of handlers/: the marketplace app's envelope, {"route": …, "data": {…}}, as the request of one operation kind. Pure.
 *
 * What comes out is the body that the kind's own URL takes; it is judged there, and nothing is decided here. Beside it stands how the caller has called each
 * field, so that an error names what the caller wrote.
 */
#ifndef HANDLERS_ENVELOPE_H
#define HANDLERS_ENVELOPE_H

#include "config/config.h"
#include "config/envelope.h"
#include "ops/kinds.h"

struct envelope {
    const struct ops_kind *kind;
    json_t *body;               /* may hold a secret: envelope_forget() once it was submitted */
    json_t *shown;              /* {"user": "data.userName", "attributes.givenName": "data.firstName", "issue": "x-issue-key"} */
};

/* issue: the header x-issue-key, or NULL. EB_INVALID_REQUEST: no envelope, a route that is not known (the known ones are listed), a name that the kind does
 * not have, two names of one field whose values differ. The result is the caller's. */
bool envelope_read(const json_t *request, const char *issue, const struct config_compat *c, struct envelope **ret, struct eb_err *err) EB_CHECK;
void envelope_forget(struct envelope *e);       /* the body */
void envelope_free(void *e);                    /* of a struct envelope; NULL is accepted */

/* What a name in `data` is for that kind: a field, "attributes.jobTitle", or ENVELOPE_GENERATE. False: nothing. c may be NULL. */
bool envelope_resolve(const struct ops_kind *k, const struct config_compat *c, const char *name, char out[ENVELOPE_NAME_MAX]);
/* The kind of a route; NULL: not known. c may be NULL. */
const struct ops_kind *envelope_kind(const struct config_compat *c, const char *route);

/* The same error in the caller's names. */
void envelope_say(const struct envelope *e, const struct eb_err *err, struct eb_err *ret);

#endif
