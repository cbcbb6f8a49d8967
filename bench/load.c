/* load.c - N callers that keep a server busy, as automation rules would: each sends a request, waits for its answer, sends the next.
 *
 * Raw bufferevents rather than evhttp's client: the generator shares the machine with what it measures, so it must be cheap.
 * No request is a repeat of another: request n adds user n % U to group n / U, for issue n % I.
 * Prints one JSON object with what was measured; the process under test is observed by its pid, from /proc.
 *
 * Owns: everything until the end of the process.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/random.h"
#include "base/text.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define ISSUES 140                  /* ITSM-1 and up; the simulator has 200, of which ITSM-150 is a moved one */
#define SAMPLE_MS 50
#define PROGRESS_MAX 1000

struct names { char **items; size_t count; };

struct caller {
    struct load *load;
    struct bufferevent *bev;
    int64_t sent_us;
    int status;
    size_t body_left;
    bool in_body, keep;
};

struct load {
    struct event_base *base;
    struct sockaddr_in to;
    SSL_CTX *tls;                   /* NULL: plain http */
    struct names users, groups;
    const char *token;
    const char *get, *authorization;    /* get: a path that is read again and again, instead of operations */
    int callers, pid, pause_ms;
    double seconds, warm;
    uint64_t from, ops, every;      /* ops: 0 where the time decides */

    uint64_t next, done, changed, refused;
    int under_way;
    int64_t *us;                    /* latencies inside the window */
    size_t us_count, us_cap;
    int64_t window_us, end_us, last_us;     /* window_us: 0 while warming up */
    uint64_t done_at_window;
    double cpu_at_window;           /* seconds */
    long rss_max_kib;
    bool told_failure;
    long rss_kib_at[PROGRESS_MAX];  /* after each `every` operations */
    size_t told;
};

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "bench-load: %s%s%s\n", what, detail != NULL ? ": " : "", detail != NULL ? detail : "");
    exit(1);
}

/* ---- the process under test ---- */

/* Seconds of CPU that the process has used so far, user and system; 0 without a pid. */
static double cpu_seconds(int pid)
{
    char path[64], line[1024], *p;
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    if (f == NULL)
        return 0;
    if (fgets(line, sizeof line, f) != NULL && (p = strrchr(line, ')')) != NULL)
        (void)!sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long rss_kib(int pid)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    fclose(f);
    return kib;
}

static void on_sample(evutil_socket_t fd, short what, void *arg)
{
    struct load *l = arg;
    long kib = rss_kib(l->pid);

    if (kib > l->rss_max_kib)
        l->rss_max_kib = kib;
}

/* ---- one caller ---- */

static void caller_connect(struct caller *c);

