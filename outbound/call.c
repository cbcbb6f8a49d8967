/* call.c - a call is made from a request: one block that holds everything it copies. */
#include "outbound/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 30000
#define MAX_BODY MiB(1)

static char *put(char **to, const void *data, size_t len)
{
    char *at = *to;

    memcpy(at, data, len);
    at[len] = '\0';
    *to += len + 1;
    return at;
}

static void add_header(struct outbound_call *call, int *count, char *text)
{
    call->headers[*count].data = text;
    call->headers[*count].next = NULL;
    if (*count > 0)
        call->headers[*count - 1].next = &call->headers[*count];
    (*count)++;
}

static size_t text_size(const struct outbound_cloud *c, const struct outbound_request *r)
{
    size_t size = c->base_len + strlen(r->path) + strlen(r->method) + r->body.len + 3;

    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++)
        size += strlen(r->headers[i]) + 1;
    if (r->content_type != NULL)
        size += sizeof("Content-Type: ") + strlen(r->content_type);
    return size;
}

static enum queue_rank rank_of(const struct outbound_request *r)
{
    if (r->low_priority)
        return RANK_LOW;
    if (r->background)
        return r->high_priority ? RANK_BACKGROUND_HIGH : RANK_BACKGROUND;
    return r->high_priority ? RANK_HIGH : RANK_NORMAL;
}

/* One block for the call and all that it copies. */
struct outbound_call *call_new(struct outbound_cloud *c, const struct outbound_request *r)
{
    static char accept[] = "Accept: application/json";
    struct outbound_call *call = eb_alloc(sizeof(*call) + text_size(c, r));
    char *to = call->data;
    int headers = 0;

    call->cloud = c;
    call->name = r->call;
    call->repeat_safe = r->repeat_safe;
    call->wants_json = r->wants_json;
    call->fill = r->fill;
    call->may = r->may;
    call->place = (struct queue_item){ .rank = rank_of(r), .lane = r->repeat_safe ? LANE_READ : LANE_WRITE, .caller = r->caller };
    call->allowed_ms = r->deadline_ms > 0 ? r->deadline_ms : DEADLINE_MS;
    call->deadline_ms = eb_mono_ms() + call->allowed_ms;
    call->max_body = r->max_body > 0 ? r->max_body : MAX_BODY;
    call->url = to;
    memcpy(to, c->base_url, c->base_len);
    to += c->base_len;
    put(&to, r->path, strlen(r->path));
    call->method = put(&to, r->method, strlen(r->method));
    add_header(call, &headers, accept);
    add_header(call, &headers, call->request_id);
    if (r->content_type != NULL) {
        char *line = to;
        to += sizeof("Content-Type: ") - 1;
        memcpy(line, "Content-Type: ", sizeof("Content-Type: ") - 1);
        put(&to, r->content_type, strlen(r->content_type));
        add_header(call, &headers, line);
        call->has_body = true;
        call->body.len = r->body.len;
        call->body_copy = put(&to, r->body.len > 0 ? r->body.p : "", r->body.len);
        call->body.p = call->body_copy;
        call->secret_body = r->secret_body;
    }
    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL && headers < CALL_HEADERS_MAX; i++)
        add_header(call, &headers, put(&to, r->headers[i], strlen(r->headers[i])));
    return call;
}

bool call_well_formed(const struct outbound_request *r)
{
    size_t count = 0;

    if (r->path[0] != '/' && r->path[0] != '?')
        return false;
    for (const char *p = r->path; *p != '\0'; p++)
        if (*p <= ' ' || (unsigned char)*p >= 0x7F || *p == '#')
            return false;
    for (; r->headers != NULL && r->headers[count] != NULL; count++)
        if (r->headers[count][strcspn(r->headers[count], "\r\n")] != '\0')
            return false;
    return count + 3 <= CALL_HEADERS_MAX;
}

static bool refuse(const struct outbound_call *call, struct eb_err *err)
{
    return eb_fail(err, EB_INTERNAL, "%s: the call %s has a malformed path or header", call->cloud->name, call->name);
}

bool call_fill(struct outbound_call *call, struct eb_err *err)
{
    const struct outbound_cloud *c = call->cloud;
    struct outbound_request r = { .method = call->method, .call = call->name, .path = call->url + c->base_len, .body = call->body };

    if (call->fill == NULL)
        return true;
    call->fill(call->ctx, call->id, &r);
    if (!call_well_formed(&r))
        return refuse(call, err);
    char *block = eb_alloc(text_size(c, &r)), *to = block;
    const char *method = put(&to, r.method, strlen(r.method)), *url = to;
    memcpy(to, c->base_url, c->base_len);
    to += c->base_len;
    put(&to, r.path, strlen(r.path));
    call->body = (struct eb_span){ put(&to, r.body.len > 0 ? r.body.p : "", r.body.len), r.body.len };
    call->method = method;
    call->url = url;
    call->name = r.call;
    free(call->filled);
    call->filled = block;
    return true;
}

bool call_is_behind(const struct outbound_call *call)
{
    return call->place.rank >= RANK_BACKGROUND_HIGH;
}

void call_free(struct outbound_call *call)
{
    if (call->secret_body)
        OPENSSL_cleanse(call->body_copy, call->body.len);
    eb_timer_free(call->timer);
    free(call->filled);
    free(call);
}
