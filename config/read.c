/* read.c - walks table and tree together.
 *
 * For each section the rows of the table say what may stand there: each is read, defaulted, or told to be missing;
 * what is left over in the tree is unknown, and gets the nearest known name.
 */
#include "config/reader.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the walk stands: table names under `name`, the user's path to it, the memory that offsets count from. */
struct place { const char *name; const char *path; struct node *node; char *base; int line; };

static void read_section(struct reader *r, const struct place *at);

/* The user's path to a key below `path`: a.b, or a[3] where name is NULL. A long one is cut: it is only shown. */
struct path { char text[256]; };
static struct path path_below(const char *path, const char *name, size_t number)
{
    struct path p = { "" };
    struct eb_buf b = EB_BUF(sizeof(p.text) - 1);

    if (name != NULL)
        eb_buf_addf(&b, "%s%s%s", path, *path != '\0' ? "." : "", name);
    else
        eb_buf_addf(&b, "%s[%zu]", path, number);
    snprintf(p.text, sizeof(p.text), "%.255s", b.data != NULL && !b.failed ? b.data : path);
    eb_buf_free(&b);
    return p;
}

static bool child_of(const struct key *k, const char *parent)
{
    size_t len = key_parent(k->name);

    return len == strlen(parent) && strncmp(k->name, parent, len) == 0;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[64], la = strlen(a), lb = strlen(b);

    if (la >= EB_LEN(row) || lb >= EB_LEN(row))
        return EB_LEN(row);
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[lb];
}

/* The known name nearest to what was written, or NULL where none is near. */
static const char *nearest(const char *parent, const char *name)
{
    const char *best = NULL;
    size_t least = strlen(name) > 4 ? 3 : 2;

    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        if (!child_of(k, parent) || k->type == KEY_LATER)
            continue;
        size_t d = distance(name, key_last(k->name));
        if (d < least) {
            least = d;
            best = key_last(k->name);
        }
    }
    return best;
}

static void all_names(const char *parent, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < config_key_count && used < size; i++) {
        const struct key *k = &config_keys[i];
        if (child_of(k, parent) && k->type != KEY_LATER)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", key_last(k->name));
    }
}

static void unknown_keys(struct reader *r, const struct place *at)
{
    for (struct node *n = at->node != NULL ? at->node->first : NULL; n != NULL; n = n->next) {
        char names[300];
        if (n->used)
            continue;
        const char *near = nearest(at->name, n->name);
        struct path p = path_below(at->path, n->name, 0);
        if (near != NULL) {
            fault_add(r->faults, n->name_line, p.text, "unknown key, expected `%s`?", near);
            continue;
        }
        all_names(at->name, names, sizeof(names));
        fault_add(r->faults, n->name_line, p.text, "unknown key, expected one of %s", names);
    }
}

static void missing(struct reader *r, const struct key *k, const char *path, int line)
{
    char expected[256];

    fault_add(r->faults, line, path, "is missing, expected %s", key_expected(k, expected, sizeof(expected)));
}

static bool known_kind(const struct reader *r, const char *name)
{
    for (size_t i = 0; r->names->kinds[i] != NULL; i++)
        if (strcmp(r->names->kinds[i], name) == 0)
            return true;
    return false;
}

static void unknown_kind(struct reader *r, const char *path, const struct node *n)
{
    struct eb_buf names = EB_BUF(400);

    for (size_t i = 0; r->names->kinds[i] != NULL; i++)
        eb_buf_addf(&names, "%s%s", i > 0 ? ", " : "", r->names->kinds[i]);
    fault_add(r->faults, n->name_line, path, "no operation kind of this version, expected one of %s", names.data != NULL ? names.data : "");
    eb_buf_free(&names);
}

static size_t count_children(const struct node *n)
{
    size_t count = 0;

    for (const struct node *child = n->first; child != NULL; child = child->next)
        count++;
    return count;
}

