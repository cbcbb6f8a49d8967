/* operations.c - `operations list|show` (undo.c and expiring.c have the others), read from the journal beside a running service. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "store/journal.h"
#include "store/waiting.h"

#include <stdlib.h>
#include <string.h>

#define WRITES_MAX 64

static const char *outcome_of(const struct journal_row *r)
{
    return r->outcome != NULL ? r->outcome : r->waits == NULL ? r->state : strcmp(r->waits, WAITING_SCHEDULED) == 0 ? "scheduled" : "held";
}

/* Texts that are JSON in the journal become JSON again; what cannot be read stays a text. */
static void set_json(json_t *o, const char *key, const char *text)
{
    if (text == NULL)
        return;
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    json_object_set_new(o, key, v != NULL ? v : json_string(text));
}

static void set_text(json_t *o, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(o, key, json_string(text));
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    char text[EB_TIME_LEN];

    if (ms > 0)
        json_object_set_new(o, key, json_string(eb_time_format(ms, text)));
}

static json_t *row_json(const struct journal_row *r)
{
    json_t *o = json_object();

    set_text(o, "operation", r->id);
    set_text(o, "name", r->kind);
    set_text(o, "state", r->state);
    set_text(o, "outcome", r->outcome == NULL && r->waits == NULL ? NULL : outcome_of(r));
    set_text(o, "code", r->code);
    set_text(o, "message", r->waits != NULL ? r->waits_for : r->message);
    set_time(o, "scheduledFor", r->waits != NULL ? r->at_ms : 0);
    set_text(o, "token", r->token_name);
    set_text(o, "issue", r->issue_key != NULL ? r->issue_key : r->issue);
    set_text(o, "userId", r->user_id);
    set_text(o, "groupId", r->group_id);
    json_object_set_new(o, "changed", json_boolean(r->changed));
    json_object_set_new(o, "dryRun", json_boolean(r->dry_run));
    set_time(o, "accepted", r->accepted_ms);
    set_time(o, "ended", r->ended_ms);
    return o;
}

static bool list_row(void *ctx, const struct journal_row *r)
{
    struct listing *l = ctx;
    char accepted[32];

    if (l->array != NULL) {
        json_array_append_new(l->array, row_json(r));
        return true;
    }
    const char *cells[] = { print_time(r->accepted_ms, accepted), r->kind, outcome_of(r), r->changed ? "yes" : "no",
                            r->issue_key != NULL ? r->issue_key : r->issue, r->token_name, r->id, r->code };
    table_add(l->table, cells);
    return true;
}

/* Of --scheduled and --held: when, or what for; nothing of them has changed anything yet. */
static bool list_waiting(void *ctx, const struct journal_row *r)
{
    struct listing *l = ctx;
    char accepted[32], at[32];

    if (l->array != NULL)
        return list_row(ctx, r);
    const char *cells[] = { print_time(r->accepted_ms, accepted), r->kind, r->at_ms > 0 ? print_time(r->at_ms, at) : NULL,
                            r->issue_key != NULL ? r->issue_key : r->issue, r->token_name, r->id, r->waits_for };
    table_add(l->table, cells);
    return true;
}

int cli_operations_list(struct cli *cli)
{
    static const char *const waiting[] = { "ACCEPTED (UTC)", "OPERATION", "FOR (UTC)", "ISSUE", "TOKEN", "ID", "WHAT AND WHY", NULL };
    static const char *const heads[] = { "ACCEPTED (UTC)", "OPERATION", "OUTCOME", "CHANGED", "ISSUE", "TOKEN", "ID", "CODE", NULL };
    struct journal_filter f = { .issue = cli_value(cli, "issue"), .token_name = cli_value(cli, "token"), .state = cli_value(cli, "state"),
                                .outcome = cli_value(cli, "outcome"), .kind = cli_value(cli, "kind"), .before_id = cli_value(cli, "before") };
    struct listing l = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;

    if (cli_value(cli, "expiring") != NULL)
        return cli_operations_expiring(cli);
    if (cli_value(cli, "scheduled") != NULL && cli_value(cli, "held") != NULL)
        return cli_misused(cli, "say --scheduled or --held, not both");
    f.waits = cli_value(cli, "scheduled") != NULL ? "scheduled" : cli_value(cli, "held") != NULL ? "held" : NULL;
    if (!tool_number(cli, "limit", 50, 10000, &f.limit))
        return CLI_USAGE;
    if (f.state != NULL && strcmp(f.state, "open") != 0 && strcmp(f.state, "ended") != 0)
        return cli_misused(cli, "--state is open or ended");
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    l = listing_new(cli->json, f.waits != NULL ? waiting : heads);
    bool good = journal_list(tool.db, &f, f.waits != NULL ? list_waiting : list_row, &l, &err);
    bool printed = listing_end(&l, good, "No operations.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- show ---- */

struct shown { struct journal_row row; struct journal_write_row writes[WRITES_MAX]; size_t count; };

static json_t *write_json(const struct journal_write_row *w)
{
    json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:i, s:i, s:s}", "n", w->n, "action", w->action, "object", w->object, "state", w->state,
                          "tries", w->tries, "status", w->status, "requestId", w->request_id);

    set_time(o, "sent", w->sent_ms);
    set_time(o, "answered", w->answered_ms);
    return o;
}

