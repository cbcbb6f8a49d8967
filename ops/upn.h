/* upn.h - user principal names made from a pattern. Pure. */
#ifndef OPS_UPN_H
#define OPS_UPN_H

#include "base/json.h"

#define OPS_UPN_MAX 114                 /* 64 + @ + 48, and the NUL */

/* "{givenName}.{surname}@example.com" with the attributes' values in lower case, in ASCII, without what Entra does not take there; `number` above 1
 * stands behind the part before the @, which is cut where it must be. EB_INVALID_REQUEST names the attribute that is missing, or of which nothing is left. */
bool ops_upn_make(const char *pattern, const json_t *attributes, int number, char out[OPS_UPN_MAX], struct eb_err *err) EB_CHECK;

#endif
