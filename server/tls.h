/* tls.h - the server's TLS context. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "config/config.h"

#include <openssl/ssl.h>

/* A whole new context from the files; NULL in *ret without tls_certificate. The caller's: SSL_CTX_free(). Errors name the file. */
bool tls_context(const struct config_listen *c, SSL_CTX **ret, struct eb_err *err) EB_CHECK;

#endif
