/* assets_render.c - objects as JSON text, straight from their cells.
 *
 * A page of 500 people with their groups is some megabytes: a tree of values would cost ten times the text. What repeats
 * (the object type) is made once a call.
 */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX MiB(256)
#define LIT(out, text) eb_buf_add((out), text, sizeof(text) - 1)
#define WS ASSETS_WORKSPACE

void assets_render_begin(struct assets_render *x, struct sim *s, const struct sim_call *c)
{
    *x = (struct assets_render){ .s = s, .base_url = c->base_url, .out = EB_BUF(PAGE_MAX), .type_count = s->assets->store->type_count };
    x->types = eb_alloc((x->type_count + 1) * sizeof(*x->types));
}

void assets_render_end(struct assets_render *x, struct sim_reply *r, int status)
{
    for (size_t i = 0; i < x->type_count; i++)
        free(x->types[i]);
    free(x->types);
    r->status = status;
    r->text = eb_need(eb_buf_take(&x->out));
}

static void number(struct eb_buf *out, uint64_t n)
{
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    eb_buf_add(out, digits + at, sizeof(digits) - at);
}

static void quoted(struct eb_buf *out, const char *text)
{
    eb_json_quote(out, text);
}

static const char *type_text(struct assets_render *x, uint32_t type)
{
    if (x->types[type] == NULL) {
        struct sim_call c = { 0 };
        snprintf(c.base_url, sizeof(c.base_url), "%s", x->base_url);
        json_t *j = assets_type_json(x->s, &c, x->s->assets->store->types[type], false);
        x->types[type] = eb_need(eb_json_text(j));
        json_decref(j);
    }
    return x->types[type];
}

static void key(struct assets_render *x, const struct assets_object *o)
{
    const struct assets *a = x->s->assets->store;

    eb_buf_str(&x->out, assets_schema(a, a->types[o->type]->schema)->key);
    LIT(&x->out, "-");
    number(&x->out, o->id);
}

static void label(struct assets_render *x, const struct assets_object *o, const struct assets_body *b)
{
    const struct assets *a = x->s->assets->store;
    const struct assets_attr *at = a->types[o->type]->label;

    if (at != NULL && b != NULL)
        ASSETS_EACH_CELL(b, at, c) {
            assets_text_json(a->strings, c->value, &x->out);
            return;
        }
    LIT(&x->out, "\"\"");
}

/* workspaceId, globalId and id, without the braces. */
static void ids(struct eb_buf *out, uint64_t id)
{
    LIT(out, "\"workspaceId\":\"" WS "\",\"globalId\":\"" WS ":");
    number(out, id);
    LIT(out, "\",\"id\":\"");
    number(out, id);
    LIT(out, "\"");
}

static void reference(struct assets_render *x, uint32_t to)
{
    const struct assets_object *o = x->s->assets->store->objects[to];

    LIT(&x->out, "{\"referencedObject\":{");
    ids(&x->out, to);
    LIT(&x->out, ",\"label\":");
    label(x, o, o->body);
    LIT(&x->out, ",\"objectKey\":\"");
    key(x, o);
    LIT(&x->out, "\"},\"displayValue\":");
    label(x, o, o->body);
    LIT(&x->out, ",\"searchValue\":\"");
    key(x, o);
    LIT(&x->out, "\",\"referencedType\":true}");
}

static void user(struct assets_render *x, const char *id)
{
    const struct tracker_account *who = tracker_account(x->s->tracker, id);

    LIT(&x->out, "{\"user\":{\"key\":");
    quoted(&x->out, id);
    LIT(&x->out, ",\"name\":");
    quoted(&x->out, id);
    LIT(&x->out, ",\"displayName\":");
    quoted(&x->out, who != NULL ? who->name : "Former user");
    if (who != NULL && who->email != NULL && !who->email_hidden) {
        LIT(&x->out, ",\"emailAddress\":");
        quoted(&x->out, who->email);
    }
    eb_buf_str(&x->out, who != NULL ? ",\"isDeleted\":false},\"displayValue\":" : ",\"isDeleted\":true},\"displayValue\":");
    quoted(&x->out, who != NULL ? who->name : "Former user");
    LIT(&x->out, ",\"searchValue\":");
    quoted(&x->out, id);
    LIT(&x->out, ",\"referencedType\":false}");
}

static void group(struct assets_render *x, const char *name)
{
    LIT(&x->out, "{\"group\":{\"avatarUrl\":\"\",\"name\":");
    quoted(&x->out, name);
    LIT(&x->out, "},\"displayValue\":");
    quoted(&x->out, name);
    LIT(&x->out, ",\"searchValue\":");
    quoted(&x->out, name);
    LIT(&x->out, ",\"referencedType\":false}");
}

static void status(struct assets_render *x, uint32_t id)
{
    const struct assets_status *st = assets_status(x->s->assets->store, id);

    LIT(&x->out, "{\"status\":{\"id\":\"");
    number(&x->out, id);
    LIT(&x->out, "\",\"name\":");
    quoted(&x->out, st->name);
    LIT(&x->out, ",\"category\":");
    number(&x->out, (uint64_t)st->category);
    LIT(&x->out, "},\"displayValue\":");
    quoted(&x->out, st->name);
    LIT(&x->out, ",\"searchValue\":");
    quoted(&x->out, st->name);
    LIT(&x->out, ",\"referencedType\":false}");
}

