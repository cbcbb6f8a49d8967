/* odata.c - errors and lists in Graph's form.
 *
 * A page's $skiptoken is the offset of its first item, or "p" and the place in the order of all (an object, an edge) behind which
 * it begins: then a page costs a page, and nothing is missed or doubled when objects come and go. The link holds the other parameters.
 */
#include "sim/odata.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

json_t *odata_error_body(const struct sim_call *c, const char *code, const char *message)
{
    char date[EB_TIME_LEN];

    eb_time_format(eb_now_ms(), date);
    date[19] = '\0';                /* Graph's innerError has neither fraction nor zone */
    return json_pack("{s:{s:s, s:s, s:{s:s, s:s, s:s}}}", "error", "code", code, "message", message, "innerError",
                     "date", date, "request-id", c->request_id,
                     "client-request-id", c->client_request_id[0] != '\0' ? c->client_request_id : c->request_id);
}

void odata_error(const struct sim_call *c, struct sim_reply *r, int status, const char *code, const char *fmt, ...)
{
    char message[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (!eb_utf8_valid(message, strlen(message)))
        snprintf(message, sizeof(message), "Invalid value.");
    sim_reply_json(r, status, odata_error_body(c, code, message));
    if (status == 401)
        sim_reply_header(r, "WWW-Authenticate", "Bearer realm=\"\", authorization_uri=\"%s/common/oauth2/authorize\"", c->base_url);
}

void odata_bad_request(const struct sim_call *c, struct sim_reply *r, const char *fmt, ...)
{
    char message[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    odata_error(c, r, 400, "Request_BadRequest", "%s", message);
}

void odata_not_found(const struct sim_call *c, struct sim_reply *r, const char *id)
{
    odata_error(c, r, 404, "Request_ResourceNotFound", ODATA_GONE, id);
}

void odata_denied(const struct sim_call *c, struct sim_reply *r)
{
    odata_error(c, r, 403, "Authorization_RequestDenied", ODATA_DENIED);
}

static const struct { int status; const char *code, *message; } usual[] = {
    { 400, "Request_BadRequest", "Invalid value specified for property of resource 'User'." },
    { 401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid." },
    { 403, "Authorization_RequestDenied", ODATA_DENIED },
    { 404, "Request_ResourceNotFound", "Resource not found." },
    { 429, "TooManyRequests", "Too many requests." },
    { 500, "generalException", "An internal server error occurred." },
    { 503, "serviceNotAvailable", "The service is temporarily unavailable." },
};

const char *odata_usual_code(int status)
{
    for (size_t i = 0; i < EB_LEN(usual); i++)
        if (usual[i].status == status)
            return usual[i].code;
    return "UnknownError";
}

const char *odata_usual_message(int status)
{
    for (size_t i = 0; i < EB_LEN(usual); i++)
        if (usual[i].status == status)
            return usual[i].message;
    return "";
}

static bool wants_count(const struct sim_call *c)
{
    return c->eventual && eb_streq(sim_call_query(c, "$count"), "true");
}

bool odata_filter(struct sim_call *c, bool advanced_anyway, struct sim_filter **ret, struct sim_reply *r)
{
    const char *text = sim_call_query(c, "$filter");
    struct eb_err err = { 0 };

    *ret = NULL;
    if (text == NULL)
        return true;
    if (!sim_filter_parse(text, ret, &err)) {
        odata_bad_request(c, r, "%s", err.text);
    } else if ((advanced_anyway || sim_filter_is_advanced(*ret)) && !wants_count(c)) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Unsupported Query.");
    } else if (sim_filter_or_clauses(*ret) > 15) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Too many child clauses specified in search filter expression "
                    "containing 'OR' operators: %zu. Max allowed: 15.", sim_filter_or_clauses(*ret));
    } else {
        return true;
    }
    sim_filter_free(*ret);
    *ret = NULL;
    return false;
}

