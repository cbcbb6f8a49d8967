/* check.c - `entrabridge check`: will this configuration work? Configuration, keys, store, Entra, Jira, names, permissions.
 *
 * Runs beside a service and changes nothing: no key is made, no database is made, nothing is pinned.
 * The order on the loop: sign in to both clouds; try reads that need a permission each; bind the policy's names; ask what our account may do in each
 * project, when our credentials end, which dynamic groups read what is written, what the synchronization needs. What cannot be asked because something before failed is left out, for that fault says it all.
 */
#include "auth/auth.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/check.h"
#include "ops/kinds.h"
#include "store/db.h"
#include "store/position.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 45000         /* longer than one sign-in may try */
#define READ_MS 20000

struct check {
    const struct cli *cli;
    struct config *config;
    struct db *db;                  /* NULL: not made yet, or not to be opened */
    struct eb_loop *loop;
    struct outbound *outbound;
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;          /* NULL: nothing is synchronized */
    struct directory *directory;
    struct eb_timer *limit;
    struct check_report report;
    struct check_probe probes[CHECK_PROBES];
    int awaited;                    /* of the two sign-ins */
    bool entra_works, jira_works;
    bool graph_reads;               /* the policy's names can be looked up */
    struct check_asking asking;
    size_t question;                /* the next one */
};

/* ---- on this machine ---- */

static void check_file(struct check *c)
{
    check_say(&c->report, CHECK_OK, "configuration", "%s has no faults", c->config->path);
}

static void check_keys(struct check *c)
{
    struct auth_keys *keys = NULL;
    struct eb_err err = { 0 };

    if (auth_keys_open(c->config->keys_directory, false, &keys, &err))
        check_say(&c->report, CHECK_OK, "keys", "%s", c->config->keys_directory);
    else if (err.code == EB_NOT_THERE)
        check_say(&c->report, CHECK_OK, "keys", "%s: not there yet, the first start makes them", c->config->keys_directory);
    else
        check_say(&c->report, CHECK_FAULT, "keys", "%s", err.text);
    auth_keys_free(keys);
}

/* A database that is not there is not made: it would belong to whoever ran `check`. */
static void check_new_store(struct check *c, const char *path)
{
    char *copy = eb_strdup(path);
    const char *directory = dirname(copy);

    if (access(directory, W_OK | X_OK) == 0)
        check_say(&c->report, CHECK_OK, "store", "%s: not there yet, the first start makes it", path);
    else
        check_say(&c->report, CHECK_FAULT, "store", "%s cannot be made in %s: %s", path, directory, strerror(errno));
    free(copy);
}

static void check_store(struct check *c)
{
    const char *path = strncmp(c->config->store_url, "sqlite:", 7) == 0 ? c->config->store_url + 7 : NULL;
    struct position_look look;
    struct eb_err err = { 0 };

    if (path != NULL && access(path, F_OK) != 0)
        check_new_store(c, path);
    else if (db_open(c->config->store_url, DB_TOOL, &c->db, &err) && position_look(c->db, c->config->keys_directory, &look, &err) && position_refuse(&look, &err))
        check_say(&c->report, CHECK_OK, "store", "%s", c->config->store_url);
    else
        check_say(&c->report, CHECK_FAULT, "store", "%s", err.text);
}

/* ---- names, and what is asked once they are bound ---- */

static void next_question(void *ctx)
{
    static check_ask *const questions[] = { check_projects, check_application, check_dynamic_groups, check_sync };
    struct check *c = ctx;

    if (c->question < EB_LEN(questions))
        questions[c->question++](&c->asking);
    else
        eb_loop_stop(c->loop);
}

static void on_bound(void *ctx)
{
    struct check *c = ctx;
    const struct directory_binding *names;
    size_t count = directory_bindings(c->directory, &names);

    directory_on_ready(c->directory, NULL, NULL);
    check_say_names(&c->report, names, count);
    c->asking = (struct check_asking){ .config = c->config, .graph = c->graph, .jira = c->jira, .assets = c->assets, .directory = c->directory, .report = &c->report,
                                        .done = next_question, .ctx = c };
    next_question(c);
}

static void bind_names(struct check *c)
{
    struct eb_err err = { 0 };

    if (c->db != NULL && !directory_read_pins(c->directory, c->db, &err))
        check_say(&c->report, CHECK_FAULT, "store", "%s", err.text);
    directory_on_ready(c->directory, on_bound, c);
    directory_bind(c->directory, c->config);
}

/* ---- the clouds ---- */

static void say_permissions(struct check *c)
{
    char **granted = graph_token_roles(c->graph), **roles = graph_token_directory_roles(c->graph);

    struct check_clouds_told told = { granted, roles, c->probes };

    check_permissions(&c->report, &c->config->policy, &told);
    check_sync_permissions(&c->report, c->config, &told);
    free(granted);
    free(roles);
    if (c->jira_works && c->graph_reads)
        bind_names(c);
    else
        eb_loop_stop(c->loop);
}

