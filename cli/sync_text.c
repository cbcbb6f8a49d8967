/* sync_text.c - a run of the history as JSON and as words. Pure but for what is printed. */
#include "cli/sync.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

static json_t *parsed(const char *text)
{
    json_t *v = text != NULL ? json_loads(text, 0, NULL) : NULL;

    return v != NULL ? v : json_object();
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[EB_TIME_LEN];

    json_object_set_new(o, key, ms > 0 ? json_string(eb_time_format(ms, text)) : json_null());
}

json_t *sync_run_json(const struct sync_run *r)
{
    json_t *o = json_pack("{s:I, s:s?, s:s?, s:s?, s:s?, s:s?, s:I, s:I, s:I}", "run", (json_int_t)r->number, "kind", r->kind, "trigger", r->trigger,
                          "outcome", r->outcome, "message", r->message, "phase", r->phase, "done", (json_int_t)r->done, "total", (json_int_t)r->total,
                          "throttledMs", (json_int_t)r->throttled_ms);

    set_time(o, "started", r->started_ms);
    set_time(o, "updated", r->updated_ms);
    set_time(o, "ended", r->ended_ms);
    json_object_set_new(o, "counts", parsed(r->counts));
    json_object_set_new(o, "calls", parsed(r->calls));
    return o;
}

int64_t sync_run_count(const struct sync_run *r, const char *name)
{
    EB_AUTO(json_t, json_decref) counts = parsed(r->counts);

    return eb_json_int(counts, name, 0);
}

const char *sync_took(int64_t ms, char out[32])
{
    long long s = (ms + 500) / 1000;

    if (ms < 0)
        snprintf(out, 32, "-");
    else if (ms < 1000)
        snprintf(out, 32, "%lld ms", (long long)ms);
    else if (ms < 60000)
        snprintf(out, 32, "%lld.%lld s", (long long)ms / 1000, (long long)ms % 1000 / 100);
    else if (s < 3600)
        snprintf(out, 32, "%lld min %lld s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, 32, "%lld h %lld min", s / 3600, s % 3600 / 60);
    else
        snprintf(out, 32, "%lld d %lld h", s / 86400, s % 86400 / 3600);
    return out;
}

/* Counts by what people call them; those after the first four only where there are any. */
static const struct { const char *name, *text; bool always; } rows[] = {
    { "creates", "created", true }, { "updates", "updated", true }, { "inactivations", "made inactive", true }, { "deletions", "deleted", true },
    { "unmatched", "accounts without a person", false }, { "missingManagers", "without their manager", false }, { "warnings", "warnings", false },
    { "errors", "errors", false },
};

void sync_print_fields(const struct sync_run *r, FILE *out)
{
    EB_AUTO(json_t, json_decref) counts = parsed(r->counts);
    EB_AUTO(json_t, json_decref) calls = parsed(r->calls);
    bool planned = eb_streq(r->kind, "preview") || eb_streq(r->outcome, "held");
    const char *lead = planned ? "Planned:    " : "Objects:    ";
    char took[32], waited[32];

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        long long n = eb_json_int(counts, rows[i].name, 0);
        if (n == 0 && !rows[i].always)
            continue;
        fprintf(out, "%s %lld %s", lead, n, rows[i].text);
        lead = ",";
    }
    fprintf(out, "\nRead:        %lld people, %lld groups, %lld accounts\n", (long long)eb_json_int(counts, "users", 0), (long long)eb_json_int(counts, "groups", 0),
            (long long)eb_json_int(counts, "accounts", 0));
    fprintf(out, "Calls:       Graph %lld, Jira %lld, Assets %lld, of which writes %lld", (long long)eb_json_int(calls, "graph", 0),
            (long long)eb_json_int(calls, "jira", 0), (long long)eb_json_int(calls, "assets", 0), (long long)eb_json_int(calls, "writes", 0));
    if (r->throttled_ms > 0)
        fprintf(out, "; held back by the clouds for %s", sync_took(r->throttled_ms, waited));
    fprintf(out, "\nTook:        %s\n", sync_took((r->ended_ms > 0 ? r->ended_ms : r->updated_ms) - r->started_ms, took));
}
