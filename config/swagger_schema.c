/* swagger_schema.c - schemas: references, alternatives, texts, properties.
 *
 * Invariant: nothing is looked at more often than VISITS_MAX in all or deeper than WALK_DEPTH_MAX, whatever refers to what.
 */
#include "config/swagger_schema.h"

#include "base/text.h"
#include "config/swagger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISITS_MAX 20000
#define LINKS_MAX 20                /* a reference to a reference … */
#define SHAPES_MAX 200

static const char *const choices[] = { "oneOf", "anyOf" };

/* ---- references ---- */

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return c >= '0' && c <= '9' ? c - '0' : at != NULL ? (int)(at - digits) : -1;
}

/* One part of a JSON pointer in a URL: %XX, then ~1 and ~0. */
static char *pointer_part(const char *p, size_t len)
{
    char *out = eb_alloc(len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (p[i] == '%' && i + 2 < len && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
            out[n++] = (char)(hex(p[i + 1]) * 16 + hex(p[i + 2]));
            i += 2;
        } else
            out[n++] = p[i];
    }
    out[n] = '\0';
    char *to = out;
    for (const char *from = out; *from != '\0'; from++) {
        if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
            *to++ = *++from == '1' ? '/' : '~';
        else
            *to++ = *from;
    }
    *to = '\0';
    return out;
}

static const json_t *at_part(const json_t *v, const char *part)
{
    if (json_is_array(v))
        return *part != '\0' && strspn(part, "0123456789") == strlen(part) && strlen(part) < 7 ? json_array_get(v, strtoul(part, NULL, 10)) : NULL;
    return json_object_get(v, part);
}

static const json_t *at_pointer(const json_t *root, const char *pointer)
{
    const json_t *v = root;

    while (v != NULL && *pointer == '/') {
        size_t len = strcspn(pointer + 1, "/");
        char *part = pointer_part(pointer + 1, len);
        v = at_part(v, part);
        free(part);
        pointer += 1 + len;
    }
    return v;
}

bool walk_follow(struct walk *w, const json_t *v, const json_t **ret)
{
    const char *link;
    char clean[200];
    int links = 0;

    for (; json_is_object(v) && (link = eb_json_str(v, "$ref")) != NULL; links++) {
        eb_text_clean(link, clean, sizeof clean);
        if (link[0] != '#' || (link[1] != '/' && link[1] != '\0'))
            return eb_fail(w->err, EB_INVALID_REQUEST, "$ref \"%s\" leads out of the document; expected one that begins with #/", clean);
        if (links == LINKS_MAX)
            return eb_fail(w->err, EB_INVALID_REQUEST, "$ref \"%s\" refers to itself, or to more than %d others in a row", clean, LINKS_MAX);
        v = at_pointer(w->root, link + 1);
        if (v == NULL)
            return eb_fail(w->err, EB_INVALID_REQUEST, "$ref \"%s\" leads to nothing in this document", clean);
    }
    *ret = json_is_object(v) ? v : NULL;
    return true;
}

/* ---- one schema after another ---- */

/* *ret NULL: it says nothing, or is being looked at already. Else walk_leave() must follow. */
static bool enter(struct walk *w, const json_t *v, const json_t **ret)
{
    if (!walk_follow(w, v, ret) || *ret == NULL)
        return w->err->code == EB_OK;
    if (++w->visits > VISITS_MAX)
        return eb_fail(w->err, EB_INVALID_REQUEST, "the schema of the body has more than %d parts, counted as often as they are referred to", VISITS_MAX);
    for (int i = 0; i < w->depth; i++)
        if (w->active[i] == *ret) {
            *ret = NULL;
            return true;
        }
    if (w->depth == WALK_DEPTH_MAX)
        return eb_fail(w->err, EB_INVALID_REQUEST, "the schema of the body is nested deeper than %d levels", WALK_DEPTH_MAX);
    w->active[w->depth++] = *ret;
    return true;
}

static void leave(struct walk *w)
{
    w->depth--;
}