static void on_probes(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct check *c = ctx;

    if (err != NULL)
        check_say(&c->report, CHECK_FAULT, "graph", "%s", err->text);
    else
        check_say(&c->report, CHECK_OK, "graph", "%s answers", c->config->entra.graph_url);
    c->graph_reads = err == NULL;
    for (int i = 0; i < count && i < CHECK_PROBES; i++) {
        int status = items[i].status;
        c->probes[i].told = status == 403 ? CHECK_REFUSED : status == 404 || status == 200 ? CHECK_GRANTED : CHECK_UNTOLD;
        if (status == 403 && c->probes[i].names)
            c->graph_reads = false;
    }
    say_permissions(c);
}

static void probe(struct check *c)
{
    struct graph_batch *b = graph_batch_new();

    check_probes(c->probes);
    for (size_t i = 0; i < CHECK_PROBES; i++) {
        char *path = c->probes[i].path();
        (void)graph_batch_get(b, path);
        free(path);
    }
    graph_batch_send(c->graph, b, READ_MS, 0, on_probes, c);
}

static void signed_in(struct check *c)
{
    if (--c->awaited > 0)
        return;
    if (c->entra_works)
        probe(c);
    else
        eb_loop_stop(c->loop);
}

static void on_entra(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct check *c = ctx;

    c->entra_works = r->result == GRAPH_OK;
    if (c->entra_works)
        check_say(&c->report, CHECK_OK, "entra", "%s accepts our credentials", c->config->entra.authority_url);
    else
        check_say(&c->report, CHECK_FAULT, "entra", "%s", r->err.text);
    signed_in(c);
}

static void on_jira(void *ctx, uint64_t id, const char *account_id, const struct eb_err *err)
{
    struct check *c = ctx;

    c->jira_works = err == NULL;
    if (c->jira_works)
        check_say(&c->report, CHECK_OK, "jira", "%s accepts our credentials: account %s", c->config->jira.api_url, account_id);
    else
        check_say(&c->report, CHECK_FAULT, "jira", "%s", err->text);
    signed_in(c);
}

static void on_limit(void *arg)
{
    struct check *c = arg;
    struct eb_err err = { 0 };

    if (directory_ready(c->directory, &err))
        (void)eb_fail(&err, EB_INTERNAL, "%s has not answered", c->assets != NULL ? "Jira or Assets" : "Jira");
    check_say(&c->report, CHECK_FAULT, "time", "not done after %d s: %s", LIMIT_MS / 1000, err.text);
    eb_loop_stop(c->loop);
}

static bool open_clouds(struct check *c, struct eb_err *err)
{
    struct outbound_options o = { c->config->ca_file, "entrabridge/" EB_VERSION };

    return eb_loop_new(&c->loop, err) && outbound_new(c->loop, &o, &c->outbound, err) &&
           graph_new(c->outbound, c->loop, &c->config->entra, &c->graph, err) &&
           jira_new(c->outbound, c->loop, &c->config->jira, &c->jira, err) &&
           (!c->config->assets.wanted || assets_new(c->outbound, c->loop, &c->config->assets, &c->config->jira, &c->assets, err)) &&
           directory_new(c->loop, c->graph, c->jira, NULL, &c->directory, err);
}

static void check_clouds(struct check *c)
{
    struct eb_err err = { 0 };

    if (!open_clouds(c, &err)) {
        check_say(&c->report, CHECK_FAULT, "clouds", "%s", err.text);
        return;
    }
    c->limit = eb_timer_new(c->loop, on_limit, c);
    eb_timer_set(c->limit, LIMIT_MS);
    c->awaited = 2;
    graph_check_credentials(c->graph, 0, on_entra, c);
    jira_myself(c->jira, 0, on_jira, c);
    eb_loop_run(c->loop);
}

static void close_all(struct check *c)
{
    eb_timer_free(c->limit);
    directory_free(c->directory);
    if (c->assets != NULL)
        assets_free(c->assets);
    jira_free(c->jira);
    graph_free(c->graph);
    if (c->outbound != NULL)
        outbound_free(c->outbound);
    eb_loop_free(c->loop);
    if (c->db != NULL)
        db_close(c->db);
    config_unref(c->config);
}

static void say_faults(struct check_report *r, const char *faults)
{
    while (faults != NULL && *faults != '\0') {
        size_t len = strcspn(faults, "\n");
        check_say(r, CHECK_FAULT, "configuration", "%.*s", (int)len, faults);
        faults += len + (faults[len] == '\n');
    }
}

int cli_check(struct cli *cli)
{
    struct check c = { .cli = cli };
    struct eb_buf faults = EB_BUF(KiB(256));
    const struct directory_binding *names = NULL;
    bool loaded = config_load(cli->config, ops_config_names(), CONFIG_FULL, &c.config, &faults);

    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);    /* what would be logged is among the findings */
    outbound_start();               /* outbound_new() says it if not */
    if (loaded) {
        check_file(&c);
        check_keys(&c);
        check_store(&c);
        check_policy(&c.report, &c.config->policy);
        check_clouds(&c);
    } else {
        say_faults(&c.report, faults.data);
    }
    eb_buf_free(&faults);
    size_t count = c.directory != NULL ? directory_bindings(c.directory, &names) : 0;
    int code = check_print(&c.report, cli, names, count);
    close_all(&c);
    outbound_stop();
    return code;
}
