/* assets_target.c - the target "assets": its table of functions, its columns, its beginning and end.
 *
 * Owns: ids, columns, and whatever is under way, all of which assets_close() ends without a call back.
 */
#include "sync/assets_target.h"

#include "base/hash.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct assets_form forms[SYNC_TYPES + 1] = {
    [SYNC_TEXT] = { 0, 0, 9, "Text", "text" },
    [SYNC_EMAIL] = { 0, 8, 0, "Email", "email" },
    [SYNC_BOOL] = { 0, 2, -1, "Boolean", "boolean" },
    [SYNC_INTEGER] = { 0, 1, -1, "Integer", "integer" },
    [SYNC_DATE_TIME] = { 0, 6, -1, "DateTime", "date_time" },
    [SYNC_URL] = { 0, 7, 0, "Url", "url" },
    [SYNC_ACCOUNT] = { 2, -1, -1, "User", NULL },
    [SYNC_REFERENCE] = { 1, -1, -1, "Object", "referenced_object" },
    [ASSETS_COLUMN_STATUS] = { 7, -1, -1, "Status", "status" },
};

const struct assets_form *assets_form(int type)
{
    return &forms[type];
}

struct assets_column *assets_column(struct assets_target *t, enum stage_kind kind, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].kind == kind && strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}

struct assets_column *assets_column_of(struct assets_target *t, enum stage_kind kind, const char *attribute_id)
{
    for (size_t i = 0; i < t->column_count && attribute_id != NULL; i++)
        if (t->columns[i].kind == kind && eb_streq(t->columns[i].id, attribute_id))
            return &t->columns[i];
    return NULL;
}

struct assets_column *assets_identity(struct assets_target *t, enum stage_kind kind)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].kind == kind && t->columns[i].identity)
            return &t->columns[i];
    return NULL;
}

void assets_counted(struct assets_target *t, const struct assets_reply *r, bool write)
{
    t->x->counts->assets_calls += r->attempts;
    t->x->counts->writes += write && r->attempts > 0 ? 1 : 0;
    t->x->counts->throttled_ms += r->throttled_ms;
}

void assets_ids_clear(struct assets_target *t)
{
    free(t->ids.schema);
    free(t->ids.schema_name);
    free(t->ids.active);
    free(t->ids.inactive);
    for (int k = 0; k < STAGE_KINDS; k++)
        free(t->ids.type[k]);
    t->ids = (struct assets_ids){ 0 };
    for (size_t i = 0; i < t->column_count; i++) {
        free(t->columns[i].id);
        t->columns[i].id = NULL;
    }
}

/* ---- columns ---- */

/* "Job title" -> "job_title"; two that come out alike get their number. */
static char *make_locator(const struct assets_target *t, const struct assets_column *c)
{
    char *out = eb_strdup(c->name);

    for (char *p = out; *p != '\0'; p++)
        *p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].kind != c->kind || strcmp(t->columns[i].locator, out) != 0)
            continue;
        char *longer = eb_asprintf("%s_%zu", out, t->column_count);
        free(out);
        return longer;
    }
    return out;
}

static void add_column(struct assets_target *t, const struct assets_column *c)
{
    struct assets_column *to = &t->columns[t->column_count];

    *to = *c;
    to->locator = make_locator(t, c);
    t->column_count++;
}

static void make_columns(struct assets_target *t)
{
    static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };
    const struct sync_schema *s = t->x->schema;

    t->columns = eb_alloc((s->count + 4) * sizeof(*t->columns));
    for (size_t i = 0; i < s->count; i++) {
        const struct sync_attribute *a = &s->attributes[i];
        if (!eb_streq(a->name, SYNC_STATUS) && !eb_streq(a->name, SYNC_LAST_SEEN))
            add_column(t, &(struct assets_column){ .kind = a->kind, .name = a->name, .type = (int)a->type, .identity = a->identity, .label = a->label,
                .many = a->many, .to = a->to, .relation = a->relation, .help = a->help, .in_record = true });
    }
    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        add_column(t, &(struct assets_column){ .kind = kinds[k], .name = SYNC_LAST_SEEN, .type = SYNC_DATE_TIME,
            .help = "When entrabridge last wrote the object; of an inactive one: when it left" });
        add_column(t, &(struct assets_column){ .kind = kinds[k], .name = SYNC_STATUS, .type = ASSETS_COLUMN_STATUS, .help = "Active, or Inactive once it left" });
    }
}

/* ---- life ---- */

static bool assets_open(const struct sync_context *x, void **ret, struct eb_err *err)
{
    struct assets_target *t;

    if (x->assets == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "there is no section assets in the configuration");
    t = eb_alloc(sizeof(*t));
    t->x = x;
    LIST_INIT(&t->writings);
    make_columns(t);
    t->made = eb_need(json_array());
    *ret = t;
    return true;
}

static void target_free(struct assets_target *t)
{
    assets_ids_clear(t);
    for (size_t i = 0; i < t->column_count; i++)
        free(t->columns[i].locator);
    free(t->columns);
    json_decref(t->made);
    free(t);
}

static void assets_close(void *target)
{
    struct assets_target *t = target;

    if (t == NULL)
        return;
    assets_prepare_free(t);
    assets_read_free(t);
    assets_load_free(t);
    assets_writings_free(t);
    t->closed = true;
    if (t->jobs == 0)
        target_free(t);
}

void assets_job_begins(struct assets_target *t)
{
    t->jobs++;
}

bool assets_job_ended(struct assets_target *t)
{
    bool open = !t->closed;

    if (--t->jobs == 0 && !open)
        target_free(t);
    return open;
}

static const json_t *made(void *target)
{
    return ((struct assets_target *)target)->made;
}

static char *place(void *target)
{
    const struct assets_target *t = target;
    const char *workspace = assets_workspace(t->x->assets);
    struct eb_buf attributes = EB_BUF(KiB(64));
    char digest[EB_HEX_LEN], *out;

    for (size_t i = 0; i < t->column_count; i++)
        eb_buf_addf(&attributes, "%s/%s=%s\n", sync_kind_name(t->columns[i].kind), t->columns[i].name, t->columns[i].id != NULL ? t->columns[i].id : "");
    eb_sha256_hex(attributes.data, attributes.len, digest);
    out = eb_asprintf("%s workspace %s schema %s groups %s users %s attributes %s", t->x->config->assets.api_url, workspace != NULL ? workspace : "",
                      t->ids.schema, t->ids.type[STAGE_GROUP], t->ids.type[STAGE_USER], digest);
    eb_buf_free(&attributes);
    return out;
}

/* The last quarter of the places is for calls that are not bulk work (outbound: low_priority). */
static int writes_at_once(void *target)
{
    int calls = ((struct assets_target *)target)->x->config->assets.max_calls * 3 / 4;

    return calls > 0 ? calls : 1;
}

static int64_t find_after_ms(void *target)
{
    (void)target;
    return ASSETS_FIND_AFTER_MS;
}

const struct sync_target sync_target_assets = {
    .name = "assets", .open = assets_open, .close = assets_close, .prepare = assets_prepare_start, .made = made, .place = place, .read = assets_read_start,
    .write = assets_write_start, .writes_at_once = writes_at_once, .find = assets_find_start, .find_after_ms = find_after_ms,
    .loads = assets_loads, .load = assets_load_start,
};
