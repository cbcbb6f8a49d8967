/* undo.c - `operations undo`: an order that the running service takes up, and its end.
 *
 * The new operation's id is made here, so that its end can be read from the journal, however the service got there.
 */
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/order.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_MS 60000

struct undoing {
    struct tool tool;
    char id[EB_ID_LEN];                 /* the new operation's */
    char *data;
    struct journal_row row;
};

static char *order_data(const struct cli *cli, const char *id)
{
    char who[80];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:s, s:s, s:{s:s*, s:s*}}", "operation", cli->argument, "id", id, "by", tool_who(who),
                                                  "body", "issue", cli_value(cli, "issue"), "reason", cli_value(cli, "reason"));

    return data != NULL ? eb_json_text(data) : NULL;
}

static bool await_taken(struct undoing *u, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) answer = NULL;
    char late[160];

    snprintf(late, sizeof late, "`entrabridge operations show %s` may tell more, later", u->id);
    return order_ask(&u->tool, "undo", u->data, late, &answer, err) && !order_refused(answer, err);
}

static bool await_ended(struct undoing *u, struct eb_err *err)
{
    int64_t until_ms = eb_mono_ms() + WAIT_MS;

    while (journal_get(u->tool.db, u->id, NULL, &u->row, err)) {
        if (u->row.outcome != NULL)
            return true;
        if (eb_mono_ms() > until_ms)
            return eb_fail(err, EB_OVERLOADED, "accepted as operation %s, and still under way; `entrabridge operations show %s` tells how it ends", u->id, u->id);
        journal_row_clear(&u->row);
        order_pause();
    }
    return false;
}

static int print_end(const struct cli *cli, const struct undoing *u)
{
    const struct journal_row *r = &u->row;
    bool good = strcmp(r->outcome, "succeeded") == 0;
    char clean[800];

    if (cli->json) {
        EB_AUTO(json_t, json_decref) answer = r->answer != NULL ? json_loads(r->answer, 0, NULL) : NULL;
        json_t *o = answer != NULL ? json_incref(answer) : json_pack("{s:s, s:s}", "operation", r->id, "outcome", r->outcome);
        if (r->code != NULL)
            json_object_set_new(o, "code", json_string(r->code));
        if (r->message != NULL)
            json_object_set_new(o, "message", json_string(r->message));
        return print_json(o) && good ? CLI_DONE : CLI_FAILED;
    }
    fprintf(good ? stdout : stderr, "%s%s\n", good ? "" : "entrabridge: ", eb_text_clean(r->message != NULL ? r->message : r->outcome, clean, sizeof clean));
    fprintf(good ? stdout : stderr, "Operation %s, undoing %s.\n", r->id, cli->argument);
    return good ? CLI_DONE : CLI_FAILED;
}

static bool check(struct cli *cli)
{
    const char *issue = cli_value(cli, "issue"), *reason = cli_value(cli, "reason");

    if (!eb_is_guid(cli->argument))
        cli_misused(cli, "ID is the id of an operation, as `entrabridge operations list` shows it");
    else if (issue != NULL && !eb_is_issue(issue))
        cli_misused(cli, "--issue is a key such as ITSM-42, or a numeric id");
    else if (reason != NULL && (*reason == '\0' || strlen(reason) > 1000 || !eb_utf8_valid(reason, strlen(reason)) || eb_text_unclean(reason)))
        cli_misused(cli, "--reason is a text of 1 to 1000 bytes without control characters");
    else
        return true;
    return false;
}

int cli_operations_undo(struct cli *cli)
{
    struct undoing u = { 0 };
    struct eb_err err = { 0 };

    if (!check(cli))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_NO_KEYS, &u.tool))
        return CLI_FAILED;
    eb_id_new(u.id);
    u.data = order_data(cli, u.id);
    bool good = u.data != NULL ? await_taken(&u, &err) && await_ended(&u, &err)
                               : eb_fail(&err, EB_INTERNAL, "the order could not be written");
    int code = good ? print_end(cli, &u) : cli_failed(&err);
    journal_row_clear(&u.row);
    free(u.data);
    tool_close(&u.tool);
    return code;
}
