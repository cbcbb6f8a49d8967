/* explain.c - an order of the command line: what would be decided for a certain token, or for one with certain limits.
 *
 * Decided by the same steps as POST /v1/explain; the answer goes back by the order's row.
 */
#include "ops/explain.h"
#include "ops/expiry.h"
#include "ops/undo.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* One block: the pointers, then the texts; NULL where it is no list of texts. */
static char **texts_of(const json_t *list)
{
    size_t i, size = 0, count = json_array_size(list);
    const json_t *v;

    json_array_foreach((json_t *)(uintptr_t)list, i, v) {
        if (!json_is_string(v))
            return NULL;
        size += json_string_length(v) + 1;
    }
    if (!json_is_array(list))
        return NULL;
    char **out = eb_alloc((count + 1) * sizeof *out + size), *text = (char *)(out + count + 1);
    json_array_foreach((json_t *)(uintptr_t)list, i, v) {
        out[i] = text;
        text = stpcpy(text, json_string_value(v)) + 1;
    }
    return out;
}

void explain_by_order(struct ops *o, int64_t number, const json_t *data)
{
    const struct ops_kind *kind = ops_kind_find(eb_json_str(data, "operation"));
    const char *token = eb_json_str(data, "token"), *by = eb_json_str(data, "by");
    struct ops_fields fields = { 0 };
    struct eb_err err = { 0 };
    struct operation *op;

    if (kind == NULL)
        eb_fail_field(&err, EB_INVALID_REQUEST, "operation", "The running service has no such operation.");
    if (kind != NULL)
        kind = ops_kind_of(kind, json_object_get(data, "body"));
    if (kind == NULL || !ops_fields_read(kind, json_object_get(data, "body"), &fields, &err) || !expiry_check(&fields, eb_now_ms(), &err)) {
        ops_fields_clear(&fields);
        orders_answer(o, number, NULL, &err);
        return;
    }
    op = ops_accept(o, kind, &fields, NULL, 0, NULL);
    op->explain = true;
    op->order = number;
    op->token_id = eb_strdup(token);
    op->token_name = eb_strdup(by != NULL ? by : "command line");
    op->as_operations = texts_of(json_object_get(data, "operations"));
    op->as_projects = texts_of(json_object_get(data, "projects"));
    ops_begin(op, NULL);
}
