/* sync_history.c - `sync status|history|show`: read from the history beside a running service, or without one. */
#include "cli/sync.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

/* ---- history ---- */

static const char *outcome_of(const struct sync_run *r)
{
    return r->outcome != NULL ? r->outcome : "under way";
}

static const char *number_text(int64_t n, char out[24])
{
    snprintf(out, 24, "%lld", (long long)n);
    return out;
}

static bool list_run(void *ctx, const struct sync_run *r)
{
    static const char *const names[] = { "creates", "updates" };
    struct listing *l = ctx;
    char number[24], started[32], took[32], counts[2][24], gone[24], errors[24];

    if (l->array != NULL) {
        json_array_append_new(l->array, sync_run_json(r));
        return true;
    }
    for (size_t i = 0; i < EB_LEN(names); i++)
        number_text(sync_run_count(r, names[i]), counts[i]);
    number_text(sync_run_count(r, "inactivations") + sync_run_count(r, "deletions"), gone);
    const char *cells[] = { number_text(r->number, number), r->kind, r->trigger, print_time(r->started_ms, started),
                            sync_took((r->ended_ms > 0 ? r->ended_ms : r->updated_ms) - r->started_ms, took), outcome_of(r), counts[0], counts[1], gone,
                            number_text(sync_run_count(r, "errors"), errors) };
    table_add(l->table, cells);
    return true;
}

int cli_sync_history(struct cli *cli)
{
    static const char *const heads[] = { "RUN", "KIND", "BY", "STARTED (UTC)", "TOOK", "OUTCOME", "CREATED", "UPDATED", "REMOVED", "ERRORS", NULL };
    struct listing l = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;
    int limit;

    if (!tool_number(cli, "limit", 50, 10000, &limit))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    l = listing_new(cli->json, heads);
    bool good = sync_runs_list(tool.db, 0, limit, list_run, &l, &err);
    bool printed = listing_end(&l, good, "Nothing was synchronized yet.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- show ---- */

static bool list_fault(void *ctx, const struct sync_fault *f)
{
    struct listing *l = ctx;
    const char *cells[] = { f->action, f->kind, f->label, f->key, f->text };

    if (l->array != NULL)
        json_array_append_new(l->array, json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?}", "action", f->action, "kind", f->kind, "name", f->label, "key", f->key,
                                                  "text", f->text));
    else
        table_add(l->table, cells);
    return true;
}

static void print_run(const struct sync_run *r)
{
    char number[24], started[EB_TIME_LEN], ended[EB_TIME_LEN];

    print_field("Run:", number_text(r->number, number));
    print_field("Kind:", r->kind);
    print_field("By:", r->trigger);
    print_field("Outcome:", outcome_of(r));
    print_field("Message:", r->message);
    print_field("Phase:", r->outcome == NULL ? r->phase : NULL);
    print_field("Started:", eb_time_format(r->started_ms, started));
    print_field("Ended:", r->ended_ms > 0 ? eb_time_format(r->ended_ms, ended) : NULL);
    sync_print_fields(r, stdout);
    putchar('\n');
}

static bool show(struct cli *cli, struct db *db, int64_t number, int limit, bool *ret_printed, struct eb_err *err)
{
    static const char *const heads[] = { "ACTION", "KIND", "NAME", "ID", "ERROR", NULL };
    struct sync_run r = { 0 };

    if (!sync_run_get(db, number, &r, err))
        return false;
    struct listing l = listing_new(cli->json, heads);
    bool good = sync_faults_list(db, number, limit, list_fault, &l, err);
    if (good && cli->json) {
        json_t *o = sync_run_json(&r);
        json_object_set_new(o, "errors", l.array);
        *ret_printed = print_json(o);
    } else {
        if (good)
            print_run(&r);
        *ret_printed = listing_end(&l, good, "No errors.");
    }
    if (good && !cli->json && sync_run_count(&r, "errors") > limit)
        printf("\n%lld errors in all; --errors N shows more.\n", (long long)sync_run_count(&r, "errors"));
    sync_run_clear(&r);
    return good;
}

