/* secret.c - the page behind a one-time link: GET says what waits there, the button's POST shows it, once.
 *
 * For people and without scripts. A preview or a scanner that follows the link only GETs it, and uses nothing up. Unknown, wrong,
 * expired and used links get one and the same page. The link stands in no log line, metric or Referer: it is as good as the secret.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "handlers/operations.h"
#include "ops/secret.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MAX KiB(16)
#define HEADERS_MAX 7

/* Contrast 7:1 or more in both schemes; nothing is told by colour alone. */
static const char style[] =
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1.0625rem/1.55 system-ui,sans-serif;color:#16191d;background:#f4f5f7}"
    "main{max-width:36rem;margin:8vh auto;padding:1.5rem 2rem 2rem;background:#fff;border:1px solid #c9ced6;border-radius:.5rem}"
    "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:1rem 0}"
    "dt{color:#4a5059}dd{margin:0;overflow-wrap:anywhere}"
    "label{display:block;font-weight:600;margin-bottom:.25rem}"
    "input{box-sizing:border-box;width:100%;padding:.75rem;font:1.375rem/1.3 ui-monospace,monospace;color:inherit;background:#f4f5f7;"
    "border:1px solid #6b7280;border-radius:.375rem}"
    "button{min-height:3rem;padding:.5rem 1.5rem;font:inherit;font-weight:600;color:#fff;background:#0b4a94;border:0;border-radius:.375rem;cursor:pointer}"
    "button:hover{background:#083a75}"
    ":focus-visible{outline:3px solid #0b4a94;outline-offset:3px}"
    "@media(prefers-color-scheme:dark){body{color:#eceef1;background:#14171b}main{background:#1e2227;border-color:#454c56}dt{color:#b9c0ca}"
    "input{background:#14171b;border-color:#8b94a1}button{color:#0d1116;background:#9cc7ff}button:hover{background:#c2ddff}"
    ":focus-visible{outline-color:#9cc7ff}}"
    "@media(max-width:30rem){main{margin:0;border:0;border-radius:0;min-height:100vh;box-sizing:border-box}dl{display:block}dd{margin-bottom:.5rem}}";

/* ---- headers ---- */

struct page_headers { char csp[320]; const char *list[HEADERS_MAX + 1]; };

static void headers_make(bool again, struct page_headers *ret)
{
    uint8_t hash[EB_SHA256_LEN];
    char text[4 * ((EB_SHA256_LEN + 2) / 3) + 1];
    const char *const list[HEADERS_MAX + 1] = {
        ret->csp, "Referrer-Policy: no-referrer", "X-Robots-Tag: noindex, nofollow, noarchive", "X-Frame-Options: DENY",
        "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Resource-Policy: same-origin",
        again ? "Retry-After: 10" : NULL, NULL,
    };

    eb_sha256(style, sizeof(style) - 1, hash);
    eb_b64_encode(hash, sizeof(hash), text);
    snprintf(ret->csp, sizeof(ret->csp), "Content-Security-Policy: default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
             "frame-ancestors 'none'; base-uri 'none'", text);
    memcpy(ret->list, list, sizeof(list));
}

/* ---- the pages ---- */

static void add_escaped(struct eb_buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *name = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : *s == '\'' ? "&#39;" : NULL;
        if (name != NULL)
            eb_buf_str(b, name);
        else
            eb_buf_add(b, s, 1);
    }
}

static void add_line(struct eb_buf *b, const char *label, const char *value)
{
    if (value == NULL)
        return;
    eb_buf_addf(b, "<dt>%s</dt><dd>", label);
    add_escaped(b, value);
    eb_buf_str(b, "</dd>");
}

static void begin(struct eb_buf *b, const char *heading)
{
    (void)eb_buf_room(b, PAGE_MAX - 1);     /* at once: growing would leave copies of a secret behind */
    eb_buf_addf(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex, nofollow\">"
                "<style>%s</style></head><body><main><h1>%s</h1>", heading, style, heading);
}

static void end(struct handlers *h, uint64_t exchange, int status, struct eb_buf *b)
{
    struct page_headers headers;
    struct eb_err err = { 0 };

    eb_buf_str(b, "</main></body></html>\n");
    headers_make(status == 503, &headers);
    if (b->failed) {
        (void)eb_fail(&err, EB_INTERNAL, "The page could not be written.");
        server_reply_error(h->server, exchange, &err, NULL);
    } else {
        server_reply_html(h->server, exchange, status, (struct eb_span){ b->data, b->len }, headers.list);
    }
    eb_wipe_free(b->data);
    *b = (struct eb_buf){ 0 };
}

