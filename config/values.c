/* values.c - from one node (or a default) to one member of the configuration: a reader for each type.
 *
 * Invariant: a member is written only when its value is good, and once; what it owned is freed by load.c through key_storage().
 */
#include "config/values.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024
#define ITEMS_MAX 10000

bool wrong(const struct spot *s, const struct node *n, const char *what)
{
    char expected[256];

    fault_add(s->r->faults, n->line, s->path, "%s, expected %s", what, key_expected(s->k, expected, sizeof(expected)));
    return false;
}

bool keep_text(const struct spot *s, char *text)
{
    if (s->into != NULL)
        *(char **)s->into = text;
    else
        free(text);
    return true;
}

bool clean_text(const struct spot *s, const struct node *n)
{
    if (n->type != NODE_TEXT)
        return wrong(s, n, n->type == NODE_MAP ? "is a mapping" : "is a list");
    if (*n->text == '\0')
        return wrong(s, n, "is empty");
    if (strlen(n->text) > TEXT_MAX)
        return wrong(s, n, "is longer than 1024 bytes");
    if (eb_text_unclean(n->text))
        return wrong(s, n, "holds control or invisible characters");
    if (isspace((unsigned char)n->text[0]) || isspace((unsigned char)n->text[strlen(n->text) - 1]))
        return wrong(s, n, "begins or ends with a blank");
    return true;
}

static bool read_text(const struct spot *s, const struct node *n)
{
    return clean_text(s, n) && keep_text(s, eb_strdup(n->text));
}

static bool read_tenant(const struct spot *s, const struct node *n)
{
    static const char *const not_one[] = { "common", "organizations", "consumers" };

    if (!clean_text(s, n))
        return false;
    const char *fault = form_host(n->text, 253);
    if (fault != NULL)
        return wrong(s, n, fault);
    for (size_t i = 0; i < EB_LEN(not_one); i++)
        if (eb_strieq(n->text, not_one[i]))
            return wrong(s, n, "is not one tenant");
    return keep_text(s, eb_strdup(n->text));
}

static bool read_client(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *fault = form_host(n->text, 64);
    return fault != NULL ? wrong(s, n, fault) : keep_text(s, eb_strdup(n->text));
}

static bool read_email(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *at = strchr(n->text, '@');
    if (at == NULL || at == n->text || at[1] == '\0' || strchr(at + 1, '@') != NULL || strpbrk(n->text, ": ") != NULL)
        return wrong(s, n, "is not an e-mail address");
    return keep_text(s, eb_strdup(n->text));
}

static bool read_address(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *fault = form_address(n->text);
    return fault != NULL ? wrong(s, n, fault) : keep_text(s, eb_strdup(n->text));
}

static bool read_store(const struct spot *s, const struct node *n)
{
    static const char sqlite[] = "sqlite:";

    if (!clean_text(s, n))
        return false;
    if (strncmp(n->text, "postgresql:", 11) == 0 || strncmp(n->text, "postgres:", 9) == 0)
        return wrong(s, n, "names PostgreSQL, which is not supported by this version yet");
    if (strncmp(n->text, sqlite, sizeof(sqlite) - 1) != 0 || n->text[sizeof(sqlite) - 1] == '\0')
        return wrong(s, n, "is not a database that is known here");
    char *path = path_from(s->r->directory, n->text + sizeof(sqlite) - 1);
    char *url = eb_asprintf("%s%s", sqlite, path);
    free(path);
    return keep_text(s, url);
}

static bool read_url(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *fault = form_url(n->text);
    if (fault != NULL)
        return wrong(s, n, fault);
    char *url = eb_strdup(n->text);
    for (size_t len = strlen(url); url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    return keep_text(s, url);
}

static bool read_path(const struct spot *s, const struct node *n)
{
    return clean_text(s, n) && keep_text(s, path_from(s->r->directory, n->text));
}

static bool read_reference(const struct spot *s, const struct node *n)
{
    char *secret = NULL;

    return read_secret(s->r, s->path, n, &secret) && keep_text(s, secret);
}

static bool read_zone(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    return eb_zone_known(n->text) ? keep_text(s, eb_strdup(n->text)) : wrong(s, n, "is no time zone of this machine");
}

/* Numbers and words must stand without quotes: "8" is a text. */
static bool plain_text(const struct spot *s, const struct node *n)
{
    if (n->type != NODE_TEXT)
        return wrong(s, n, n->type == NODE_MAP ? "is a mapping" : "is a list");
    return true;
}

static bool within(const struct spot *s, const struct node *n, int64_t value)
{
    if (value < s->k->min)
        return wrong(s, n, "is too small");
    return value <= s->k->max || wrong(s, n, "is too large");
}

bool read_duration(const struct spot *s, const struct node *n)
{
    int64_t ms;

    if (!plain_text(s, n))
        return false;
    if (!eb_duration_parse(n->text, &ms, NULL))
        return wrong(s, n, "is not a duration");
    if (!within(s, n, ms))
        return false;
    *(int64_t *)s->into = ms;
    return true;
}

/* Digits, then nothing or a unit. False: not a number, or far too large. */
static bool parse_amount(const char *text, const char **ret_unit, int64_t *ret)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || value > INT64_C(1) << 40)
        return false;
    *ret_unit = end;
    *ret = value;
    return true;
}

static bool read_size(const struct spot *s, const struct node *n)
{
    static const struct { const char *unit; int64_t factor; } units[] = {
        { "", 1 }, { "B", 1 }, { "KiB", 1024 }, { "K", 1024 }, { "MiB", 1048576 }, { "M", 1048576 },
    };
    const char *unit;
    int64_t value;

    if (!plain_text(s, n))
        return false;
    if (!parse_amount(n->text, &unit, &value))
        return wrong(s, n, "is not a size");
    while (*unit == ' ')
        unit++;
    for (size_t i = 0; i < EB_LEN(units); i++) {
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        if (!within(s, n, value * units[i].factor))
            return false;
        *(int64_t *)s->into = value * units[i].factor;
        return true;
    }
    return wrong(s, n, "has an unknown unit");
}

