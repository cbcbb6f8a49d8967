/* policy.c - `policy explain`: what the running service would decide; `policy pin`: the ids that names were found to mean, and letting one go. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/order.h"
#include "cli/print.h"
#include "ops/kinds.h"
#include "store/audit.h"
#include "store/pin.h"
#include "store/token_table.h"

#include <stdlib.h>
#include <string.h>

/* ---- explain: the token ---- */

struct wanted_token { const char *name; char *id; int64_t created_ms, now_ms; };

/* The newest of that name that is valid now. */
static bool take_token(void *ctx, const struct token_row *t)
{
    struct wanted_token *w = ctx;

    if (strcmp(t->name, w->name) != 0 || t->revoked_ms != 0 || t->expires_ms <= w->now_ms || t->created_ms < w->created_ms)
        return true;
    free(w->id);
    w->id = eb_strdup(t->id);
    w->created_ms = t->created_ms;
    return true;
}

static bool add_token(struct db *db, const char *name, json_t *data, struct eb_err *err)
{
    struct wanted_token w = { .name = name, .now_ms = eb_now_ms() };
    bool good = token_list(db, take_token, &w, err);

    if (good && w.id == NULL)
        good = eb_fail(err, EB_NOT_THERE, "no valid token has the name \"%s\"; `entrabridge token list --valid` shows them", name);
    if (good) {
        json_object_set_new(data, "token", json_string(w.id));
        json_object_set_new(data, "by", json_string(name));
    }
    free(w.id);
    return good;
}

/* "A,B" -> ["A", "B"]; "*" and nothing at all are all. */
static json_t *list_of(const char *text)
{
    json_t *list = json_array();

    for (const char *at = text != NULL ? text : "*"; *at != '\0'; at += strspn(at, ",")) {
        size_t len = strcspn(at, ",");
        json_array_append_new(list, json_stringn(at, len));
        at += len;
    }
    return list;
}

/* ---- explain: the request ---- */

static bool is_secret(const struct ops_kind *kind, const json_t *body)
{
    for (size_t i = 0; i < kind->field_count; i++)
        if (kind->fields[i].form == OPS_FORM_SECRET && json_object_get(body, kind->fields[i].name) != NULL)
            return true;
    return false;
}

/* The request's body, or NULL: said. */
static json_t *body_of(const struct cli *cli, const struct ops_kind *kind)
{
    static const char *const fields[] = { "issue", "user", "group" };
    const char *more = cli_value(cli, "fields");
    json_t *body = json_object();
    struct eb_err err = { 0 };

    if (more != NULL) {
        json_decref(body);
        body = NULL;
        if (!eb_json_parse((struct eb_span){ more, strlen(more) }, &body, &err) || !json_is_object(body)) {
            cli_misused(cli, "--fields is a JSON object of further fields: %s", err.code != EB_OK ? err.text : "this is none");
            json_decref(body);
            return NULL;
        }
    }
    for (size_t i = 0; i < EB_LEN(fields); i++)
        if (cli_value(cli, fields[i]) != NULL)
            json_object_set_new(body, fields[i], json_string(cli_value(cli, fields[i])));
    if (!is_secret(kind, body))
        return body;
    cli_misused(cli, "--fields holds a secret, which decides nothing: leave it out");
    json_decref(body);
    return NULL;
}

static json_t *data_of(const struct cli *cli)
{
    const struct ops_kind *kind = ops_kind_find(cli_value(cli, "kind"));
    json_t *body;
    char who[80];

    if (kind == NULL) {
        cli_misused(cli, "--kind is an operation such as group.add_member; `entrabridge config reference` lists them");
        return NULL;
    }
    if (cli_value(cli, "token") != NULL && (cli_value(cli, "operations") != NULL || cli_value(cli, "projects") != NULL)) {
        cli_misused(cli, "--token NAME is a token that is there; --operations and --projects are the limits of one that need not be");
        return NULL;
    }
    body = body_of(cli, kind);
    return body == NULL ? NULL : json_pack("{s:s, s:s, s:o, s:o, s:o}", "operation", kind->name, "by", tool_who(who), "body", body,
                                           "operations", list_of(cli_value(cli, "operations")), "projects", list_of(cli_value(cli, "projects")));
}

