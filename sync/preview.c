/* preview.c - from the plan to rows that people read.
 *
 * Invariant: memory does not grow with the plan: a page of changes at a time, and names of references in a table of fixed size.
 * Owns: during a walk, the schema and that table.
 */
#include "sync/preview.h"

#include "base/text.h"
#include "sync/record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 500
#define NAMES 4096                  /* references that were looked up last, by a hash of the id */
#define VALUE_MAX KiB(64)           /* a list of references, as text */

struct name { char id[40], label[128]; };
struct walk {
    const struct sync_preview *p;
    struct sync_schema *schema;
    struct name *names;
    sync_preview_each *each; void *ctx;
    enum sync_preview_category category;
    int64_t after; int seen;
    bool ended;                     /* nobody wants more */
    struct eb_err *err; bool failed;
};

const char *sync_preview_word(enum sync_preview_category c)
{
    static const char *const words[SYNC_PREVIEW_CATEGORIES] = {
        [SYNC_PREVIEW_CREATE] = "create", [SYNC_PREVIEW_UPDATE] = "update", [SYNC_PREVIEW_INACTIVATE] = "inactivate", [SYNC_PREVIEW_DELETE] = "delete",
        [SYNC_PREVIEW_MANAGER] = "missing manager link", [SYNC_PREVIEW_UNMATCHED] = SYNC_NOTE_UNMATCHED, [SYNC_PREVIEW_WARNING] = "warning",
    };
    return words[c];
}

/* ---- names of what references lead to ---- */

static char *text_member(const char *json, const char *member)
{
    json_t *doc = NULL;
    char *text = NULL;

    if (json == NULL || !eb_json_parse_reply((struct eb_span){ json, strlen(json) }, &doc, NULL))
        return NULL;
    text = eb_strdup(eb_json_str(doc, member));
    json_decref(doc);
    return text;
}

static bool keep_label(void *ctx, const struct stage_target *t)
{
    *(char **)ctx = text_member(t->attributes, "Name");
    return true;
}

/* As the source names it now, else as the target has it, else NULL. */
static char *label_of(struct walk *w, enum stage_kind kind, const char *id)
{
    char *raw = NULL, *label = NULL;

    w->failed |= !stage_object_raw(w->p->stage, id, &raw, w->err);
    label = text_member(raw, "displayName");
    free(raw);
    if (label == NULL && !w->failed)
        w->failed |= !stage_target_get(w->p->stage, kind, id, keep_label, &label, w->err);
    return label;
}

static const char *name_of(struct walk *w, enum stage_kind kind, const char *id)
{
    size_t hash = 5381;

    for (const char *p = id; *p != '\0'; p++)
        hash = hash * 33 + (unsigned char)*p;
    struct name *n = &w->names[hash % NAMES];
    if (strcmp(n->id, id) == 0)
        return n->label;
    char *label = strlen(id) < sizeof n->id ? label_of(w, kind, id) : NULL;
    if (label == NULL)
        return id;
    strcpy(n->id, id);
    eb_text_clean(label, n->label, sizeof n->label);
    free(label);
    return n->label;
}

/* ---- values ---- */

static void add_value(struct walk *w, struct eb_buf *out, const json_t *v, const struct sync_attribute *a)
{
    const char *comma = out->len > 0 ? ", " : "";

    if (json_is_string(v))
        eb_buf_addf(out, "%s%s", comma, a != NULL && a->type == SYNC_REFERENCE ? name_of(w, a->to, json_string_value(v)) : json_string_value(v));
    else if (json_is_integer(v))
        eb_buf_addf(out, "%s%lld", comma, (long long)json_integer_value(v));
    else
        eb_buf_addf(out, "%s%s", comma, json_is_true(v) ? "true" : "false");
}

