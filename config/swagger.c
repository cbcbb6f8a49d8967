/* swagger.c - one document: its operations, the envelopes that their bodies may be, and the routes of those. */
#include "config/swagger.h"

#include "base/text.h"
#include "config/envelope.h"
#include "config/swagger_schema.h"
#include "config/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YAML_DEPTH_MAX 40
#define OPERATIONS_MAX 5000

/* ---- JSON or YAML ---- */

/* Takes the tree's place: what YAML calls true, false and null is that, all else that stands there is text. */
static json_t *tree_json(const struct node *n)
{
    json_t *v;

    if (n->type == NODE_TEXT) {
        if (node_empty(n))
            return json_null();
        if (n->plain && (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0))
            return json_boolean(*n->text == 't');
        return eb_need(json_string(n->text));
    }
    v = n->type == NODE_MAP ? json_object() : json_array();
    for (const struct node *child = n->first; child != NULL; child = child->next) {
        if (n->type == NODE_MAP)
            json_object_set_new(v, child->name, tree_json(child));
        else
            json_array_append_new(v, tree_json(child));
    }
    return v;
}

static json_t *read_yaml(const char *file, struct eb_span text, struct eb_buf *out)
{
    struct faults faults = { .file = file };
    struct node *root = tree_read(text, YAML_DEPTH_MAX, &faults);
    json_t *v = NULL;

    if (root == NULL && faults.count == 0)
        fault_add(&faults, 0, "", "the file is empty");
    if (faults.count == 0)
        v = tree_json(root);
    faults_print(&faults, out);
    faults_free(&faults);
    node_free(root);
    return v;
}

static json_t *read_document(const char *file, struct eb_span text, struct eb_buf *out)
{
    struct eb_err err = { 0 };
    json_t *v = NULL;

    if (text.len == 0)
        text.p = "";
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (struct eb_span){ text.p + 3, text.len - 3 };
    size_t blank = 0;
    while (blank < text.len && memchr(" \t\r\n", text.p[blank], 4) != NULL)
        blank++;
    if (blank == text.len || text.p[blank] != '{')
        return read_yaml(file, text, out);
    if (!eb_json_parse_reply(text, &v, &err))
        eb_buf_addf(out, "%s: %s\n", file, err.text);
    return v;
}

/* ---- what was found ---- */

static json_t *route_of(json_t *routes, const char *name)
{
    size_t i;
    json_t *r;

    json_array_foreach(routes, i, r)
        if (envelope_same(eb_json_str(r, "route"), name))
            return r;
    return NULL;
}

static bool has_field(const json_t *list, const char *name)
{
    size_t i;
    json_t *f;

    json_array_foreach((json_t *)(uintptr_t)list, i, f)
        if (strcmp(eb_json_str(f, "name"), name) == 0)
            return true;
    return false;
}

static bool good_name(const char *name, const char *what, struct eb_err *err)
{
    char normal[ENVELOPE_NAME_MAX], clean[64];

    if (!eb_text_unclean(name) && envelope_normal(name, normal))
        return true;
    return eb_fail(err, EB_INVALID_REQUEST, "the %s \"%s\" is no name, expected 1 to %d clean characters", what, eb_text_clean(name, clean, sizeof clean), ENVELOPE_NAME_MAX - 1);
}

static bool add_route(json_t *routes, const char *name, const char *where, const json_t *fields, struct eb_err *err)
{
    json_t *r = route_of(routes, name), *v;
    const char *field, *said;

    if (!good_name(name, "route", err))
        return false;
    if (r == NULL && json_array_size(routes) == SWAGGER_ROUTES_MAX)
        return eb_fail(err, EB_INVALID_REQUEST, "there are more than %d routes", SWAGGER_ROUTES_MAX);
    if (r == NULL)
        json_array_append_new(routes, r = json_pack("{s:s, s:s, s:[]}", "route", name, "where", where, "fields"));
    json_t *list = json_object_get(r, "fields");
    json_object_foreach((json_t *)(uintptr_t)fields, field, v) {
        if (!good_name(field, "field", err))
            return false;
        if (has_field(list, field))
            continue;
        if (json_array_size(list) == SWAGGER_FIELDS_MAX)
            return eb_fail(err, EB_INVALID_REQUEST, "the route \"%.60s\" has more than %d fields", name, SWAGGER_FIELDS_MAX);
        said = eb_json_str(v, "type");
        json_array_append_new(list, json_pack("{s:s, s:O, s:s}", "name", field, "required", json_object_get(v, "required"), "type", said != NULL ? said : "any"));
    }
    return true;
}

