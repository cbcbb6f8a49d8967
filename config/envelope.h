/* envelope.h - the names of the marketplace app's envelope, {"route": …, "data": {…}}, as data: which route is which kind, which name is which field.
 *
 * One table (envelope.c), used by the configuration (what `compat` may add), by the endpoint and by `compat import`. Names are the same without regard to
 * case, "-", "_" and blanks.
 */
#ifndef CONFIG_ENVELOPE_H
#define CONFIG_ENVELOPE_H

#include "base/error.h"

#define ENVELOPE_NAME_MAX 128
#define ENVELOPE_ATTRIBUTES "attributes."       /* stands before the name of an attribute */
#define ENVELOPE_GENERATE "generatePassword"    /* no field of a kind: true asks for a password that is made here, as no password does */

struct envelope_name { const char *name, *means; };

/* Lower case, without "-", "_" and blanks. False: nothing is left, or it is too long. */
bool envelope_normal(const char *name, char out[ENVELOPE_NAME_MAX]);
bool envelope_same(const char *a, const char *b);

size_t envelope_routes(const struct envelope_name **ret);       /* each with its kind */
const char *envelope_route(const char *name);                   /* the kind of a route that stands there; NULL */
/* Each with a field of a kind, or "attributes." and an attribute. A name may stand there twice: the first that the kind has is meant. */
size_t envelope_fields(const struct envelope_name **ret);
const char *envelope_attribute(const char *name);               /* Graph's spelling of an attribute's name; NULL: there is none */
/* What a name means where no kind is known: a row of the table, else one of `fields` (of all kinds, NULL-ended), else an attribute with "attributes."
 * before it, into out. False: it means nothing. */
bool envelope_meaning(const char *name, const char *const *fields, char out[ENVELOPE_NAME_MAX]);

#endif