/* The number in $skiptoken; 0 without one, -1: of another form. */
static int64_t skip_token(const struct sim_call *c, bool place)
{
    const char *token = sim_call_query(c, "$skiptoken");
    char *end;

    if (token == NULL)
        return 0;
    if ((*token == 'p') != place)
        return -1;
    long long n = strtoll(token + place, &end, 10);
    return *end == '\0' && end != token + place && n >= 0 && n <= UINT32_MAX ? n : -1;
}

/* $top, $skiptoken: false when answered with 400. */
static bool page_bounds(struct sim_call *c, int64_t page_size, int64_t page_most, bool place, size_t *start, size_t *size, struct sim_reply *r)
{
    int64_t top = sim_call_query_int(c, "$top", sim_call_query(c, "$top") == NULL ? page_size : -1), skip = skip_token(c, place);

    if (top < 1 || top > 999) {
        odata_error(c, r, 400, "Request_BadRequest", "Invalid page size specified: '%s'. Must be between 1 and 999 inclusive.",
                    sim_call_query(c, "$top"));
        return false;
    }
    if (skip < 0) {
        odata_error(c, r, 400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.");
        return false;
    }
    if (sim_call_query(c, "$skip") != NULL) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Unsupported Query.");
        return false;
    }
    *start = (size_t)skip;
    *size = (size_t)(page_most > 0 && top > page_most ? page_most : top);
    return true;
}

/* "/v1.0" and "/beta": the base URL holds it already. */
#define VERSION_LEN 5

static void add_next_link(json_t *body, const struct sim_call *c, bool place, size_t next)
{
    const char *mark = strchr(c->target, '?');
    size_t path_len = mark != NULL ? (size_t)(mark - c->target) : strlen(c->target);
    struct eb_buf b = EB_BUF(KiB(64));

    eb_buf_str(&b, c->base_url);
    if (path_len > VERSION_LEN)
        eb_buf_add(&b, c->target + VERSION_LEN, path_len - VERSION_LEN);
    eb_buf_str(&b, "?");
    for (const char *p = mark != NULL ? mark + 1 : ""; *p != '\0';) {
        size_t len = strcspn(p, "&");
        if (strncmp(p, "$skiptoken=", 11) != 0 && strncasecmp(p, "%24skiptoken=", 13) != 0) {
            eb_buf_add(&b, p, len);
            eb_buf_str(&b, "&");
        }
        p += len + (p[len] == '&');
    }
    eb_buf_addf(&b, "$skiptoken=%s%zu", place ? "p" : "", next);
    json_object_set_new(body, "@odata.nextLink", json_string(b.data));
    eb_buf_free(&b);
}

static json_t *list_body(const struct sim_call *c, const char *context, size_t total, bool first)
{
    json_t *body = json_object();
    char *url = eb_asprintf("%s/$metadata#%s", c->base_url, context);

    json_object_set_new(body, "@odata.context", json_string(url));
    free(url);
    if (wants_count(c) && first)
        json_object_set_new(body, "@odata.count", json_integer((json_int_t)total));
    return body;
}

static json_t *object_value(const void *ctx, const void *object, const char *property)
{
    return entra_get(ctx, object, property);
}

struct named { char *name; struct entra_object *o; };

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return strcasecmp(x->name != NULL ? x->name : "", y->name != NULL ? y->name : "");
}

static void sort_by_name(struct odata_list *l)
{
    struct named *all = eb_alloc((l->objects.n + 1) * sizeof(*all));

    for (size_t i = 0; i < l->objects.n; i++) {
        const char *name = json_string_value(entra_get(l->entra, l->objects.v[i], "displayName"));
        all[i] = (struct named){ eb_strdup(name), l->objects.v[i] };
    }
    qsort(all, l->objects.n, sizeof(*all), by_name);
    for (size_t i = 0; i < l->objects.n; i++) {
        l->objects.v[i] = all[i].o;
        free(all[i].name);
    }
    free(all);
}

