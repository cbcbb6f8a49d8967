/* bind_clouds.c - the names' questions to Graph and Jira.
 *
 * Graph: at most 20 reads a batch; a name is told when all its reads are, pages included. Jira: one project after the other.
 * Invariant: a name whose read failed is asked again from the start; half an answer never counts.
 */
#include "directory/bind.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define READ_MS 30000
#define MAX_PAGES 50
#define NAME_MAX_LEN 1024           /* bytes; Entra's display names have 256 characters at most */
#define SELECT_GROUP "id,displayName"
#define SELECT_USER "id,userPrincipalName,mail"

/* ---- Graph ---- */

static bool is_graph(const struct name *n) { return n->kind != NAME_PROJECT; }

/* Is there anything to read? Not for an object id, and not for what cannot be a name (of a user: without one @): that fits nobody. */
static bool to_be_read(const struct name *n)
{
    const char *at = strchr(n->text, '@');

    return !n->by_id && strlen(n->text) <= NAME_MAX_LEN && (n->kind != NAME_PROTECTED_USER || (at != NULL && strchr(at + 1, '@') == NULL));
}

/* The reads for a name: of a user by UPN and by mail. The texts are the caller's. */
static int make_paths(const struct name *n, char *paths[2])
{
    if (n->kind != NAME_PROTECTED_USER) {
        paths[0] = graph_path_groups_by_name(n->text, SELECT_GROUP);
        return 1;
    }
    paths[0] = graph_path_user(n->text, "?$select=" SELECT_USER);
    paths[1] = graph_path_users_by_mail(n->text, SELECT_USER);
    return 2;
}

static void add_link(struct bind *b, size_t name, int pages, const char *url)
{
    struct bind_link *l = eb_alloc(sizeof(*l));

    *l = (struct bind_link){ name, pages, eb_strdup(url), b->links };
    b->links = l;
}

static void drop_link(struct bind *b)
{
    struct bind_link *l = b->links;

    b->links = l->next;
    free(l->url);
    free(l);
}

void bind_drop_links(struct bind *b)
{
    while (b->links != NULL)
        drop_link(b);
}

/* Takes one answer for a name. false: the batch must be asked again, err says why. */
static bool take(struct bind *b, size_t name, int pages, const struct graph_reply *r, struct eb_err *err)
{
    struct name *n = &b->names.items[name];
    const char *next = NULL;

    if (r->result == GRAPH_REFUSED && (r->status == 404 || (r->status == 400 && n->kind == NAME_PROTECTED_USER)))
        return true;                /* nobody of that name; 400: no UPN could look like this */
    if (r->result != GRAPH_OK) {
        *err = r->err;
        return false;
    }
    if (!name_read_fits(n, r->body, &next))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph answered with something else than a list for %s '%s'", name_what(n->kind), n->text);
    if (next != NULL && pages >= MAX_PAGES)
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "%s '%s' fits more than %d pages in Entra", name_what(n->kind), n->text, MAX_PAGES);
    if (next != NULL)
        add_link(b, name, pages + 1, next);
    return true;
}

/* The batch under way is told to its end, or (err) not at all. */
static void end_batch(struct bind *b, const struct eb_err *err)
{
    for (int i = 0; i < b->asked_count; i++) {
        struct name *n = &b->names.items[b->asked[i]];
        n->told = err == NULL;
        if (err != NULL)
            name_forget_fits(n);
    }
    b->asked_count = 0;
    bind_drop_links(b);
    if (err != NULL)
        bind_track_failed(b, BIND_GRAPH, err);
    else
        bind_go_graph(b);
}

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r);

static void go_on(struct bind *b)
{
    if (b->links == NULL)
        end_batch(b, NULL);
    else
        graph_get_link(b->directory->graph, b->links->url, READ_MS, b->id, on_page, b->directory);
}

static void on_page(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct bind *b = directory_bind_find(ctx, id);
    struct eb_err failure = { 0 };

    if (b == NULL || b->links == NULL)
        return;
    size_t name = b->links->name;
    int pages = b->links->pages;
    drop_link(b);
    if (take(b, name, pages, r, &failure))
        go_on(b);
    else
        end_batch(b, &failure);
}

