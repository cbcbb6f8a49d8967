/* main.c - entrabridge-sim: options, loop, signals.
 *
 * The loop is the service's, whose timers are exact: libevent's own follow a clock of 4 ms steps, and a latency of 30 ms took up to 38.
 */
#include "sim/http.h"

#include "base/loop.h"

#include <signal.h>
#include <stdio.h>

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    event_base_loopbreak(arg);
}

static int serve(const struct sim_options *opt, struct event_base *base)
{
    struct eb_err err = { 0 };
    struct sim_http *http;
    struct sim *s = sim_new(opt, base);

    if (!sim_http_new(s, &http, &err)) {
        fprintf(stderr, "entrabridge-sim: %s\n", err.text);
        sim_free(s);
        return 1;
    }
    printf("listening on %s://%s:%d\n", opt->tls_cert != NULL ? "https" : "http", opt->address, sim_http_port(http));
    if (!opt->quiet)
        printf("Entra, Graph, Jira, JSM and Assets are simulated here; open the address in a browser to watch.\n");
    fflush(stdout);
    struct event *term = evsignal_new(base, SIGTERM, on_signal, base), *intr = evsignal_new(base, SIGINT, on_signal, base);
    evsignal_add(term, NULL);
    evsignal_add(intr, NULL);
    event_base_dispatch(base);
    event_free(term);
    event_free(intr);
    sim_http_free(http);
    sim_free(s);
    return 0;
}

int main(int argc, char **argv)
{
    struct sim_options opt;
    struct eb_err err = { 0 };

    if (!sim_options_parse(argc, argv, &opt, &err)) {
        fprintf(stderr, "entrabridge-sim: %s\n", err.text);
        return 2;
    }
    if (opt.help) {
        sim_options_usage();
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    struct eb_loop *loop;
    if (!eb_loop_new(&loop, &err)) {
        fprintf(stderr, "entrabridge-sim: %s\n", err.text);
        return 1;
    }
    int status = serve(&opt, eb_loop_base(loop));
    eb_loop_free(loop);
    return status;
}