static void plain(struct assets_render *x, uint32_t handle)
{
    const struct assets_strings *strings = x->s->assets->store->strings;

    LIT(&x->out, "{\"value\":");
    assets_text_json(strings, handle, &x->out);
    LIT(&x->out, ",\"displayValue\":");
    assets_text_json(strings, handle, &x->out);
    LIT(&x->out, ",\"searchValue\":");
    assets_text_json(strings, handle, &x->out);
    LIT(&x->out, ",\"referencedType\":false}");
}

static void value(struct assets_render *x, const struct assets_attr *at, uint32_t v)
{
    switch (at->kind) {
    case ASSETS_PLAIN:     plain(x, v); break;
    case ASSETS_REFERENCE: reference(x, v); break;
    case ASSETS_USER:      user(x, assets_text(x->s->assets->store->strings, v)); break;
    case ASSETS_GROUP:     group(x, assets_text(x->s->assets->store->strings, v)); break;
    case ASSETS_STATUS:    status(x, v); break;
    }
}

/* Key, Created and Updated are not in cells. */
static void system_value(struct assets_render *x, const struct assets_attr *at, const struct assets_object *o, const struct assets_body *b)
{
    char text[48];

    if (at->plain == ASSETS_TEXT)
        assets_key(x->s->assets->store, o, text);
    else
        assets_time(strcmp(at->name, "Created") == 0 ? o->created_ms : b->updated_ms, text);
    eb_buf_addf(&x->out, "{\"value\":\"%s\",\"displayValue\":\"%s\",\"searchValue\":\"%s\",\"referencedType\":false}", text, text, text);
}

static void values(struct assets_render *x, const struct assets_attr *at, const struct assets_object *o, const struct assets_body *b)
{
    bool first = true;

    if (at->system) {
        system_value(x, at, o, b);
        return;
    }
    ASSETS_EACH_CELL(b, at, c) {
        if (!first)
            LIT(&x->out, ",");
        first = false;
        value(x, at, c->value);
    }
}

static bool has(const struct assets_attr *at, const struct assets_body *b)
{
    ASSETS_EACH_CELL(b, at, c)
        return true;
    return at->system;
}

void assets_render_attributes(struct assets_render *x, const struct assets_object *o, const struct assets_body *b)
{
    const struct assets_type *t = x->s->assets->store->types[o->type];
    bool first = true;

    LIT(&x->out, "[");
    for (size_t i = 0; i < t->attr_count; i++) {
        const struct assets_attr *at = t->attrs[i];
        if (!has(at, b))
            continue;
        if (first)
            LIT(&x->out, "{");
        else
            LIT(&x->out, ",{");
        first = false;
        ids(&x->out, (uint64_t)o->id * 64 + i);
        LIT(&x->out, ",\"objectTypeAttributeId\":\"");
        number(&x->out, at->id);
        LIT(&x->out, "\",\"objectAttributeValues\":[");
        values(x, at, o, b);
        LIT(&x->out, "],\"objectId\":\"");
        number(&x->out, o->id);
        LIT(&x->out, "\"}");
    }
    LIT(&x->out, "]");
}

static void avatar(struct assets_render *x, const struct assets_object *o)
{
    static const char *const sizes[] = { "16", "48", "72", "144", "288" };

    LIT(&x->out, ",\"avatar\":{\"workspaceId\":\"" WS "\",\"globalId\":\"" WS ":");
    number(&x->out, o->id);
    LIT(&x->out, "\",\"objectId\":\"");
    number(&x->out, o->id);
    LIT(&x->out, "\"");
    for (size_t i = 0; i < EB_LEN(sizes); i++) {
        LIT(&x->out, ",\"url");
        eb_buf_str(&x->out, sizes[i]);
        LIT(&x->out, "\":\"");
        eb_buf_str(&x->out, x->base_url);
        LIT(&x->out, "/jsm/assets/workspace/" WS "/v1/objecttype/");
        number(&x->out, o->type);
        LIT(&x->out, "/icon.png?size=");
        eb_buf_str(&x->out, sizes[i]);
        LIT(&x->out, "\"");
    }
    LIT(&x->out, "}");
}

void assets_render_object(struct assets_render *x, const struct assets_object *o, const struct assets_body *b)
{
    char created[40], updated[40];
    struct eb_buf *out = &x->out;

    LIT(out, "{");
    ids(out, o->id);
    LIT(out, ",\"label\":");
    label(x, o, b);
    LIT(out, ",\"objectKey\":\"");
    key(x, o);
    LIT(out, "\"");
    avatar(x, o);
    LIT(out, ",\"objectType\":");
    eb_buf_str(out, type_text(x, o->type));
    eb_buf_addf(out, ",\"created\":\"%s\",\"updated\":\"%s\",\"hasAvatar\":false,\"timestamp\":%lld", assets_time(o->created_ms, created),
                assets_time(b->updated_ms, updated), (long long)b->updated_ms);
    if (x->attributes) {
        LIT(out, ",\"attributes\":");
        assets_render_attributes(x, o, b);
    }
    LIT(out, ",\"_links\":{\"self\":\"");
    eb_buf_str(out, x->base_url);
    LIT(out, "/jsm/assets/workspace/" WS "/v1/object/");
    number(out, o->id);
    LIT(out, "\"},\"name\":");
    label(x, o, b);
    LIT(out, "}");
}