/* Each schema of the list under that name. */
typedef bool each_fn(struct walk *w, const json_t *schema, void *arg);
static bool each(struct walk *w, const json_t *schema, const char *name, each_fn *fn, void *arg)
{
    const json_t *list = json_object_get(schema, name);

    for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++)
        if (!fn(w, json_array_get(list, i), arg))
            return false;
    return true;
}

static void keep(json_t *list, const json_t *v)
{
    if (v != NULL)
        json_array_append(list, (json_t *)(uintptr_t)v);    /* jansson's is not const; it is only read */
}

/* ---- texts ---- */

struct texts { json_t *strong, *weak; };

static bool texts_of(struct walk *w, const json_t *schema, void *arg)
{
    struct texts *t = arg;

    return walk_texts(w, schema, t->strong, t->weak);
}

static void keep_text(json_t *list, const json_t *v)
{
    if (json_is_string(v))
        keep(list, v);
}

static void keep_texts(json_t *list, const json_t *array)
{
    for (size_t i = 0; json_is_array(array) && i < json_array_size(array); i++)
        keep_text(list, json_array_get(array, i));
}

bool walk_texts(struct walk *w, const json_t *schema, json_t *strong, json_t *weak)
{
    struct texts t = { strong, weak };
    const json_t *s;

    if (!enter(w, schema, &s))
        return false;
    if (s == NULL)
        return true;
    keep_text(strong, json_object_get(s, "const"));
    keep_texts(strong, json_object_get(s, "enum"));
    keep_text(weak, json_object_get(s, "default"));
    keep_text(weak, json_object_get(s, "example"));
    keep_text(weak, json_object_get(s, "x-example"));
    keep_texts(weak, json_object_get(s, "examples"));
    bool good = each(w, s, "allOf", texts_of, &t) && each(w, s, "oneOf", texts_of, &t) && each(w, s, "anyOf", texts_of, &t);
    leave(w);
    return good;
}

/* ---- properties ---- */

struct fields { json_t *out; bool all; };

static bool fields_of(struct walk *w, const json_t *schema, void *arg)
{
    struct fields *f = arg;

    return walk_fields(w, schema, f->all, f->out);
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *list = json_object_get(schema, "required");

    for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++)
        if (eb_streq(json_string_value(json_array_get(list, i)), name))
            return true;
    return false;
}

static bool add_field(struct walk *w, const char *name, bool required, const json_t *property, json_t *out)
{
    json_t *there = json_object_get(out, name);
    const json_t *p;

    if (!walk_follow(w, property, &p))
        return false;
    if (there == NULL) {
        if (json_object_size(out) == SWAGGER_FIELDS_MAX)
            return eb_fail(w->err, EB_INVALID_REQUEST, "`data` has more than %d fields", SWAGGER_FIELDS_MAX);
        json_object_set_new(out, name, there = json_object());
        json_object_set_new(there, "required", json_false());
    }
    if (required)
        json_object_set_new(there, "required", json_true());
    if (json_object_get(there, "type") == NULL && eb_json_str(p, "type") != NULL)
        json_object_set(there, "type", json_object_get(p, "type"));
    return true;
}

/* all: what is required here is always required; in one alternative of several it may not be. */
bool walk_fields(struct walk *w, const json_t *schema, bool all, json_t *out)
{
    struct fields whole = { out, all }, part = { out, false };
    const json_t *s;
    const char *name;
    json_t *p;

    if (!enter(w, schema, &s))
        return false;
    if (s == NULL)
        return true;
    json_object_foreach(json_object_get(s, "properties"), name, p)
        if (!add_field(w, name, all && is_required(s, name), p, out))
            return false;
    json_object_foreach(json_object_get(s, "example"), name, p)
        if (!add_field(w, name, false, NULL, out))
            return false;
    bool good = each(w, s, "allOf", fields_of, &whole) && each(w, s, "oneOf", fields_of, &part) && each(w, s, "anyOf", fields_of, &part);
    leave(w);
    return good;
}

/* ---- envelopes ---- */

static json_t *shape_new(void)
{
    return json_pack("{s:[], s:[], s:[]}", "route", "data", "example");
}

static json_t *joined(const json_t *a, const json_t *b)
{
    json_t *shape = shape_new(), *list;
    const char *name;

    json_object_foreach(shape, name, list) {
        json_array_extend(list, json_object_get(a, name));
        json_array_extend(list, json_object_get(b, name));
    }
    return shape;
}

