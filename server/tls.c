/* tls.c - TLS by OpenSSL: 1.2 and 1.3, forward secrecy and AEAD only, no tickets, no renegotiation, client certificates if asked for.
 *
 * A context is never changed: a reload makes a new one, and connections that are open keep theirs.
 */
#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

/* Takes the thread's OpenSSL errors (libcurl shares the queue) and says the first. */
static bool fail(struct eb_err *err, const char *what, const char *file)
{
    char text[160] = "no reason given";
    unsigned long first = ERR_get_error();

    if (first != 0)
        ERR_error_string_n(first, text, sizeof(text));
    ERR_clear_error();
    return eb_fail(err, EB_INVALID_REQUEST, "listen.tls: %s %s: %s", what, file != NULL ? file : "", text);
}

/* A client that offers protocols must offer ours; one that offers none is served. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Without this OpenSSL asks at the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    return -1;
}

static bool set_rules(SSL_CTX *ctx)
{
    int groups[] = { NID_X25519, NID_X9_62_prime256v1 };

    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set1_groups(ctx, groups, EB_LEN(groups)) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

static bool load_certificate(SSL_CTX *ctx, const struct config_listen *c, struct eb_err *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, c->tls_certificate) != 1)
        return fail(err, "no certificate chain can be read from", c->tls_certificate);
    if (c->tls_key == NULL || SSL_CTX_use_PrivateKey_file(ctx, c->tls_key, SSL_FILETYPE_PEM) != 1)
        return fail(err, "no key, or one of another certificate, in", c->tls_key);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail(err, "the key does not belong to the certificate:", c->tls_key);
    return true;
}

static bool ask_clients(SSL_CTX *ctx, const char *ca, struct eb_err *err)
{
    STACK_OF(X509_NAME) *names;

    if (SSL_CTX_load_verify_file(ctx, ca) != 1 || (names = SSL_load_client_CA_file(ca)) == NULL)
        return fail(err, "no client CA can be read from", ca);
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"entrabridge", strlen("entrabridge")) != 1)
        return fail(err, "session context", NULL);
    return true;
}

bool tls_context(const struct config_listen *c, SSL_CTX **ret, struct eb_err *err)
{
    *ret = NULL;
    if (c->tls_certificate == NULL)
        return true;
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || !set_rules(ctx)) {
        SSL_CTX_free(ctx);
        return fail(err, "the context cannot be made", NULL);
    }
    if (!load_certificate(ctx, c, err) || (c->tls_client_ca != NULL && !ask_clients(ctx, c->tls_client_ca, err))) {
        SSL_CTX_free(ctx);
        return false;
    }
    ERR_clear_error();
    *ret = ctx;
    return true;
}
