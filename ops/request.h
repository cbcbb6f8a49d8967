/* request.h - a request's body against its kind's table of fields. Pure. */
#ifndef OPS_REQUEST_H
#define OPS_REQUEST_H

#include "base/json.h"
#include "ops/kinds.h"

struct ops_fields {             /* strings are the owner's: ops_fields_clear() */
    char *issue, *user, *group, *reason, *again;
    bool dry_run;
    json_t *body;               /* all of it, validated and in one form each (attributes without those that were skipped, lists where one text may
                                 * stand for one); fields without a member of their own are read from here */
    char *canonical;            /* the body with keys sorted: what makes a repeat. It may hold a secret: it is only hashed */
    char *kept;                 /* the same with null for secrets: what the journal keeps */
};
/* The ATTRIBUTE_... flags (config/attribute.h) of which an attribute must have one to be written by this kind. */
unsigned ops_writable(const struct ops_kind *k);
/* A text field of the body, borrowed; NULL where it was not sent. */
const char *ops_field_text(const struct ops_fields *f, const char *name);

/* EB_INVALID_REQUEST naming the field: unknown, of another type, empty ("the smart value in `user` had no value"), too long, with control
 * characters, of a wrong form, or missing; EB_ATTRIBUTE_NOT_PERMITTED for an attribute that no policy can allow. *ret is written only on success. */
bool ops_fields_read(const struct ops_kind *kind, const json_t *body, struct ops_fields *ret, struct eb_err *err) EB_CHECK;
/* The same of what the journal kept: there a secret that was given stands as null. */
bool ops_fields_read_kept(const struct ops_kind *kind, const json_t *body, struct ops_fields *ret, struct eb_err *err) EB_CHECK;
void ops_fields_clear(struct ops_fields *f);

#endif
