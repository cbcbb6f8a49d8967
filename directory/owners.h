/* owners.h - who owns the application that this program is: owners of its registration and of its service principal.
 *
 * The same for every operation, so it is read beside the names and again every 5 minutes. A reading that fails leaves the last one in force, for an
 * hour at most; then, and before the first one, who is an owner is unknown.
 */
#ifndef DIRECTORY_OWNERS_H
#define DIRECTORY_OWNERS_H

#include "directory/inside.h"

struct owners *owners_new(struct directory *d);
void owners_free(struct owners *o);                 /* accepts NULL */
/* Is it known, or known that it may not be read, of this client id? */
bool owners_settled(const struct owners *o, const char *client_id);
/* Reads them, unless that is under way; ends in bind_on_owners() for each binding. */
void owners_read(struct owners *o, const char *client_id);
enum policy_fact owners_fact(const struct owners *o, const char *user_id);

#endif
