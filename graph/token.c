/* token.c - the access token's life: none -> fetching -> held; past 80 % of it fetching again while the old one serves.
 *
 * Invariants: at most one fetch is under way; the credential leaves in the body of that one call only; a failure that
 * waiting does not mend is remembered for a moment, so that a wrong secret is not tried with every operation.
 * Owns: key, certificate, the header text (wiped when it goes).
 */
#include "graph/token.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define FETCH_MS 20000
#define FAILURE_KEPT_MS 3000
#define RENEW_AGAIN_MS 30000
#define TRANSIENT_TRIES 3
#define FORCED_EVERY_MS 1000
#define LIFE_MAX_S (48 * 3600)
#define HEADER "Authorization: Bearer "

struct graph_token {
    struct eb_loop *loop;
    const struct config_entra *config;
    struct outbound_cloud *cloud;
    graph_token_news *news;
    void *ctx;
    EVP_PKEY *key;
    X509 *certificate;
    char *path, *url;           /* of the token endpoint */
    const char *scope;
    char *header;
    uint64_t serial;
    int64_t since_ms, ends_ms;  /* monotonic; the token is not handed out after its end */
    int64_t forced_ms;          /* when one was last thrown away because Graph refused it */
    bool fetching, rejected;
    int tries;
    int64_t failed_until_ms;
    struct eb_err failure;
    struct eb_timer *timer;     /* renewal, another try, or news of a kept failure */
    enum { WAKE_NOTHING, WAKE_FETCH, WAKE_NEWS } wake;
};

static void fetch(struct graph_token *t);

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    return -1;
}

static bool load_pair(struct graph_token *t, struct eb_err *err)
{
    BIO *certificate = BIO_new_file(t->config->certificate, "r");
    BIO *key = BIO_new_file(t->config->key, "r");

    if (certificate != NULL)
        t->certificate = PEM_read_bio_X509(certificate, NULL, no_passphrase, NULL);
    if (key != NULL)
        t->key = PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);
    BIO_free(certificate);
    BIO_free(key);
    bool ok = t->certificate != NULL && t->key != NULL && EVP_PKEY_is_a(t->key, "RSA") &&
              X509_check_private_key(t->certificate, t->key) == 1;
    ERR_clear_error();
    return ok || eb_fail(err, EB_INVALID_REQUEST, "entra.client_certificate: %s and %s must be a certificate and its RSA key, as PEM",
                         t->config->certificate, t->config->key);
}

/* ---- the answer ---- */

static bool plain(const char *s)
{
    for (; *s != '\0'; s++)
        if (!isgraph((unsigned char)*s))
            return false;
    return true;
}

static void drop_header(struct graph_token *t)
{
    eb_wipe_free(t->header);
    t->header = NULL;
}

static bool keep(struct graph_token *t, const json_t *doc, struct eb_err *err)
{
    const char *token = eb_json_str(doc, "access_token");
    int64_t life_s = eb_json_int(doc, "expires_in", 0);
    const char *life_text = eb_json_str(doc, "expires_in");     /* some endpoints write it as text */

    if (life_text != NULL)
        life_s = strtoll(life_text, NULL, 10);
    if (token == NULL || token[0] == '\0' || strlen(token) > KiB(32) || !plain(token) || life_s <= 0)
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "The token endpoint answered without a usable access token.");
    if (life_s > LIFE_MAX_S)
        life_s = LIFE_MAX_S;
    int64_t slack_s = life_s > 600 ? 60 : life_s / 10;          /* it must not end on its way */

    drop_header(t);
    t->header = eb_asprintf(HEADER "%s", token);
    t->serial++;
    t->rejected = false;
    t->since_ms = eb_mono_ms();
    t->ends_ms = t->since_ms + (life_s - slack_s) * 1000;
    t->wake = WAKE_FETCH;
    eb_timer_set(t->timer, life_s * 800);
    eb_info(NULL, "graph_token event=held life_s=%lld", (long long)life_s);
    return true;
}

static bool still_serves(const struct graph_token *t)
{
    return t->header != NULL && !t->rejected && eb_mono_ms() < t->ends_ms;
}

static void failed(struct graph_token *t, bool transient, const struct eb_err *err)
{
    if (transient && t->tries < TRANSIENT_TRIES) {
        t->wake = WAKE_FETCH;
        eb_timer_set(t->timer, 1000 * t->tries);
        return;
    }
    t->failure = *err;
    t->failed_until_ms = eb_mono_ms() + FAILURE_KEPT_MS;
    t->tries = 0;
    t->wake = still_serves(t) ? WAKE_FETCH : WAKE_NOTHING;
    if (still_serves(t))
        eb_timer_set(t->timer, RENEW_AGAIN_MS);
    eb_warn(NULL, "graph_token event=failed: %s", err->text);
    t->news(t->ctx, &t->failure);
}

static void on_answer(void *ctx, uint64_t id, const struct outbound_reply *r)
{
    struct graph_token *t = ctx;
    struct eb_err err = { 0 };
    json_t *doc = NULL;
    bool transient = true;

    (void)id;
    t->fetching = false;
    if (r->result != OUTBOUND_ANSWERED) {
        failed(t, false, &r->err);          /* outbound has tried again already */
        return;
    }
    if (r->status != 200) {
        graph_token_error(r->status, r->body, &transient, &err);
        if (transient && r->retry_after_ms > 0)
            err.retry_after_ms = (int)r->retry_after_ms;
        failed(t, transient && r->status < 500 && r->status != 429, &err);
        return;
    }
    if (!eb_json_parse_reply(r->body, &doc, NULL))
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "The token endpoint answered with something that is not JSON: check "
                      "entra.authority_url, and whether a proxy stands in between.");
    bool ok = doc != NULL && keep(t, doc, &err);
    json_decref(doc);
    if (!ok) {
        failed(t, false, &err);
        return;
    }
    t->tries = 0;
    t->failed_until_ms = 0;
    t->news(t->ctx, NULL);
}

