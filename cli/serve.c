/* serve.c - `entrabridge serve`: creates the loop and the rooms from the lowest up, and frees them in the other order.
 *
 * Signals: SIGTERM or SIGINT drains, a second one leaves at once; SIGHUP reads the configuration again.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/zone.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "handlers/handlers.h"
#include "sync/orders.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct serve {
    struct config *config, *first;      /* the one in force; that of the start, which graph and jira keep */
    struct eb_loop *loop;
    struct auth_keys *keys;
    struct store *store;
    struct auth *auth;
    struct outbound *outbound;
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;              /* NULL: not configured, and nothing is synchronized */
    struct directory *directory;
    struct schedule *schedule;
    struct ops *ops;
    struct sync *sync;
    struct sync_orders *sync_orders;
    struct server *server;
    struct handlers handlers;
    struct event *signals[3];
    struct eb_timer *watchdog;
    struct eb_timer *quiet;
    int64_t quiet_until_ms;
    bool stopping, server_drained, ops_drained, sync_stopped, seen_quiet;
};

/* Memory of this process holds secrets: no core dumps, no debugger of another process. */
static void harden(void)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a file at its largest size is a full disk, not the end */
}

/* Else the heap shrinks and grows again with each operation: two calls of the kernel and some page faults for nothing. */
static void keep_heap(void)
{
    mallopt(M_TRIM_THRESHOLD, (int)MiB(2));
    mallopt(M_TOP_PAD, (int)KiB(128));
}

static void store_changed(void *arg)
{
    struct serve *s = arg;

    auth_reload(s->auth, NULL, NULL);
    ops_store_changed(s->ops);
}

static bool open_store(struct serve *s, struct eb_err *err)
{
    return eb_loop_new(&s->loop, err) && auth_keys_open(s->config->keys_directory, true, &s->keys, err) &&
           store_open_followed(s->config->store_url, s->config->keys_directory, s->loop, &s->store, err) && auth_new(s->loop, s->store, s->keys, &s->auth, err) &&
           schedule_new(s->loop, s->store, &s->schedule, err);
}

static bool open_clouds(struct serve *s, struct eb_err *err)
{
    struct outbound_options o = { s->config->ca_file, "entrabridge/" EB_VERSION };

    return outbound_new(s->loop, &o, &s->outbound, err) && graph_new(s->outbound, s->loop, &s->config->entra, &s->graph, err) &&
           jira_new(s->outbound, s->loop, &s->config->jira, &s->jira, err) &&
           directory_new(s->loop, s->graph, s->jira, s->store, &s->directory, err);
}

/* Only where Assets are configured. */
static bool open_sync(struct serve *s, struct eb_err *err)
{
    if (!s->config->assets.wanted)
        return true;
    if (!assets_new(s->outbound, s->loop, &s->first->assets, &s->first->jira, &s->assets, err) ||
        !sync_new(&(struct sync_parts){ s->loop, s->store, s->graph, s->jira, s->assets, s->schedule }, s->config, &s->sync, err))
        return false;
    s->sync_orders = sync_orders_new(s->sync, s->ops);
    return true;
}

static bool open_service(struct serve *s, struct eb_err *err)
{
    struct ops_parts parts = { s->loop, s->store, s->graph, s->jira, s->directory, s->auth, s->keys, s->schedule, s->outbound, handlers_answer, &s->handlers };
    struct server_options o = { .ctx = &s->handlers, .authenticate = handlers_authenticate };

    o.route_count = handlers_routes(&o.routes);
    if (!ops_new(&parts, s->config, &s->ops, err))
        return false;
    s->handlers = (struct handlers){ NULL, s->ops, s->auth, s->directory, s->store };
    if (!server_new(s->loop, &s->config->listen, &o, &s->server, err))
        return false;
    s->handlers.server = s->server;
    return true;
}

/* ---- signals ---- */

#define QUIET_MS 2000

/* The loop goes on until the store's last completions have run: each frees what its job held. */
static void stop_when_quiet(void *arg)
{
    struct serve *s = arg;
    bool quiet = store_queue_length(s->store) == 0;

    if ((quiet && s->seen_quiet) || eb_mono_ms() > s->quiet_until_ms)
        eb_loop_stop(s->loop);
    else
        eb_timer_set(s->quiet, 5);      /* none waiting, twice: what the thread has just posted has run as well */
    s->seen_quiet = quiet;
}

static void stop_if_drained(struct serve *s)
{
    if (!s->server_drained || !s->ops_drained || !s->sync_stopped)
        return;
    s->quiet = eb_timer_new(s->loop, stop_when_quiet, s);
    s->quiet_until_ms = eb_mono_ms() + QUIET_MS;
    eb_timer_set(s->quiet, 0);
}

static void server_drained(void *ctx)
{
    struct serve *s = ctx;

    s->server_drained = true;
    stop_if_drained(s);
}

static void ops_drained(void *ctx)
{
    struct serve *s = ctx;

    s->ops_drained = true;
    stop_if_drained(s);
}