/* NULL: nothing is there. What is longer than VALUE_MAX ends in "...". */
static char *value_text(struct walk *w, const json_t *v, const struct sync_attribute *a)
{
    struct eb_buf out = EB_BUF(VALUE_MAX);
    const json_t *item;
    size_t i;

    if (v == NULL || json_is_null(v))
        return NULL;
    if (!json_is_array(v))
        add_value(w, &out, v, a);
    json_array_foreach((json_t *)(uintptr_t)v, i, item)
        add_value(w, &out, item, a);
    if (!out.failed)
        return eb_buf_take(&out);
    char *cut = eb_asprintf("%.*s...", (int)out.len, out.data != NULL ? out.data : "");
    eb_buf_free(&out);
    return cut;
}

static json_t *record_of(const char *attributes)
{
    json_t *doc = NULL;

    if (attributes == NULL || !eb_json_parse_reply((struct eb_span){ attributes, strlen(attributes) }, &doc, NULL))
        return NULL;
    return doc;
}

static void tell(struct walk *w, const struct sync_preview_row *row)
{
    w->ended |= !w->failed && !w->each(w->ctx, row);
}

/* The members that differ, and the status where it changes: that is a fact of the target row, not of the record. */
static void tell_difference(struct walk *w, struct sync_preview_row *row, const struct stage_change *c)
{
    EB_AUTO(json_t, json_decref) was = c->target != NULL ? record_of(c->target->attributes) : NULL;
    EB_AUTO(json_t, json_decref) now = record_of(c->wanted->attributes);
    EB_AUTO(json_t, json_decref) difference = now != NULL ? sync_record_difference(was, now) : NULL;
    struct sync_preview_value *values = eb_alloc((json_object_size(difference) + 1) * sizeof *values);
    const char *name;
    json_t *v;

    json_object_foreach(difference, name, v) {
        const struct sync_attribute *a = sync_schema_find(w->schema, c->wanted->kind, name);
        values[row->count++] = (struct sync_preview_value){ name, value_text(w, json_object_get(was, name), a), value_text(w, v, a) };
    }
    if (c->target != NULL && !c->target->active)
        values[row->count++] = (struct sync_preview_value){ SYNC_STATUS, eb_strdup("Inactive"), eb_strdup("Active") };
    row->values = values;
    tell(w, row);
    for (size_t i = 0; i < row->count; i++) {
        free(values[i].was);
        free(values[i].now);
    }
    free(values);
}

/* ---- the walks ---- */

static bool on_change(void *ctx, const struct stage_change *c)
{
    struct walk *w = ctx;
    enum stage_kind kind = c->wanted != NULL ? c->wanted->kind : c->target->kind;
    struct sync_preview_row row = { .category = w->category, .kind = sync_kind_name(kind), .key = c->wanted != NULL ? c->wanted->key : c->target->key };

    w->after = c->wanted != NULL ? c->wanted->n : c->target->n;
    w->seen++;
    char *label = c->wanted == NULL ? text_member(c->target->attributes, "Name") : NULL;
    row.label = c->wanted != NULL ? c->wanted->label : label;
    if (c->wanted != NULL)
        tell_difference(w, &row, c);
    else
        tell(w, &row);
    free(label);
    return !w->ended && !w->failed;
}

static bool on_missing_manager(void *ctx, const struct stage_wanted *v)
{
    struct walk *w = ctx;

    w->after = v->n;
    w->seen++;
    tell(w, &(struct sync_preview_row){ .category = SYNC_PREVIEW_MANAGER, .kind = sync_kind_name(v->kind), .key = v->key, .label = v->label,
                                        .text = "the manager is not among the people who are kept" });
    return !w->ended;
}

/* SYNC_PREVIEW_CATEGORIES: it is told otherwise. */
static enum sync_preview_category note_category(const struct stage_note *n)
{
    if (eb_streq(n->category, SYNC_NOTE_MANAGER))
        return SYNC_PREVIEW_CATEGORIES;
    return eb_streq(n->category, SYNC_NOTE_UNMATCHED) ? SYNC_PREVIEW_UNMATCHED : SYNC_PREVIEW_WARNING;
}

static bool on_note(void *ctx, const struct stage_note *n)
{
    struct walk *w = ctx;

    if (note_category(n) == w->category)
        tell(w, &(struct sync_preview_row){ .category = w->category, .key = n->key, .label = n->label, .text = n->text });
    return !w->ended && !w->failed;
}

