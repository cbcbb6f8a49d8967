/* call.c - the table of calls: method, path, what may be repeated, what a good answer holds. Pure.
 *
 * Invariant: what stands in a path as an id is escaped here, so that no id ends its segment.
 */
#include "assets/internal.h"

#include "base/text.h"

#include <string.h>

#define PAGE_MAX MiB(8)             /* a page of objects: each comes with its type, its icons and its references */

static const struct assets_row rows[ASSETS_CALL_KINDS] = {
    [ASSETS_SCHEMAS] = { "assets.schemas", "GET", "/objectschema/list?startAt={start}&maxResults={size}", .size = 50, .answer = ASSETS_ANSWER_JSON,
        .repeat = true, .read = true, .scope = "read:cmdb-schema:jira" },
    [ASSETS_SCHEMA_CREATE] = { "assets.schema_create", "POST", "/objectschema/create", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-schema:jira" },
    [ASSETS_TYPES] = { "assets.types", "GET", "/objectschema/{a}/objecttypes/flat", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true,
        .scope = "read:cmdb-type:jira" },
    [ASSETS_TYPE_CREATE] = { "assets.type_create", "POST", "/objecttype/create", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-type:jira" },
    [ASSETS_ICONS] = { "assets.icons", "GET", "/icon/global", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .scope = "read:cmdb-icon:jira" },
    [ASSETS_ATTRIBUTES] = { "assets.attributes", "GET", "/objecttype/{a}/attributes", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true,
        .scope = "read:cmdb-attribute:jira" },
    [ASSETS_ATTRIBUTE_CREATE] = { "assets.attribute_create", "POST", "/objecttypeattribute/{a}", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-attribute:jira" },
    [ASSETS_REFERENCE_TYPES] = { "assets.reference_types", "GET", "/config/referencetype", "?includeAll=true&objectSchemaId=", .answer = ASSETS_ANSWER_JSON,
        .repeat = true, .read = true, .scope = "read:cmdb-config:jira" },
    [ASSETS_REFERENCE_TYPE_CREATE] = { "assets.reference_type_create", "POST", "/config/referencetype", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-config:jira" },
    [ASSETS_STATUS_TYPES] = { "assets.status_types", "GET", "/config/statustype", "?objectSchemaId=", .answer = ASSETS_ANSWER_JSON, .repeat = true,
        .read = true, .scope = "read:cmdb-config:jira" },
    [ASSETS_STATUS_TYPE_CREATE] = { "assets.status_type_create", "POST", "/config/statustype", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-config:jira" },
    [ASSETS_AQL] = { "assets.aql", "POST", "/object/aql?startAt={start}&maxResults={size}&includeAttributes=true", .size = 25,
        .answer = ASSETS_ANSWER_BYTES, .has_body = true, .repeat = true, .read = true, .scope = "read:cmdb-object:jira", .max_body = PAGE_MAX },
    [ASSETS_OBJECT] = { "assets.object", "GET", "/object/{a}", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .scope = "read:cmdb-object:jira" },
    [ASSETS_OBJECT_CREATE] = { "assets.object_create", "POST", "/object/create", .answer = ASSETS_ANSWER_JSON, .has_body = true,
        .scope = "write:cmdb-object:jira" },
    [ASSETS_OBJECT_UPDATE] = { "assets.object_update", "PUT", "/object/{a}", .has_body = true, .repeat = true, .scope = "write:cmdb-object:jira" },
    [ASSETS_OBJECT_DELETE] = { "assets.object_delete", "DELETE", "/object/{a}", .repeat = true, .gone_is_done = true, .scope = "delete:cmdb-object:jira" },
    [ASSETS_USAGE] = { "assets.usage", "GET", "/usage", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .scope = "read:cmdb-config:jira" },
    [ASSETS_IMPORT_INFO] = { "assets.import_info", "GET", "/jsm/assets/v1/imports/info", .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .import = true },
    [ASSETS_IMPORT_STATUS] = { "assets.import_status", "GET", NULL, .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .import = true },
    [ASSETS_IMPORT_MAPPING_PUT] = { "assets.import_mapping", "PUT", NULL, .has_body = true, .repeat = true, .import = true, .background = true },
    [ASSETS_IMPORT_MAPPING_PATCH] = { "assets.import_mapping_add", "PATCH", NULL, .has_body = true, .repeat = true, .import = true, .background = true },
    [ASSETS_IMPORT_MAPPING_PROGRESS] = { "assets.import_mapping_progress", "GET", NULL, .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .import = true },
    [ASSETS_IMPORT_START] = { "assets.import_start", "POST", NULL, .answer = ASSETS_ANSWER_JSON, .import = true },
    [ASSETS_IMPORT_PROGRESS] = { "assets.import_progress", "PUT", NULL, .has_body = true, .repeat = true, .import = true },
    [ASSETS_IMPORT_DATA] = { "assets.import_data", "POST", NULL, .has_body = true, .repeat = true /* its clientGeneratedId is taken once */, .import = true },
    [ASSETS_IMPORT_EXECUTION] = { "assets.import_execution", "GET", NULL, .answer = ASSETS_ANSWER_JSON, .repeat = true, .read = true, .import = true },
    [ASSETS_IMPORT_CANCEL] = { "assets.import_cancel", "DELETE", NULL, .repeat = true, .gone_is_done = true, .import = true },
};

const struct assets_row *assets_row(enum assets_call_kind kind)
{
    return &rows[kind];
}

/* One {name} of a template at *p, which moves behind it. False: an id is missing. */
static bool fill(const struct assets_row *row, const struct assets_call *c, const char **p, struct eb_buf *out)
{
    if (strncmp(*p, "{a}", 3) == 0) {
        *p += 3;
        return c->a != NULL && c->a[0] != '\0' && eb_url_escape(out, c->a);
    }
    if (strncmp(*p, "{start}", 7) == 0) {
        *p += 7;
        return eb_buf_addf(out, "%lld", (long long)c->start);
    }
    *p += strlen("{size}");
    return eb_buf_addf(out, "%d", c->size > 0 ? c->size : row->size);
}

bool assets_path(const struct assets_row *row, const struct assets_call *c, const char *prefix, const char *workspace, char **ret, struct eb_err *err)
{
    struct eb_buf out = EB_BUF(KiB(4));
    bool ok = true;

    *ret = NULL;
    if (!row->import && (workspace == NULL || workspace[0] == '\0'))
        return eb_fail(err, EB_INTERNAL, "the workspace of Assets is not known yet");
    if (!row->import) {
        eb_buf_addf(&out, "%s/jsm/assets/workspace/", prefix);
        eb_url_escape(&out, workspace);
        eb_buf_str(&out, "/v1");
    }
    for (const char *p = row->path; *p != '\0' && ok;) {
        if (*p == '{')
            ok = fill(row, c, &p, &out);
        else
            eb_buf_add(&out, p++, 1);
    }
    if (row->query != NULL && c->a != NULL) {
        eb_buf_str(&out, row->query);
        eb_url_escape(&out, c->a);
    }
    *ret = ok ? eb_buf_take(&out) : NULL;
    eb_buf_free(&out);
    return *ret != NULL || eb_fail(err, EB_INTERNAL, "a call %s needs an id", row->name);
}

const char *assets_scopes(bool make_schema)
{
    static const char always[] = "read:cmdb-object:jira write:cmdb-object:jira delete:cmdb-object:jira read:cmdb-schema:jira read:cmdb-type:jira "
        "read:cmdb-attribute:jira read:cmdb-config:jira read:servicedesk-request";
    static const char also_schema[] = "read:cmdb-object:jira write:cmdb-object:jira delete:cmdb-object:jira read:cmdb-schema:jira write:cmdb-schema:jira "
        "read:cmdb-type:jira write:cmdb-type:jira read:cmdb-attribute:jira write:cmdb-attribute:jira read:cmdb-config:jira write:cmdb-config:jira "
        "read:cmdb-icon:jira read:servicedesk-request";

    return make_schema ? also_schema : always;
}