static json_t *shown_json(const struct shown *s)
{
    json_t *o = row_json(&s->row), *writes = json_array();

    set_text(o, "tokenId", s->row.token_id);
    set_text(o, "configuration", s->row.config_hash);
    set_json(o, "request", s->row.request);
    set_json(o, "before", s->row.before);
    set_json(o, "after", s->row.after);
    set_json(o, "answer", s->row.answer);
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(writes, write_json(&s->writes[i]));
    json_object_set_new(o, "writes", writes);
    return o;
}

static void print_writes(const struct shown *s)
{
    static const char *const heads[] = { "WRITE", "ACTION", "STATE", "TRIES", "STATUS", "OBJECT", "REQUEST ID", NULL };
    struct table *t = table_new(heads);

    for (size_t i = 0; i < s->count; i++) {
        const struct journal_write_row *w = &s->writes[i];
        char n[16], tries[16], status[16];
        snprintf(n, sizeof(n), "%d", w->n);
        snprintf(tries, sizeof(tries), "%d", w->tries);
        snprintf(status, sizeof(status), "%d", w->status);
        const char *cells[] = { n, w->action, w->state, tries, w->status > 0 ? status : NULL, w->object, w->request_id };
        table_add(t, cells);
    }
    putchar('\n');
    table_end(t, "Nothing was written.");
}

/* Of a composite: what became of each step, as its answer tells it. */
static bool print_steps(const char *text)
{
    static const char *const heads[] = { "STEP", "OUTCOME", "CHANGED", "ID", "WHAT HAPPENED", NULL };
    EB_AUTO(json_t, json_decref) answer = text != NULL ? json_loads(text, 0, NULL) : NULL;
    const json_t *steps = json_object_get(answer, json_object_get(answer, "steps") != NULL ? "steps" : "results");
    struct table *t;
    size_t i;
    json_t *step;

    if (json_array_size(steps) == 0)
        return false;
    t = table_new(heads);
    json_array_foreach((json_t *)(uintptr_t)steps, i, step) {
        const char *cells[] = { eb_json_str(step, "name"), eb_json_str(step, "outcome"), eb_json_bool(step, "changed", false) ? "yes" : "no",
                                eb_json_str(step, "operation"), eb_json_str(step, "message") };
        table_add(t, cells);
    }
    putchar('\n');
    table_end(t, "");
    return true;
}

static void print_shown(const struct shown *s)
{
    const struct journal_row *r = &s->row;
    char accepted[EB_TIME_LEN], ended[EB_TIME_LEN];

    print_field("Operation:", r->id);
    print_field("Kind:", r->kind);
    print_field("Outcome:", outcome_of(r));
    print_field("Code:", r->code);
    print_field("Message:", r->waits != NULL ? r->waits_for : r->message);
    print_field("Scheduled for:", r->waits != NULL && r->at_ms > 0 ? eb_time_format(r->at_ms, ended) : NULL);
    print_field("Changed:", r->changed ? "yes" : "no");
    print_field("Dry run:", r->dry_run ? "yes" : NULL);
    print_field("Issue:", r->issue_key != NULL ? r->issue_key : r->issue);
    print_field("Token:", r->token_name);
    print_field("Accepted:", eb_time_format(r->accepted_ms, accepted));
    print_field("Ended:", r->ended_ms > 0 ? eb_time_format(r->ended_ms, ended) : NULL);
    print_field("User:", r->user_id);
    print_field("Group:", r->group_id);
    print_field("Request:", r->request);
    print_field("Before:", r->before);
    print_field("After:", r->after);
    if (!print_steps(r->answer))
        print_writes(s);
}

int cli_operations_show(struct cli *cli)
{
    struct shown s = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;
    bool printed = true;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    bool good = journal_get(tool.db, cli->argument, NULL, &s.row, &err) && journal_writes(tool.db, cli->argument, s.writes, WRITES_MAX, &s.count, &err);
    tool_close(&tool);
    if (good && cli->json)
        printed = print_json(shown_json(&s));
    else if (good)
        print_shown(&s);
    journal_row_clear(&s.row);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}
