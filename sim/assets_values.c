/* assets_values.c - what a value must look like, by the type of its attribute; and what holds of all values of one. */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 255
#define TEXTAREA_MAX 5000

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static bool is_text(const struct assets_attr *at, const char *v)
{
    return characters(v) <= TEXT_MAX;
}

static bool is_textarea(const struct assets_attr *at, const char *v)
{
    return characters(v) <= TEXTAREA_MAX;
}

static bool is_integer(const struct assets_attr *at, const char *v)
{
    char *end;
    long long n = strtoll(v, &end, 10);

    return *end == '\0' && end != v && !isspace((unsigned char)*v) && n >= INT32_MIN && n <= INT32_MAX;
}

static bool is_boolean(const struct assets_attr *at, const char *v)
{
    return strcasecmp(v, "true") == 0 || strcasecmp(v, "false") == 0;
}

static bool is_double(const struct assets_attr *at, const char *v)
{
    char *end;

    strtod(v, &end);
    return *end == '\0' && strspn(v, "+-0123456789.eE") == strlen(v);
}

static bool is_date(const struct assets_attr *at, const char *v)
{
    char whole[40];
    int64_t ms;

    snprintf(whole, sizeof(whole), "%.12sT00:00:00Z", v);
    return strlen(v) == 10 && eb_time_parse(whole, &ms, NULL);
}

static bool is_time(const struct assets_attr *at, const char *v)
{
    char whole[48];
    int64_t ms;

    snprintf(whole, sizeof(whole), "2026-01-01T%.12s%sZ", v, strlen(v) == 5 ? ":00" : "");
    return strlen(v) <= 12 && eb_time_parse(whole, &ms, NULL);
}

static bool is_date_time(const struct assets_attr *at, const char *v)
{
    int64_t ms;

    return eb_time_parse(v, &ms, NULL);
}

static bool is_url(const struct assets_attr *at, const char *v)
{
    return (strncasecmp(v, "http://", 7) == 0 && v[7] != '\0') || (strncasecmp(v, "https://", 8) == 0 && v[8] != '\0');
}

static bool is_email(const struct assets_attr *at, const char *v)
{
    const char *sign = strchr(v, '@'), *dot = sign != NULL ? strchr(sign, '.') : NULL;

    return sign != NULL && sign != v && strchr(sign + 1, '@') == NULL && dot != NULL && dot != sign + 1 && dot[1] != '\0' &&
           strpbrk(v, " \t<>,;\"") == NULL && characters(v) <= TEXT_MAX;
}

static bool is_option(const struct assets_attr *at, const char *v)
{
    size_t len = strlen(v);

    for (const char *p = at->options; p != NULL && *p != '\0'; p += strcspn(p, ",")) {
        p += *p == ',';
        if (strncmp(p, v, len) == 0 && (p[len] == ',' || p[len] == '\0'))
            return true;
    }
    return false;
}

static bool is_address(const struct assets_attr *at, const char *v)
{
    unsigned char to[16];

    return inet_pton(AF_INET, v, to) == 1 || inet_pton(AF_INET6, v, to) == 1;
}

static const struct { bool (*good)(const struct assets_attr *at, const char *v); const char *must; } plains[] = {
    [ASSETS_TEXT] = { is_text, "must not be longer than 255 characters" }, [ASSETS_INTEGER] = { is_integer, "must be a whole number of 32 bits" },
    [ASSETS_BOOLEAN] = { is_boolean, "must be true or false" }, [ASSETS_DOUBLE] = { is_double, "must be a number" },
    [ASSETS_DATE] = { is_date, "must be a date like 2026-09-01" }, [ASSETS_TIME] = { is_time, "must be a time like 10:00" },
    [ASSETS_DATE_TIME] = { is_date_time, "must be a time like 2026-09-01T10:00:00Z" }, [ASSETS_URL] = { is_url, "must begin with http or https" },
    [ASSETS_EMAIL] = { is_email, "must be an e-mail address" }, [ASSETS_TEXTAREA] = { is_textarea, "must not be longer than 5000 characters" },
    [ASSETS_SELECT] = { is_option, "must be one of the options" }, [ASSETS_IP] = { is_address, "must be an IP address" },
};

static bool matches(const char *regex, const char *text)
{
    regex_t re;

    if (regcomp(&re, regex, REG_EXTENDED | REG_NOSUB) != 0)
        return true;
    bool ok = regexec(&re, text, 0, NULL, 0) == 0;
    regfree(&re);
    return ok;
}

