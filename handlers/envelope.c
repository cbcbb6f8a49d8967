/* envelope.c - from the envelope to a kind's own body, and back from its errors to the caller's names.
 *
 * Invariant: each value that was sent stands in the body once, or the request is refused; no error repeats a value.
 */
#include "handlers/envelope.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_MAX_LEN 64             /* of struct eb_err's field */

struct reading {
    const struct config_compat *c;
    struct envelope *e;
    const json_t *generate;         /* borrowed: whether a password is to be made; NULL: not said */
    char generate_path[PATH_MAX_LEN];
    struct eb_err *err;
};

/* ---- the route ---- */

static void add_name(struct eb_buf *b, const char *name)
{
    char clean[64];

    eb_buf_addf(b, "%s%s", b->len > 0 ? ", " : "", eb_text_clean(name, clean, sizeof clean));
}

static bool fail_route(const char *route, const struct config_compat *c, struct eb_err *err)
{
    struct eb_buf known = EB_BUF(sizeof err->text - 100);
    const struct envelope_name *rows;
    size_t count = envelope_routes(&rows);
    char clean[48];

    for (size_t i = 0; i < count; i++)
        add_name(&known, rows[i].name);
    for (size_t i = 0; i < c->routes.count && !known.failed; i++)
        add_name(&known, c->routes.items[i].name);
    eb_fail_field(err, EB_INVALID_REQUEST, "route", "There is no route `%s`. There are: %s%s", eb_text_clean(route, clean, sizeof clean), known.data,
                  known.failed ? ", …" : ".");
    eb_buf_free(&known);
    return false;
}

static bool read_head(const json_t *request, const struct config_compat *c, struct envelope *e, struct eb_err *err)
{
    const json_t *route = json_object_get(request, "route");
    const char *name;
    char clean[48];
    json_t *v;

    if (!json_is_object(request) || route == NULL || json_object_get(request, "data") == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "The body must be an envelope with two members: {\"route\": \"addGroupMember\", \"data\": {…}}.");
    json_object_foreach((json_t *)(uintptr_t)request, name, v)
        if (strcmp(name, "route") != 0 && strcmp(name, "data") != 0) {
            eb_text_clean(name, clean, sizeof clean);
            return eb_fail_field(err, EB_INVALID_REQUEST, clean, "The envelope has no member `%s`; it knows: route, data. Fields stand in `data`.", clean);
        }
    if (!json_is_string(route))
        return eb_fail_field(err, EB_INVALID_REQUEST, "route", "`route` must be a text such as addGroupMember.");
    if (!json_is_object(json_object_get(request, "data")))
        return eb_fail_field(err, EB_INVALID_REQUEST, "data", "`data` must be an object: {\"issue\": …, \"user\": …}.");
    e->kind = envelope_kind(c, json_string_value(route));
    return e->kind != NULL || fail_route(json_string_value(route), c, err);
}

/* ---- values ---- */

/* Rules of the marketplace app write truth values as texts too. Another value stays as it is, and is refused by the kind. */
static json_t *truth(const json_t *v)
{
    const char *s = json_string_value(v);

    if (s != NULL && strcasecmp(s, "true") == 0)
        return json_true();
    return s != NULL && strcasecmp(s, "false") == 0 ? json_false() : json_incref((json_t *)(uintptr_t)v);
}

static bool names_users(const struct ops_field *f)
{
    return f->form == OPS_FORM_USER || strcmp(f->name, "users") == 0 || strcmp(f->name, "userPrincipalName") == 0;
}

/* A bare name belongs to the default domain; so does each of a list. */
static json_t *whole_name(const char *domain, const json_t *v)
{
    const char *s = json_string_value(v);

    if (json_is_array(v)) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(v); i++)
            json_array_append_new(list, json_is_string(json_array_get(v, i)) ? whole_name(domain, json_array_get(v, i)) : json_incref(json_array_get(v, i)));
        return list;
    }
    if (s == NULL || domain == NULL || s[strspn(s, " \t")] == '\0' || strchr(s, '@') != NULL || strcmp(s, OPS_REPORTER) == 0 || eb_is_guid(s))
        return json_incref((json_t *)(uintptr_t)v);
    char *text = eb_asprintf("%s@%s", s, domain);
    json_t *whole = json_string(text);
    free(text);
    return whole;
}

static json_t *own_form(const struct reading *r, const char *native, const json_t *v)
{
    const struct ops_field *f = ops_kind_field(r->e->kind, native);

    if (f != NULL && f->form == OPS_FORM_BOOL)
        return truth(v);
    if (f != NULL && names_users(f))
        return whole_name(r->c->default_domain, v);
    return json_incref((json_t *)(uintptr_t)v);
}

/* An issue's id is one whether it comes as a text (in a header always) or as a number. */
static bool says_same(const json_t *a, const json_t *b)
{
    const json_t *text = json_is_string(a) ? a : b, *number = json_is_string(a) ? b : a;
    char digits[24];

    if (!json_is_string(text) || !json_is_integer(number))
        return json_equal(a, b);
    snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(number));
    return strcmp(digits, json_string_value(text)) == 0;
}