int cli_sync_show(struct cli *cli)
{
    struct eb_err err = { 0 };
    struct tool tool;
    char *end;
    bool printed = false;
    int limit;

    int64_t number = strtoll(cli->argument, &end, 10);
    if (*cli->argument < '0' || *cli->argument > '9' || *end != '\0')
        return cli_misused(cli, "RUN is the number of a run, as `entrabridge sync history` shows it");
    if (!tool_number(cli, "errors", 50, SYNC_FAULTS_MAX, &limit))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    bool good = show(cli, tool.db, number, limit, &printed, &err);
    tool_close(&tool);
    if (!good && err.code == EB_NOT_THERE)
        (void)eb_fail(&err, EB_NOT_THERE, "there is no run %lld; `entrabridge sync history` lists those that are remembered", (long long)number);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- status ---- */

struct status {
    bool served, open;
    struct sync_run under_way;
    int64_t started_ms, ended_ms;       /* of the last good run, which shows the directory as it was at its start */
    int64_t full_started_ms, full_ended_ms;
};

static bool read_status(const struct tool *t, struct status *s, struct eb_err *err)
{
    return db_is_served(t->config->store_url, &s->served, err) && sync_run_open(t->db, &s->under_way, &s->open, err) &&
           sync_run_last(t->db, false, &s->started_ms, &s->ended_ms, err) && sync_run_last(t->db, true, &s->full_started_ms, &s->full_ended_ms, err);
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[EB_TIME_LEN];

    json_object_set_new(o, key, ms > 0 ? json_string(eb_time_format(ms, text)) : json_null());
}

static json_t *status_json(const struct tool *t, const struct status *s, int64_t now_ms)
{
    json_t *o = json_pack("{s:b, s:b, s:o}", "configured", (int)t->config->assets.wanted, "served", (int)s->served, "ageSeconds",
                          s->started_ms > 0 ? json_integer((now_ms - s->started_ms) / 1000) : json_null());

    set_time(o, "directoryAsOf", s->started_ms);
    set_time(o, "lastFull", s->full_started_ms);
    json_object_set_new(o, "underWay", s->open ? sync_run_json(&s->under_way) : json_null());
    return o;
}

static void print_schedule(const struct tool *t, const struct status *s)
{
    const struct config_sync *c = &t->config->sync;
    char every[EB_TIME_LEN], text[160];

    if (!t->config->assets.wanted)
        snprintf(text, sizeof text, "none: the configuration has no section `assets`");
    else if (c->every_ms == 0)
        snprintf(text, sizeof text, "by hand only (sync.every: never)");
    else if (c->at_minute >= 0)
        snprintf(text, sizeof text, "every %s at %02d:%02d%s", eb_duration_format(c->every_ms, every), c->at_minute / 60, c->at_minute % 60,
                 s->served ? "" : ", once a service runs");
    else
        snprintf(text, sizeof text, "every %s%s", eb_duration_format(c->every_ms, every), s->served ? "" : ", once a service runs");
    print_field("Schedule:", text);
}

#define QUIET_MS 60000          /* a run tells its progress more often than that */

static void print_under_way(const struct status *s, int64_t now_ms)
{
    const struct sync_run *r = &s->under_way;
    char of[64] = "", quiet[80] = "", age[32], text[300];

    if (r->total > 0)
        snprintf(of, sizeof of, ", %lld of %lld", (long long)r->done, (long long)r->total);
    if (now_ms - r->updated_ms > QUIET_MS)
        snprintf(quiet, sizeof quiet, " (not heard of for %s: the next run goes on from there)", sync_took(now_ms - r->updated_ms, age));
    snprintf(text, sizeof text, "run %lld (%s): %s%s%s", (long long)r->number, r->kind, r->phase != NULL ? r->phase : "starting", of, quiet);
    print_field("Under way:", s->open ? text : "nothing");
}

static void print_status(const struct tool *t, const struct status *s, int64_t now_ms)
{
    char started[32], full[32], age[32], text[120];

    if (s->started_ms > 0)
        snprintf(text, sizeof text, "as of %s UTC, %s old", print_time(s->started_ms, started), sync_took(now_ms - s->started_ms, age));
    print_field("Directory:", s->started_ms > 0 ? text : "never brought into Assets");
    print_field("Read whole:", s->full_started_ms > 0 ? print_time(s->full_started_ms, full) : NULL);
    print_under_way(s, now_ms);
    print_schedule(t, s);
}

int cli_sync_status(struct cli *cli)
{
    struct status s = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;
    bool printed = true;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    bool good = read_status(&tool, &s, &err);
    if (good && cli->json)
        printed = print_json(status_json(&tool, &s, eb_now_ms()));
    else if (good)
        print_status(&tool, &s, eb_now_ms());
    sync_run_clear(&s.under_way);
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}
