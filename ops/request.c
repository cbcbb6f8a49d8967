/* request.c - a request's body against its kind's table of fields. */
#include "ops/request.h"
#include "base/text.h"
#include "config/attribute.h"
#include "ops/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "issue, dryRun, reason, again, user, group" */
static void known_fields(const struct ops_kind *k, char *out, size_t size)
{
    const struct ops_field *common;
    size_t n = ops_common_fields(&common), len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < k->field_count + n && len < size; i++) {
        const struct ops_field *f = i < k->field_count ? &k->fields[i] : &common[i - k->field_count];
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", f->name);
    }
}

static bool fail_unknown(const struct ops_kind *k, const char *name, struct eb_err *err)
{
    char clean[48], known[320];

    known_fields(k, known, sizeof known);
    eb_text_clean(name, clean, sizeof clean);
    return eb_fail_field(err, EB_INVALID_REQUEST, clean, "%s has no field `%s`; it knows: %s.", k->name, clean, known);
}

static char **text_slot(struct ops_fields *f, const char *name)
{
    const struct { const char *name; char **slot; } slots[] = {
        { "issue", &f->issue }, { "user", &f->user }, { "group", &f->group }, { "reason", &f->reason }, { "again", &f->again },
    };

    for (size_t i = 0; i < EB_LEN(slots); i++)
        if (strcmp(slots[i].name, name) == 0)
            return slots[i].slot;
    return NULL;
}

/* What was sent under `empty`; "refuse" where the kind has no such field. A wrong word fails when its own turn comes. */
static enum ops_empty empty_of(const json_t *body)
{
    const char *s = eb_json_str(body, "empty");

    return eb_streq(s, "skip") ? OPS_EMPTY_SKIP : eb_streq(s, "clear") ? OPS_EMPTY_CLEAR : OPS_EMPTY_REFUSE;
}

/* A new user has attributes that nobody may change later (its user principal name), and the other way round. */
unsigned ops_writable(const struct ops_kind *k)
{
    return attribute_of_new_user(k->name) ? ATTRIBUTE_CREATE | ATTRIBUTE_ALWAYS : ATTRIBUTE_UPDATE;
}

static bool read_value(const struct ops_kind *k, const struct ops_field *f, const json_t *body, const json_t *v, json_t **ret, struct eb_err *err)
{
    if (f->form == OPS_FORM_ATTRIBUTES)
        return ops_attributes_read(v, ops_writable(k), empty_of(body), ret, err);
    return ops_form_read(f, v, ret, err);
}

/* Also what the program reads often: as members of their own. */
static void set_field(const struct ops_field *f, json_t *value, struct ops_fields *out)
{
    char **slot = text_slot(out, f->name);

    if (slot != NULL)
        *slot = eb_strdup(json_string_value(value));
    if (strcmp(f->name, "dryRun") == 0)
        out->dry_run = json_is_true(value);
    json_object_set_new(out->body, f->name, value);
}

bool ops_field_listed(const struct ops_field *f)
{
    return (f->form == OPS_FORM_USER || f->form == OPS_FORM_GROUP) && f->words != NULL;
}

static bool is_replaced(const struct ops_field *f, const json_t *body)
{
    return ops_field_listed(f) && json_object_get(body, f->words) != NULL;
}

static bool check_required(const struct ops_kind *k, const json_t *body, struct eb_err *err)
{
    for (size_t i = 0; i < k->field_count; i++)
        if (k->fields[i].required && json_object_get(body, k->fields[i].name) == NULL && !is_replaced(&k->fields[i], body))
            return eb_fail_field(err, EB_INVALID_REQUEST, k->fields[i].name, "`%s` is missing. %s", k->fields[i].name, k->fields[i].help);
    return true;
}

/* Fields that say the same in two ways, or opposites. */
static bool check_pairs(const json_t *body, struct eb_err *err)
{
    static const struct { const char *one, *other; } pairs[] = {
        { "expiresIn", "expiresAt" }, { "password", "accessPass" }, { "user", "users" }, { "group", "groups" },
    };

    for (size_t i = 0; i < EB_LEN(pairs); i++)
        if (json_object_get(body, pairs[i].one) != NULL && json_object_get(body, pairs[i].other) != NULL)
            return eb_fail_field(err, EB_INVALID_REQUEST, pairs[i].other, "Send `%s` or `%s`, not both.", pairs[i].one, pairs[i].other);
    return true;
}

static bool check_reporter(const struct ops_fields *f, struct eb_err *err)
{
    if (f->issue != NULL || !eb_streq(f->user, OPS_REPORTER))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, "user", "`user` is the issue's reporter, and the request names no `issue`.");
}

/* What the journal keeps: a secret stays as null, so that a process that takes the operation up later knows that one was given. */
static char *without_secrets(const struct ops_kind *k, const json_t *body)
{
    EB_AUTO(json_t, json_decref) copy = json_copy((json_t *)(uintptr_t)body);

    for (size_t i = 0; i < k->field_count; i++)
        if (k->fields[i].form == OPS_FORM_SECRET && json_object_get(copy, k->fields[i].name) != NULL)
            json_object_set_new(copy, k->fields[i].name, json_null());
    return eb_json_canonical(copy);
}

static bool read_fields(const struct ops_kind *kind, const json_t *body, bool kept, struct ops_fields *f, struct eb_err *err)
{
    const char *name;
    json_t *v, *value;

    json_object_foreach((json_t *)(uintptr_t)body, name, v) {
        const struct ops_field *field = ops_kind_field(kind, name);

        if (field == NULL)
            return fail_unknown(kind, name, err);
        if (kept && field->form == OPS_FORM_SECRET && json_is_null(v))
            value = json_null();
        else if (!read_value(kind, field, body, v, &value, err))
            return false;
        set_field(field, value, f);
    }
    return check_required(kind, body, err) && check_pairs(body, err) && check_reporter(f, err);
}

static bool read_request(const struct ops_kind *kind, const json_t *body, bool kept, struct ops_fields *ret, struct eb_err *err)
{
    struct ops_fields f = { 0 };

    if (!json_is_object(body))
        return eb_fail(err, EB_INVALID_REQUEST, "The body must be a JSON object: {\"issue\": …}.");
    f.body = json_object();
    if (!read_fields(kind, body, kept, &f, err)) {
        ops_fields_clear(&f);
        return false;
    }
    f.canonical = eb_json_canonical(body);
    f.kept = without_secrets(kind, body);
    *ret = f;
    return true;
}

bool ops_fields_read(const struct ops_kind *kind, const json_t *body, struct ops_fields *ret, struct eb_err *err)
{
    return read_request(kind, body, false, ret, err);
}

bool ops_fields_read_kept(const struct ops_kind *kind, const json_t *body, struct ops_fields *ret, struct eb_err *err)
{
    return read_request(kind, body, true, ret, err);
}

const char *ops_field_text(const struct ops_fields *f, const char *name)
{
    return eb_json_str(f->body, name);
}

void ops_fields_clear(struct ops_fields *f)
{
    free(f->issue);
    free(f->user);
    free(f->group);
    free(f->reason);
    free(f->again);
    free(f->kept);
    eb_wipe_free(f->canonical);         /* it may hold a secret */
    json_decref(f->body);
    *f = (struct ops_fields){ 0 };
}