/* Takes v. native: "user" or "attributes.jobTitle"; into: where its last part stands. */
static bool put(struct reading *r, json_t *into, const char *last, const char *native, const char *path, json_t *v)
{
    const json_t *there = json_object_get(into, last);
    bool same = there == NULL || says_same(there, v);

    if (there == NULL) {
        json_object_set(into, last, v);
        json_object_set_new(r->e->shown, native, json_string(path));
    }
    json_decref(v);
    return same || eb_fail_field(r->err, EB_INVALID_REQUEST, path, "`%s` and `%s` are names of one field (%s), and what they say differs. Send one of the two.",
                                 eb_json_str(r->e->shown, native), path, native);
}

/* ---- attributes: flat in `data`, or in the object that is ours ---- */

static bool put_attribute(struct reading *r, const char *attribute, const char *path, const json_t *v)
{
    json_t *into = json_object_get(r->e->body, "attributes");
    char native[ENVELOPE_NAME_MAX + 16];

    if (into == NULL)
        json_object_set_new(r->e->body, "attributes", into = json_object());
    if (!json_is_object(into))
        return true;                /* what stands there is refused by the kind */
    snprintf(native, sizeof native, ENVELOPE_ATTRIBUTES "%s", attribute);
    return put(r, into, attribute, native, path, json_incref((json_t *)(uintptr_t)v));
}

static bool put_attributes(struct reading *r, const char *path, const json_t *object)
{
    const char *name;
    json_t *v;

    json_object_set_new(r->e->shown, "attributes", json_string(path));
    if (!json_is_object(object))
        json_object_set(r->e->body, "attributes", (json_t *)(uintptr_t)object);     /* the kind says what is wrong with it */
    else if (json_object_get(r->e->body, "attributes") == NULL)
        json_object_set_new(r->e->body, "attributes", json_object());
    json_object_foreach((json_t *)(uintptr_t)object, name, v) {
        char clean[47], below[PATH_MAX_LEN], means[ENVELOPE_NAME_MAX];
        const char *attribute = envelope_attribute(name);

        if (attribute == NULL && envelope_resolve(r->e->kind, r->c, name, means) && strncmp(means, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0)
            attribute = means + strlen(ENVELOPE_ATTRIBUTES);
        snprintf(below, sizeof below, "data.attributes.%s", eb_text_clean(name, clean, sizeof clean));
        if (!put_attribute(r, attribute != NULL ? attribute : name, below, v))
            return false;
    }
    return true;
}

/* ---- members of data ---- */

static bool fail_unknown(const struct reading *r, const char *path)
{
    const struct ops_kind *k = r->e->kind;
    const struct ops_field *common;
    size_t n = ops_common_fields(&common);
    struct eb_buf known = EB_BUF(320);

    for (size_t i = 0; i < k->field_count; i++)
        add_name(&known, k->fields[i].name);
    for (size_t i = 0; i < n; i++)
        add_name(&known, common[i].name);
    eb_fail_field(r->err, EB_INVALID_REQUEST, path, "%s has no field `%s`; it knows: %s%s. A name of your own can be added under compat.fields.", k->name, path,
                  known.data, ops_kind_field(k, "attributes") != NULL ? ", and Graph's user attributes" : "");
    eb_buf_free(&known);
    return false;
}

static bool read_generate(struct reading *r, const char *path, const json_t *v)
{
    EB_AUTO(json_t, json_decref) said = truth(v);

    if (!json_is_boolean(said))
        return eb_fail_field(r->err, EB_INVALID_REQUEST, path, "`%s` must be true or false.", path);
    if (r->generate != NULL && r->generate != said)
        return eb_fail_field(r->err, EB_INVALID_REQUEST, path, "`%s` and `%s` are names of one field, and what they say differs. Send one of the two.",
                             r->generate_path, path);
    r->generate = json_is_true(said) ? json_true() : json_false();      /* jansson has one of each, never freed */
    snprintf(r->generate_path, sizeof r->generate_path, "%s", path);
    return true;
}

static bool read_member(struct reading *r, const char *name, const json_t *v)
{
    char clean[48], path[PATH_MAX_LEN], means[ENVELOPE_NAME_MAX];

    snprintf(path, sizeof path, "data.%s", eb_text_clean(name, clean, sizeof clean));
    if (!envelope_resolve(r->e->kind, r->c, name, means))
        return fail_unknown(r, path);
    if (strcmp(means, ENVELOPE_GENERATE) == 0)
        return read_generate(r, path, v);
    if (strcmp(means, "attributes") == 0)
        return put_attributes(r, path, v);
    if (strncmp(means, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0)
        return put_attribute(r, means + strlen(ENVELOPE_ATTRIBUTES), path, v);
    return put(r, r->e->body, means, means, path, own_form(r, means, v));
}

/* A password that is given and one that is made exclude each other; where neither is wanted there is none. */
static bool check_generate(const struct reading *r)
{
    const char *given = eb_json_str(r->e->shown, "password");

    if (r->generate == NULL)
        return true;
    if (json_is_true(r->generate) && given != NULL)
        return eb_fail_field(r->err, EB_INVALID_REQUEST, r->generate_path, "`%s` asks for a password that is made, and `%s` gives one. Send one of the two.",
                             r->generate_path, given);
    if (json_is_false(r->generate) && given == NULL)
        return eb_fail_field(r->err, EB_INVALID_REQUEST, r->generate_path, "`%s` is false, and no password is given. Send `data.password`, or true.",
                             r->generate_path);
    return true;
}

static bool read_data(struct reading *r, const json_t *data, const char *issue)
{
    const char *name;
    json_t *v;

    if (issue != NULL && !put(r, r->e->body, "issue", "issue", "x-issue-key", eb_need(json_string(issue))))
        return false;
    json_object_foreach((json_t *)(uintptr_t)data, name, v)
        if (!read_member(r, name, v))
            return false;
    return check_generate(r);
}

bool envelope_read(const json_t *request, const char *issue, const struct config_compat *c, struct envelope **ret, struct eb_err *err)
{
    struct envelope *e = eb_alloc(sizeof *e);
    struct reading r = { .c = c, .e = e, .err = err };

    e->body = json_object();
    e->shown = json_object();
    if (issue != NULL && !eb_is_issue(issue))
        eb_fail_field(err, EB_INVALID_REQUEST, "x-issue-key", "The header `x-issue-key` must be an issue key such as ITSM-42, or a numeric id: {{issue.key}}.");
    else if (read_head(request, c, e, err) && read_data(&r, json_object_get(request, "data"), issue)) {
        *ret = e;
        return true;
    }
    envelope_free(e);
    return false;
}

void envelope_forget(struct envelope *e)
{
    json_decref(e->body);
    e->body = NULL;
}

void envelope_free(void *envelope)
{
    struct envelope *e = envelope;

    if (e == NULL)
        return;
    json_decref(e->body);
    json_decref(e->shown);
    free(e);
}

/* ---- back ---- */

/* The caller's name of a field, or NULL: it is none. */
static const char *shown(const struct envelope *e, const char *native, char out[PATH_MAX_LEN])
{
    char below[ENVELOPE_NAME_MAX + 16], root[ENVELOPE_NAME_MAX];
    const char *said = eb_json_str(e->shown, native);

    snprintf(below, sizeof below, ENVELOPE_ATTRIBUTES "%.120s", native);
    if (said == NULL)
        said = eb_json_str(e->shown, below);
    if (said != NULL)
        return said;
    snprintf(root, sizeof root, "%.*s", (int)strcspn(native, "."), native);
    if (ops_kind_field(e->kind, root) == NULL)
        return NULL;
    snprintf(out, PATH_MAX_LEN, "data.%.58s", native);
    return out;
}

/* Names stand between backticks. */
static void say_text(const struct envelope *e, const char *text, struct eb_buf *out)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "`"), word;
        char name[ENVELOPE_NAME_MAX], path[PATH_MAX_LEN];

        eb_buf_add(out, text, len);
        text += len;
        if (*text == '\0')
            return;
        word = strcspn(text + 1, "`");
        snprintf(name, sizeof name, "%.*s", (int)(word < sizeof name ? word : 0), text + 1);
        const char *said = text[1 + word] == '`' ? shown(e, name, path) : NULL;
        if (said != NULL)
            eb_buf_addf(out, "`%s`", said);
        else
            eb_buf_add(out, text, text[1 + word] == '`' ? word + 2 : word + 1);
        text += text[1 + word] == '`' ? word + 2 : word + 1;
    }
}

