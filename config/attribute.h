/* attribute.h - Graph's user attributes as data: what an app may write, in which form, and what a policy may let out.
 *
 * One table (attribute.c), used by the configuration (names under `attributes`), by policy (forbidden, sensitive) and by operations (values of requests).
 * Limits and rights are Graph's own (facts on user updates); names are Graph's, in Graph's case.
 */
#ifndef CONFIG_ATTRIBUTE_H
#define CONFIG_ATTRIBUTE_H

#include "base/json.h"

enum attribute_type {
    ATTRIBUTE_TEXT, ATTRIBUTE_LIST /* of texts: the list sent replaces the old one */, ATTRIBUTE_BOOL, ATTRIBUTE_DATE /* RFC 3339 */,
    ATTRIBUTE_OBJECT,           /* `members`, each a text or null; where ATTRIBUTE_WHOLE is set a member that is not sent becomes null */
    ATTRIBUTE_OTHER,            /* has no form here: only let out, never written */
};

#define ATTRIBUTE_UPDATE     1u     /* user.update may write it, where the policy lists it */
#define ATTRIBUTE_CREATE     2u     /* user.create may write it, where the policy lists it */
#define ATTRIBUTE_ALWAYS     4u     /* user.create may write it unlisted: no user can be made without it */
#define ATTRIBUTE_CLEARABLE  8u     /* null clears it */
#define ATTRIBUTE_SEPARATE  16u     /* wants a PATCH of its own: it needs `permission` besides, and a missing one must not fail the rest */
#define ATTRIBUTE_SENSITIVE 32u     /* user.update: sensitive: true and approval: required */
#define ATTRIBUTE_FORBIDDEN 64u     /* user.update never writes it: it has a kind of its own, or would hand over the account */
#define ATTRIBUTE_WHOLE    128u

struct attribute {
    const char *name;
    enum attribute_type type;
    unsigned flags;
    size_t max;                     /* characters as Graph counts them (UTF-16), of a text or of each item or member */
    size_t items;                   /* ATTRIBUTE_LIST: most items */
    const char *permission;         /* Graph application permission that it needs besides the kind's own; NULL: none */
    const char *const *words;       /* NULL-ended: nothing else is accepted; or NULL */
    const char *const *members;     /* ATTRIBUTE_OBJECT */
    const char *(*form)(const char *text);      /* what is wrong with a text, beyond its length; or NULL */
};

/* NULL: no attribute of that name. A directory extension (extension_<32 hex digits>_<name>) gets the row of all of them. */
const struct attribute *attribute_find(const char *name);
/* Do operations of this kind make a user? Then what may be written is ATTRIBUTE_CREATE, else ATTRIBUTE_UPDATE. */
bool attribute_of_new_user(const char *kind);
size_t attribute_rows(const struct attribute **ret);        /* without the one for extensions */
/* NULL: a good value for a request. Otherwise what is wrong, for people, in `out`; the value itself is not repeated. null is good where it clears. */
const char *attribute_fault(const struct attribute *a, const json_t *value, char *out, size_t size);

#endif