/* ---- the request ---- */

static void add_field(struct eb_buf *b, const char *name, const char *value)
{
    if (b->len > 0)
        eb_buf_str(b, "&");
    eb_buf_str(b, name);
    eb_buf_str(b, "=");
    eb_url_escape(b, value);            /* form-encoded: a plus must become %2B */
}

static bool make_body(struct graph_token *t, struct eb_buf *b, struct eb_err *err)
{
    add_field(b, "client_id", t->config->client_id);
    add_field(b, "scope", t->scope);
    add_field(b, "grant_type", "client_credentials");
    if (t->key == NULL) {
        add_field(b, "client_secret", t->config->client_secret);
        return true;
    }
    char *assertion = graph_assertion(t->key, t->certificate, t->config->client_id, t->url, eb_now_ms() / 1000, err);
    if (assertion == NULL)
        return false;
    add_field(b, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    add_field(b, "client_assertion", assertion);
    free(assertion);
    return true;
}

static void fetch(struct graph_token *t)
{
    struct eb_buf body = EB_BUF(KiB(64));
    struct eb_err err = { 0 };

    t->fetching = true;
    t->tries++;
    if (!make_body(t, &body, &err) || body.failed) {
        t->fetching = false;
        t->failure = err.code != EB_OK ? err : (struct eb_err){ .code = EB_INTERNAL, .text = "the token request is too large" };
        t->failed_until_ms = eb_mono_ms() + FAILURE_KEPT_MS;
        t->wake = WAKE_NEWS;
        eb_timer_set(t->timer, 0);
    } else {
        outbound_send(t->cloud, &(struct outbound_request){
            .method = "POST", .path = t->path, .call = "entra.token", .content_type = "application/x-www-form-urlencoded",
            .body = { body.data, body.len }, .repeat_safe = true, .wants_json = true, .high_priority = true, .secret_body = true,
            .deadline_ms = FETCH_MS, .max_body = KiB(64) }, 0, on_answer, t);
    }
    if (body.data != NULL)
        OPENSSL_cleanse(body.data, body.len);
    eb_buf_free(&body);
}

static void on_timer(void *arg)
{
    struct graph_token *t = arg;

    if (t->wake == WAKE_NEWS)
        t->news(t->ctx, &t->failure);
    else if (t->wake == WAKE_FETCH && !t->fetching)
        fetch(t);
}

void graph_token_want(struct graph_token *t)
{
    if (t->fetching || (t->wake == WAKE_FETCH && t->tries > 0))
        return;                         /* under way, or about to be tried again */
    if (eb_mono_ms() < t->failed_until_ms) {
        t->wake = WAKE_NEWS;
        eb_timer_set(t->timer, 0);
        return;
    }
    fetch(t);
}

const char *graph_token_header(struct graph_token *t, uint64_t *ret_serial)
{
    if (!still_serves(t))
        return NULL;
    *ret_serial = t->serial;
    return t->header;
}

void graph_token_reject(struct graph_token *t, uint64_t serial)
{
    /* The one that came for a refused one is refused as well: another would not do better, and Entra is not to be asked for each call. */
    if (serial != t->serial || (t->forced_ms != 0 && eb_mono_ms() - t->forced_ms < FORCED_EVERY_MS))
        return;
    t->rejected = true;
    t->forced_ms = eb_mono_ms();
}

bool graph_token_new(struct outbound *o, struct eb_loop *loop, const struct config_entra *c, graph_token_news *news, void *ctx,
                     struct graph_token **ret, struct eb_err *err)
{
    struct graph_token *t = eb_alloc(sizeof(*t));
    struct eb_buf path = EB_BUF(KiB(1));

    t->loop = loop;
    t->config = c;
    t->news = news;
    t->ctx = ctx;
    t->scope = graph_scope(c->graph_url, c->authority_url);
    eb_buf_str(&path, "/");
    eb_url_escape(&path, c->tenant_id);
    eb_buf_str(&path, "/oauth2/v2.0/token");
    t->path = eb_buf_take(&path);
    t->url = eb_asprintf("%s%s", c->authority_url, t->path != NULL ? t->path : "");
    t->timer = eb_timer_new(loop, on_timer, t);
    const struct outbound_cloud_options cloud = { .name = "entra", .base_url = c->authority_url, .max_calls = 2, .max_queue = 8,
                                                  .unavailable = EB_ENTRA_UNAVAILABLE };
    if ((c->certificate != NULL && !load_pair(t, err)) || !outbound_cloud_new(o, &cloud, &t->cloud, err)) {
        graph_token_free(t);
        return false;
    }
    *ret = t;
    return true;
}

void graph_token_free(struct graph_token *t)
{
    if (t == NULL)
        return;
    outbound_cloud_free(t->cloud);
    eb_timer_free(t->timer);
    drop_header(t);
    EVP_PKEY_free(t->key);
    X509_free(t->certificate);
    free(t->path);
    free(t->url);
    free(t);
}
