/* reply.c - answers: type, length and security headers on every one; no body to a HEAD.
 *
 * Each exchange ends here, in answer(), or in exchange_gone(). The text of an answer is made in the server's one buffer.
 */
#include "server/reply.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "server/guard.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define HEADERS_MAX 4               /* that a failure adds of its own */

static struct eb_metric seconds = { "entrabridge_http_request_seconds", "From a whole request to its answer, by route and status.",
                                    EB_HISTOGRAM, { "route", "status" } };

static const struct { int status; const char *text; } reasons[] = {
    { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 303, "See Other" }, { 304, "Not Modified" },
    { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
    { 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
    { 422, "Unprocessable Content" }, { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < EB_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Answer";
}

static bool has_body(int status)
{
    return status != 204 && status != 304;
}

/* ---- the text of a failure ---- */

json_t *server_problem(const struct eb_err *err, const json_t *extra)
{
    int status = eb_code_status(err->code);
    const char *code = eb_code_text(err->code), *text = err->text[0] != '\0' ? err->text : eb_code_title(err->code);
    char type[96];

    snprintf(type, sizeof(type), "urn:entrabridge:problem:%s", code);
    json_t *p = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", type, "title", eb_code_title(err->code), "status", status,
                          "detail", text, "outcome", status >= 500 && status != 503 ? "failed" : "refused", "code", code, "message", text);
    if (p == NULL)                  /* only a text that is not UTF-8 */
        p = json_pack("{s:s, s:i, s:s, s:s}", "title", eb_code_title(err->code), "status", status, "code", code, "message",
                      eb_code_title(err->code));
    if (p != NULL && err->field[0] != '\0')
        (void)json_object_set_new(p, "field", json_string(err->field));     /* no UTF-8: left out */
    if (p != NULL && extra != NULL)
        (void)json_object_update(p, (json_t *)(uintptr_t)extra);           /* jansson's is not const; it only reads */
    return p;
}

static bool make_text(struct server *s, const json_t *body)
{
    eb_buf_reset(&s->text);
    return body != NULL && eb_json_to_buf(body, &s->text);
}

/* A failure's own headers, as "Name: value" texts in lines[]. */
struct failure_headers { char lines[HEADERS_MAX][96]; const char *list[HEADERS_MAX + 1]; size_t count; };

static void add_line(struct failure_headers *h, const char *name, const char *value)
{
    snprintf(h->lines[h->count], sizeof(h->lines[0]), "%s: %s", name, value);
    h->list[h->count] = h->lines[h->count];
    h->list[++h->count] = NULL;
}

static void failure_headers(const struct eb_err *err, const char *allow, struct failure_headers *ret)
{
    int status = eb_code_status(err->code);
    char wait[16];

    ret->count = 0;
    ret->list[0] = NULL;
    if (status == 401)
        add_line(ret, "WWW-Authenticate", "Bearer");
    if (allow != NULL && allow[0] != '\0')
        add_line(ret, "Allow", allow);
    if (err->retry_after_ms > 0 || status == 503 || status == 429) {
        snprintf(wait, sizeof(wait), "%d", err->retry_after_ms > 0 ? (err->retry_after_ms - 1) / 1000 + 1 : 1);
        add_line(ret, "Retry-After", wait);
    }
}

/* ---- through evhttp ---- */

static void add_header(struct evkeyvalq *out, const char *line)
{
    char name[64];
    size_t len = strcspn(line, ":");

    if (line[len] == '\0' || len >= sizeof(name))
        return;
    memcpy(name, line, len);
    name[len] = '\0';
    for (line += len + 1; *line == ' '; line++)
        ;
    evhttp_add_header(out, name, line);     /* refuses line ends */
}

static void put_headers(struct server_exchange *x, int status, const char *type, size_t len, const char *const *headers)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(x->req);
    char length[24];

    if (has_body(status)) {
        snprintf(length, sizeof(length), "%zu", len);
        evhttp_add_header(out, "Content-Type", type);
        evhttp_add_header(out, "Content-Length", length);
    }
    evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(out, "Cache-Control", "no-store");
    for (; headers != NULL && *headers != NULL; headers++)
        add_header(out, *headers);
    if (x->close) {
        evhttp_remove_header(evhttp_request_get_input_headers(x->req), "Connection");   /* else an old client gets keep-alive beside it */
        evhttp_add_header(out, "Connection", "close");
    }
}

static void count(const struct server_exchange *x, int status)
{
    char text[8];

    snprintf(text, sizeof(text), "%d", status);
    eb_metric_observe(&seconds, (double)(eb_mono_us() - x->began_us) / 1e6, x->route != NULL ? x->route->def->pattern : "none", text, NULL);
}

static void end(struct server_exchange *x, int status)
{
    eb_debug(NULL, "request method=%s route=%s status=%d ms=%.1f", x->method, x->route != NULL ? x->route->def->pattern : "none", status,
             (double)(eb_mono_us() - x->began_us) / 1e3);
    HASH_DEL(x->server->exchanges, x);
    x->over = true;
    if (!x->in_handler)
        exchange_free(x);
}

/* The one way out for an exchange that has its client. */
static void answer(struct server_exchange *x, int status, const char *type, struct eb_span body, const char *const *headers)
{
    x->close = x->close || x->server->draining;
    put_headers(x, status, type, body.len, headers);
    if (!x->head && has_body(status) && body.len > 0)
        evbuffer_add(evhttp_request_get_output_buffer(x->req), body.p, body.len);
    evhttp_send_reply(x->req, status, reason_of(status), NULL);
    guard_answering(x->guard);
    count(x, status);
    end(x, status);
}

static void send_failure(struct server_exchange *x, const struct eb_err *err, const json_t *extra, const char *allow)
{
    EB_AUTO(json_t, json_decref) body = server_problem(err, extra);
    struct failure_headers headers;

    failure_headers(err, allow, &headers);
    if (!make_text(x->server, body)) {
        eb_buf_reset(&x->server->text);
        (void)eb_buf_str(&x->server->text, "{\"status\":500,\"code\":\"internal_error\"}");
    }
    answer(x, eb_code_status(err->code), x->problem ? PROBLEM_TYPE : JSON_TYPE,
         (struct eb_span){ x->server->text.data, x->server->text.len }, headers.list);
}

static struct server_exchange *find(struct server *s, uint64_t id)
{
    struct server_exchange *x = NULL;

    HASH_FIND(hh, s->exchanges, &id, sizeof(id), x);
    return x;
}

void *server_kept(struct server *s, uint64_t exchange)
{
    const struct server_exchange *x = find(s, exchange);

    return x != NULL ? x->kept : NULL;
}

void server_reply_json(struct server *s, uint64_t exchange, int status, const json_t *body, const char *const *headers)
{
    struct server_exchange *x = find(s, exchange);
    struct eb_err err = { 0 };

    if (x == NULL)
        return;
    if (make_text(s, body)) {
        answer(x, status, status >= 400 && x->problem ? PROBLEM_TYPE : JSON_TYPE, (struct eb_span){ s->text.data, s->text.len }, headers);
        return;
    }
    (void)eb_fail(&err, EB_INTERNAL, "The answer could not be written.");
    send_failure(x, &err, NULL, NULL);
}

void server_reply_text(struct server *s, uint64_t exchange, int status, const char *content_type, struct eb_span body)
{
    struct server_exchange *x = find(s, exchange);

    if (x != NULL)
        answer(x, status, content_type, body, NULL);
}

void server_reply_html(struct server *s, uint64_t exchange, int status, struct eb_span body, const char *const *headers)
{
    struct server_exchange *x = find(s, exchange);

    if (x != NULL)
        answer(x, status, "text/html; charset=utf-8", body, headers);
}

void server_reply_error(struct server *s, uint64_t exchange, const struct eb_err *err, const json_t *extra)
{
    struct server_exchange *x = find(s, exchange);

    if (x != NULL)
        send_failure(x, err, extra, NULL);
}

void reply_refusal(struct server_exchange *x, const struct eb_err *err, const char *allow)
{
    guard_count_refused(eb_code_text(err->code));
    x->close = true;
    send_failure(x, err, NULL, allow);
}

/* ---- without evhttp ---- */

void reply_raw(struct server *s, struct evbuffer *out, const struct eb_err *err, const char *allow, bool problem, bool bodiless)
{
    EB_AUTO(json_t, json_decref) body = server_problem(err, NULL);
    struct failure_headers headers;
    int status = eb_code_status(err->code);

    failure_headers(err, allow, &headers);
    if (!make_text(s, body))
        eb_buf_reset(&s->text);
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n"
                        "Cache-Control: no-store\r\nConnection: close\r\n", status, reason_of(status),
                        problem ? PROBLEM_TYPE : JSON_TYPE, s->text.len);
    for (size_t i = 0; i < headers.count; i++)
        evbuffer_add_printf(out, "%s\r\n", headers.list[i]);
    evbuffer_add(out, "\r\n", 2);
    if (!bodiless && s->text.len > 0)
        evbuffer_add(out, s->text.data, s->text.len);
}
