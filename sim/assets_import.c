/* assets_import.c - the resources of an external import, in the order in which a client meets them.
 *
 * Links are the only way to an execution: its id stands nowhere else.
 */
#include "sim/assets_import.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORKSPACE_PATH "/jsm/assets/workspace/" ASSETS_WORKSPACE "/v1"

struct assets_imports *assets_imports_new(struct event_base *base)
{
    struct assets_imports *m = eb_alloc(sizeof(*m));

    m->base = base;
    return m;
}

void assets_imports_free(struct assets_imports *m)
{
    if (m == NULL)
        return;
    if (m->timer != NULL)
        event_free(m->timer);
    for (struct import_source *src = m->sources, *next; src != NULL; src = next) {
        next = src->next;
        assets_import_map_free(&src->map);
        assets_import_run_free(src->run);
        json_decref(src->given);
        free(src->mapping_error);
        free(src);
    }
    free(m);
}

struct import_source *assets_import_source_find(const struct assets_imports *m, const char *id)
{
    struct import_source *src = m->sources;

    while (src != NULL && !eb_streq(src->id, id))
        src = src->next;
    return src;
}

struct import_source *assets_import_source_add(struct assets_imports *m, uint32_t schema)
{
    struct import_source *src = eb_alloc(sizeof(*src)), **at = &m->sources;
    int count = 1;

    for (; *at != NULL; at = &(*at)->next)
        count++;
    sim_quick_id(src->id);
    snprintf(src->token, sizeof(src->token), count == 1 ? "sim-import-token" : "sim-import-token-%d", count);
    src->schema = schema;
    *at = src;
    return src;
}

static struct import_source *source_of_token(const struct assets_imports *m, const char *authorization)
{
    struct import_source *src = m->sources;

    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    while (src != NULL && strcmp(src->token, authorization + 7) != 0)
        src = src->next;
    return src;
}

bool assets_import_admits(const struct assets_imports *m, const char *source, const char *authorization)
{
    const struct import_source *src = source_of_token(m, authorization);

    return src != NULL && strcmp(src->id, source) == 0;
}

/* The source of a route that was admitted, or that the account asks for. */
static struct import_source *source_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src = assets_import_source_find(s->assets->imports, c->params[0]);

    if (src == NULL)
        atlassian_error(r, 404, NULL, "There is no import source with this id.");
    return src;
}

static struct import_run *run_param(struct sim *s, struct sim_call *c, struct sim_reply *r, struct import_source **ret)
{
    *ret = source_param(s, c, r);
    struct import_run *run = *ret != NULL ? (*ret)->run : NULL;

    while (run != NULL && strcmp(run->id, c->params[1]) != 0)
        run = run->before;
    if (*ret != NULL && run == NULL)
        atlassian_error(r, 400, NULL, "There is no execution with this id.");
    return run;
}

static char *link_to(const struct sim_call *c, const struct import_source *src, const char *rest)
{
    return eb_asprintf("%s" WORKSPACE_PATH "/importsource/%s%s", c->base_url, src->id, rest);
}

static void add_link(json_t *links, const char *name, const struct sim_call *c, const struct import_source *src, const char *rest)
{
    char *url = link_to(c, src, rest);

    json_object_set_new(links, name, json_string(url));
    free(url);
}

void assets_import_info(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_of_token(s->assets->imports, c->authorization);
    json_t *links = json_object();

    if (src == NULL) {
        json_decref(links);
        atlassian_error(r, 401, NULL, "The import token is not valid.");
        return;
    }
    add_link(links, "getStatus", c, src, "/configstatus");
    add_link(links, "start", c, src, "/executions");
    add_link(links, "mapping", c, src, "/mapping");
    sim_reply_json(r, 200, json_pack("{s:o}", "links", links));
}

void assets_import_source(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_param(s, c, r);

    if (src != NULL)
        sim_reply_json(r, 200, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "id", src->id, "name", "Entra import",
            "importSourceModuleKey", "rlabs-import-type-external", "defaultConcatenator", ",", "defaultHandleEmptyValues",
            s->assets_set.empty == ASSETS_EMPTY_REMOVE ? "REMOVE" : "IGNORE", "defaultHandleUnknownValues", "IGNORE", "tokenGenerated", 1));
}