static void add_operation(struct load *l, uint64_t n, struct evbuffer *out)
{
    char body[512];

    if (n / l->users.count >= l->groups.count)
        die("no pair of user and group is left that was not used", NULL);
    int len = snprintf(body, sizeof body, "{\"issue\":\"ITSM-%d\",\"user\":\"%s\",\"group\":\"%s\",\"reason\":\"bench %llu\"}",
                       (int)(n % ISSUES) + 1, l->users.items[n % l->users.count], l->groups.items[n / l->users.count],
                       (unsigned long long)n);
    evbuffer_add_printf(out, "POST /v1/group/add-member HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                        "Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", ntohs(l->to.sin_port), l->token, len, body);
}

/* One round trip to a cloud, without a server between. */
static void add_read(struct load *l, struct evbuffer *out)
{
    evbuffer_add_printf(out, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\n\r\n", l->get, ntohs(l->to.sin_port),
                        l->authorization);
}

static void send_next(struct caller *c)
{
    struct load *l = c->load;
    uint64_t n = l->next;

    if ((l->ops > 0 && n - l->from >= l->ops) || (l->ops == 0 && l->window_us > 0 && eb_mono_us() >= l->end_us)) {
        if (l->under_way == 0)
            event_base_loopbreak(l->base);
        return;
    }
    l->next++;
    l->under_way++;
    c->sent_us = eb_mono_us();
    if (l->get != NULL)
        add_read(l, bufferevent_get_output(c->bev));
    else
        add_operation(l, n, bufferevent_get_output(c->bev));
}

static void open_window(struct load *l, int64_t now)
{
    l->window_us = now;
    l->end_us = now + (int64_t)(l->seconds * 1e6);
    l->done_at_window = l->done;
    l->cpu_at_window = cpu_seconds(l->pid);
}

static void keep_latency(struct load *l, int64_t us)
{
    if (l->us_count == l->us_cap) {
        l->us_cap = l->us_cap * 2 + 1024;
        l->us = realloc(l->us, l->us_cap * sizeof *l->us);
        if (l->us == NULL)
            die("no memory", NULL);
    }
    l->us[l->us_count++] = us;
}

/* At a terminal one line that counts up. */
static void tell_progress(struct load *l)
{
    if (l->every == 0 || l->done % l->every != 0 || l->told == PROGRESS_MAX)
        return;
    long kib = rss_kib(l->pid);
    l->rss_kib_at[l->told++] = kib;
    fprintf(stderr, "%s%10llu operations  %8.1f s  %6.1f MiB%s", isatty(STDERR_FILENO) ? "\r" : "", (unsigned long long)l->done,
            (double)(eb_mono_us() - l->window_us) / 1e6, (double)kib / 1024, isatty(STDERR_FILENO) && l->done < l->ops ? "" : "\n");
    fflush(stderr);
}

static bool says_changed(const char *body, size_t len)
{
    const char *p = memmem(body, len, "\"changed\":", 10);

    if (p == NULL)
        return false;
    p += 10;
    return strncmp(p + strspn(p, " "), "true", 4) == 0;
}

static void on_pause(evutil_socket_t fd, short what, void *arg)
{
    send_next(arg);
}

/* Callers that wait for equal times march in step, and then wait for each other at every call: no real ones do. */
static void pause_then_send(struct caller *c)
{
    struct timeval pause = { 0, (suseconds_t)eb_random_below((uint32_t)c->load->pause_ms * 1000) };

    event_base_once(c->load->base, -1, EV_TIMEOUT, on_pause, c, &pause);
}

static void on_answer(struct caller *c, const char *body, size_t len)
{
    struct load *l = c->load;
    int64_t now = eb_mono_us();

    l->under_way--;
    l->done++;
    l->last_us = now;
    if (c->status == 200 && (l->get != NULL || says_changed(body, len)))
        l->changed++;
    else {
        l->refused++;
        if (!l->told_failure)
            fprintf(stderr, "bench-load: an answer that was not expected: %d %.*s\n", c->status, (int)(len < 600 ? len : 600), body);
        l->told_failure = true;
    }
    if (l->window_us > 0 && (l->ops > 0 || now < l->end_us))
        keep_latency(l, now - c->sent_us);
    tell_progress(l);
    if (!c->keep)
        caller_connect(c);
    else if (l->pause_ms > 0)
        pause_then_send(c);
    else
        send_next(c);
}

/* Reads status, length and keep-alive out of a head; the answers come from servers that we start, so the reading is plain. */
static void read_head(struct caller *c, char *head)
{
    char *length = strcasestr(head, "\r\ncontent-length:");

    c->status = strlen(head) > 12 ? atoi(head + 9) : 0;
    if (length == NULL || c->status < 200)
        die("an answer without a length", head);
    c->body_left = strtoul(length + 17, NULL, 10);
    c->keep = strcasestr(head, "\r\nconnection: close") == NULL;
    c->in_body = true;
}

static bool take_head(struct caller *c, struct evbuffer *in)
{
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    char head[HEAD_MAX];

    if (end.pos < 0)
        return false;
    if ((size_t)end.pos + 4 >= sizeof head)
        die("an answer with an endless head", NULL);
    evbuffer_remove(in, head, (size_t)end.pos + 4);
    head[end.pos] = '\0';
    read_head(c, head);
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct caller *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);

    if (!c->in_body && !take_head(c, in))
        return;
    size_t len = c->body_left;
    if (evbuffer_get_length(in) < len)
        return;
    char *body = eb_alloc(len + 1);
    evbuffer_remove(in, body, len);
    c->in_body = false;
    on_answer(c, body, len);
    free(body);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct caller *c = arg;

    if (what & BEV_EVENT_CONNECTED) {
        int on = 1;
        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        send_next(c);
    } else if (c->load->ops == 0 && c->load->window_us > 0 && eb_mono_us() >= c->load->end_us) {
        return;                     /* idle and closed by the server: we are at the end anyhow */
    } else {
        die("the server closed a connection, or could not be reached", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    }
}

static void caller_connect(struct caller *c)
{
    struct load *l = c->load;

    if (c->bev != NULL)
        bufferevent_free(c->bev);
    if (l->tls != NULL) {
        SSL *ssl = SSL_new(l->tls);
        if (ssl == NULL)
            die("no memory", NULL);
        c->bev = bufferevent_openssl_socket_new(l->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    } else {
        c->bev = bufferevent_socket_new(l->base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    }
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(c->bev, (struct sockaddr *)&l->to, sizeof l->to) != 0)
        die("connect", NULL);
}

/* ---- what it was told, and what it tells ---- */

static struct names read_names(const char *path)
{
    struct names n = { 0 };
    char line[512];
    FILE *f = fopen(path, "r");

    if (f == NULL)
        die("cannot read", path);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (n.count % 1024 == 0)
            n.items = realloc(n.items, (n.count + 1024) * sizeof *n.items);
        if (n.items == NULL)
            die("no memory", NULL);
        n.items[n.count++] = eb_strdup(line);
    }
    fclose(f);
    if (n.count == 0)
        die("empty", path);
    return n;
}

static void use_url(struct load *l, const char *url, const char *ca)
{
    unsigned port = 0;
    bool tls = strncmp(url, "https://127.0.0.1:", 18) == 0;

    if (!tls && strncmp(url, "http://127.0.0.1:", 17) != 0)
        die("the URL must be http(s)://127.0.0.1:PORT", url);
    port = (unsigned)strtoul(url + (tls ? 18 : 17), NULL, 10);
    l->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (!tls)
        return;
    l->tls = SSL_CTX_new(TLS_client_method());
    if (l->tls == NULL || ca == NULL || SSL_CTX_load_verify_locations(l->tls, ca, NULL) != 1)
        die("https needs --ca FILE", ca);
    SSL_CTX_set_verify(l->tls, SSL_VERIFY_PEER, NULL);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_ms(const struct load *l, double part)
{
    size_t i = (size_t)((double)l->us_count * part);

    return l->us_count == 0 ? 0 : (double)l->us[i < l->us_count ? i : l->us_count - 1] / 1000;
}

static void report(struct load *l)
{
    double seconds = l->ops > 0 ? (double)(l->last_us - l->window_us) / 1e6 : l->seconds;

    qsort(l->us, l->us_count, sizeof *l->us, by_value);
    printf("{\"callers\": %d, \"next\": %llu, \"done\": %llu, \"changed\": %llu, \"other\": %llu, \"ops_s\": %.1f, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f, \"max_ms\": %.3f, \"done_in_window\": %llu, \"cpu_at_window\": %.3f, \"cpu_s\": %.3f, \"rss_kib\": %ld, "
           "\"rss_max_kib\": %ld, \"rss_kib_at\": [",
           l->callers, (unsigned long long)l->next, (unsigned long long)l->done, (unsigned long long)l->changed,
           (unsigned long long)l->refused, (double)l->us_count / seconds, percentile_ms(l, 0.5), percentile_ms(l, 0.99), percentile_ms(l, 1),
           (unsigned long long)(l->done - l->done_at_window), l->cpu_at_window, cpu_seconds(l->pid) - l->cpu_at_window,
           rss_kib(l->pid), l->rss_max_kib);
    for (size_t i = 0; i < l->told; i++)
        printf("%s%ld", i > 0 ? ", " : "", l->rss_kib_at[i]);
    puts("]}");
}

/* Callers come one after the other, as rules do: together they would march in step, and wait for each other at every call. */
static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    caller_connect(arg);
}

static void on_warm(evutil_socket_t fd, short what, void *arg)
{
    open_window(arg, eb_mono_us());
}

/* A caller that waits for an answer when the time is over is waited for; one that hangs ends the run. */
static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    die("answers are missing 20 s after the end", NULL);
}

