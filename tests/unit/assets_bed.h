/* assets_bed.h - the Assets target against the simulator, over sockets, with a real staging file: for the tests of it. */
#ifndef TESTS_ASSETS_BED_H
#define TESTS_ASSETS_BED_H

#include "assets/assets.h"
#include "base/clock.h"
#include "base/log.h"
#include "sim/http.h"
#include "store/db.h"
#include "sync/target.h"

#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "tests/unit/sim_world.h"

#define KEY(n) "a0000000-0000-4000-8000-%012d", (n)

struct bed {
    struct eb_loop *loop;
    struct world world;             /* the simulator, and calls to its control API */
    struct sim_http *http;
    struct outbound *o;
    struct assets *assets;
    struct store *stage;
    struct config config;
    struct sync_schema *schema;
    struct sync_counts counts;
    struct sync_context x;
    void *target;
    char directory[64], url[64], import_token[80];
    bool ended;
    struct eb_err err;              /* of the last end */
    int faults;
    int64_t progress;
    bool shorter;                   /* pages get shorter in the middle of a reading */
    char fault[512];
    struct sync_written written;
    char object_id[32], object_key[32];
};

/* ---- Jira's part: where Assets is ---- */

static bool no_assets;
static struct event *jira_event;
static struct { jira_workspace_done *done; void *ctx; uint64_t id; } jira_asked;

static inline void jira_answers(evutil_socket_t fd, short what, void *arg)
{
    struct eb_err err = { 0 };

    if (no_assets)
        (void)eb_fail(&err, EB_NOT_THERE, "no workspace");
    jira_asked.done(jira_asked.ctx, jira_asked.id, no_assets ? NULL : "f1668d0c-828c-470c-b7d1-8c4f48cd345a", no_assets ? &err : NULL);
}

void jira_workspace_get(struct jira *j, uint64_t id, jira_workspace_done *done, void *ctx)
{
    jira_asked.done = done;
    jira_asked.ctx = ctx;
    jira_asked.id = id;
    event_active(jira_event, EV_TIMEOUT, 1);
}

void jira_forget(struct jira *j, void *ctx, uint64_t id)
{
    if (jira_asked.ctx == ctx)
        event_del(jira_event);
}

/* ---- the bed ---- */

static inline void control(struct bed *b, const char *method, const char *path, const char *fmt, ...) EB_PRINTF(4, 5);
static inline void control(struct bed *b, const char *method, const char *path, const char *fmt, ...)
{
    char *body = NULL;
    va_list ap;

    va_start(ap, fmt);
    assert_true(vasprintf(&body, fmt, ap) >= 0);
    va_end(ap);
    int status = call(&b->world, method, path, body[0] != '\0' ? body : NULL);
    char *text = b->world.reply.body != NULL ? eb_json_text(b->world.reply.body) : NULL;
    if (status < 200 || status > 299)
        fail_msg("%s %s: %d %s (%s)", method, path, status, text != NULL ? text : "", body);
    free(text);
    free(body);
}

static inline void progress(void *run, const char *phase, int64_t done, int64_t total)
{
    struct bed *b = run;

    assert_true(phase[0] != '\0' && done >= 0 && (total == -1 || total >= done));
    b->progress = done;
    if (b->shorter && done > 60) {
        b->shorter = false;
        assert_int_equal(call(&b->world, "POST", "/sim/settings", "{\"aql_page_max\": 30}"), 200);
    }
}

static inline void fault(void *run, const char *action, enum stage_kind kind, const char *key, const char *label, const char *text)
{
    struct bed *b = run;

    b->faults++;
    snprintf(b->fault, sizeof(b->fault), "%s %s %s: %s", action, sync_kind_name(kind), label, text);
}

static inline void clients(struct bed *b)
{
    struct eb_err err = { 0 };

    if (b->target != NULL)
        sync_target_assets.close(b->target);
    assets_free(b->assets);
    assert_true(assets_new(b->o, b->loop, &b->config.assets, &b->config.jira, &b->assets, &err));
    b->x.assets = b->assets;
    assert_true(sync_target_assets.open(&b->x, &b->target, &err));
}

static inline void bed_up(struct bed *b)
{
    static char hired[] = "Hired", hired_from[] = "employeeHireDate";
    static char email[] = "bridge@contoso.com", token[] = "sim-jira-token", schema_key[] = "ENTRA", badge[] = "Badge", from[] = "employeeType";
    static struct config_sync_attribute more[] = { { badge, from, SYNC_INTEGER }, { hired, hired_from, SYNC_DATE_TIME } };
    struct sim_options opt;
    struct eb_err err = { 0 };
    char *argv[] = { strdup("sim") }, stage[100];

    *b = (struct bed){ 0 };
    assert_true(sim_options_parse(1, argv, &opt, &err));
    free(argv[0]);
    opt.port = 0;
    assert_true(eb_loop_new(&b->loop, &err));
    b->world.base = eb_loop_base(b->loop);
    b->world.sim = sim_new(&opt, b->world.base);
    assert_true(sim_http_new(b->world.sim, &b->http, &err));
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", sim_http_port(b->http));
    snprintf(b->directory, sizeof(b->directory), "/tmp/test_sync_assets.XXXXXX");
    assert_non_null(mkdtemp(b->directory));
    snprintf(stage, sizeof(stage), "%s/stage", b->directory);
    b->config.jira = (struct config_jira){ .site_url = b->url, .api_url = b->url, .email = email, .api_token = token, .max_calls = 4 };
    b->config.assets = (struct config_assets){ .wanted = true, .api_url = b->url, .schema_key = schema_key, .max_calls = 8 };
    b->config.sync = (struct config_sync){ .attributes = more, .attribute_count = 2, .loading = CONFIG_LOAD_AUTO, .load_above = 100 };
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    jira_event = event_new(b->world.base, -1, 0, jira_answers, NULL);
    if (!store_open_stage(stage, b->loop, &b->stage, &err))
        fail_msg("%s", err.text);
    b->schema = sync_schema_new(&b->config.sync);
    b->x = (struct sync_context){ .loop = b->loop, .stage = b->stage, .config = &b->config, .schema = b->schema, .counts = &b->counts,
                                  .progress = progress, .fault = fault, .run = b };
    clients(b);
}

