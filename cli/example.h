/* example.h - the web requests that `token create` shows beside a new token, on standard error: standard output is the token's alone. */
#ifndef CLI_EXAMPLE_H
#define CLI_EXAMPLE_H

#include "auth/auth.h"
#include "config/config.h"
#include "base/json.h"

/* Of `kind`, or where it is NULL of the first kinds that token and policy have. */
void example_show(const struct config *c, const struct auth_token *t, const char *kind);
json_t *example_list(const struct config *c, const struct auth_token *t, const char *kind);       /* the same for programs; the caller's */

#endif