/* ---- explain: the answer ---- */

static void print_value(const char *label, const json_t *v)
{
    char *text = v != NULL ? eb_json_text(v) : NULL;

    print_field(label, text);
    free(text);
}

/* "department: Sales, jobTitle: Account * -> CRM, Sales DE" */
static void print_group_rules(const json_t *rules)
{
    const json_t *rule, *v;
    const char *name;
    size_t i, k;

    json_array_foreach((json_t *)(uintptr_t)rules, i, rule) {
        struct eb_buf b = EB_BUF(KiB(16));

        if (!eb_json_bool(rule, "fits", false))
            continue;
        json_object_foreach(json_object_get(rule, "when"), name, v)
            eb_buf_addf(&b, "%s%s: %s", b.len > 0 ? ", " : "", name, json_string_value(v));
        json_array_foreach(json_object_get(rule, "groups"), k, v)
            eb_buf_addf(&b, "%s%s", k == 0 ? " -> " : ", ", json_string_value(v));
        print_field("Group rule", b.data);
        eb_buf_free(&b);
    }
}

/* What a composite would do. */
static void print_steps(const json_t *steps)
{
    const json_t *step;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)steps, i, step) {
        char *fields = eb_json_text(json_object_get(step, "fields")), *text = eb_asprintf("%s %s", eb_json_str(step, "name"), fields != NULL ? fields : "");

        print_field("Step", text);
        free(fields);
        free(text);
    }
}

static void print_explained(const json_t *a)
{
    static const struct { const char *label, *member; } texts[] = {
        { "Why", "message" }, { "Rule", "rule" }, { "Code", "code" }, { "Field", "field" }, { "Issue", "issue" }, { "User", "userPrincipalName" },
        { "Group", "groupName" },
    };
    bool allowed = eb_json_bool(a, "allowed", false), changes = eb_json_bool(a, "wouldChange", false);

    printf("%s\n\n", !allowed ? "Refused." : eb_json_bool(a, "shadow", false) ? "Allowed, but only as a shadow: nothing would be written."
                     : json_object_get(a, "wouldChange") != NULL && !changes ? "Allowed. Nothing would change." : "Allowed.");
    for (size_t i = 0; i < EB_LEN(texts); i++)
        print_field(texts[i].label, eb_json_str(a, texts[i].member));
    print_value("Before", json_object_get(a, "before"));
    print_value("After", json_object_get(a, "after"));
    print_value("Approvals", json_object_get(a, "approvals"));
    print_group_rules(json_object_get(a, "groupRules"));
    print_steps(json_object_get(a, json_object_get(a, "steps") != NULL ? "steps" : "results"));
}

static bool ask(struct tool *tool, const struct cli *cli, json_t *data, json_t **ret, struct eb_err *err)
{
    const char *token = cli_value(cli, "token");
    char *text = NULL;
    bool good = token == NULL || add_token(tool->db, token, data, err);

    if (good && token != NULL) {
        json_object_del(data, "operations");
        json_object_del(data, "projects");
    }
    if (good) {
        text = eb_json_text(data);
        good = order_ask(tool, "explain", text, "its log may", ret, err) && (json_object_get(*ret, "allowed") != NULL || !order_refused(*ret, err));
    }
    free(text);
    return good;
}

int cli_policy_explain(struct cli *cli)
{
    EB_AUTO(json_t, json_decref) data = data_of(cli);
    EB_AUTO(json_t, json_decref) answer = NULL;
    struct eb_err err = { 0 };
    struct tool tool;

    if (data == NULL)
        return CLI_USAGE;
    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    bool good = ask(&tool, cli, data, &answer, &err);
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    if (cli->json)
        return print_json(json_incref(answer)) ? CLI_DONE : CLI_FAILED;
    print_explained(answer);
    return CLI_DONE;
}

/* ---- pin ---- */

