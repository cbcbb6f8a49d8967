/* token.h - the access token for Graph: client credentials, one fetch under way, renewed before it ends. */
#ifndef GRAPH_TOKEN_H
#define GRAPH_TOKEN_H

#include "config/config.h"
#include "outbound/outbound.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct graph_token;
/* A fetch has ended; err NULL: there is a token now. Called from the loop, never inside a call of this header. */
typedef void graph_token_news(void *ctx, const struct eb_err *err);

/* The configuration must outlive it. */
bool graph_token_new(struct outbound *o, struct eb_loop *loop, const struct config_entra *c, graph_token_news *news, void *ctx,
                     struct graph_token **ret, struct eb_err *err) EB_CHECK;
void graph_token_free(struct graph_token *t);

/* "Authorization: Bearer …", or NULL while there is none that serves. Borrowed; *ret_serial names it. */
const char *graph_token_header(struct graph_token *t, uint64_t *ret_serial);
/* Starts a fetch unless one is under way; its end is told by the news. */
void graph_token_want(struct graph_token *t);
/* Graph said 401 to the token of that serial: it is not handed out again. */
void graph_token_reject(struct graph_token *t, uint64_t serial);

/* ---- pure parts ---- */

/* The signed client assertion (PS256, x5t#S256), the caller's to free; NULL with err. */
char *graph_assertion(EVP_PKEY *key, X509 *certificate, const char *client_id, const char *audience, int64_t now_s,
                      struct eb_err *err);
/* What an error of the token endpoint means. *ret_transient: worth another try. */
void graph_token_error(int status, struct eb_span body, bool *ret_transient, struct eb_err *ret);
/* The `roles` of a token, NULL-ended, in one block to free(); NULL: it is no JWT. A "Bearer" before it does no harm. For `check` only. */
char **graph_roles_of(const char *token);
/* The scope for a Graph root: the cloud's own host, also where graph_url is an override on another one. */
const char *graph_scope(const char *graph_url, const char *authority_url);

#endif
