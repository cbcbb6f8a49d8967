/* outbox.c - `outbox list|retry`: comments that are still to be posted. A running service sees the change within a second. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "store/outbox.h"

#include <string.h>

static json_t *row_json(const struct outbox_row *r)
{
    char due[EB_TIME_LEN], created[EB_TIME_LEN];

    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:s*, s:s*}", "number", (json_int_t)r->number, "operation", r->operation,
                     "issue", r->issue, "kind", r->kind, "state", r->state, "tries", r->tries, "doubt", (int)r->doubt,
                     "created", eb_time_format(r->created_ms, created), "due", eb_time_format(r->due_ms, due), "error", r->error,
                     "commentId", r->comment_id);
}

static bool list_row(void *ctx, const struct outbox_row *r)
{
    struct listing *l = ctx;
    char due[32], created[32], tries[16];

    if (l->array != NULL) {
        json_array_append_new(l->array, row_json(r));
        return true;
    }
    snprintf(tries, sizeof(tries), "%d", r->tries);
    const char *cells[] = { r->state, r->issue, r->kind, tries, print_time(r->created_ms, created),
                            strcmp(r->state, "ready") == 0 ? print_time(r->due_ms, due) : NULL, r->operation, r->error };
    table_add(l->table, cells);
    return true;
}

int cli_outbox_list(struct cli *cli)
{
    static const char *const heads[] = { "STATE", "ISSUE", "KIND", "TRIES", "CREATED (UTC)", "DUE (UTC)", "OPERATION", "LAST ERROR", NULL };
    const char *state = cli_value(cli, "state");
    struct listing l = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;
    int limit;

    if (!tool_number(cli, "limit", 50, 10000, &limit))
        return CLI_USAGE;
    if (state != NULL && strcmp(state, "ready") != 0 && strcmp(state, "dead") != 0 && strcmp(state, "posted") != 0)
        return cli_misused(cli, "--state is ready, dead or posted");
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    l = listing_new(cli->json, heads);
    bool good = outbox_list(tool.db, state, limit, list_row, &l, &err);
    bool printed = listing_end(&l, good, "Nothing is waiting.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

struct again { const char *operation; int64_t count; };

static bool retry(struct db *db, void *arg, struct eb_err *err)
{
    struct again *a = arg;

    return outbox_retry(db, a->operation, eb_now_ms(), &a->count, err);
}

int cli_outbox_retry(struct cli *cli)
{
    struct again a = { .operation = cli->argument };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    bool good = db_transact(tool.db, retry, &a, &err);
    tool_close(&tool);
    if (good && a.operation != NULL && a.count == 0)
        good = eb_fail(&err, EB_NOT_THERE, "nothing of operation \"%s\" waits to be posted; `entrabridge outbox list` shows what does", a.operation);
    if (!good)
        return cli_failed(&err);
    if (cli->json)
        return print_json(json_pack("{s:I}", "retried", (json_int_t)a.count)) ? CLI_DONE : CLI_FAILED;
    printf("%lld to be posted again.\n", (long long)a.count);
    return CLI_DONE;
}