static bool list_pin(void *ctx, const char *type, const char *name, const char *id, int64_t since_ms)
{
    struct listing *l = ctx;
    char when[EB_TIME_LEN], shown[32];

    if (strcmp(type, "configuration") == 0)     /* of the service itself: which policy it has seen last */
        return true;
    if (l->array != NULL)
        json_array_append_new(l->array, json_pack("{s:s, s:s, s:s, s:s}", "type", type, "name", name, "id", id, "since", eb_time_format(since_ms, when)));
    else
        table_add(l->table, (const char *const[]){ name, type, id, print_time(since_ms, shown) });
    return true;
}

static int list_pins(const struct cli *cli)
{
    static const char *const heads[] = { "NAME", "TYPE", "ID", "SINCE (UTC)", NULL };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!tool_open(cli, TOOL_NO_KEYS, &tool))
        return CLI_FAILED;
    struct listing l = listing_new(cli->json, heads);
    bool good = pin_list(tool.db, list_pin, &l, &err);
    bool printed = listing_end(&l, good, "No name is pinned yet.");
    tool_close(&tool);
    if (!good)
        return cli_failed(&err);
    return printed ? CLI_DONE : CLI_FAILED;
}

struct releasing { struct tool tool; const char *name; json_t *pins; int64_t count; };

static bool keep_pin(void *ctx, const char *type, const char *name, const char *id, int64_t since_ms)
{
    struct releasing *r = ctx;

    if (strcmp(name, r->name) == 0 && strcmp(type, "configuration") != 0)
        json_array_append_new(r->pins, json_pack("{s:s, s:s, s:s}", "type", type, "name", name, "id", id));
    return true;
}

/* A user's name and id name a person: they stand in the part that can be erased. */
static bool audit(struct db *db, const struct releasing *r, struct eb_err *err)
{
    char who[80];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:I}", "by", tool_who(who), "count", (json_int_t)r->count);
    EB_AUTO(json_t, json_decref) released = json_pack("{s:O}", "pins", r->pins);
    char *text = eb_json_text(data), *personal = eb_json_text(released);
    bool good = audit_add_personal(db, auth_key(r->tool.keys, "audit"), eb_now_ms(), "policy.pin_release", NULL, text, personal, NULL, err);

    free(text);
    free(personal);
    return good;
}

static bool release(struct db *db, void *arg, struct eb_err *err)
{
    struct releasing *r = arg;

    json_array_clear(r->pins);
    if (!pin_list(db, keep_pin, r, err) || !pin_release(db, r->name, &r->count, err))
        return false;
    if (r->count == 0)
        return eb_fail(err, EB_NOT_THERE, "nothing is pinned under the name \"%s\"; `entrabridge policy pin` lists what is", r->name);
    return audit(db, r, err);
}

/* A running service still goes by the old pin until it binds anew. */
static bool bind_anew(struct releasing *r, bool *ret_bound, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) answer = NULL;

    *ret_bound = false;
    if (!db_is_served(r->tool.config->store_url, ret_bound, err) || !*ret_bound)
        return err->code == EB_OK;
    return order_ask(&r->tool, "bind", "{}", "its log may", &answer, err) && !order_refused(answer, err);
}

int cli_policy_pin(struct cli *cli)
{
    struct releasing r = { .name = cli_value(cli, "release") };
    struct eb_err err = { 0 };
    bool bound = false;

    if (r.name == NULL)
        return list_pins(cli);
    if (!eb_utf8_valid(r.name, strlen(r.name)))
        return cli_misused(cli, "the name is not UTF-8");
    if (!tool_open(cli, TOOL_KEYS, &r.tool))
        return CLI_FAILED;
    r.pins = json_array();
    bool good = db_transact(r.tool.db, release, &r, &err) && bind_anew(&r, &bound, &err);
    tool_close(&r.tool);
    if (good && cli->json)
        good = print_json(json_pack("{s:O, s:b}", "released", r.pins, "bound", (int)bound));
    else if (good)
        printf("Released. %s\n", bound ? "The service binds the name anew, to whatever it fits now; `entrabridge policy pin` shows it."
                                       : "The name is bound anew at the next start, to whatever it fits then.");
    json_decref(r.pins);
    if (!good && err.code != EB_OK)
        return cli_failed(&err);
    return good ? CLI_DONE : CLI_FAILED;
}