static void sync_stopped(void *ctx)
{
    struct serve *s = ctx;

    s->sync_stopped = true;
    stop_if_drained(s);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct serve *s = arg;

    if (s->stopping)
        _exit(1);                       /* what is open stands in the journal */
    s->stopping = true;
    eb_info(NULL, "stopping: %d operations under way", ops_under_way(s->ops));
    notify_systemd("STOPPING=1");
    if (s->sync != NULL)
        sync_stop(s->sync, sync_stopped, s);
    else
        s->sync_stopped = true;
    ops_drain(s->ops, s->config->drain_ms, ops_drained, s);
    server_drain(s->server, server_drained, s);
}

static void warn_of_restart(const struct config *was, const struct config *now)
{
    struct eb_buf names = EB_BUF(KiB(4));

    if (config_needs_restart(was, now, &names))
        eb_warn(NULL, "changed, but a restart is needed for it to come into force: %s", names.data);
    eb_buf_free(&names);
}

static void print_faults(const struct eb_buf *faults)
{
    (void)!write(STDERR_FILENO, faults->data, faults->len);
}

/* Builds the whole new configuration first; on any fault the old one stays, and one error says why. */
static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct serve *s = arg;
    struct eb_buf faults = EB_BUF(KiB(64));
    struct eb_err err = { 0 };
    struct config *c = NULL;

    notify_systemd("RELOADING=1");
    if (!config_load(s->config->path, ops_config_names(), CONFIG_FULL, &c, &faults)) {
        eb_error(NULL, "the configuration has faults; the old one stays in force");
        print_faults(&faults);
    } else if (!server_reload(s->server, &c->listen, &err)) {
        eb_error(NULL, "the old configuration stays in force: %s", err.text);
        config_unref(c);
    } else {
        warn_of_restart(s->first, c);
        config_unref(s->config);
        s->config = c;
        eb_log_setup(c->log_level, c->log_format);
        ops_configure(s->ops, c);
        directory_bind(s->directory, c);
        if (s->sync != NULL)
            sync_configure(s->sync, c);
        eb_info(NULL, "configuration read again hash=%.12s", c->hash);
    }
    eb_buf_free(&faults);
    notify_systemd("READY=1");
}

static void catch_signals(struct serve *s)
{
    struct event_base *b = eb_loop_base(s->loop);

    s->signals[0] = evsignal_new(b, SIGTERM, on_stop, s);
    s->signals[1] = evsignal_new(b, SIGINT, on_stop, s);
    s->signals[2] = evsignal_new(b, SIGHUP, on_reload, s);
    for (size_t i = 0; i < EB_LEN(s->signals); i++)
        event_add(s->signals[i], NULL);
}

/* ---- from start to end ---- */

static void run(struct serve *s)
{
    catch_signals(s);
    store_on_change(s->store, store_changed, s);
    directory_bind(s->directory, s->config);
    schedule_start(s->schedule);
    ops_start(s->ops);
    if (s->sync != NULL)
        sync_start(s->sync);
    s->watchdog = notify_watchdog(s->loop);
    notify_systemd("READY=1");
    eb_info(NULL, "entrabridge " EB_VERSION " listens on %s port=%d configuration=%.12s", s->config->listen.address, server_port(s->server),
            s->config->hash);
    eb_loop_run(s->loop);
}

/* The store first: its thread finishes what is queued, and from then on no completion comes. */
static void close_all(struct serve *s)
{
    if (s->store != NULL)
        store_close(s->store);
    if (s->server != NULL)
        server_free(s->server);
    sync_orders_free(s->sync_orders);
    sync_free(s->sync);
    ops_free(s->ops);
    if (s->schedule != NULL)
        schedule_free(s->schedule);
    if (s->directory != NULL)
        directory_free(s->directory);
    assets_free(s->assets);
    if (s->jira != NULL)
        jira_free(s->jira);
    if (s->graph != NULL)
        graph_free(s->graph);
    if (s->outbound != NULL)            /* after those whose clouds it would free */
        outbound_free(s->outbound);
    if (s->auth != NULL)
        auth_free(s->auth);
    if (s->keys != NULL)
        auth_keys_free(s->keys);
    for (size_t i = 0; i < EB_LEN(s->signals); i++)
        if (s->signals[i] != NULL)
            event_free(s->signals[i]);
    eb_timer_free(s->watchdog);
    eb_timer_free(s->quiet);
    if (s->loop != NULL)
        eb_loop_free(s->loop);
    config_unref(s->config);
    config_unref(s->first);
    eb_metrics_free();
}

int cli_serve(struct cli *cli)
{
    struct serve s = { 0 };
    struct eb_buf faults = EB_BUF(KiB(64));
    struct eb_err err = { 0 };
    bool ok;

    harden();
    keep_heap();
    if (!config_load(cli->config, ops_config_names(), CONFIG_FULL, &s.config, &faults)) {
        print_faults(&faults);
        eb_buf_free(&faults);
        return 1;
    }
    eb_buf_free(&faults);
    s.first = config_ref(s.config);
    eb_zone_use(s.config->time_zone);
    eb_log_setup(s.config->log_level, s.config->log_format);
    json_object_seed(0);
    outbound_start();               /* outbound_new() says it if not */
    ok = open_store(&s, &err) && open_clouds(&s, &err) && open_service(&s, &err) && open_sync(&s, &err);
    if (ok)
        run(&s);
    else
        eb_error(NULL, "cannot start: %s", err.text);
    close_all(&s);
    outbound_stop();
    return ok ? 0 : 1;
}