void assets_import_token(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_param(s, c, r);

    if (src != NULL && assets_may_manage(s, r))
        sim_reply_json(r, 200, json_pack("{s:s}", "token", src->token));
}

static bool running(const struct import_source *src)
{
    return src->run != NULL && (src->run->state == IMPORT_INGESTING || src->run->state == IMPORT_PROCESSING);
}

void assets_import_config_status(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_param(s, c, r);

    if (src != NULL)
        sim_reply_json(r, 200, json_pack("{s:s}", "status", src->disabled ? "DISABLED" : src->given == NULL ? "MISSING_MAPPING"
                                                           : running(src) ? "RUNNING" : "IDLE"));
}

static void import_conflict(struct sim_reply *r, const char *code)
{
    sim_reply_json(r, 409, json_pack("{s:s, s:s}", "result", "error", "errorCode", code));
}

/* With ?async=true the outcome is told by a resource of its own, also when it is an error. */
static void answer_mapping(struct import_source *src, struct sim_reply *r, bool async, bool ok, const struct eb_err *err)
{
    if (!async && !ok) {
        atlassian_error(r, 400, err->field[0] != '\0' ? err->field : NULL, "%s", err->text);
        return;
    }
    free(src->mapping_error);
    src->mapping_error = ok ? NULL : eb_strdup(err->text);
    sim_reply_json(r, async ? 303 : 204, NULL);
    if (!async)
        return;
    sim_quick_id(src->resource);
    src->async_pending = true;
    sim_reply_header(r, "Location", WORKSPACE_PATH "/importsource/%s/mapping/progress/%s", src->id, src->resource);
}

static void mapping(struct sim *s, struct sim_call *c, struct sim_reply *r, bool first)
{
    struct import_source *src = source_param(s, c, r);
    json_t *body = src != NULL ? assets_body(c, r, &assets_form_mapping) : NULL;
    struct eb_err err = { 0 };
    bool async;

    if (body == NULL || !assets_query_flag(c, r, "async", false, &async))
        return;
    if (first && src->given != NULL)
        import_conflict(r, "MAPPING_EXISTS");
    else if (!first && src->given == NULL)
        atlassian_error(r, 400, NULL, "There is no mapping yet to be changed.");
    else if (running(src))
        import_conflict(r, "IN_PROGRESS");
    else {
        bool ok = assets_import_configure(s, src, body, &err);
        answer_mapping(src, r, async, ok, &err);
    }
}

void assets_import_mapping_put(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    mapping(s, c, r, true);
}

void assets_import_mapping_patch(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    mapping(s, c, r, false);
}

void assets_import_mapping_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_param(s, c, r);

    if (src == NULL)
        return;
    if (src->given == NULL)
        atlassian_error(r, 400, NULL, "There is no mapping yet.");
    else
        sim_reply_json(r, 200, json_incref(src->given));
}

void assets_import_mapping_progress(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src = source_param(s, c, r);

    if (src == NULL)
        return;
    if (strcmp(src->resource, c->params[1]) != 0)
        atlassian_error(r, 400, NULL, "There is no such progress.");
    else if (src->async_pending)
        sim_reply_json(r, 200, json_pack("{s:s}", "progressStatus", "IN_PROGRESS"));
    else
        sim_reply_json(r, 200, json_pack("{s:s, s:s, s:s}", "progressStatus", "FINISHED", "result", src->mapping_error == NULL ? "OK" : "FAILED",
                                         "resultMessage", src->mapping_error == NULL ? "Schema and mapping created" : src->mapping_error));
    src->async_pending = false;
}

static void answer_started(const struct sim_call *c, struct sim_reply *r, const struct import_source *src)
{
    static const struct { const char *name, *rest; } rows[] = {
        { "submitProgress", "/progress" }, { "submitResults", "/data" }, { "getExecutionStatus", "/status" }, { "cancel", "" },
    };
    json_t *links = json_object();
    char rest[128];

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        snprintf(rest, sizeof(rest), "/executions/%s%s", src->run->id, rows[i].rest);
        add_link(links, rows[i].name, c, src, rest);
    }
    sim_reply_json(r, 200, json_pack("{s:o, s:s}", "links", links, "result", "success"));
}