/* ---- an envelope ---- */

/* One operation of the document. */
struct place { const char *path, *where; const json_t *operation; };

/* The shortest list that one of its schemas gives: what a part narrows down counts. */
static bool read_names(struct walk *w, const json_t *schemas, json_t **ret)
{
    json_t *weak = json_array(), *best = NULL, *schema;
    size_t i;
    bool good = true;

    json_array_foreach((json_t *)(uintptr_t)schemas, i, schema) {
        json_t *strong = json_array();
        good = good && walk_texts(w, schema, strong, weak);
        if (json_array_size(strong) > 0 && (best == NULL || json_array_size(strong) < json_array_size(best))) {
            json_decref(best);
            best = json_incref(strong);
        }
        json_decref(strong);
    }
    *ret = best != NULL ? best : json_incref(weak);
    json_decref(weak);
    return good;
}

/* The last part of the path that names something, or the operation's id. */
static void name_by_place(const struct place *p, json_t *names)
{
    const char *id = eb_json_str(p->operation, "operationId"), *last = strrchr(p->path, '/');

    if (last != NULL && last[1] != '\0' && strchr(last, '{') == NULL)
        json_array_append_new(names, json_string(last + 1));
    else if (id != NULL)
        json_array_append_new(names, json_string(id));
}

static void names_by_example(const json_t *examples, json_t *names)
{
    size_t i;
    json_t *e;

    json_array_foreach((json_t *)(uintptr_t)examples, i, e)
        if (eb_json_str(e, "route") != NULL)
            json_array_append(names, json_object_get(e, "route"));
}

/* The fields of `data`, also those that only an example of this route shows. */
static bool read_fields(struct walk *w, const json_t *shape, const json_t *examples, const char *route, json_t *fields)
{
    size_t i;
    json_t *v;

    json_array_foreach(json_object_get(shape, "data"), i, v)
        if (!walk_fields(w, v, true, fields))
            return false;
    json_array_foreach((json_t *)(uintptr_t)examples, i, v) {
        const char *named = eb_json_str(v, "route");
        EB_AUTO(json_t, json_decref) as_schema = json_pack("{s:O?}", "example", json_object_get(v, "data"));
        if ((named == NULL || envelope_same(named, route)) && as_schema != NULL && !walk_fields(w, as_schema, false, fields))
            return false;
    }
    return true;
}

static bool read_shape(struct walk *w, const struct place *p, const json_t *shape, const json_t *more, json_t *routes)
{
    EB_AUTO(json_t, json_decref) examples = json_copy(json_object_get(shape, "example"));
    EB_AUTO(json_t, json_decref) names = NULL;
    size_t i;
    json_t *name;

    if (json_array_size(json_object_get(shape, "route")) == 0 || json_array_size(json_object_get(shape, "data")) == 0)
        return true;                /* no envelope */
    json_array_extend(examples, (json_t *)(uintptr_t)more);
    if (!read_names(w, json_object_get(shape, "route"), &names))
        return false;
    if (json_array_size(names) == 0)
        names_by_example(examples, names);
    if (json_array_size(names) == 0)
        name_by_place(p, names);
    if (json_array_size(names) == 0)
        return eb_fail(w->err, EB_INVALID_REQUEST, "what `route` must be is not said: there is no constant, list, default or example, and neither path nor operationId name it");
    json_array_foreach(names, i, name) {
        EB_AUTO(json_t, json_decref) fields = json_object();
        if (!read_fields(w, shape, examples, json_string_value(name), fields) || !add_route(routes, json_string_value(name), p->where, fields, w->err))
            return false;
    }
    return true;
}

/* ---- operations ---- */

static bool read_body(struct walk *w, const struct place *p, const json_t *schema, const json_t *examples, json_t *routes)
{
    EB_AUTO(json_t, json_decref) shapes = NULL;
    size_t i;
    json_t *shape;

    if (!walk_shapes(w, schema, &shapes))
        return false;
    json_array_foreach(shapes, i, shape)
        if (!read_shape(w, p, shape, examples, routes))
            return false;
    return true;
}

/* OpenAPI 2: a parameter "in: body". */
static bool read_parameters(struct walk *w, const struct place *p, const json_t *list, json_t *routes)
{
    const json_t *parameter;
    EB_AUTO(json_t, json_decref) none = json_array();

    for (size_t i = 0; json_is_array(list) && i < json_array_size(list); i++) {
        if (!walk_follow(w, json_array_get(list, i), &parameter))
            return false;
        if (eb_streq(eb_json_str(parameter, "in"), "body") && !read_body(w, p, json_object_get(parameter, "schema"), none, routes))
            return false;
    }
    return true;
}