static bool is_kept(const struct sim_filter *f, const struct odata_list *l, const struct entra_object *o)
{
    return f == NULL || sim_filter_match(f, object_value, l->entra, o);
}

/* Keeps what the filter matches and puts it in order; *ret_filter is the caller's, for lists that are not gathered. False: answered. */
static bool list_filter(struct sim_call *c, struct odata_list *l, struct sim_filter **ret_filter, struct sim_reply *r)
{
    const char *order = sim_call_query(c, "$orderby");
    size_t kept = 0;

    if (!odata_filter(c, l->cast, ret_filter, r))
        return false;
    for (size_t i = 0; i < l->objects.n; i++)
        if (is_kept(*ret_filter, l, l->objects.v[i]))
            l->objects.v[kept++] = l->objects.v[i];
    bool filtered = *ret_filter != NULL;
    l->objects.n = kept;
    if (order == NULL)
        return true;
    if (strncmp(order, "displayName", 11) != 0 || (filtered && !wants_count(c))) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Unsupported Query.");
        return false;
    }
    sort_by_name(l);
    return true;
}

/* Keeps what $search finds. False: answered. */
static bool list_search(struct sim_call *c, struct odata_list *l, struct sim_reply *r)
{
    const char *text = sim_call_query(c, "$search");
    struct sim_search *search = NULL;
    struct eb_err err = { 0 };
    size_t kept = 0;

    if (text == NULL)
        return true;
    if (!c->eventual || (l->kind != ENTRA_USER && l->kind != ENTRA_GROUP)) {
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'");
        return false;
    }
    if (!sim_search_parse(text, l->kind, &search, &err)) {
        odata_bad_request(c, r, "%s", err.text);
        return false;
    }
    for (size_t i = 0; i < l->objects.n; i++)
        if (sim_search_match(search, l->entra, l->objects.v[i]))
            l->objects.v[kept++] = l->objects.v[i];
    l->objects.n = kept;
    sim_search_free(search);
    return true;
}

/* Where the page goes on is the order of the last object given; *ret_more: there are more behind it. */
static size_t pick_objects(const struct odata_list *l, const struct sim_filter *f, size_t after, size_t size, struct entra_list *out, bool *ret_more)
{
    size_t i = after, last = after;

    *ret_more = false;
    for (; i < l->order->n && !*ret_more; i++) {
        struct entra_object *o = l->order->v[i];
        if (o == NULL || !entra_object_seen(o) || !is_kept(f, l, o))
            continue;
        *ret_more = out->n == size;
        if (!*ret_more) {
            entra_list_add(out, o);
            last = i + 1;
        }
    }
    return last;
}

static size_t pick_ends(const struct odata_list *l, size_t after, size_t size, struct entra_list *out, bool *ret_more)
{
    const struct entra_edge *edge = entra_edge_after(l->edges, (uint32_t)after);
    int64_t now = eb_mono_ms();
    size_t last = after;

    *ret_more = false;
    for (; edge != NULL && !*ret_more; edge = TAILQ_NEXT(edge, in_from)) {
        if (!entra_edge_seen(edge, now) || (l->kind != ENTRA_KINDS && edge->key.to->kind != l->kind))
            continue;
        *ret_more = out->n == size;
        if (!*ret_more) {
            entra_list_add(out, edge->key.to);
            last = edge->order;
        }
    }
    return last;
}

static size_t pick_slice(const struct odata_list *l, size_t start, size_t size, struct entra_list *out, bool *ret_more)
{
    for (size_t i = start; i < l->objects.n && i < start + size; i++)
        entra_list_add(out, l->objects.v[i]);
    *ret_more = start < l->objects.n && l->objects.n - start > size;
    return start + size;
}