/* Every one of *list with every one of others; takes others. */
static bool multiply(struct walk *w, json_t **list, json_t *others)
{
    json_t *product = json_array();
    size_t i, j;
    json_t *a, *b;

    bool good = json_array_size(*list) * json_array_size(others) <= SHAPES_MAX ||
                eb_fail(w->err, EB_INVALID_REQUEST, "the schema of the body has more than %d alternatives", SHAPES_MAX);
    json_array_foreach(*list, i, a)
        json_array_foreach(others, j, b)
            if (good)
                json_array_append_new(product, joined(a, b));
    json_decref(*list);
    json_decref(others);
    *list = product;
    return good;
}

static bool multiply_by(struct walk *w, const json_t *schema, void *arg)
{
    json_t *shapes;

    return walk_shapes(w, schema, &shapes) && multiply(w, arg, shapes);
}

static bool few(struct walk *w, const json_t *list)
{
    return json_array_size(list) <= SHAPES_MAX || eb_fail(w->err, EB_INVALID_REQUEST, "the schema of the body has more than %d alternatives", SHAPES_MAX);
}

static bool gather(struct walk *w, const json_t *schema, void *arg)
{
    json_t *shapes;

    if (!walk_shapes(w, schema, &shapes))
        return false;
    json_array_extend(arg, shapes);
    json_decref(shapes);
    return few(w, arg);
}

/* {"propertyName": "route", "mapping": {"createUser": "#/…"}}: each of them is an alternative, under its name. */
static bool gather_mapped(struct walk *w, const json_t *mapping, json_t *out)
{
    const char *name, *link;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)mapping, name, v) {
        if ((link = json_string_value(v)) == NULL)
            continue;
        EB_AUTO(json_t, json_decref) ref = json_pack("{s:s+}", "$ref", strchr(link, '#') != NULL ? "" : "#/components/schemas/", link);
        json_t *one;
        if (!walk_shapes(w, ref, &one))
            return false;
        bool good = multiply(w, &one, json_pack("[{s:[{s:s}], s:[], s:[]}]", "route", "const", name, "data", "example"));
        json_array_extend(out, one);
        json_decref(one);
        if (!good || !few(w, out))
            return false;
    }
    return true;
}

static json_t *own_shape(const json_t *s)
{
    const json_t *properties = json_object_get(s, "properties");
    json_t *shape = shape_new();

    keep(json_object_get(shape, "route"), json_object_get(properties, "route"));
    keep(json_object_get(shape, "data"), json_object_get(properties, "data"));
    keep(json_object_get(shape, "example"), json_object_get(s, "example"));
    keep(json_object_get(shape, "example"), json_object_get(s, "default"));
    return shape;
}

static bool add_choices(struct walk *w, const json_t *s, json_t **list)
{
    const json_t *mapping = eb_streq(eb_json_str(json_object_get(s, "discriminator"), "propertyName"), "route")
                                ? json_object_get(json_object_get(s, "discriminator"), "mapping") : NULL;
    bool good = true;

    if (json_object_size(mapping) > 0) {
        json_t *mapped = json_array();
        good = gather_mapped(w, mapping, mapped);
        if (good)
            return multiply(w, list, mapped);
        json_decref(mapped);
    }
    for (size_t i = 0; good && i < EB_LEN(choices); i++) {
        json_t *all = json_array();
        good = each(w, s, choices[i], gather, all);
        if (good && json_array_size(all) > 0)
            good = multiply(w, list, all);
        else
            json_decref(all);
    }
    return good;
}

bool walk_shapes(struct walk *w, const json_t *schema, json_t **ret)
{
    const json_t *s;
    json_t *list;

    if (!enter(w, schema, &s))
        return false;
    list = json_pack("[o]", s != NULL ? own_shape(s) : shape_new());
    if (s != NULL) {
        bool good = each(w, s, "allOf", multiply_by, &list) && add_choices(w, s, &list);
        leave(w);
        if (!good) {
            json_decref(list);
            return false;
        }
    }
    *ret = list;
    return true;
}