static void read_item(struct reader *r, const struct key *k, const char *path, struct node *n, char *into)
{
    char name[128];

    snprintf(name, sizeof(name), "%s%s", k->name, k->type == KEY_ITEMS ? "[]" : ".*");
    if (k->type == KEY_ENTRIES && !known_kind(r, n->name))
        unknown_kind(r, path, n);
    if (k->type == KEY_ENTRIES)
        *(char **)into = eb_strdup(n->name);
    if (n->type != NODE_MAP && !node_empty(n))
        fault_add(r->faults, n->line, path, "is of another type, expected a mapping of keys");
    else
        read_section(r, &(struct place){ name, path, n->type == NODE_MAP ? n : NULL, into, n->line });
    if (k->check != NULL && n->type == NODE_MAP)
        k->check(r, path, n, into);
}

/* A list of mappings or a mapping of mappings, into an array. */
static void read_array(struct reader *r, const struct key *k, const char *path, struct node *n)
{
    enum node_type wanted = k->type == KEY_ITEMS ? NODE_LIST : NODE_MAP;
    char *base = (char *)r->c, expected[64];
    size_t number = 0;

    if (node_empty(n))
        return;
    if (n->type != wanted) {
        fault_add(r->faults, n->line, path, "is of another type, expected %s", key_expected(k, expected, sizeof(expected)));
        return;
    }
    char *items = eb_alloc((count_children(n) + 1) * k->item_size);
    *(void **)(base + k->offset) = items;
    for (struct node *child = n->first; child != NULL; child = child->next, number++) {
        *(size_t *)(base + k->count_offset) = number + 1;
        read_item(r, k, path_below(path, child->name, number).text, child, items + number * k->item_size);
    }
}

static void read_subsection(struct reader *r, const struct key *k, const char *path, struct node *n, const struct place *at)
{
    char expected[64];

    if (n != NULL && n->type != NODE_MAP && !node_empty(n)) {
        fault_add(r->faults, n->line, path, "is of another type, expected %s", key_expected(k, expected, sizeof(expected)));
        return;
    }
    if (n == NULL && (k->flags & KEY_REQUIRED) != 0) {
        missing(r, k, path, at->line);
        return;
    }
    if (n != NULL && (k->flags & KEY_NOTED) != 0)
        *(bool *)(at->base + k->offset) = true;
    struct place below = { k->name, path, n != NULL && n->type == NODE_MAP ? n : NULL, at->base, n != NULL ? n->line : at->line };
    if (n != NULL && n->name != NULL)
        below.line = n->name_line;
    read_section(r, &below);
}

static void read_key(struct reader *r, const struct key *k, const struct place *at, struct node *n)
{
    struct path p = path_below(at->path, key_last(k->name), 0);
    const char *path = p.text;
    void *into = at->base + k->offset;

    if (n != NULL && !key_within(k))
        r->lines[k - config_keys] = n->name_line;
    if (k->type == KEY_SECTION)
        read_subsection(r, k, path, n, at);
    else if (n != NULL && (k->type == KEY_ITEMS || k->type == KEY_ENTRIES))
        read_array(r, k, path, n);
    else if (n != NULL)
        (void)read_one(r, k, path, n, into);
    else if ((k->flags & KEY_REQUIRED) != 0)
        missing(r, k, path, at->line);
    else
        read_standard(r, k, into);
}

/* An optional section that is not there keeps its defaults; its required keys are not missed. */
static void defaults_below(struct reader *r, const struct key *section, char *base)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        if (child_of(k, section->name) && k->type == KEY_SECTION)
            defaults_below(r, k, base);
        else if (child_of(k, section->name))
            read_standard(r, k, base + k->offset);
    }
}

static void read_section(struct reader *r, const struct place *at)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        if (!child_of(k, at->name))
            continue;
        const char *last = key_last(k->name);
        struct node *n = node_child(at->node, last, strlen(last));
        if (n != NULL)
            n->used = true;
        if (n == NULL && k->type == KEY_SECTION && (k->flags & KEY_OPTIONAL) != 0)
            defaults_below(r, k, at->base);
        else
            read_key(r, k, at, n);
    }
    unknown_keys(r, at);
}

void read_sections(struct reader *r, struct node *root)
{
    read_section(r, &(struct place){ "", "", root, (char *)r->c, 1 });
}