static bool read_int(const struct spot *s, const struct node *n)
{
    const char *rest;
    int64_t value;

    if (!plain_text(s, n))
        return false;
    if (!n->plain || !parse_amount(n->text, &rest, &value) || *rest != '\0')
        return wrong(s, n, "is not a whole number");
    if (!within(s, n, value))
        return false;
    *(int *)s->into = (int)value;
    return true;
}

static bool read_bool(const struct spot *s, const struct node *n)
{
    if (!plain_text(s, n))
        return false;
    bool yes = strcmp(n->text, "true") == 0;
    if (!n->plain || (!yes && strcmp(n->text, "false") != 0))
        return wrong(s, n, "is neither");
    *(bool *)s->into = yes;
    return true;
}

static int word_index(const struct spot *s, const struct node *n)
{
    for (int i = 0; n->type == NODE_TEXT && s->k->words[i] != NULL; i++)
        if (strcmp(s->k->words[i], n->text) == 0)
            return i;
    wrong(s, n, "is not known");
    return -1;
}

static bool read_word(const struct spot *s, const struct node *n)
{
    int index = word_index(s, n);

    if (index >= 0)
        *(int *)s->into = index;
    return index >= 0;
}

static bool read_either(const struct spot *s, const struct node *n)
{
    int index = word_index(s, n);

    if (index >= 0)
        *(bool *)s->into = index == 0;
    return index >= 0;
}

bool read_texts(const struct spot *s, const struct node *n, const char *(*form)(const char *), struct config_list *ret)
{
    size_t count = 0;
    bool good = true;

    if (n->type == NODE_MAP)
        return wrong(s, n, "is a mapping");
    const struct node *first = n->type == NODE_TEXT ? n : n->first;
    for (const struct node *item = first; item != NULL; item = n->type == NODE_TEXT ? NULL : item->next)
        count++;
    if (count > ITEMS_MAX)
        return wrong(s, n, "has more than 10000 items");
    ret->items = eb_alloc((count + 1) * sizeof(*ret->items));
    for (const struct node *item = first; item != NULL; item = n->type == NODE_TEXT ? NULL : item->next) {
        const char *fault = NULL;
        if (!clean_text(s, item) || (form != NULL && (fault = form(item->text)) != NULL)) {
            if (fault != NULL)
                wrong(s, item, fault);
            good = false;
            continue;
        }
        ret->items[ret->count++] = eb_strdup(item->text);
    }
    return good;
}

static bool read_list(const struct spot *s, const struct node *n)
{
    return read_texts(s, n, NULL, s->into);
}

static bool read_networks(const struct spot *s, const struct node *n)
{
    return read_texts(s, n, form_network, s->into);
}

static bool is_star(const struct node *n)
{
    return n != NULL && n->type == NODE_TEXT && strcmp(n->text, "*") == 0;
}

static bool read_projects(const struct spot *s, const struct node *n)
{
    struct config_projects *into = s->into;

    if (is_star(n) || (n->type == NODE_LIST && is_star(n->first) && n->first->next == NULL)) {
        into->all = true;
        return true;
    }
    if (n->type == NODE_LIST && n->first == NULL)
        return wrong(s, n, "names no project");
    return read_texts(s, n, form_project, &into->keys);
}

static bool (*const readers[KEY_TYPE_COUNT])(const struct spot *, const struct node *) = {
    [KEY_TEXT] = read_text, [KEY_TENANT] = read_tenant, [KEY_CLIENT] = read_client, [KEY_EMAIL] = read_email,
    [KEY_ADDRESS] = read_address, [KEY_STORE] = read_store, [KEY_URL] = read_url, [KEY_PATH] = read_path,
    [KEY_SECRET] = read_reference, [KEY_DURATION] = read_duration, [KEY_SIZE] = read_size, [KEY_INT] = read_int,
    [KEY_BOOL] = read_bool, [KEY_WORD] = read_word, [KEY_EITHER] = read_either,
    [KEY_LIST] = read_list, [KEY_NETWORKS] = read_networks, [KEY_PROJECTS] = read_projects,
    [KEY_NAMES] = read_names, [KEY_NUMBERS] = read_numbers, [KEY_ATTRIBUTES] = read_attributes, [KEY_BIND] = read_bind,
    [KEY_GROUP] = read_group, [KEY_REQUESTER] = read_requester, [KEY_PATTERN] = read_pattern, [KEY_REDIRECT] = read_redirect,
    [KEY_PERIOD] = read_period, [KEY_CLOCK] = read_clock, [KEY_ZONE] = read_zone, [KEY_SOURCE] = read_source,
};

bool read_one(struct reader *r, const struct key *k, const char *path, const struct node *n, void *into)
{
    struct spot spot = { r, k, path, into };

    if (k->type == KEY_LATER) {
        fault_add(r->faults, n->name_line, path, "is not enforced by this version yet; remove it");
        return false;
    }
    if (node_empty(n))
        return wrong(&spot, n, "has no value");
    return readers[k->type](&spot, n);
}

/* Defaults go the way of every value, so that the table cannot hold one that its own bounds refuse. */
void read_standard(struct reader *r, const struct key *k, void *into)
{
    if (k->standard == NULL)
        return;
    struct node n = { .type = NODE_TEXT, .plain = true, .text = eb_strdup(k->standard) };

    if (!read_one(r, k, k->name, &n, into))
        abort();
    free(n.text);
}
