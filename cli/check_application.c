/* check_application.c - when the secrets and certificates end that the program works with. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/check.h"

#include <stdlib.h>
#include <string.h>

#define SOON_MS (30 * INT64_C(86400) * 1000)
#define READ_MS 20000

void check_end(struct check_report *r, const char *what, int64_t ends_ms, int64_t now_ms)
{
    char when[EB_TIME_LEN];

    (void)eb_time_format(ends_ms, when);
    if (ends_ms <= now_ms)
        check_say(r, CHECK_FAULT, "expiry", "%s has ended at %s: put in a new one", what, when);
    else if (ends_ms - now_ms < SOON_MS)
        check_say(r, CHECK_WARNING, "expiry", "%s ends at %s, within 30 days: make a new one, put it in, and reload or start again", what, when);
    else
        check_say(r, CHECK_OK, "expiry", "%s is good until %s", what, when);
}

/* Several may be there at once, and Graph never says which one is ours: of those that could be, the last to end. */
void check_credentials(struct check_report *r, const json_t *credentials, const char *hint, const char *what, int64_t now_ms)
{
    int64_t last_ms = 0, ms;
    struct eb_err err = { 0 };
    const json_t *c;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)credentials, i, c) {
        const char *theirs = eb_json_str(c, "hint"), *end = eb_json_str(c, "endDateTime");
        bool other = hint != NULL && theirs != NULL && *theirs != '\0' && strncmp(hint, theirs, strlen(theirs)) != 0;

        if (!other && end != NULL && eb_time_parse(end, &ms, &err) && ms > last_ms)
            last_ms = ms;
    }
    if (last_ms > 0)
        check_end(r, what, last_ms, now_ms);
    else
        check_say(r, CHECK_WARNING, "expiry", "%s: when it ends cannot be told, for the app registration lists none that could be it", what);
}

static void check_file(struct check_report *r, const char *what, const char *file)
{
    struct eb_err err = { 0 };
    int64_t ends_ms;

    if (file == NULL)
        return;
    if (config_certificate_end(file, &ends_ms, &err))
        check_end(r, what, ends_ms, eb_now_ms());
    else
        check_say(r, CHECK_FAULT, "expiry", "%s: %s", what, err.text);
}

static void on_application(void *ctx, uint64_t id, const struct graph_reply *reply)
{
    struct check_asking *a = ctx;
    bool secret = a->config->entra.client_secret != NULL;
    const json_t *app = json_array_get(json_object_get(reply->body, "value"), 0);
    const json_t *list = json_object_get(app, secret ? "passwordCredentials" : "keyCredentials");

    if (reply->result != GRAPH_OK)
        check_say(a->report, CHECK_WARNING, "expiry", "when the application's credentials end cannot be told: %s", reply->err.text);
    else
        check_credentials(a->report, list, a->config->entra.client_secret, secret ? "the client secret" : "the certificate in the app registration", eb_now_ms());
    a->done(a->ctx);
}

void check_application(struct check_asking *a)
{
    char *path = graph_query_application_credentials(a->config->entra.client_id);

    check_file(a->report, "the client certificate (entra.client_certificate)", a->config->entra.certificate);
    check_file(a->report, "the certificate of the service (listen.tls)", a->config->listen.tls_certificate);
    graph_get(a->graph, path, READ_MS, 0, on_application, a);
    free(path);
}
