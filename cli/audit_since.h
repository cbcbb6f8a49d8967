/* audit_since.h - the option --since of the audit commands. */
#ifndef CLI_AUDIT_SINCE_H
#define CLI_AUDIT_SINCE_H

#include <stdbool.h>
#include <stdint.h>

#define AUDIT_SINCE_HELP "--since is a time such as 2026-11-22T00:00:00Z, or a duration such as 7d"

/* RFC 3339, or a duration back from now; NULL: from the begin on. False: neither. */
bool audit_since(const char *text, int64_t *ret_ms);

#endif
