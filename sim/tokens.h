/* tokens.h - access tokens given out, and the token endpoint's view of a client assertion. */
#ifndef SIM_TOKENS_H
#define SIM_TOKENS_H

#include "sim/call.h"

struct sim_tokens;

/* client_cert: PEM file or NULL. Ends the program when it cannot be read. */
struct sim_tokens *sim_tokens_new(const char *client_cert);
void sim_tokens_free(struct sim_tokens *t);
void sim_tokens_clear(struct sim_tokens *t);
#define SIM_TOKEN_LEN 3072
/* A JWT in form, with these claims and random bytes for a signature. Roles that make it too long are left out. */
void sim_tokens_issue(struct sim_tokens *t, int64_t life_s, json_t *claims, char out[SIM_TOKEN_LEN]);
bool sim_tokens_valid(struct sim_tokens *t, const char *authorization);    /* the header's value */

/* POST /{tenant}/oauth2/v2.0/token; the tenant is params[0]. */
void sim_token_post(struct sim *s, struct sim_call *c, struct sim_reply *r);

/* Is it a JWT that Entra would take from this client? On failure *ret_aadsts is Entra's number for it. */
struct sim_assertion_rules { const char *client_id, *tenant, *base_url; const struct sim_tokens *tokens; int64_t now_ms; };
bool sim_assertion_check(const char *jwt, const struct sim_assertion_rules *rules, int *ret_aadsts, struct eb_err *err) EB_CHECK;
/* The registered certificate, or NULL: an X509 *. */
const void *sim_tokens_certificate(const struct sim_tokens *t);

#endif