/* OpenAPI 3: a schema and examples for each media type. */
static bool read_media(struct walk *w, const struct place *p, const json_t *media, json_t *routes)
{
    EB_AUTO(json_t, json_decref) examples = json_array();
    const char *name;
    json_t *v;
    const json_t *example;

    if (json_object_get(media, "example") != NULL)
        json_array_append(examples, json_object_get(media, "example"));
    json_object_foreach(json_object_get(media, "examples"), name, v) {
        if (!walk_follow(w, v, &example))
            return false;
        if (json_object_get(example, "value") != NULL)
            json_array_append(examples, json_object_get(example, "value"));
    }
    return read_body(w, p, json_object_get(media, "schema"), examples, routes);
}

static bool read_operation(struct walk *w, const struct place *p, const json_t *item, json_t *routes)
{
    const json_t *body;
    const char *type;
    json_t *media;

    if (!read_parameters(w, p, json_object_get(item, "parameters"), routes) || !read_parameters(w, p, json_object_get(p->operation, "parameters"), routes) ||
        !walk_follow(w, json_object_get(p->operation, "requestBody"), &body))
        return false;
    json_object_foreach(json_object_get(body, "content"), type, media)
        if (!read_media(w, p, media, routes))
            return false;
    return true;
}

static bool read_path(struct walk *w, const char *path, const json_t *item, json_t *routes, char where[200], int *operations)
{
    static const char *const methods[] = { "post", "put", "patch", "get", "delete" };
    const json_t *followed;
    char clean[160];

    snprintf(where, 200, "paths %s", eb_text_clean(path, clean, sizeof clean));
    if (!walk_follow(w, item, &followed))
        return false;
    for (size_t i = 0; i < EB_LEN(methods); i++) {
        const json_t *operation = json_object_get(followed, methods[i]);
        if (!json_is_object(operation))
            continue;
        snprintf(where, 200, "paths %s %s", clean, methods[i]);
        if (++*operations > OPERATIONS_MAX)
            return eb_fail(w->err, EB_INVALID_REQUEST, "the document has more than %d operations", OPERATIONS_MAX);
        if (!read_operation(w, &(struct place){ path, where, operation }, followed, routes))
            return false;
    }
    return true;
}

/* All of one document's, once the whole of it was read. */
static bool merge(const json_t *found, json_t *routes, struct eb_err *err)
{
    size_t i, j;
    json_t *r, *f;

    if (json_array_size(found) == 0)
        return eb_fail(err, EB_INVALID_REQUEST, "no request of this document has a body with `route` and `data`");
    json_array_foreach((json_t *)(uintptr_t)found, i, r) {
        EB_AUTO(json_t, json_decref) fields = json_object();
        json_array_foreach(json_object_get(r, "fields"), j, f)
            json_object_set(fields, eb_json_str(f, "name"), f);
        if (!add_route(routes, eb_json_str(r, "route"), eb_json_str(r, "where"), fields, err))
            return false;
    }
    return true;
}

static bool read_paths(struct walk *w, json_t *found, char where[200])
{
    const char *path;
    json_t *item;
    int operations = 0;

    json_object_foreach(json_object_get(w->root, "paths"), path, item)
        if (!read_path(w, path, item, found, where, &operations))
            return false;
    where[0] = '\0';
    return true;
}

static bool right_version(const json_t *root, struct eb_err *err)
{
    const char *two = eb_json_str(root, "swagger"), *three = eb_json_str(root, "openapi");

    if ((two != NULL && strncmp(two, "2.", 2) == 0) || (three != NULL && strncmp(three, "3.", 2) == 0))
        return true;
    return eb_fail(err, EB_INVALID_REQUEST, "this is no OpenAPI document: expected a member `swagger`: \"2.0\" or `openapi`: \"3.…\" at the top");
}

bool swagger_read(const char *file, struct eb_span text, json_t *routes, struct eb_buf *out)
{
    EB_AUTO(json_t, json_decref) root = read_document(file, text, out);
    EB_AUTO(json_t, json_decref) found = json_array();
    struct eb_err err = { 0 };
    struct walk w = { .root = root, .err = &err };
    char where[200] = "";

    if (root == NULL)
        return false;
    bool good = right_version(root, &err) && read_paths(&w, found, where) && merge(found, routes, &err);
    if (!good)
        eb_buf_addf(out, "%s: %s%s%s\n", file, where, where[0] != '\0' ? ": " : "", err.text);
    return good;
}
