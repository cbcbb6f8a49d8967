/* token.c - `token create|list|revoke`. Each change is an audit row in the same transaction.
 *
 * Invariant: a token's text goes to standard output once and nowhere else, and only after its row is on disk.
 */
#include "auth/auth.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/example.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "ops/kinds.h"
#include "store/audit.h"
#include "store/position.h"
#include "store/token_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define ITEMS_MAX 200

/* ---- what was asked for ---- */

static void list_free(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

/* "A, B" at its commas; NULL: an empty item, or too many. '*' stands alone. */
static char **split(const char *text)
{
    char **list = eb_alloc((ITEMS_MAX + 1) * sizeof(*list));
    size_t count = 0;

    for (const char *p = text; count < ITEMS_MAX; p++) {
        p += strspn(p, " ");
        size_t len = strcspn(p, ","), kept = len;
        while (kept > 0 && p[kept - 1] == ' ')
            kept--;
        if (kept == 0)
            break;
        list[count++] = eb_asprintf("%.*s", (int)kept, p);
        p += len;
        if (*p == '\0')
            return list;
    }
    list_free(list);
    return NULL;
}

static bool is_all(char *const *list)
{
    return strcmp(list[0], "*") == 0 && list[1] == NULL;
}

static bool known_kind(const char *name)
{
    const char *const *names = ops_kind_names();

    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool project_form(const char *text)
{
    size_t len = strlen(text);

    if (len < 2 || len > 50 || !isupper((unsigned char)*text))
        return false;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

static int wrong_operation(const struct cli *cli, const char *option, const char *name)
{
    const char *const *names = ops_kind_names();
    struct eb_buf known = EB_BUF(KiB(1));

    for (size_t i = 0; names[i] != NULL; i++)
        eb_buf_addf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    int code = cli_misused(cli, "--%s: no operation `%s`; known are %s%s", option, name, known.data != NULL ? known.data : "none",
                           strcmp(option, "operations") == 0 ? ", or '*'" : "");
    eb_buf_free(&known);
    return code;
}

static int check_lists(const struct cli *cli, const struct auth_token *t)
{
    if (t->operations == NULL || t->projects == NULL)
        return cli_misused(cli, "--operations and --projects are lists such as A,B, or '*' (quoted, so that the shell keeps it)");
    for (size_t i = 0; !is_all(t->operations) && t->operations[i] != NULL; i++)
        if (!known_kind(t->operations[i]))
            return wrong_operation(cli, "operations", t->operations[i]);
    for (size_t i = 0; !is_all(t->projects) && t->projects[i] != NULL; i++)
        if (!project_form(t->projects[i]))
            return cli_misused(cli, "--projects: `%s` is not a project key such as ITSM", t->projects[i]);
    return CLI_DONE;
}

static int check_request(const struct cli *cli, struct auth_token *t)
{
    const char *expires = cli_value(cli, "expires");
    int64_t ms = 90 * DAY_MS;

    if (expires != NULL && (!eb_duration_parse(expires, &ms, NULL) || ms < 60000 || ms > 3650 * DAY_MS))
        return cli_misused(cli, "--expires is a duration from 1m to 3650d, such as 90d");
    if (*t->name == '\0' || strlen(t->name) > 100 || eb_text_unclean(t->name) || !eb_utf8_valid(t->name, strlen(t->name)))
        return cli_misused(cli, "--name is a text of 1 to 100 bytes without control characters");
    if (cli_value(cli, "example") != NULL && !known_kind(cli_value(cli, "example")))
        return wrong_operation(cli, "example", cli_value(cli, "example"));
    t->expires_ms = eb_now_ms() + ms;
    return check_lists(cli, t);
}

/* ---- create ---- */

struct creation { const struct tool *tool; struct auth_token token; char *text; };

static json_t *texts_json(char *const *list)
{
    json_t *array = json_array();

    for (size_t i = 0; list[i] != NULL; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static json_t *token_json(const struct auth_token *t)
{
    char expires[EB_TIME_LEN];

    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:b}", "id", t->id, "name", t->name, "operations", texts_json(t->operations),
                     "projects", texts_json(t->projects), "expires", eb_time_format(t->expires_ms, expires), "revealSecrets", (int)t->reveal_secrets);
}

/* Takes data. */
static bool audit(struct db *db, const struct tool *tool, const char *event, json_t *data, struct eb_err *err)
{
    char who[80];

    json_object_set_new(data, "by", json_string(tool_who(who)));
    char *text = data != NULL ? eb_json_text(data) : NULL;
    bool good = text != NULL ? audit_add(db, auth_key(tool->keys, "audit"), eb_now_ms(), event, NULL, text, NULL, err)
                             : eb_fail(err, EB_INTERNAL, "out of memory");
    json_decref(data);
    free(text);
    return good;
}

static bool create(struct db *db, void *arg, struct eb_err *err)
{
    struct creation *c = arg;

    eb_wipe_free(c->text);
    c->text = NULL;
    return auth_token_create(c->tool->keys, db, &c->token, &c->text, err) &&
           position_note_token(c->tool->config->keys_directory, POSITION_MADE, c->token.id, c->token.created_ms, err) &&
           audit(db, c->tool, "token.create", token_json(&c->token), err);
}

static int print_created(const struct cli *cli, const struct creation *c)
{
    const char *example = cli_value(cli, "example");

    if (!cli->json) {
        bool printed = puts(c->text) != EOF && fflush(stdout) == 0;
        example_show(c->tool->config, &c->token, example);
        return printed ? CLI_DONE : CLI_FAILED;
    }
    json_t *answer = token_json(&c->token);
    json_object_set_new(answer, "requests", example_list(c->tool->config, &c->token, example));
    json_object_set_new(answer, "token", json_string(c->text));
    return print_json(answer) ? CLI_DONE : CLI_FAILED;
}

static int create_and_print(struct cli *cli, struct creation *c)
{
    struct tool tool;
    struct eb_err err = { 0 };

    if (!tool_open(cli, TOOL_MAKE_KEYS, &tool))
        return CLI_FAILED;
    c->tool = &tool;
    int code = db_transact(tool.db, create, c, &err) ? print_created(cli, c) : cli_failed(&err);
    eb_wipe_free(c->text);
    tool_close(&tool);
    return code;
}

int cli_token_create(struct cli *cli)
{
    struct creation c = { .token = {
        .name = eb_strdup(cli_value(cli, "name")), .operations = split(cli_value(cli, "operations")),
        .projects = split(cli_value(cli, "projects")), .reveal_secrets = cli_value(cli, "reveal-secrets") != NULL,
    } };
    int code = check_request(cli, &c.token);

    if (code == CLI_DONE)
        code = create_and_print(cli, &c);
    free(c.token.name);
    list_free(c.token.operations);
    list_free(c.token.projects);
    return code;
}

/* ---- list ---- */

struct token_listing { struct listing rows; bool only_valid; int64_t now_ms; };

static const char *state_of(const struct token_row *t, int64_t now_ms)
{
    if (t->revoked_ms != 0)
        return "revoked";
    return t->expires_ms <= now_ms ? "expired" : "valid";
}

static json_t *row_json(const struct token_row *t, const char *state)
{
    char created[EB_TIME_LEN], expires[EB_TIME_LEN];

    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:b}", "id", t->id, "name", t->name, "state", state,
                     "operations", json_loads(t->operations, 0, NULL), "projects", json_loads(t->projects, 0, NULL),
                     "created", eb_time_format(t->created_ms, created), "expires", eb_time_format(t->expires_ms, expires),
                     "revealSecrets", (int)t->reveal_secrets);
}

static bool list_row(void *ctx, const struct token_row *t)
{
    struct token_listing *l = ctx;
    const char *state = state_of(t, l->now_ms);
    char created[32], expires[32];

    if (l->only_valid && strcmp(state, "valid") != 0)
        return true;
    if (l->rows.array != NULL) {
        json_array_append_new(l->rows.array, row_json(t, state));
        return true;
    }
    char *operations = print_list(t->operations), *projects = print_list(t->projects);
    const char *cells[] = { t->name, state, print_time(t->expires_ms, expires), print_time(t->created_ms, created), t->id, projects, operations };
    table_add(l->rows.table, cells);
    free(operations);
    free(projects);
    return true;
}

int cli_token_list(struct cli *cli)
{
    static const char *const heads[] = { "NAME", "STATE", "EXPIRES (UTC)", "CREATED (UTC)", "ID", "PROJECTS", "OPERATIONS", NULL };
    struct token_listing l = { .only_valid = cli_value(cli, "valid") != NULL, .now_ms = eb_now_ms() };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    l.rows = listing_new(cli->json, heads);
    bool good = token_list(tool.db, list_row, &l, &err);
    bool printed = listing_end(&l.rows, good, "No tokens.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

/* ---- revoke ---- */

struct revocation { const struct tool *tool; const char *which; int64_t count; };

struct noting { const struct revocation *r; int64_t now_ms; bool good; struct eb_err *err; };

static bool note_row(void *ctx, const struct token_row *t)
{
    struct noting *n = ctx;
    const char *which = n->r->which;

    if (t->revoked_ms == 0 && (eb_streq(t->id, which) || eb_streq(t->name, which)))
        n->good = position_note_token(n->r->tool->config->keys_directory, POSITION_REVOKED, t->id, n->now_ms, n->err);
    return n->good;
}

/* Also outside of the database, so that a backup that is put back does not make them valid again. */
static bool note_revoked(struct db *db, const struct revocation *r, struct eb_err *err)
{
    struct noting n = { r, eb_now_ms(), true, err };

    return token_list(db, note_row, &n, err) && n.good;
}

static bool take_back(struct db *db, void *arg, struct eb_err *err)
{
    struct revocation *r = arg;

    if (!note_revoked(db, r, err) || !token_revoke(db, r->which, eb_now_ms(), &r->count, err))
        return false;
    if (r->count == 0)
        return eb_fail(err, EB_NOT_THERE, "no valid token has the id or name \"%s\"; `entrabridge token list` shows them", r->which);
    return audit(db, r->tool, "token.revoke", json_pack("{s:s, s:I}", "token", r->which, "count", (json_int_t)r->count), err);
}

int cli_token_revoke(struct cli *cli)
{
    struct revocation r = { .which = cli->argument };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!eb_utf8_valid(cli->argument, strlen(cli->argument)))
        return cli_misused(cli, "the name is not UTF-8");
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    r.tool = &tool;
    bool good = db_transact(tool.db, take_back, &r, &err);
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    if (cli->json)
        return print_json(json_pack("{s:s, s:I}", "revoked", r.which, "count", (json_int_t)r.count)) ? CLI_DONE : CLI_FAILED;
    printf("Revoked %lld token%s.\n", (long long)r.count, r.count == 1 ? "" : "s");
    return CLI_DONE;
}