static bool flat_attributes(const struct envelope *e)
{
    const char *native;
    json_t *path;

    json_object_foreach(e->shown, native, path)
        if (strncmp(native, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0)
            return json_object_get(e->shown, "attributes") == NULL;
    return false;
}

/* The policy says "city is not among …" of `attributes`: what the caller wrote is the city. Where it cannot be told, and there was no such object, it is all of
 * `data`. */
static const char *attribute_meant(const struct envelope *e, const struct eb_err *err, const char *field)
{
    char native[ENVELOPE_NAME_MAX + 16];

    snprintf(native, sizeof native, ENVELOPE_ATTRIBUTES "%.*s", (int)strcspn(err->text, " "), err->text);
    const char *said = eb_json_str(e->shown, native);
    if (said != NULL)
        return said;
    return flat_attributes(e) ? "data" : field;
}

void envelope_say(const struct envelope *e, const struct eb_err *err, struct eb_err *ret)
{
    struct eb_buf text = EB_BUF(KiB(8));
    char path[PATH_MAX_LEN];
    const char *field = err->field[0] != '\0' ? shown(e, err->field, path) : NULL;

    if (strcmp(err->field, "attributes") == 0)
        field = attribute_meant(e, err, field);

    *ret = *err;
    say_text(e, err->text, &text);
    if (text.data != NULL && !text.failed)
        snprintf(ret->text, sizeof ret->text, "%s", text.data);
    if (field != NULL)
        snprintf(ret->field, sizeof ret->field, "%s", field);
    eb_buf_free(&text);
}