void assets_import_start(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src = source_param(s, c, r);

    if (src == NULL || (c->body.len > 0 && assets_body(c, r, &assets_form_start) == NULL))
        return;
    if (src->disabled || src->given == NULL || running(src)) {
        import_conflict(r, src->disabled ? "DISABLED" : src->given == NULL ? "MISSING_MAPPING" : "IN_PROGRESS");
        return;
    }
    struct import_run *run = eb_alloc(sizeof(*run));
    sim_quick_id(run->id);
    run->number = ++s->assets->imports->runs;
    run->started_ms = eb_now_ms();
    run->tail = &run->chunks;
    run->before = src->run;
    src->run = run;
    answer_started(c, r, src);
}

void assets_import_cancel(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src;
    struct import_run *run = run_param(s, c, r, &src);

    if (run == NULL)
        return;
    if (run->state == IMPORT_DONE || run->state == IMPORT_CANCELLED) {
        atlassian_error(r, 400, NULL, "The execution has ended.");
        return;
    }
    assets_import_end(run, IMPORT_CANCELLED);
    sim_reply_json(r, 200, NULL);
}

/* An execution that still takes data; NULL: answered. */
static struct import_run *ingesting(struct sim *s, struct sim_call *c, struct sim_reply *r, struct import_source **ret)
{
    struct import_run *run = run_param(s, c, r, ret);

    if (run == NULL || run->state == IMPORT_INGESTING)
        return run;
    atlassian_error(r, 400, NULL, "The execution no longer takes data.");
    return NULL;
}

void assets_import_progress(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src;

    if (ingesting(s, c, r, &src) != NULL && assets_body(c, r, &assets_form_progress) != NULL)
        sim_reply_json(r, 200, NULL);
}

json_t *assets_import_selected(const json_t *data, const char *selector)
{
    json_t *direct = json_object_get(data, selector);

    return direct != NULL ? direct : eb_json_path(data, selector);
}

const char *assets_import_text(const json_t *record, const char *locator, size_t n, char buf[64])
{
    const json_t *v = json_object_get(record, locator);

    if (v == NULL)
        v = eb_json_path(record, locator);
    if (json_is_array(v))
        v = json_array_get(v, n);
    else if (n > 0)
        return NULL;
    if (json_is_integer(v))
        snprintf(buf, 64, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(buf, 64, "%.15g", json_real_value(v));
    return json_is_string(v) ? json_string_value(v) : json_is_number(v) ? buf : json_is_true(v) ? "true" : json_is_false(v) ? "false" : NULL;
}

static int64_t records(const json_t *data)
{
    const char *name;
    json_t *list;
    int64_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)data, name, list)
        n += (int64_t)json_array_size(list);
    return n;
}

static bool chunk_taken(const struct import_run *run, const char *name)
{
    for (const struct import_chunk *c = run->chunks; name != NULL && c != NULL; c = c->next)
        if (eb_streq(c->name, name))
            return true;
    return false;
}

static void keep_chunk(struct import_run *run, const struct sim_call *c, const char *name, int64_t count)
{
    struct import_chunk *chunk = eb_alloc(sizeof(*chunk));

    chunk->name = eb_strdup(name);
    chunk->bytes = eb_need(malloc(c->body.len));
    chunk->len = c->body.len;
    memcpy(chunk->bytes, c->body.p, c->body.len);
    *run->tail = chunk;
    run->tail = &chunk->next;
    run->records += count;
}

void assets_import_data(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src;
    struct import_run *run = ingesting(s, c, r, &src);
    json_t *body = run != NULL ? assets_body(c, r, &assets_form_data) : NULL;

    if (body == NULL)
        return;
    const json_t *data = json_object_get(body, "data");
    const char *name = eb_json_str(body, "clientGeneratedId");
    if ((int64_t)c->body.len > s->assets_set.chunk_bytes || records(data) > s->assets_set.chunk_objects) {
        atlassian_error(r, 400, "data", "The chunk is too large.");
        return;
    }
    if (data == NULL && !eb_json_bool(body, "completed", false)) {
        atlassian_error(r, 400, "data", "There is neither data nor completed.");
        return;
    }
    if (data != NULL && !chunk_taken(run, name))
        keep_chunk(run, c, name, records(data));
    if (eb_json_bool(body, "completed", false))
        assets_import_work(s, src);
    sim_reply_json(r, 200, json_pack("{s:s}", "result", "success"));
}

