/* pause.c - `pause`, `resume`: writes to Entra stop and go on, whole or by kind. A running service sees it within a second.
 *
 * They stand in the store, with their audit rows: also a service that is started later holds to them.
 */
#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "ops/kinds.h"
#include "store/audit.h"
#include "store/pause_table.h"

#include <stdlib.h>
#include <string.h>

struct change { const struct tool *tool; const char *kind /* NULL: all */, *reason; int64_t count; };

static bool add_audit(struct db *db, const struct change *c, const char *event, struct eb_err *err)
{
    char who[80];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:s}", "by", tool_who(who), "kind", c->kind != NULL ? c->kind : PAUSE_ALL);
    EB_AUTO(json_t, json_decref) personal = c->reason != NULL ? json_pack("{s:s}", "reason", c->reason) : NULL;
    char *text = eb_json_text(data), *more = personal != NULL ? eb_json_text(personal) : NULL;
    bool good = audit_add_personal(db, auth_key(c->tool->keys, "audit"), eb_now_ms(), event, NULL, text, more, NULL, err);

    free(text);
    free(more);
    return good;
}

static bool begin(struct db *db, void *arg, struct eb_err *err)
{
    struct change *c = arg;
    char who[80];

    return pause_put(db, &(struct pause){ c->kind != NULL ? c->kind : PAUSE_ALL, c->reason, tool_who(who), eb_now_ms() }, err) &&
           add_audit(db, c, "pause", err);
}

static bool end(struct db *db, void *arg, struct eb_err *err)
{
    struct change *c = arg;

    if (!pause_remove(db, c->kind, &c->count, err))
        return false;
    if (c->count == 0)
        return eb_fail(err, EB_NOT_THERE, c->kind != NULL ? "%s is not paused; `entrabridge pause --show` tells what is" : "nothing is paused%.0s",
                       c->kind != NULL ? c->kind : "");
    return add_audit(db, c, "resume", err);
}

/* ---- what is paused ---- */

static bool show_row(void *ctx, const struct pause *p)
{
    struct listing *l = ctx;
    char since[EB_TIME_LEN];
    const char *kind = strcmp(p->kind, PAUSE_ALL) == 0 ? "(all)" : p->kind;

    if (l->array != NULL) {
        json_array_append_new(l->array, json_pack("{s:s, s:s, s:s, s:s*}", "kind", p->kind, "since", eb_time_format(p->since_ms, since), "by", p->by,
                                                  "reason", p->reason));
        return true;
    }
    const char *cells[] = { kind, print_time(p->since_ms, since), p->by, p->reason };
    table_add(l->table, cells);
    return true;
}

static int show(struct cli *cli)
{
    static const char *const heads[] = { "PAUSED", "SINCE (UTC)", "BY", "REASON", NULL };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    struct listing l = listing_new(cli->json, heads);
    bool good = pause_list(tool.db, show_row, &l, &err);
    bool printed = listing_end(&l, good, "Nothing is paused.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- the commands ---- */

static bool check(const struct cli *cli, const struct change *c)
{
    const struct ops_kind *kind = c->kind != NULL ? ops_kind_find(c->kind) : NULL;

    if (c->kind != NULL && (kind == NULL || kind->change == NULL))
        cli_misused(cli, "--kind is a kind of operation that changes something, such as user.disable");
    else if (c->reason != NULL && (*c->reason == '\0' || strlen(c->reason) > 200 || !eb_utf8_valid(c->reason, strlen(c->reason)) || eb_text_unclean(c->reason)))
        cli_misused(cli, "--reason is a text of 1 to 200 bytes without control characters");
    else
        return true;
    return false;
}

static int carry_out(struct cli *cli, struct change *c, bool (*fn)(struct db *, void *, struct eb_err *), const char *done)
{
    struct eb_err err = { 0 };
    struct tool tool;

    if (!check(cli, c))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    c->tool = &tool;
    bool good = db_transact(tool.db, fn, c, &err), printed = true;
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    if (cli->json)
        printed = print_json(json_pack("{s:s, s:s}", "kind", c->kind != NULL ? c->kind : PAUSE_ALL, "state", done));
    else
        printf("%s %s.\n", c->kind != NULL ? c->kind : "All changes of Entra:", done);
    return printed ? CLI_DONE : CLI_FAILED;
}

int cli_pause(struct cli *cli)
{
    struct change c = { .kind = cli_value(cli, "kind"), .reason = cli_value(cli, "reason") };

    return cli_value(cli, "show") != NULL ? show(cli) : carry_out(cli, &c, begin, "paused");
}

int cli_resume(struct cli *cli)
{
    struct change c = { .kind = cli_value(cli, "kind") };

    return carry_out(cli, &c, end, "resumed");
}
