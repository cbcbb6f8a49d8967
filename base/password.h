/* password.h - passwords made here: random, of all four classes that Entra knows, without characters that look alike.
 *
 * Entra takes 8 to 256 ASCII characters of three of the four classes
 * (https://learn.microsoft.com/en-us/entra/identity/authentication/concept-sspr-policy); ours have all four.
 */
#ifndef EB_PASSWORD_H
#define EB_PASSWORD_H

#include "base/error.h"

#define EB_PASSWORD_MIN 8
#define EB_PASSWORD_MAX 256
#define EB_PASSWORD_DEFAULT 16      /* 95 bits */

/* The characters in use, one class a text: lower, upper, digits, symbols. */
#define EB_PASSWORD_CLASSES 4
extern const char *const eb_password_classes[EB_PASSWORD_CLASSES];

/* len characters (EB_PASSWORD_MIN to EB_PASSWORD_MAX, asserted), each such password as likely as every other. The caller's: eb_wipe_free(). */
char *eb_password_new(size_t len);

#endif
