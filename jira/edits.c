/* edits.c - which fields of an issue were edited, and when: its changelog, without the values.
 *
 * Invariant: no edit is lost. One of a field that Jira does not name, or at a time that it does not tell, is handed on as just that.
 */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define EDITS_MAX 20000
#define FIELD_ID_MAX 255

static const struct jira_paging paging = { "jira.edits", "/changelog", "startAt", "maxResults", "isLast", "edits", 100, 50, false };

/* ---- pure ---- */

/* Items without fieldId were seen: of a moved issue's key, and in old entries. The name stands for the id with system fields only. */
static const char *field_of(const json_t *item, const char *request_type_field)
{
    const char *id = eb_json_str(item, "fieldId");

    if (id == NULL || id[0] == '\0')
        id = eb_streq(eb_json_str(item, "fieldtype"), "custom") ? NULL : eb_json_str(item, "field");
    if (id == NULL || id[0] == '\0' || strlen(id) > FIELD_ID_MAX)
        return NULL;
    return eb_streq(id, request_type_field) ? "requesttype" : id;
}

/* Jira writes an offset without a colon, +0530; some of its lists give milliseconds as a number. */
static int64_t time_of(const json_t *entry)
{
    const json_t *created = json_object_get(entry, "created");
    int64_t ms = json_integer_value(created);       /* 0 of what is no number */

    if (!json_is_integer(created) && !eb_time_parse(json_string_value(created), &ms, NULL))
        return 0;
    return ms > 0 ? ms : 0;
}

static bool add_entry(const json_t *entry, const char *request_type_field, struct jira_edit_list *list, struct eb_err *err)
{
    const json_t *items = json_object_get(entry, "items");
    size_t i;
    json_t *item;

    if (!json_is_array(items))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira gave an edit of the issue that does not say what was edited.");
    if (list->count + json_array_size(items) > EDITS_MAX)
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "The issue has more edits than this program reads (%d).", EDITS_MAX);
    list->items = eb_need(realloc(list->items, (list->count + json_array_size(items) + 1) * sizeof(*list->items)));
    json_array_foreach(items, i, item)
        list->items[list->count++] = (struct jira_edit){ eb_strdup(field_of(item, request_type_field)), time_of(entry) };
    return true;
}

bool jira_edits_add(const json_t *page, const char *request_type_field, struct jira_edit_list *list, struct eb_err *err)
{
    const json_t *values = json_object_get(page, "values");
    size_t i;
    json_t *entry;

    json_array_foreach(values, i, entry)
        if (!add_entry(entry, request_type_field, list, err))
            return false;
    return true;
}

void jira_edits_clear(struct jira_edit_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)(uintptr_t)list->items[i].field_id);
    free(list->items);
    *list = (struct jira_edit_list){ 0 };
}

/* ---- calls ---- */

static void tell(struct jira_call *call, const struct eb_err *err)
{
    if (err->code == EB_OK)
        call->done.edits(call->ctx, call->id, call->edits.items, call->edits.count, NULL);
    else
        call->done.edits(call->ctx, call->id, NULL, 0, err);
    jira_call_free(call);
}

static void page_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    bool more = false;

    if (jira_succeeded(o, doc, EB_ISSUE_NOT_FOUND, &err) && jira_page_more(call, doc, &more, &err) &&
        jira_edits_add(doc, call->jira->request_type_field, &call->edits, &err) && more) {
        jira_page_send(call);
        return;
    }
    tell(call, &err);
}

/* Without the id of the request type's field an edit of it would pass for any other. */
static void fields_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };

    if (!jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &err) || !jira_fields_take(call->jira, doc, &err)) {
        tell(call, &err);
        return;
    }
    call->end = page_end;
    jira_page_send(call);
}

void jira_edits_get(struct jira *j, const char *key_or_id, int64_t deadline_ms, uint64_t id, jira_edits_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, page_end, id, ctx);

    call->done.edits = done;
    call->issue = eb_strdup(key_or_id);
    call->paging = &paging;
    call->deadline_ms = eb_mono_ms() + (deadline_ms > 0 ? deadline_ms : JIRA_READ_MS);
    if (j->fields_known) {
        jira_page_send(call);
        return;
    }
    call->end = fields_end;
    jira_call_send(call, "jira.fields", "GET", eb_strdup("/rest/api/3/field"), NULL, deadline_ms);
}