static size_t total(const struct odata_list *l, const struct sim_filter *f)
{
    struct entra_list all = { 0 };
    bool more;

    if (l->order != NULL && f == NULL)
        return l->entra->counts[l->kind];
    if (l->order == NULL && l->edges == NULL)
        return l->objects.n;
    if (l->order != NULL)
        pick_objects(l, f, 0, SIZE_MAX, &all, &more);
    else
        pick_ends(l, 0, SIZE_MAX, &all, &more);
    size_t n = all.n;
    entra_list_free(&all);
    return n;
}

/* The head as a tree, the objects as text behind it. */
static void answer_page(const json_t *head, const struct entra_list *page, struct odata_view *view, struct sim_reply *r)
{
    struct eb_buf b = EB_BUF(MiB(64));

    eb_json_to_buf(head, &b);
    b.len--;                        /* the closing brace */
    eb_buf_str(&b, ",\"value\":[");
    for (size_t i = 0; i < page->n; i++) {
        if (i > 0)
            eb_buf_add(&b, ",", 1);
        odata_write(&b, view, page->v[i]);
    }
    eb_buf_str(&b, "]}");
    sim_reply_text(r, 200, eb_buf_take(&b));
}

void odata_answer_list(struct sim_call *c, struct odata_list *l, struct sim_reply *r)
{
    bool place = l->order != NULL || l->edges != NULL, more;
    struct odata_select sel, inner;
    struct odata_view expanded = { .entra = l->entra, .select = &inner, .with_type = true };
    struct odata_view view = { .entra = l->entra, .select = &sel, .with_type = l->with_type, .expanded = &expanded };
    struct entra_list page = { 0 };
    struct sim_filter *f = NULL;
    size_t start, size;

    if (odata_select_parse(c, l->kind, &sel, r) && odata_expand_parse(c, l->kind, &view.expand, &inner, r) &&
        page_bounds(c, l->page_size, l->page_most, place, &start, &size, r) && list_search(c, l, r) && list_filter(c, l, &f, r)) {
        size_t next = l->order != NULL ? pick_objects(l, f, start, size, &page, &more)
                    : l->edges != NULL ? pick_ends(l, start, size, &page, &more) : pick_slice(l, start, size, &page, &more);
        json_t *head = list_body(c, l->context, wants_count(c) && start == 0 ? total(l, f) : 0, start == 0);
        if (more)
            add_next_link(head, c, place, next);
        answer_page(head, &page, &view, r);
        json_decref(head);
    }
    sim_filter_free(f);
    entra_list_free(&page);
    entra_list_free(&l->objects);
}

static json_t *project(const json_t *item, const char *select)
{
    if (select == NULL)
        return json_deep_copy(item);
    json_t *out = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)item, key, value) {
        const char *hit = strstr(select, key);
        size_t len = strlen(key);
        if (hit != NULL && (hit == select || hit[-1] == ',') && (hit[len] == ',' || hit[len] == '\0'))
            json_object_set(out, key, value);
    }
    return out;
}

void odata_answer_json_list(struct sim_call *c, const json_t *items, const char *context, int64_t page_size, struct sim_reply *r)
{
    struct sim_filter *f;
    size_t start, size, matched = 0;
    json_t *value = json_array();

    if (sim_call_query(c, "$search") != NULL) {
        json_decref(value);
        odata_error(c, r, 400, "Request_UnsupportedQuery", "Unsupported Query.");
        return;
    }
    if (!page_bounds(c, page_size, 0, false, &start, &size, r) || !odata_filter(c, false, &f, r)) {
        json_decref(value);
        return;
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        if (f != NULL && !sim_filter_match_json(f, item))
            continue;
        if (matched >= start && matched < start + size)
            json_array_append_new(value, project(item, sim_call_query(c, "$select")));
        matched++;
    }
    sim_filter_free(f);
    json_t *body = list_body(c, context, matched, start == 0);
    if (start < matched && matched - start > size)
        add_next_link(body, c, false, start + size);
    json_object_set_new(body, "value", value);
    sim_reply_json(r, 200, body);
}