static bool plain_value(struct sim *s, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err)
{
    if (!eb_utf8_valid(text, strlen(text)))
        return eb_fail(err, EB_INVALID_REQUEST, "%s: not UTF-8", at->name);
    if (at->plain >= 0 && !plains[at->plain].good(at, text))
        return eb_fail(err, EB_INVALID_REQUEST, "The value of %s %s", at->name, plains[at->plain].must);
    if (at->regex != NULL && !matches(at->regex, text))
        return eb_fail(err, EB_INVALID_REQUEST, "The value of %s does not match its pattern", at->name);
    *ret = assets_intern(s->assets->store->strings, at->plain != ASSETS_BOOLEAN ? text : strcasecmp(text, "true") == 0 ? "true" : "false");
    return true;
}

static bool reference_value(struct sim *s, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err)
{
    const struct assets *a = s->assets->store;
    const struct assets_object *o = assets_object_keyed(a, text);

    if (o == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "%s: there is no object with key %.40s", at->name, text);
    if (at->children ? !assets_type_within(a, o->type, at->to_type) : o->type != at->to_type)
        return eb_fail(err, EB_INVALID_REQUEST, "%s: %.40s is of another object type", at->name, text);
    *ret = o->id;
    return true;
}

bool assets_value(struct sim *s, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err)
{
    const struct assets *a = s->assets->store;

    switch (at->kind) {
    case ASSETS_PLAIN:
        return plain_value(s, at, text, ret, err);
    case ASSETS_REFERENCE:
        return reference_value(s, at, text, ret, err);
    case ASSETS_USER:
        if (tracker_account(s->tracker, text) == NULL)
            return eb_fail(err, EB_INVALID_REQUEST, "%s: there is no user %.60s", at->name, text);
        break;
    case ASSETS_STATUS:
        *ret = assets_id(text);
        if (assets_status(a, *ret) == NULL || (a->statuses[*ret - 1]->schema != 0 && a->statuses[*ret - 1]->schema != at->owner->schema))
            return eb_fail(err, EB_INVALID_REQUEST, "%s: there is no status %.20s", at->name, text);
        return true;
    case ASSETS_GROUP:
        break;
    }
    *ret = assets_intern(a->strings, text);
    return true;
}

const char *assets_cell_text(const struct assets *a, const struct assets_attr *at, uint32_t value, char buf[48])
{
    if (at->kind == ASSETS_STATUS)
        return assets_status(a, value)->name;
    if (at->kind != ASSETS_REFERENCE)
        return assets_text(a->strings, value);
    assets_key(a, a->objects[value], buf);
    return buf;
}

void assets_cells_add(struct assets_cells *c, uint32_t attr, uint32_t value)
{
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 32 : c->cap * 2;
        c->at = eb_need(realloc(c->at, c->cap * sizeof(*c->at)));
    }
    c->at[c->count++] = (struct assets_cell){ attr, value };
}

void assets_cells_drop(struct assets_cells *c, uint32_t attr)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->count; i++)
        if (c->at[i].attr != attr)
            c->at[n++] = c->at[i];
    c->count = n;
}

/* Does another living object hold the same value? */
static bool taken(const struct assets *a, const struct assets_attr *at, uint32_t value, const struct assets_object *self)
{
    uint64_t key = assets_holds_number(at) ? assets_key_number(at->id, value) : assets_key_text(at->id, assets_text(a->strings, value));
    struct assets_ids list = assets_posting(a->index, key);

    for (size_t i = 0; i < list.count; i++) {
        const struct assets_object *o = a->objects[list.ids[i]];
        if (o == self || o->body == NULL)
            continue;
        ASSETS_EACH_CELL(o->body, at, c)
            if (c->value == value || (!assets_holds_number(at) && assets_fold_equal(assets_text(a->strings, c->value), assets_text(a->strings, value))))
                return true;
    }
    return false;
}

bool assets_cells_check(struct sim *s, const struct assets_attr *at, const struct assets_cells *c, const struct assets_object *o, struct eb_err *err)
{
    int64_t n = 0;

    if (at->system)
        return true;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->at[i].attr != at->id)
            continue;
        n++;
        if (at->unique && taken(s->assets->store, at, c->at[i].value, o))
            return eb_fail(err, EB_INVALID_REQUEST, "The value of %s must be unique: another object has it", at->name);
    }
    if (n < at->least)
        return eb_fail(err, EB_INVALID_REQUEST, "%s must have at least %lld values", at->name, (long long)at->least);
    if (at->most >= 0 && n > at->most)
        return eb_fail(err, EB_INVALID_REQUEST, "%s must have at most %lld values", at->name, (long long)at->most);
    return true;
}
