/* load.c - a configuration's life: read, shared, compared, wiped.
 *
 * Owns: the configuration until config_load() hands it over. What each member holds is freed by its row's storage,
 * so that a new key cannot be forgotten here.
 */
#include "config/reader.h"

#include "base/hash.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_file(const char *path, struct eb_buf *out, struct faults *faults)
{
    char piece[KiB(8)];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? 0 : -1;

    while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !eb_buf_add(out, piece, (size_t)n))
            break;
    }
    if (n < 0)
        fault_add(faults, 0, "", "the configuration cannot be read: %s", strerror(errno));
    else if (out->failed)
        fault_add(faults, 0, "", "the configuration is larger than 1 MiB");
    if (fd >= 0)
        close(fd);
    OPENSSL_cleanse(piece, sizeof(piece));
    return n == 0 && !out->failed;
}

char *path_from(const char *directory, const char *path)
{
    return *path == '/' ? eb_strdup(path) : eb_asprintf("%s/%s", directory, path);
}

static char *absolute(const char *path)
{
    char here[PATH_MAX];

    return getcwd(here, sizeof(here)) != NULL ? path_from(here, path) : eb_strdup(path);
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? eb_strdup(".") : eb_asprintf("%.*s", slash > path ? (int)(slash - path) : 1, path);
}

static void read_tree(struct reader *r, struct eb_span text)
{
    struct node *root = tree_read(text, CONFIG_DEPTH_MAX, r->faults);

    if (root == NULL && r->faults->count > 0)
        return;             /* no tree: what is missing cannot be told */
    if (root != NULL && root->type != NODE_MAP && !node_empty(root))
        fault_add(r->faults, root->line, "", "the file is not a mapping, expected keys such as listen, store, entra, jira, policy");
    else
        read_sections(r, root);
    node_free(root);
    read_check(r);
}

bool config_load(const char *path, const struct config_names *names, enum config_use use, struct config **ret, struct eb_buf *out)
{
    struct faults faults = { .file = path };
    struct eb_buf text = EB_BUF(CONFIG_FILE_MAX);
    struct config *c = eb_alloc(sizeof(*c));
    struct reader r = { .c = c, .faults = &faults, .names = names, .use = use };

    c->references = 1;
    c->path = absolute(path);
    r.directory = directory_of(c->path);
    r.lines = eb_alloc(config_key_count * sizeof(*r.lines));
    if (read_file(path, &text, &faults)) {
        eb_sha256_hex(text.data != NULL ? text.data : "", text.len, c->hash);
        read_tree(&r, (struct eb_span){ text.data != NULL ? text.data : "", text.len });
    }
    bool good = faults.count == 0;
    faults_print(&faults, out);
    faults_free(&faults);
    eb_buf_free(&text);
    free(r.directory);
    free(r.lines);
    if (good)
        *ret = c;
    else
        config_unref(c);
    return good;
}

struct config *config_ref(struct config *c)
{
    c->references++;
    return c;
}

static void list_free(struct config_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
}

static void pairs_free(struct config_pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].name);
        free(p->items[i].value);
    }
    free(p->items);
}

static void member_free(const struct key *k, char *base)
{
    void *at = base + k->offset;

    switch (key_storage(k)) {
    case STORE_STRING: free(*(char **)at); break;
    case STORE_WIPED: eb_wipe_free(*(char **)at); break;
    case STORE_LIST: list_free(at); break;
    case STORE_PROJECTS: list_free(&((struct config_projects *)at)->keys); break;
    case STORE_PAIRS: pairs_free(at); break;
    case STORE_REQUESTER: free(((struct config_conditions *)at)->requester_group); break;
    case STORE_NOTHING: case STORE_INT: case STORE_INT64: case STORE_BOOL: break;
    }
}

/* The rows below `array` apply to each of its items; the first member of an entry is its name. */
static void array_free(const struct key *array, char *base)
{
    char *items = *(char **)(base + array->offset), below[128];
    size_t count = *(size_t *)(base + array->count_offset);

    snprintf(below, sizeof(below), "%s%s.", array->name, array->type == KEY_ITEMS ? "[]" : ".*");
    for (size_t n = 0; n < count; n++) {
        char *item = items + n * array->item_size;
        for (size_t i = 0; i < config_key_count; i++)
            if (strncmp(config_keys[i].name, below, strlen(below)) == 0)
                member_free(&config_keys[i], item);
        if (array->type == KEY_ENTRIES)
            free(*(char **)item);
    }
    free(items);
}

void config_unref(struct config *c)
{
    if (c == NULL || --c->references > 0)
        return;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        if (k->type == KEY_ITEMS || k->type == KEY_ENTRIES)
            array_free(k, (char *)c);
        else if (!key_within(k))
            member_free(k, (char *)c);
    }
    free(c->path);
    free(c);
}


/* Lists and arrays are all taken by a reload; only single values are compared. */
static bool same_member(const struct key *k, const char *was, const char *now)
{
    was += k->offset;
    now += k->offset;
    switch (key_storage(k)) {
    case STORE_STRING: case STORE_WIPED: return eb_streq(*(char *const *)was, *(char *const *)now);
    case STORE_INT: return *(const int *)was == *(const int *)now;
    case STORE_INT64: return *(const int64_t *)was == *(const int64_t *)now;
    case STORE_BOOL: return *(const bool *)was == *(const bool *)now;
    case STORE_NOTHING: case STORE_LIST: case STORE_PROJECTS: case STORE_PAIRS: case STORE_REQUESTER: break;
    }
    return true;
}

bool config_needs_restart(const struct config *was, const struct config *now, struct eb_buf *names)
{
    bool any = false;

    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        if ((k->flags & KEY_RELOAD) != 0 || key_within(k) || same_member(k, (const char *)was, (const char *)now))
            continue;
        eb_buf_addf(names, "%s%s", any ? ", " : "", k->name);
        any = true;
    }
    return any;
}
