/* fetch.c - see fetch.h. The pattern is that of libcurl's documentation: one event a socket, one timer.
 *
 * Owns: handles and events until the end of the process.
 */
#include "bench/fetch.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

struct transfer {
    CURL *easy;
    struct eb_buf body;
    fetch_done *done;
    void *arg;
    SLIST_ENTRY(transfer) idle;
};

struct fetch_client {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    const char *ca_file;
    SLIST_HEAD(, transfer) idle;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench-floor: %s\n", what);
    exit(1);
}

static void finish(struct fetch_client *f, CURL *easy, CURLcode code)
{
    struct transfer *t = NULL;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    if (code == CURLE_OK)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    else
        fprintf(stderr, "bench-floor: %s\n", curl_easy_strerror(code));
    curl_multi_remove_handle(f->multi, easy);
    t->done(t->arg, status, (struct eb_span){ t->body.len > 0 ? t->body.data : "", t->body.len });
    SLIST_INSERT_HEAD(&f->idle, t, idle);
}

static void take_finished(struct fetch_client *f)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(f->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE)
            finish(f, m->easy_handle, m->data.result);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct fetch_client *f = arg;
    int running, bits = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(f->multi, fd, bits, &running);
    take_finished(f);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct fetch_client *f = arg;
    int running;

    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(f);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct fetch_client *f = arg;
    struct event *ev = known;
    short bits = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

    if (what == CURL_POLL_REMOVE) {
        if (ev != NULL)
            event_free(ev);
        curl_multi_assign(f->multi, fd, NULL);
        return 0;
    }
    if (ev == NULL) {
        ev = event_new(f->base, fd, bits, on_socket, f);
        must(ev != NULL, "no memory");
        curl_multi_assign(f->multi, fd, ev);
    } else if (event_get_events(ev) == bits) {
        return 0;
    } else {
        event_del(ev);
        event_assign(ev, f->base, fd, bits, on_socket, f);
    }
    event_add(ev, NULL);
    return 0;
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct fetch_client *f = arg;
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

    if (ms < 0)
        event_del(f->timer);
    else
        event_add(f->timer, &tv);
    return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    return eb_buf_add(&t->body, data, size * n) ? size * n : 0;
}

static struct transfer *transfer_new(struct fetch_client *f)
{
    struct transfer *t = eb_alloc(sizeof *t);

    t->easy = curl_easy_init();
    must(t->easy != NULL, "no memory");
    t->body = EB_BUF(MiB(1));
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, (void *)t);
    curl_easy_setopt(t->easy, CURLOPT_CAINFO, f->ca_file);
    curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, (void *)t);
    return t;
}

struct fetch_client *fetch_client_new(struct event_base *base, const char *ca_file, long connections)
{
    struct fetch_client *f = eb_alloc(sizeof *f);

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl does not start");
    f->base = base;
    f->ca_file = ca_file;
    f->multi = curl_multi_init();
    f->timer = evtimer_new(base, on_timer, f);
    must(f->multi != NULL && f->timer != NULL, "no memory");
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, (void *)f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, (void *)f);
    curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(f->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return f;
}

void fetch(struct fetch_client *f, const char *url, struct curl_slist *headers, const struct eb_span *body, fetch_done *done, void *arg)
{
    struct transfer *t = SLIST_FIRST(&f->idle);

    if (t != NULL)
        SLIST_REMOVE_HEAD(&f->idle, idle);
    else
        t = transfer_new(f);
    t->done = done;
    t->arg = arg;
    eb_buf_reset(&t->body);
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
    if (body != NULL) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
        curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, body->p);
    } else {
        curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    }
    must(curl_multi_add_handle(f->multi, t->easy) == CURLM_OK, "libcurl does not take a call");
}
