/* release.c - `operations release`: what is held past a limit may go on.
 *
 * It changes nothing in Entra itself, so it is done here, with its audit row. A running service takes them up within a second, a few at a time, and judges
 * each anew; it asks no limit about them again.
 */
#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "store/audit.h"
#include "store/waiting.h"

#include <stdlib.h>
#include <string.h>

struct release { const struct tool *tool; const char *reason; struct waiting_filter f; int64_t count; };

static bool add_audit(struct db *db, const struct release *c, struct eb_err *err)
{
    char who[80];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:I, s:s*, s:s*}", "by", tool_who(who), "count", (json_int_t)c->count, "kind", c->f.kind, "issue", c->f.issue);
    EB_AUTO(json_t, json_decref) personal = c->reason != NULL ? json_pack("{s:s}", "reason", c->reason) : NULL;
    char *text = eb_json_text(data), *more = personal != NULL ? eb_json_text(personal) : NULL;
    bool good = audit_add_personal(db, auth_key(c->tool->keys, "audit"), eb_now_ms(), "operation.release", c->f.id, text, more, NULL, err);

    free(text);
    free(more);
    return good;
}

static bool release(struct db *db, void *arg, struct eb_err *err)
{
    struct release *c = arg;

    if (!waiting_release(db, &c->f, true, eb_now_ms(), &c->count, err))
        return false;
    if (c->count == 0)
        return eb_fail(err, EB_NOT_THERE, "no such operation is held past a limit; `entrabridge operations list --held` shows what is held. What waits for the end of "
                                          "a pause goes on by itself at `entrabridge resume`");
    return add_audit(db, c, err);
}

static bool check(struct cli *cli, const struct release *c)
{
    int said = (cli->argument != NULL) + (cli_value(cli, "all") != NULL) + (c->f.kind != NULL || c->f.issue != NULL);

    if (said != 1)
        cli_misused(cli, "say which: the ID of one operation, or --kind, --issue or both, or --all");
    else if (cli->argument != NULL && !eb_is_guid(cli->argument))
        cli_misused(cli, "ID is the id of an operation, as `entrabridge operations list --held` shows it");
    else if (c->f.issue != NULL && !eb_is_issue(c->f.issue))
        cli_misused(cli, "--issue is a key such as ITSM-42, or a numeric id");
    else if (c->reason != NULL && (strlen(c->reason) > 500 || !eb_utf8_valid(c->reason, strlen(c->reason)) || eb_text_unclean(c->reason)))
        cli_misused(cli, "--reason is a text of at most 500 bytes without control characters");
    else
        return true;
    return false;
}

int cli_operations_release(struct cli *cli)
{
    struct release c = { .reason = cli_value(cli, "reason"),
                         .f = { .id = cli->argument, .kind = cli_value(cli, "kind"), .issue = cli_value(cli, "issue"), .why = WAITING_LIMIT } };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!check(cli, &c))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    c.tool = &tool;
    bool good = db_transact(tool.db, release, &c, &err), printed = true;
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    if (cli->json)
        printed = print_json(json_pack("{s:I}", "released", (json_int_t)c.count));
    else
        printf(c.count == 1 ? "One operation goes on.\n" : "%lld operations go on, a few at a time.\n", (long long)c.count);
    return printed ? CLI_DONE : CLI_FAILED;
}
