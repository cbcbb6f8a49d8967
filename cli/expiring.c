/* expiring.c - `operations list --expiring`: memberships that end by themselves; `operations cancel`: of such an end, or of what waits.
 *
 * Cancelling changes nothing in Entra, so it is done here, with its audit row and comment in one transaction. A running service sees it
 * within a second, and reads the row again before it ends a membership.
 */
#include "base/clock.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "ops/cancel.h"
#include "store/audit.h"
#include "store/membership.h"
#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

/* ---- list ---- */

static json_t *row_json(const struct membership *m)
{
    char ends[EB_TIME_LEN];

    return json_pack("{s:s, s:s*, s:s, s:s*, s:s, s:s, s:s*, s:s*}", "userId", m->user_id, "user", m->user_name, "groupId", m->group_id,
                     "group", m->group_name, "expiresAt", eb_time_format(m->ends_ms, ends), "operation", m->operation, "issue", m->issue_key,
                     "stopped", m->stopped);
}

static bool list_row(void *ctx, const struct membership *m)
{
    struct listing *l = ctx;
    char ends[32];

    if (l->array != NULL) {
        json_array_append_new(l->array, row_json(m));
        return true;
    }
    const char *cells[] = { m->user_name != NULL ? m->user_name : m->user_id, m->group_name != NULL ? m->group_name : m->group_id,
                            print_time(m->ends_ms, ends), m->issue_key, m->operation, m->stopped };
    table_add(l->table, cells);
    return true;
}

int cli_operations_expiring(struct cli *cli)
{
    static const char *const heads[] = { "USER", "GROUP", "ENDS (UTC)", "ISSUE", "OPERATION", "STOPPED", NULL };
    struct listing l = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;
    int limit;

    if (!tool_number(cli, "limit", 50, 10000, &limit))
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    l = listing_new(cli->json, heads);
    bool good = membership_list(tool.db, INT64_MAX, limit, list_row, &l, &err);
    bool printed = listing_end(&l, good, "No membership ends by itself.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- cancel ---- */

struct cancellation { const struct tool *tool; const char *operation, *reason; struct membership m; json_t *answer /* of what waited; NULL: it was an end */; };

static bool add_audit(struct db *db, const struct cancellation *c, struct eb_err *err)
{
    char who[80], ends[EB_TIME_LEN];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:s, s:s*}", "by", tool_who(who), "end", eb_time_format(c->m.ends_ms, ends), "issue", c->m.issue_key);
    EB_AUTO(json_t, json_decref) personal = json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "userId", c->m.user_id, "groupId", c->m.group_id,
                                                      "displayName", c->m.user_name, "groupName", c->m.group_name, "reason", c->reason);
    char *text = eb_json_text(data), *more = eb_json_text(personal);
    bool good = audit_add_personal(db, auth_key(c->tool->keys, "audit"), eb_now_ms(), "membership.end_cancelled", c->operation, text, more, NULL, err);

    free(text);
    free(more);
    return good;
}

static bool add_comment(struct db *db, const struct cancellation *c, struct eb_err *err)
{
    const struct membership *m = &c->m;
    char who[80], ends[EB_TIME_LEN], clean[1100];
    int64_t now_ms = eb_now_ms();

    if (m->issue_id == NULL)
        return true;
    char *text = eb_asprintf("The membership of %s in %s does not end at %s any more: that was cancelled at the command line by %s.%s%s",
                             m->user_name != NULL ? m->user_name : m->user_id, m->group_name != NULL ? m->group_name : m->group_id,
                             eb_time_format(m->ends_ms, ends), tool_who(who), c->reason != NULL ? " " : "", c->reason != NULL ? c->reason : "");
    EB_AUTO(json_t, json_decref) doc = json_pack("{s:s, s:i, s:[{s:s, s:{s:s}, s:[{s:s, s:[{s:s, s:s}]}]}]}", "type", "doc", "version", 1,
        "content", "type", "panel", "attrs", "panelType", "note", "content", "type", "paragraph", "content", "type", "text",
        "text", eb_text_clean(text, clean, sizeof clean));
    char *adf = eb_json_text(doc);
    bool good = outbox_put(db, c->operation, m->issue_id, "cancelled", adf, now_ms, now_ms, NULL, err);

    free(text);
    free(adf);
    return good;
}

/* What waits. False with EB_OPERATION_NOT_FOUND or EB_ALREADY_DONE: nothing was changed, it may have set an end. */
static bool cancel_operation(struct db *db, struct cancellation *c, struct eb_err *err)
{
    char who[80];
    char *by = eb_asprintf("%s at the command line", tool_who(who));
    const struct cancel w = { .id = c->operation, .by = by, .reason = c->reason, .audit_key = auth_key(c->tool->keys, "audit") };
    bool good = cancel_waiting(db, &w, &c->answer, err);

    free(by);
    return good;
}

static bool cancel_end(struct db *db, struct cancellation *c, const struct eb_err *first, struct eb_err *err)
{
    struct eb_err e = { 0 };

    membership_clear(&c->m);
    if (!membership_find(db, c->operation, &c->m, &e)) {
        if (e.code == EB_NOT_THERE && first->code == EB_ALREADY_DONE)
            return eb_fail(err, EB_ALREADY_DONE, "%.300s No membership has an end that it has set either (`entrabridge operations list --expiring`)", first->text);
        if (e.code == EB_NOT_THERE)
            return eb_fail(err, EB_NOT_THERE, "no operation \"%s\" is scheduled or held, and none has set the end of a membership; `entrabridge operations list` shows them (--scheduled, --held, --expiring)",
                           c->operation);
        *err = e;
        return false;
    }
    return membership_remove(db, c->m.object, err) && add_audit(db, c, err) && add_comment(db, c, err);
}

static bool cancel(struct db *db, void *arg, struct eb_err *err)
{
    struct cancellation *c = arg;
    struct eb_err e = { 0 };

    if (cancel_operation(db, c, &e))
        return true;
    if (e.code == EB_OPERATION_NOT_FOUND || e.code == EB_ALREADY_DONE)
        return cancel_end(db, c, &e, err);
    *err = e;
    return false;
}

static bool fit(const char *reason)
{
    return reason == NULL || (strlen(reason) <= 500 && eb_utf8_valid(reason, strlen(reason)) && !eb_text_unclean(reason));
}

int cli_operations_cancel(struct cli *cli)
{
    struct cancellation c = { .operation = cli->argument, .reason = cli_value(cli, "reason") };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!fit(c.reason))
        return cli_misused(cli, "--reason is a text of at most 500 bytes without control characters");
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    c.tool = &tool;
    bool good = db_transact(tool.db, cancel, &c, &err), printed = true;
    tool_close(&tool);
    if (good && c.answer != NULL && cli->json)
        printed = print_json(json_incref(c.answer));
    else if (good && c.answer != NULL)
        printf("%s\n", eb_json_str(c.answer, "message"));
    else if (good && cli->json)
        printed = print_json(row_json(&c.m));
    else if (good)
        printf("The membership of %s in %s lasts now.\n", c.m.user_name != NULL ? c.m.user_name : c.m.user_id,
               c.m.group_name != NULL ? c.m.group_name : c.m.group_id);
    membership_clear(&c.m);
    json_decref(c.answer);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}