static void plain_page(struct handlers *h, uint64_t exchange, int status, const char *heading, const char *text)
{
    struct eb_buf b = EB_BUF(PAGE_MAX);

    begin(&b, heading);
    eb_buf_addf(&b, "<p>%s</p>", text);
    end(h, exchange, status, &b);
}

static void refuse(struct handlers *h, uint64_t exchange, enum eb_code code)
{
    if (code == EB_NOT_THERE)
        plain_page(h, exchange, 410, "This link does not work",
                   "It was used before, it has expired, or it is not whole. What stands behind such a link is shown once only. "
                   "If you have not seen it, somebody else may have: ask for a new one.");
    else
        plain_page(h, exchange, 503, "Not now", "This cannot be shown at the moment. The link is not used up: try it again in a minute.");
}

static const char *name_of(const struct ops_secret_page *p)
{
    return strcmp(p->what, OPS_SECRET_ACCESS_PASS) == 0 ? "temporary access pass" : "password";
}

/* "2026-11-22 16:43 UTC": to the minute, as people say it. */
static void add_time(struct eb_buf *b, const char *label, int64_t ms)
{
    char when[EB_TIME_LEN], text[EB_TIME_LEN];

    eb_time_format(ms, when);
    snprintf(text, sizeof(text), "%.10s %.5s UTC", when, when + 11);
    add_line(b, label, text);
}

static void add_details(struct eb_buf *b, const struct ops_secret_page *p)
{
    eb_buf_str(b, "<dl>");
    add_line(b, "Issue", p->issue);
    add_line(b, "Operation", p->kind);
    add_line(b, "Operation id", p->operation);
    add_line(b, "Asked for by token", p->token_name);
    if (p->value == NULL)
        add_time(b, "The link works until", p->expires_ms);
    eb_buf_str(b, "</dl>");
}

static void on_look(void *ctx, uint64_t exchange, const struct ops_secret_page *p, const struct eb_err *err)
{
    struct eb_buf b = EB_BUF(PAGE_MAX);

    if (err != NULL) {
        refuse(ctx, exchange, err->code);
        return;
    }
    begin(&b, "A secret waits for you");
    eb_buf_addf(&b, "<p>Behind the button stands a new %s. It is shown <strong>once</strong>: open it when you are ready to use it or to hand it on.%s</p>",
                name_of(p), p->issue != NULL ? " That it was opened is noted on the issue." : "");
    add_details(&b, p);
    eb_buf_addf(&b, "<form method=\"post\"><button type=\"submit\">Show the %s, once</button></form>", name_of(p));
    end(ctx, exchange, 200, &b);
}

static void on_open(void *ctx, uint64_t exchange, const struct ops_secret_page *p, const struct eb_err *err)
{
    struct eb_buf b = EB_BUF(PAGE_MAX);

    if (err != NULL) {
        refuse(ctx, exchange, err->code);
        return;
    }
    begin(&b, "This is shown only now");
    eb_buf_addf(&b, "<label for=\"value\">The new %s</label><input id=\"value\" readonly autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\""
                " translate=\"no\" aria-describedby=\"note\" value=\"", name_of(p));
    add_escaped(&b, p->value);
    eb_buf_addf(&b, "\"><p id=\"note\">The link does not work any more. Use the %s now or keep it in a safe place, then close this page.</p>", name_of(p));
    add_details(&b, p);
    end(ctx, exchange, 200, &b);
}

/* ---- requests ---- */

void handle_secret_get(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;

    ops_secret_look(h->ops, server_param(x, "id"), server_param(x, "key"), server_exchange_id(x), on_look, h);
}

/* Our page's form. Because of its Referrer-Policy browsers write "Origin: null" even for their own (Fetch, "append a request Origin header"),
 * so that Sec-Fetch-Site has the first word; it is missing on plain http and in old browsers. */
static bool from_our_form(const struct handlers *h, const struct server_exchange *x)
{
    const char *site = server_header(x, "Sec-Fetch-Site"), *origin = server_header(x, "Origin");
    char ours[300];

    if (site != NULL && strcmp(site, "same-origin") != 0)
        return false;
    return origin == NULL || strcmp(origin, "null") == 0 || strcmp(origin, ops_secret_origin(h->ops, ours, sizeof(ours))) == 0;
}

void handle_secret_post(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;

    if (!from_our_form(h, x))
        plain_page(h, server_exchange_id(x), 403, "Not from this page", "Open the link itself, and press the button there.");
    else
        ops_secret_open(h->ops, server_param(x, "id"), server_param(x, "key"), server_exchange_id(x), on_open, h);
}