static const char *offset_time(int64_t ms, char out[40])
{
    char time[EB_TIME_LEN];

    snprintf(out, 40, "%.23s+00:00", eb_time_format(ms, time));
    return out;
}

static json_t *result_json(const struct import_result *res, const struct assets_type *t, int64_t took_ms)
{
    json_t *j = json_pack("{s:n, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:I}", "id", "objectTypeName", t->name,
        "objectTypeId", (json_int_t)t->id, "objectsUpdated", (json_int_t)res->updated, "objectsCreated", (json_int_t)res->created,
        "objectsIdentical", (json_int_t)res->identical, "objectsMissingUpdated", (json_int_t)res->missing_updated,
        "objectsMissingDeleted", (json_int_t)res->missing_deleted, "entriesInSource", (json_int_t)res->entries,
        "duplicateEnries", (json_int_t)res->duplicates, "emptyLabelEntries", (json_int_t)res->empty_labels,
        "emptyExternalIdEntries", (json_int_t)res->empty_ids, "objectsFilteredWithQlQuery", 0,
        "objectsWithUpdatedReferences", (json_int_t)res->references, "executionTimeInMs", (json_int_t)took_ms);

    if (res->messages != NULL)
        json_object_set_new(j, "errorMessages", json_pack("{s:O, s:I}", "messages", res->messages, "count", (json_int_t)res->errors));
    else
        json_object_set_new(j, "errorMessages", json_null());
    return j;
}

static json_t *progress_json(struct sim *s, const struct import_source *src, const struct import_run *run)
{
    json_t *results = json_object(), *names = json_array();
    char id[16], started[40], ended[40];

    for (size_t i = 0; i < run->result_count && i < src->map.count; i++) {
        snprintf(id, sizeof(id), "%u", src->map.types[i].type->id);
        json_object_set_new(results, id, result_json(&run->results[i], src->map.types[i].type, run->ended_ms > run->started_ms ? run->ended_ms - run->started_ms : 0));
        json_array_append_new(names, json_string(src->map.types[i].type->name));
    }
    bool done = run->state != IMPORT_PROCESSING;
    json_t *j = json_pack("{s:s, s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:o, s:[], s:o, s:n, s:I}", "type", "IMPORT", "id", (json_int_t)run->number,
        "started", offset_time(run->started_ms, started), "objectSchemaId", (json_int_t)src->schema,
        "result", run->state == IMPORT_DONE ? "OK" : run->state == IMPORT_CANCELLED ? "CANCELLED" : "", "status", done ? "FINISHED" : "IN_PROGRESS",
        "jobId", run->id, "importSourceId", src->id, "populatedObjectTypes", names, "onlyExecutedForObjectTypes",
        "objectTypeResultMap", results, "errorMessages", "totalNumberEntriesInImport", (json_int_t)run->records);
    if (run->failure != NULL)
        json_object_set_new(j, "infoMessage", json_string(run->failure));
    if (done)
        json_object_set_new(j, "ended", json_string(offset_time(run->ended_ms, ended)));
    return j;
}

static void answer_status(struct sim *s, struct sim_reply *r, const struct import_source *src, const struct import_run *run)
{
    static const char *const states[] = { "INGESTING", "PROCESSING", "DONE", "CANCELLED" };
    json_t *j = json_pack("{s:s}", "status", states[run->state]);

    if (run->state != IMPORT_INGESTING)
        json_object_set_new(j, "progressResult", progress_json(s, src, run));
    sim_reply_json(r, 200, j);
}

void assets_import_status(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src;
    const struct import_run *run = run_param(s, c, r, &src);

    if (run != NULL)
        answer_status(s, r, src, run);
}

void assets_import_last_status(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct import_source *src = source_param(s, c, r);

    if (src == NULL)
        return;
    if (src->run == NULL)
        atlassian_error(r, 400, NULL, "There was no execution yet.");
    else
        answer_status(s, r, src, src->run);
}

void assets_import_failed(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct import_source *src;
    struct import_run *run = ingesting(s, c, r, &src);
    json_t *body = run != NULL ? assets_body(c, r, &assets_form_failure) : NULL;

    if (body == NULL)
        return;
    run->failure = eb_strdup(eb_json_str(body, "failureReason"));
    assets_import_end(run, IMPORT_CANCELLED);
    sim_reply_json(r, 204, NULL);
}