static void on_batch(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct bind *b = directory_bind_find(ctx, id);
    struct eb_err failure = { 0 };

    if (b == NULL)
        return;
    if (err == NULL && count != b->asked_count)
        eb_fail(&failure, EB_ENTRA_UNAVAILABLE, "Graph answered %d of %d reads of a batch", count, b->asked_count);
    for (int i = 0; err == NULL && failure.code == EB_OK && i < count; i++)
        if (!take(b, b->asked[i], 1, &items[i], &failure))
            break;
    if (err == NULL && failure.code == EB_OK)
        go_on(b);
    else
        end_batch(b, err != NULL ? err : &failure);
}

/* Fills a batch with reads for names that are not told yet. */
static struct graph_batch *make_batch(struct bind *b)
{
    struct graph_batch *batch = graph_batch_new();

    b->asked_count = 0;
    for (size_t i = 0; i < b->names.count && b->asked_count <= GRAPH_BATCH_MAX - 2; i++) {
        struct name *n = &b->names.items[i];
        char *paths[2] = { NULL, NULL };
        if (!is_graph(n) || n->told)
            continue;
        name_forget_fits(n);
        int count = make_paths(n, paths);
        for (int k = 0; k < count; k++) {
            graph_batch_get(batch, paths[k]);
            b->asked[b->asked_count++] = i;
            free(paths[k]);
        }
    }
    return batch;
}

static void on_graph_credentials(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct bind *b = directory_bind_find(ctx, id);

    if (b == NULL)
        return;
    if (r->result != GRAPH_OK) {
        bind_track_failed(b, BIND_GRAPH, &r->err);
        return;
    }
    b->tracks[BIND_GRAPH].credentials_work = true;
    bind_go_graph(b);
}

static bool any_to_be_read(struct bind *b)
{
    bool any = false;

    for (size_t i = 0; i < b->names.count; i++) {
        struct name *n = &b->names.items[i];
        if (!is_graph(n) || n->told)
            continue;
        n->told = !to_be_read(n);
        any |= !n->told;
    }
    return any;
}

void bind_go_graph(struct bind *b)
{
    struct bind_track *t = &b->tracks[BIND_GRAPH];
    struct directory *d = b->directory;

    t->busy = true;
    if (!t->credentials_work)
        graph_check_credentials(d->graph, b->id, on_graph_credentials, d);
    else if (!any_to_be_read(b))
        bind_track_ended(b, BIND_GRAPH);
    else {
        struct graph_batch *batch = make_batch(b);
        graph_batch_send(d->graph, batch, READ_MS, b->id, on_batch, d);
    }
}

/* ---- Jira ---- */

static void on_myself(void *ctx, uint64_t id, const char *account_id, const struct eb_err *err)
{
    struct bind *b = directory_bind_find(ctx, id);

    if (b == NULL)
        return;
    if (err != NULL) {
        bind_track_failed(b, BIND_JIRA, err);
        return;
    }
    b->tracks[BIND_JIRA].credentials_work = true;
    bind_go_jira(b);
}

static void on_project(void *ctx, uint64_t id, const char *project_id, const char *project_key, const struct eb_err *err)
{
    struct bind *b = directory_bind_find(ctx, id);

    if (b == NULL)
        return;
    struct name *n = &b->names.items[b->jira_name];
    if (err != NULL && err->code != EB_NOT_THERE) {
        bind_track_failed(b, BIND_JIRA, err);
        return;
    }
    name_forget_fits(n);
    if (err == NULL && eb_streq(project_key, n->text))      /* else Jira followed an old key to a project of another name */
        name_add_fit(n, project_id);
    n->told = true;
    bind_go_jira(b);
}

void bind_go_jira(struct bind *b)
{
    struct bind_track *t = &b->tracks[BIND_JIRA];
    struct directory *d = b->directory;

    t->busy = true;
    if (!t->credentials_work) {
        jira_myself(d->jira, b->id, on_myself, d);
        return;
    }
    for (size_t i = 0; i < b->names.count; i++)
        if (!b->names.items[i].told && !is_graph(&b->names.items[i])) {
            b->jira_name = i;
            jira_project_get(d->jira, b->names.items[i].text, b->id, on_project, d);
            return;
        }
    bind_track_ended(b, BIND_JIRA);
}
