/* sync_here.c - a synchronization in this process, where no service runs on the store: its own loop and its own way to the clouds.
 *
 * An interrupt stops it where it is; the next run goes on from there. A second one leaves at once, which is as good as a kill: nothing is doubled by it.
 * Owns: everything that it opens, for as long as the run takes.
 */
#include "cli/sync.h"

#include "base/log.h"
#include "base/text.h"
#include "store/db.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_MS 200

struct here {
    struct sync_follow *f;
    struct config *config;          /* with secrets */
    struct eb_loop *loop;
    struct store *store;
    struct outbound *outbound;
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;
    struct sync *sync;
    struct eb_timer *look;
    struct event *signals[2];
    bool stopping, failed;
    struct eb_err *err;
};

static void fail(struct here *h, const struct eb_err *err)
{
    if (err != h->err)
        *h->err = *err;
    h->failed = true;
    eb_loop_stop(h->loop);
}

/* ---- the run ---- */

static void on_look(void *arg)
{
    struct here *h = arg;
    struct eb_err err = { 0 };

    if (!sync_follow_look(h->f, &err))
        eb_debug(NULL, "progress cannot be read: %s", err.text);    /* the run goes on without a bar */
    eb_timer_set(h->look, LOOK_MS);
}

static void on_begun(void *ctx, int64_t number, const struct eb_err *err)
{
    struct here *h = ctx;

    if (err != NULL) {
        fail(h, err);
        return;
    }
    h->f->number = number;
    eb_timer_set(h->look, 0);
}

static void on_ended(void *ctx, const struct sync_run *r)
{
    struct here *h = ctx;

    eb_timer_stop(h->look);
    h->f->number = r->number;
    if (!sync_follow_look(h->f, h->err))
        h->failed = true;
    eb_loop_stop(h->loop);
}

static void on_stopped(void *ctx)
{
    struct here *h = ctx;

    eb_loop_stop(h->loop);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct here *h = arg;

    if (h->stopping)
        _exit(1);                   /* what was sent stands in the staging file */
    h->stopping = true;
    progress_clear(&h->f->bar);
    fprintf(stderr, "entrabridge: stopping; what is under way is waited for\n");
    sync_stop(h->sync, on_stopped, h);
}

/* ---- the rooms ---- */

static bool open_all(struct here *h)
{
    struct outbound_options o = { h->config->ca_file, "entrabridge/" EB_VERSION };
    struct config *c = h->config;

    if (!eb_loop_new(&h->loop, h->err) || !store_open_beside(c->store_url, c->keys_directory, h->loop, &h->store, h->err) || !outbound_new(h->loop, &o, &h->outbound, h->err) ||
        !graph_new(h->outbound, h->loop, &c->entra, &h->graph, h->err) || !jira_new(h->outbound, h->loop, &c->jira, &h->jira, h->err) ||
        !assets_new(h->outbound, h->loop, &c->assets, &c->jira, &h->assets, h->err))
        return false;
    struct sync_parts parts = { h->loop, h->store, h->graph, h->jira, h->assets, NULL };
    return sync_new(&parts, c, &h->sync, h->err);
}

/* The store first: its thread finishes what is queued, and from then on no completion comes. */
static void close_all(struct here *h)
{
    for (size_t i = 0; i < EB_LEN(h->signals); i++)
        if (h->signals[i] != NULL)
            event_free(h->signals[i]);
    eb_timer_free(h->look);
    if (h->store != NULL)
        store_close(h->store);
    if (h->sync != NULL)
        sync_free(h->sync);
    if (h->assets != NULL)
        assets_free(h->assets);
    jira_free(h->jira);
    graph_free(h->graph);
    if (h->outbound != NULL)
        outbound_free(h->outbound);
    eb_loop_free(h->loop);
    config_unref(h->config);
}

static void work(struct here *h, const struct sync_wish *w)
{
    static const int caught[] = { SIGINT, SIGTERM };
    char who[80];
    struct sync_order o = { .what = w->what, .full = w->full, .accept_removals = w->accept_removals, .by = tool_who(who) };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a file at its largest size is a full disk, not the end */
    for (size_t i = 0; i < EB_LEN(caught); i++) {
        h->signals[i] = evsignal_new(eb_loop_base(h->loop), caught[i], on_signal, h);
        event_add(h->signals[i], NULL);
    }
    h->look = eb_timer_new(h->loop, on_look, h);
    sync_run(h->sync, &o, on_begun, on_ended, h);
    eb_loop_run(h->loop);
}

bool sync_here(struct sync_follow *f, const struct sync_wish *w, struct eb_err *err)
{
    struct here h = { .f = f, .err = err };

    if (!tool_config(f->cli, CONFIG_FULL, &h.config))
        return eb_fail(err, EB_INVALID_REQUEST, "the configuration has faults");
    outbound_start();
    h.failed = !open_all(&h);
    if (!h.failed)
        work(&h, w);
    progress_clear(&f->bar);
    close_all(&h);
    outbound_stop();
    return !h.failed && (f->ended || eb_fail(err, EB_SHUTTING_DOWN, "stopped before the run had ended; the next one goes on from there"));
}