static const char usage[] =
    "usage: bench-load --url http(s)://127.0.0.1:PORT --token T --users FILE --groups FILE [options]\n"
    "       bench-load --url URL --get PATH --authorization TEXT [options]     reads that, to know what a round trip takes\n\n"
    "  --callers N    how many at once (1)          --seconds S   how long to measure (2), after\n"
    "  --warm S       seconds that do not count (0.4)  --pause MS  between answer and next request, at random (0)\n"
    "  --ops N        measure N operations instead  --every N     tell the progress, and the memory\n"
    "  --from N       number of the first request: continue where an earlier run ended (its \"next\")\n"
    "  --pid P        the process under test        --ca FILE     who vouches for its certificate\n";

static void parse(struct load *l, int argc, char **argv)
{
    static const struct option options[] = {
        { "url", 1, NULL, 'u' }, { "ca", 1, NULL, 'a' }, { "token", 1, NULL, 't' }, { "users", 1, NULL, 'U' }, { "groups", 1, NULL, 'G' },
        { "callers", 1, NULL, 'c' }, { "seconds", 1, NULL, 's' }, { "warm", 1, NULL, 'w' }, { "ops", 1, NULL, 'o' },
        { "get", 1, NULL, 'g' }, { "authorization", 1, NULL, 'A' }, { "every", 1, NULL, 'e' }, { "pause", 1, NULL, 'P' }, { "from", 1, NULL, 'f' }, { "pid", 1, NULL, 'p' }, { 0 },
    };
    const char *url = NULL, *ca = NULL;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case 'g': l->get = optarg; break;
        case 'A': l->authorization = optarg; break;
        case 'u': url = optarg; break;
        case 'a': ca = optarg; break;
        case 't': l->token = optarg; break;
        case 'U': l->users = read_names(optarg); break;
        case 'G': l->groups = read_names(optarg); break;
        case 'c': l->callers = atoi(optarg); break;
        case 's': l->seconds = atof(optarg); break;
        case 'w': l->warm = atof(optarg); break;
        case 'o': l->ops = strtoull(optarg, NULL, 10); break;
        case 'e': l->every = strtoull(optarg, NULL, 10); break;
        case 'f': l->from = strtoull(optarg, NULL, 10); break;
        case 'P': l->pause_ms = atoi(optarg); break;
        case 'p': l->pid = atoi(optarg); break;
        default: fputs(usage, stderr); exit(2);
        }
    }
    bool told = l->get != NULL ? l->authorization != NULL : l->token != NULL && l->users.count > 0 && l->groups.count > 0;
    if (url == NULL || !told || l->callers < 1) {
        fputs(usage, stderr);
        exit(2);
    }
    use_url(l, url, ca);
    l->next = l->from;
}