static inline void bed_down(struct bed *b)
{
    char command[100];

    sync_target_assets.close(b->target);
    store_close(b->stage);
    assets_free(b->assets);
    event_free(jira_event);
    outbound_free(b->o);
    sync_schema_free(b->schema);
    sim_reply_clear(&b->world.reply);
    sim_http_free(b->http);
    sim_free(b->world.sim);
    eb_loop_free(b->loop);
    snprintf(command, sizeof(command), "rm -rf %s", b->directory);
    assert_int_equal(system(command), 0);
}

static inline void on_end(void *ctx, const struct eb_err *err)
{
    struct bed *b = ctx;

    b->err = err != NULL ? *err : (struct eb_err){ 0 };
    b->ended = true;
    eb_loop_stop(b->loop);
}

static inline void run(struct bed *b)
{
    assert_false(b->ended);                 /* never inside the function that began it */
    while (!b->ended)
        eb_loop_run(b->loop);
    b->ended = false;
}

static inline bool prepare(struct bed *b, bool make)
{
    sync_target_assets.prepare(b->target, make, on_end, b);
    run(b);
    return b->err.code == EB_OK;
}

static inline size_t made(struct bed *b) { return json_array_size(sync_target_assets.made(b->target)); }

static inline void init(struct bed *b)
{
    if (!prepare(b, true))
        fail_msg("%s", b->err.text);
}

static inline void read_all(struct bed *b, int64_t generation)
{
    sync_target_assets.read(b->target, generation, on_end, b);
    run(b);
    if (b->err.code != EB_OK)
        fail_msg("reading: %s", b->err.text);
}

/* ---- the staging file ---- */

struct looking { struct bed *b; enum stage_kind kind; char key[40]; int64_t count, notes; bool found, active; int64_t left_ms; char text[2048], object_key[32], note[1024]; };

static inline bool take_row(void *ctx, const struct stage_target *t)
{
    struct looking *l = ctx;

    l->found = true;
    l->active = t->active;
    l->left_ms = t->left_ms;
    snprintf(l->text, sizeof(l->text), "%s", t->attributes);
    snprintf(l->object_key, sizeof(l->object_key), "%s", t->object_key);
    return false;
}

static inline bool take_note(void *ctx, const struct stage_note *n)
{
    struct looking *l = ctx;

    strncat(l->note, n->text, sizeof(l->note) - strlen(l->note) - 1);
    return true;
}

static inline bool look(struct db *db, void *arg, struct eb_err *err)
{
    struct looking *l = arg;

    l->found = false;
    l->note[0] = '\0';
    return stage_target_get(db, l->kind, l->key, take_row, l, err) && stage_target_count(db, l->kind, false, &l->count, err) &&
           stage_notes_count(db, &l->notes, err) && stage_notes_each(db, 0, 100, take_note, l, err);
}

static inline void job(struct bed *b, store_fn *fn, void *arg);
static inline void on_job(void *arg, const struct eb_err *err)
{
    struct looking *l = arg;        /* every argument begins with the bed */

    on_end(l->b, err);
}

static inline void job(struct bed *b, store_fn *fn, void *arg)
{
    store_submit(b->stage, fn, arg, on_job);
    run(b);
    if (b->err.code != EB_OK)
        fail_msg("the staging file: %s", b->err.text);
}

static inline struct looking row(struct bed *b, enum stage_kind kind, const char *key)
{
    struct looking l = { .b = b, .kind = kind };

    snprintf(l.key, sizeof(l.key), "%s", key);
    job(b, look, &l);
    return l;
}

static inline void objects(struct bed *b, const char *list) { control(b, "POST", "/sim/assets/objects", "[%s]", list); }

static inline void people(struct bed *b, int count)
{
    char list[600];

    objects(b, "{\"type\": \"Group\", \"attributes\": {\"Name\": \"Sales\", \"Entra Group ID\": \"" GROUP("01") "\", \"Status\": \"Active\"}},"
               "{\"type\": \"Group\", \"attributes\": {\"Name\": \"EMEA\", \"Entra Group ID\": \"" GROUP("02") "\", \"Status\": \"Active\", \"Parent groups\": [\"Sales\"]}}");
    for (int i = 0; i < count; i++) {
        char key[40];
        snprintf(key, sizeof(key), KEY(i));
        snprintf(list, sizeof(list), "{\"type\": \"Employee\", \"attributes\": {\"Name\": \"User %d\", \"Entra User ID\": \"%s\", \"Status\": \"Active\", \"Badge\": %d,"
                 " \"Account enabled\": true, \"Email\": \"u%d@example.com\", \"Groups\": [\"Sales\", \"EMEA\"]}}", i, key, i, i);
        objects(b, list);
    }
}

#endif
