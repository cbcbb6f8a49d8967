/* check_sync.c - what the synchronization needs of Jira and Assets, asked one after the other: Browse users and groups, the workspace, the schema, the
 * number of objects, the import source. Nothing is made.
 */
#include "cli/check.h"

#define READ_MS 15000

/* ---- the import source ---- */

static void on_import_status(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct check_asking *a = ctx;

    if (r->result == ASSETS_OK)
        check_import_state(a->report, eb_json_str(r->body, "status"));
    else
        check_say(a->report, CHECK_FAULT, "import", "the state of the import source cannot be read: %s", r->err.text);
    a->done(a->ctx);
}

static void on_import_info(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct check_asking *a = ctx;
    const json_t *link = r->result == ASSETS_OK ? eb_json_path(r->body, "links.getStatus") : NULL;

    if (json_is_string(link)) {
        assets_send(a->assets, &(struct assets_call){ .kind = ASSETS_IMPORT_STATUS, .a = json_string_value(link), .deadline_ms = READ_MS }, 0, on_import_status, a);
        return;
    }
    check_say(a->report, CHECK_FAULT, "import", "%s", r->result == ASSETS_OK ? "assets.import_token is of no import source: make one in the schema's import configuration" : r->err.text);
    a->done(a->ctx);
}

static void check_import(struct check_asking *a)
{
    if (a->config->assets.import_token != NULL)
        assets_send(a->assets, &(struct assets_call){ .kind = ASSETS_IMPORT_INFO, .deadline_ms = READ_MS }, 0, on_import_info, a);
    else
        a->done(a->ctx);
}

/* ---- schema and objects ---- */

static void on_usage(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct check_asking *a = ctx;

    check_usage(a->report, r->result == ASSETS_OK ? r->body : NULL, r->err.text);
    check_import(a);
}

static void ask_usage(struct check_asking *a)
{
    assets_send(a->assets, &(struct assets_call){ .kind = ASSETS_USAGE, .deadline_ms = READ_MS }, 0, on_usage, a);
}

static void on_types(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct check_asking *a = ctx;

    if (r->result == ASSETS_OK)
        check_schema_types(a->report, a->config->assets.schema_key, r->body);
    else
        check_say(a->report, CHECK_FAULT, "assets", "the object types of the schema cannot be listed: %s", r->err.text);
    ask_usage(a);
}

static void ask_schemas(struct check_asking *a);

static void on_schemas(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct check_asking *a = ctx;
    const json_t *values = r->result == ASSETS_OK ? json_object_get(r->body, "values") : NULL;

    if (r->result != ASSETS_OK) {
        check_say(a->report, CHECK_FAULT, "assets", "the object schemas cannot be listed: %s", r->err.text);
        check_import(a);
        return;
    }
    a->schemas += (int64_t)json_array_size(values);
    const char *schema = check_schema_listed(a->report, r->body, a->config->assets.schema_key);
    if (schema == NULL && json_array_size(values) > 0 && !eb_json_bool(r->body, "isLast", true)) {
        ask_schemas(a);
        return;
    }
    if (schema != NULL) {
        assets_send(a->assets, &(struct assets_call){ .kind = ASSETS_TYPES, .a = schema, .deadline_ms = READ_MS }, 0, on_types, a);
        return;
    }
    check_schema_missing(a->report, a->config->assets.schema_key, a->schemas > 0);
    ask_usage(a);
}

static void ask_schemas(struct check_asking *a)
{
    assets_send(a->assets, &(struct assets_call){ .kind = ASSETS_SCHEMAS, .start = a->schemas, .deadline_ms = READ_MS }, 0, on_schemas, a);
}

/* ---- the workspace ---- */

static void begin_assets(struct check_asking *a)
{
    check_say(a->report, CHECK_OK, "scopes", "for Assets, an API token with scopes must have besides: %s", assets_scopes(false));
    check_say(a->report, CHECK_OK, "scopes", "and for `sync init`: %s", assets_scopes(true));
    ask_schemas(a);
}

static void on_workspace(void *ctx, uint64_t id, const char *workspace_id, const struct eb_err *err)
{
    struct check_asking *a = ctx;
    struct eb_err own = { 0 };

    if (err == NULL && !assets_set_workspace(a->assets, workspace_id, &own))
        err = &own;
    if (err != NULL) {
        check_say(a->report, CHECK_FAULT, "assets", "the workspace of Assets cannot be found: %s", err->text);
        a->done(a->ctx);
        return;
    }
    check_say(a->report, CHECK_OK, "assets", "the workspace is %s", workspace_id);
    begin_assets(a);
}

static void on_browse(void *ctx, uint64_t id, const char *missing, const struct eb_err *err)
{
    struct check_asking *a = ctx;

    if (err != NULL)
        check_say(a->report, CHECK_WARNING, "sync", "whether our Jira account may browse users cannot be told: %s", err->text);
    else if (*missing != '\0')
        check_say(a->report, CHECK_FAULT, "sync", "our Jira account lacks the global permission Browse users and groups, without which no run reads the accounts: a Jira "
                  "administrator grants it to one of its groups (System, Global permissions)");
    else
        check_say(a->report, CHECK_OK, "sync", "our Jira account may browse users and groups");
    if (assets_workspace(a->assets) == NULL)
        jira_workspace_get(a->jira, 0, on_workspace, a);
    else
        begin_assets(a);
}

void check_sync(struct check_asking *a)
{
    if (a->assets == NULL) {
        a->done(a->ctx);
        return;
    }
    jira_browse_get(a->jira, 0, on_browse, a);
}
