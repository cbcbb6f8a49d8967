/* transfer.c - one easy handle: how it is set up, and what it sends and receives.
 *
 * A handle is configured once for its cloud and kept; a call sets only what differs.
 * Invariant: a write leaves once. When a kept connection dies before the first byte of the answer, libcurl sends the
 * request again by itself, a POST or DELETE too. It asks before_request() each time before it sends, which refuses the
 * second time of a write: the transfer then fails with 42, in doubt. (A read function without a seek function and fresh
 * connections do the same for more: two writes to the socket for each POST, a TLS handshake for each DELETE.)
 */
#include "outbound/internal.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_MAX KiB(64)
#define BODY_KEPT KiB(64)           /* a larger buffer is not kept for the next call */
#define UPLOAD_BUFFER 16384L        /* libcurl's least; its own choice, 64 KiB for each handle, is a fifth of our memory under load */
#define ATTEMPT_LEAST_MS 3000

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    return eb_buf_add(&t->body, data, size * n) ? size * n : 0;     /* 0 ends the transfer */
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    outbound_head_line(&t->head, (struct eb_span){ data, size * n }, eb_now_ms());
    return t->head.bytes <= HEAD_MAX ? size * n : 0;
}

static int before_request(void *arg, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *t = arg;

    if (t->asked && !t->call->repeat_safe)
        return CURL_PREREQFUNC_ABORT;
    t->asked = true;
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    curl_socket_t fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd >= 0)
        outbound_watch_socket(arg, fd);
    return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
    outbound_unwatch_socket(arg, fd);
    return close(fd);
}

#define SET(option, value) (ok = ok && curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

/* What holds for every call of the cloud. An absolute time-out for each call makes LOW_SPEED_* needless. */
static bool configure(struct transfer *t)
{
    struct outbound *o = t->cloud->o;
    bool ok = true;

    SET(CURLOPT_PROTOCOLS_STR, t->cloud->plain ? "http" : "https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PROXY, "");             /* else the environment decides */
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CAINFO, o->ca_file);
    SET(CURLOPT_CAPATH, NULL);          /* with one, libcurl parses the whole bundle for each connection */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, 5000L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, 30L);
    SET(CURLOPT_MAXLIFETIME_CONN, 600L);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    SET(CURLOPT_USERAGENT, o->user_agent);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, (void *)t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, (void *)t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, (void *)t);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, (void *)t);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, (void *)o);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
    SET(CURLOPT_CLOSESOCKETDATA, (void *)o);
    return ok;
}

static struct transfer *transfer_new(struct outbound_cloud *c, struct eb_err *err)
{
    struct transfer *t = eb_alloc(sizeof(*t));

    t->cloud = c;
    t->easy = curl_easy_init();
    if (t->easy == NULL || !configure(t)) {
        (void)eb_fail(err, EB_INTERNAL, "%s: this libcurl does not take the settings that are needed", c->name);
        transfer_free(t);
        return NULL;
    }
    return t;
}

void transfer_free(struct transfer *t)
{
    if (t->easy != NULL)
        curl_easy_cleanup(t->easy);
    eb_buf_free(&t->body);
    free(t);
}

/* A hanging read leaves time for another try; a write has the whole of its time. */
static long attempt_ms(const struct outbound_call *call)
{
    int64_t left = call->deadline_ms - eb_mono_ms();
    int64_t part = call->allowed_ms / 3 > ATTEMPT_LEAST_MS ? call->allowed_ms / 3 : ATTEMPT_LEAST_MS;

    if (call->repeat_safe && left > part)
        left = part;
    return left > 0 ? (long)left : 1;
}

static bool set_call(struct transfer *t, struct outbound_call *call)
{
    bool post = call->has_body || (strcmp(call->method, "GET") != 0 && strcmp(call->method, "DELETE") != 0);
    bool ok = true;

    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_HTTPHEADER, call->headers);
    SET(CURLOPT_TIMEOUT_MS, attempt_ms(call));
    SET(CURLOPT_FRESH_CONNECT, call->new_connection ? 1L : 0L);
    if (post) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        SET(CURLOPT_POSTFIELDS, call->body.len > 0 ? call->body.p : "");       /* borrowed from the call */
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, strcmp(call->method, post ? "POST" : "GET") == 0 ? NULL : call->method);
    return ok;
}

/* A GUID of its own for each attempt: a random one whose last six digits count. */
static void new_request_id(struct outbound_call *call)
{
    static char guid[EB_ID_LEN];
    static uint64_t count;
    static const char hex[] = "0123456789abcdef";
    char *out = call->request_id + sizeof(CLIENT_REQUEST_ID) - 1;

    if (count++ % 0x1000000 == 0)
        eb_uuid4(guid);
    memcpy(call->request_id, CLIENT_REQUEST_ID, sizeof(CLIENT_REQUEST_ID) - 1);
    memcpy(out, guid, EB_ID_LEN);
    for (int digit = 0; digit < 6; digit++)
        out[EB_ID_LEN - 2 - digit] = hex[count >> (4 * digit) & 15];
}

bool transfer_start(struct outbound_call *call, struct eb_err *err)
{
    struct outbound_cloud *c = call->cloud;
    struct transfer *t = SLIST_FIRST(&c->idle);

    if (t != NULL)
        SLIST_REMOVE_HEAD(&c->idle, link);
    else if ((t = transfer_new(c, err)) == NULL)
        return false;
    t->call = call;
    t->asked = false;
    t->secret = call->secret_body;
    t->error[0] = '\0';
    eb_buf_reset(&t->body);
    t->body.max = call->max_body;
    outbound_head_reset(&t->head);
    new_request_id(call);
    call->started_us = eb_mono_us();

    if (!set_call(t, call) || curl_multi_add_handle(c->o->multi, t->easy) != CURLM_OK) {
        t->call = NULL;
        transfer_free(t);
        return eb_fail(err, EB_INTERNAL, "%s: libcurl did not take the call %s", c->name, call->name);
    }
    call->transfer = t;
    return true;
}

void transfer_stop(struct transfer *t)
{
    curl_multi_remove_handle(t->cloud->o->multi, t->easy);
    if (t->call != NULL)
        t->call->transfer = NULL;
    t->call = NULL;
}

void transfer_release(struct transfer *t)
{
    if (t->secret && t->body.data != NULL)
        OPENSSL_cleanse(t->body.data, t->body.cap);
    if (t->secret || t->body.cap > BODY_KEPT)
        eb_buf_free(&t->body);
    SLIST_INSERT_HEAD(&t->cloud->idle, t, link);
}