static struct timeval after(double seconds)
{
    return (struct timeval){ (time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6) };
}

int main(int argc, char **argv)
{
    struct load l = { .callers = 1, .seconds = 2, .warm = 0.4 };
    struct eb_loop *loop;
    struct eb_err err = { 0 };

    parse(&l, argc, argv);
    if (!eb_loop_new(&loop, &err))          /* exact timers: the pauses would else come in steps of 4 ms, and callers together */
        die(err.text, NULL);
    l.base = eb_loop_base(loop);
    struct timeval warm = after(l.warm), sample = after(SAMPLE_MS / 1000.0), overdue = after(l.warm + l.seconds + 20);
    struct event *sampler = event_new(l.base, -1, EV_PERSIST, on_sample, &l);
    event_add(sampler, &sample);
    if (l.ops > 0)
        open_window(&l, eb_mono_us());
    else {
        event_base_once(l.base, -1, EV_TIMEOUT, on_warm, &l, &warm);
        event_base_once(l.base, -1, EV_TIMEOUT, on_overdue, &l, &overdue);
    }
    struct caller *callers = eb_alloc((size_t)l.callers * sizeof *callers);
    for (int i = 0; i < l.callers; i++) {
        struct timeval turn = after(l.warm / 2 * i / l.callers);
        callers[i].load = &l;
        event_base_once(l.base, -1, EV_TIMEOUT, on_turn, &callers[i], &turn);
    }
    event_base_dispatch(l.base);
    report(&l);
    return 0;
}