/* What the configuration asks for: nobody leaves with `keep`, nobody is deleted but with `delete`. */
static bool plan_of(const struct sync_preview *p, enum sync_preview_category c, enum stage_kind kind, struct stage_plan *ret)
{
    static const enum stage_action actions[] = {
        [SYNC_PREVIEW_CREATE] = STAGE_CREATE, [SYNC_PREVIEW_UPDATE] = STAGE_UPDATE, [SYNC_PREVIEW_INACTIVATE] = STAGE_LEAVE, [SYNC_PREVIEW_DELETE] = STAGE_DELETE,
    };

    if (c > SYNC_PREVIEW_DELETE)
        return false;
    *ret = (struct stage_plan){ .kind = kind, .action = actions[c], .level = -1, .left_before_ms = p->now_ms - p->config->delete_after_ms };
    return (c != SYNC_PREVIEW_INACTIVATE || p->config->leavers != CONFIG_LEAVERS_KEEP) && (c != SYNC_PREVIEW_DELETE || p->config->leavers == CONFIG_LEAVERS_DELETE);
}

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };

static bool walk_plan(struct walk *w, enum stage_kind kind)
{
    struct stage_plan plan;

    if (!plan_of(w->p, w->category, kind, &plan))
        return true;
    w->after = 0;
    do {
        w->seen = 0;
        if (!stage_plan_each(w->p->stage, &plan, w->after, PAGE, on_change, w, w->err))
            return false;
    } while (w->seen == PAGE && !w->ended && !w->failed);
    return !w->failed;
}

static bool walk_managers(struct walk *w)
{
    w->after = 0;
    do {
        w->seen = 0;
        if (!stage_managers_missing(w->p->stage, w->after, PAGE, on_missing_manager, w, w->err))
            return false;
    } while (w->seen == PAGE && !w->ended);
    return true;
}

static bool walk_category(struct walk *w)
{
    if (w->category == SYNC_PREVIEW_MANAGER)
        return walk_managers(w);
    if (w->category > SYNC_PREVIEW_MANAGER)
        return stage_notes_each(w->p->stage, 0, INT_MAX, on_note, w, w->err) && !w->failed;
    for (size_t i = 0; i < EB_LEN(kinds) && !w->ended; i++)
        if (!walk_plan(w, kinds[i]))
            return false;
    return true;
}

bool sync_preview_rows(const struct sync_preview *p, sync_preview_each *each, void *ctx, struct eb_err *err)
{
    struct walk w = { .p = p, .each = each, .ctx = ctx, .err = err, .schema = sync_schema_new(p->config), .names = eb_alloc(NAMES * sizeof *w.names) };
    bool good = true;

    for (int c = 0; c < SYNC_PREVIEW_CATEGORIES && good && !w.ended; c++) {
        w.category = (enum sync_preview_category)c;
        good = walk_category(&w);
    }
    sync_schema_free(w.schema);
    free(w.names);
    return good;
}

/* ---- totals ---- */

static bool count_note(void *ctx, const struct stage_note *n)
{
    if (note_category(n) < SYNC_PREVIEW_CATEGORIES)
        ((int64_t *)ctx)[note_category(n)]++;
    return true;
}

bool sync_preview_totals(const struct sync_preview *p, int64_t ret[SYNC_PREVIEW_CATEGORIES], struct eb_err *err)
{
    struct stage_plan plan;

    memset(ret, 0, SYNC_PREVIEW_CATEGORIES * sizeof *ret);
    for (int c = 0; c <= SYNC_PREVIEW_DELETE; c++)
        for (size_t i = 0; i < EB_LEN(kinds); i++) {
            int64_t count = 0;
            if (plan_of(p, (enum sync_preview_category)c, kinds[i], &plan) && !stage_plan_count(p->stage, &plan, &count, err))
                return false;
            ret[c] += count;
        }
    return stage_managers_missing_count(p->stage, &ret[SYNC_PREVIEW_MANAGER], err) && stage_notes_each(p->stage, 0, INT_MAX, count_note, ret, err);
}
