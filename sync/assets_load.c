/* assets_load.c - mass load by an external import: everything that is wanted and not there, in chunks, in one execution.
 *
 * Invariant: "completed" is sent only after the last chunk was taken and nothing failed; after any failure the execution is cancelled. So an import that was cut
 * never makes Assets take the objects that it lacks for gone.
 * Links are followed as given, and live as long as the execution (facts: external imports). One is kept in the staging file meanwhile, the one that cancels: a load
 * that was killed would leave the source busy for good.
 * Owns: struct assets_load from start to done; a job on the staging thread outlives it if it must.
 */
#include "sync/assets_target.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PHASE "mass load into Assets"
#define CHUNK_OBJECTS 300
#define CHUNK_BYTES KiB(900)        /* no limit is documented; advice: under 1 MB */
#define POLL_FIRST_MS 500
#define POLL_LAST_MS 10000
#define PROGRESS_EVERY 10           /* chunks, from the first on */
#define KEPT "assets.import_cancel" /* in the staging file's state */

enum step { CANCEL_OLD, INFO, STATUS, MAPPING, MAPPING_ADD, MAPPING_WAIT, START, CHUNK, PROGRESS, COMPLETE, EXECUTION, CANCEL };

struct chunk {                      /* a job of the staging thread */
    struct assets_target *t;
    struct assets_load *load;       /* NULL: given up */
    enum stage_kind kind;
    int64_t from, after;
    int64_t seen_ms;
    json_t *objects;
    size_t bytes;
};

struct keeping {                    /* a job: reads, or writes, the link that cancels */
    struct assets_target *t;
    struct assets_load *load;       /* NULL: nobody waits */
    bool reads;
    char *link;                     /* NULL: there is none, or it is to go */
};

struct assets_load {
    struct assets_target *t;
    enum step step;
    sync_done *done;
    void *ctx;
    char *status_link, *start_link, *mapping_link, *mapping_progress;
    char *progress_link, *data_link, *execution_link, *cancel_link;
    size_t kind;
    int64_t after, sent, total, seen_ms;
    int chunks;
    int64_t poll_ms;
    struct chunk *chunk;
    struct keeping *keeping;
    bool kept, ending;
    struct eb_timer *timer;
    struct eb_err failure;          /* why it is cancelled, or how it ended */
};

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };

static void on_reply(void *ctx, uint64_t id, const struct assets_reply *r);
static void on_kept(void *arg, const struct eb_err *err);

/* ---- the link that cancels ---- */

static bool keep(struct db *db, void *arg, struct eb_err *err)
{
    struct keeping *k = arg;

    if (!k->reads)
        return stage_state_put(db, KEPT, k->link, err);
    free(k->link);
    k->link = NULL;
    return stage_state_get(db, KEPT, &k->link, err);
}

static struct keeping *keep_link(struct assets_target *t, struct assets_load *waits, bool reads, const char *link)
{
    struct keeping *k = eb_alloc(sizeof(*k));

    *k = (struct keeping){ t, waits, reads, eb_strdup(link) };
    assets_job_begins(t);
    store_submit(t->x->stage, keep, k, on_kept);
    return k;
}

static void chunk_free(struct chunk *c)
{
    json_decref(c->objects);
    free(c);
}

/* Nobody waits for it any more. */
static void forgotten(void *ctx, uint64_t id, const struct assets_reply *r)
{
    (void)ctx;
    (void)id;
    (void)r;
}

void assets_load_free(struct assets_target *t)
{
    struct assets_load *l = t->load;
    char **const links[] = { l ? &l->status_link : NULL, l ? &l->start_link : NULL, l ? &l->mapping_link : NULL, l ? &l->mapping_progress : NULL,
                             l ? &l->progress_link : NULL, l ? &l->data_link : NULL, l ? &l->execution_link : NULL, l ? &l->cancel_link : NULL };

    if (l == NULL)
        return;
    t->load = NULL;
    assets_forget(t->x->assets, l, 0);
    if (l->cancel_link != NULL)     /* closed in the middle: the source would stay busy */
        assets_send(t->x->assets, &(struct assets_call){ .kind = ASSETS_IMPORT_CANCEL, .a = l->cancel_link }, 0, forgotten, NULL);
    if (l->chunk != NULL)
        l->chunk->load = NULL;
    if (l->keeping != NULL)
        l->keeping->load = NULL;
    for (size_t i = 0; i < EB_LEN(links); i++)
        free(*links[i]);
    eb_timer_free(l->timer);
    free(l);
}

static void finish(struct assets_load *l, const struct eb_err *err)
{
    sync_done *done = l->done;
    void *ctx = l->ctx;
    struct eb_err copy = err != NULL ? *err : (struct eb_err){ 0 };

    if (l->kept) {                  /* first it is forgotten */
        l->kept = false;
        l->ending = true;
        l->failure = copy;
        l->keeping = keep_link(l->t, l, false, NULL);
        return;
    }
    assets_load_free(l->t);
    done(ctx, copy.code != EB_OK ? &copy : NULL);
}

static void ask(struct assets_load *l, enum step step, enum assets_call_kind kind, const char *link, json_t *body)
{
    l->step = step;
    assets_send(l->t->x->assets, &(struct assets_call){ .kind = kind, .a = link, .body = body, .deadline_ms = ASSETS_LONG_MS }, 0, on_reply, l);
    json_decref(body);
}

static void cancelled(struct assets_load *l)
{
    struct eb_err err = l->failure;

    free(l->cancel_link);
    l->cancel_link = NULL;
    finish(l, &err);
}

/* Before an execution began: it is over. After: it is cancelled first. */
static void fail(struct assets_load *l, const struct eb_err *err)
{
    if (l->cancel_link == NULL) {
        finish(l, err);
        return;
    }
    l->failure = *err;
    ask(l, CANCEL, ASSETS_IMPORT_CANCEL, l->cancel_link, NULL);
}

/* ---- data ---- */

/* A wanted record as the import's data shows it. */
static json_t *datum(const struct chunk *c, const struct stage_wanted *w)
{
    json_t *record = json_loads(w->attributes, 0, NULL), *out = eb_need(json_object());
    char time[EB_TIME_LEN];

    for (size_t i = 0; i < c->t->column_count; i++) {
        const struct assets_column *column = &c->t->columns[i];
        json_t *value = json_object_get(record, column->name);
        if (column->kind == c->kind && column->in_record && value != NULL && assets_form(column->type)->import != NULL)
            json_object_set(out, column->locator, value);
        else if (column->kind == c->kind && column->type == ASSETS_COLUMN_STATUS)
            json_object_set_new(out, column->locator, json_string("Active"));
        else if (column->kind == c->kind && !column->in_record)
            json_object_set_new(out, column->locator, json_string(eb_time_format(c->seen_ms, time)));
    }
    json_decref(record);
    return out;
}

static bool take_change(void *ctx, const struct stage_change *change)
{
    struct chunk *c = ctx;
    size_t bytes = strlen(change->wanted->attributes) + 200;

    if (json_array_size(c->objects) > 0 && c->bytes + bytes > CHUNK_BYTES)
        return false;
    json_array_append_new(c->objects, datum(c, change->wanted));
    c->bytes += bytes;
    c->after = change->wanted->n;
    return true;
}

static bool gather(struct db *db, void *arg, struct eb_err *err)
{
    struct chunk *c = arg;

    json_decref(c->objects);
    c->objects = eb_need(json_array());
    c->bytes = 0;
    c->after = c->from;
    return stage_plan_each(db, &(struct stage_plan){ .kind = c->kind, .action = STAGE_CREATE, .level = -1 }, c->from, CHUNK_OBJECTS, take_change, c, err);
}

static void on_gathered(void *arg, const struct eb_err *err);

static void next_chunk(struct assets_load *l)
{
    struct chunk *c = eb_alloc(sizeof(*c));

    *c = (struct chunk){ .t = l->t, .load = l, .kind = kinds[l->kind], .from = l->after, .seen_ms = l->seen_ms };
    l->chunk = c;
    assets_job_begins(l->t);
    store_submit(l->t->x->stage, gather, c, on_gathered);
}

/* The same chunk of the same execution has the same name, so that a repeat is taken once. */
static void name_chunk(const struct assets_load *l, const char *what, char hex[EB_HEX_LEN])
{
    char *text = eb_asprintf("%s %s %d", l->data_link, what, l->chunks);

    eb_sha256_hex(text, strlen(text), hex);
    free(text);
}

static void send_chunk(struct assets_load *l, struct chunk *c)
{
    char name[EB_HEX_LEN];

    name_chunk(l, "chunk", name);
    l->after = c->after;
    l->sent += (int64_t)json_array_size(c->objects);
    ask(l, CHUNK, ASSETS_IMPORT_DATA, l->data_link,
        eb_need(json_pack("{s:{s:O}, s:s}", "data", c->kind == STAGE_GROUP ? "groups" : "users", c->objects, "clientGeneratedId", name)));
    l->chunks++;
}

static void complete(struct assets_load *l)
{
    char name[EB_HEX_LEN];

    name_chunk(l, "completed", name);
    ask(l, COMPLETE, ASSETS_IMPORT_DATA, l->data_link, eb_need(json_pack("{s:s, s:b}", "clientGeneratedId", name, "completed", 1)));
}

static void on_gathered(void *arg, const struct eb_err *err)
{
    struct chunk *c = arg;
    struct assets_load *l = c->load;

    if (!assets_job_ended(c->t) || l == NULL) {
        chunk_free(c);
        return;
    }
    l->chunk = NULL;
    if (err != NULL) {
        fail(l, err);
    } else if (json_array_size(c->objects) > 0) {
        send_chunk(l, c);
    } else if (++l->kind < EB_LEN(kinds)) {
        l->after = 0;
        next_chunk(l);
    } else {
        complete(l);
    }
    chunk_free(c);
}

/* ---- answers ---- */

static bool take_links(const struct assets_reply *r, const char *const *names, char **const *to, size_t count, struct eb_err *err)
{
    const json_t *links = json_object_get(r->body, "links");

    for (size_t i = 0; i < count; i++) {
        const char *link = eb_json_str(links, names[i]);
        if (link == NULL)
            return eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets gave no link %s for the import", names[i]);
        *to[i] = eb_strdup(link);
    }
    return true;
}

/* Words of Assets for why an import cannot begin, and what to do. */
static bool explain(const char *word, struct eb_err *err)
{
    static const struct { const char *word, *text; bool passes; } texts[] = {
        { "DISABLED", "the import source is switched off: switch it on in the schema's import configuration" },
        { "RUNNING", "an import of this source is under way", true },
        { "IN_PROGRESS", "an import of this source is under way", true },
        { "MISSING_MAPPING", "the import source has no mapping, though it was sent: look at the schema's import configuration" },
        { "INVALID_IMPORT_MODULE_KEY", "the token of assets.import_token is not one of an external import source (module rlabs-import-type-external)" },
    };
    char clean[64];

    for (size_t i = 0; i < EB_LEN(texts); i++)
        if (eb_streq(word, texts[i].word))
            return eb_fail(err, texts[i].passes ? EB_OVERLOADED : EB_INVALID_REQUEST, "The mass load could not begin (%s): %s.", word, texts[i].text);
    return eb_fail(err, EB_INVALID_REQUEST, "The mass load could not begin: Assets says %s.", eb_text_clean(word != NULL ? word : "nothing", clean, sizeof(clean)));
}

static void wait_ms(struct assets_load *l)
{
    l->poll_ms = l->poll_ms == 0 ? POLL_FIRST_MS : l->poll_ms * 2 < POLL_LAST_MS ? l->poll_ms * 2 : POLL_LAST_MS;
    eb_timer_set(l->timer, l->poll_ms);
}

static void start(struct assets_load *l)
{
    ask(l, START, ASSETS_IMPORT_START, l->start_link, NULL);
}

static char *background(const char *link)
{
    return eb_asprintf("%s%casync=true", link, strchr(link, '?') != NULL ? '&' : '?');
}

static void take_info(struct assets_load *l, const struct assets_reply *r)
{
    static const char *const names[] = { "getStatus", "start", "mapping" };
    char **const to[] = { &l->status_link, &l->start_link, &l->mapping_link };
    struct eb_err err = { 0 };

    if (take_links(r, names, to, EB_LEN(names), &err))
        ask(l, STATUS, ASSETS_IMPORT_STATUS, l->status_link, NULL);
    else
        fail(l, &err);
}

static void take_status(struct assets_load *l, const struct assets_reply *r)
{
    const char *status = eb_json_str(r->body, "status");
    struct eb_err err = { 0 };
    char *link;

    if (!eb_streq(status, "IDLE") && !eb_streq(status, "MISSING_MAPPING")) {
        (void)explain(status, &err);
        fail(l, &err);
        return;
    }
    link = background(l->mapping_link);
    ask(l, MAPPING, ASSETS_IMPORT_MAPPING_PUT, link, assets_mapping(l->t));
    free(link);
}

static void take_mapping(struct assets_load *l, const struct assets_reply *r)
{
    if (r->status != 303) {
        start(l);
        return;
    }
    free(l->mapping_progress);
    l->mapping_progress = eb_strdup(r->location);
    l->poll_ms = 0;
    ask(l, MAPPING_WAIT, ASSETS_IMPORT_MAPPING_PROGRESS, l->mapping_progress, NULL);
}

static void take_mapping_progress(struct assets_load *l, const struct assets_reply *r)
{
    const char *status = eb_json_str(r->body, "progressStatus"), *result = eb_json_str(r->body, "result");
    char clean[256];
    struct eb_err err = { 0 };

    if (!eb_streq(status, "FINISHED") && !eb_streq(status, "DONE") && result == NULL) {
        wait_ms(l);
        return;
    }
    if (eb_streq(result, "OK")) {
        start(l);
        return;
    }
    (void)eb_fail(&err, EB_INVALID_REQUEST, "Assets did not take the mapping of the import: %s",
                  eb_text_clean(eb_json_str(r->body, "resultMessage") != NULL ? eb_json_str(r->body, "resultMessage") : "it did not say why", clean, sizeof(clean)));
    fail(l, &err);
}

static void take_start(struct assets_load *l, const struct assets_reply *r)
{
    static const char *const names[] = { "cancel", "submitProgress", "submitResults", "getExecutionStatus" };
    char **const to[] = { &l->cancel_link, &l->progress_link, &l->data_link, &l->execution_link };
    struct eb_err err = { 0 };

    if (!take_links(r, names, to, EB_LEN(names), &err)) {
        fail(l, &err);
        return;
    }
    l->kept = true;
    l->keeping = keep_link(l->t, l, false, l->cancel_link);
}

static void on_kept(void *arg, const struct eb_err *err)
{
    struct keeping *k = arg;
    struct assets_load *l = k->load;

    if (!assets_job_ended(k->t) || l == NULL) {
        free(k->link);
        free(k);
        return;
    }
    l->keeping = NULL;
    if (l->ending)
        finish(l, &l->failure);
    else if (err != NULL)
        fail(l, err);
    else if (!k->reads)
        next_chunk(l);
    else if (k->link != NULL)
        ask(l, CANCEL_OLD, ASSETS_IMPORT_CANCEL, k->link, NULL);
    else
        ask(l, INFO, ASSETS_IMPORT_INFO, NULL, NULL);
    free(k->link);
    free(k);
}

static void take_chunk(struct assets_load *l)
{
    l->t->x->progress(l->t->x->run, PHASE, l->sent, -1);
    if (l->chunks % PROGRESS_EVERY == 1)
        ask(l, PROGRESS, ASSETS_IMPORT_PROGRESS, l->progress_link,
            eb_need(json_pack("{s:{s:i, s:i, s:s}, s:{s:I, s:I}}", "steps", "total", (int)EB_LEN(kinds), "current", (int)l->kind + 1, "description",
                              l->kind == 0 ? "Groups" : "Employees", "objects", "total", (json_int_t)l->sent, "processed", (json_int_t)l->sent)));
    else
        next_chunk(l);
}

/* What one object type's counters say went wrong, as faults. */
static void read_counters(struct assets_load *l, const json_t *result)
{
    static const struct { const char *name, *text; } bad[] = {
        { "duplicateEnries", "entries came twice" }, { "emptyExternalIdEntries", "entries have no id" }, { "emptyLabelEntries", "entries have no name" },
    };
    const char *type = eb_json_str(result, "objectTypeName"), *name;
    enum stage_kind kind = eb_streq(type, sync_kind_name(STAGE_GROUP)) ? STAGE_GROUP : STAGE_USER;
    const struct sync_context *x = l->t->x;
    json_t *value;
    char text[400], clean[300];

    for (size_t i = 0; i < EB_LEN(bad); i++)
        if (eb_json_int(result, bad[i].name, 0) > 0) {
            snprintf(text, sizeof(text), "%lld %s", (long long)eb_json_int(result, bad[i].name, 0), bad[i].text);
            x->fault(x->run, "import", kind, "", type != NULL ? type : "", text);
        }
    json_object_foreach(json_object_get(result, "errorMessages"), name, value) {
        char *said = json_is_string(value) ? eb_strdup(json_string_value(value)) : eb_json_text(value);
        snprintf(text, sizeof(text), "%.80s: %s", name, eb_text_clean(said != NULL ? said : "", clean, sizeof(clean)));
        free(said);
        x->fault(x->run, "import", kind, "", type != NULL ? type : "", text);
    }
}

static void take_execution(struct assets_load *l, const struct assets_reply *r)
{
    const char *status = eb_json_str(r->body, "status"), *name;
    json_t *results = json_object_get(json_object_get(r->body, "progressResult"), "objectTypeResultMap"), *result;
    struct eb_err err = { 0 };

    if (eb_streq(status, "INGESTING") || eb_streq(status, "PROCESSING")) {
        wait_ms(l);
        return;
    }
    free(l->cancel_link);           /* nothing is left to cancel */
    l->cancel_link = NULL;
    if (!eb_streq(status, "DONE")) {
        char clean[64];
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "The mass load ended as %s in Assets: what it made is found by the next reading.",
                      eb_text_clean(status != NULL ? status : "nothing that is known", clean, sizeof(clean)));
        finish(l, &err);
        return;
    }
    json_object_foreach(results, name, result)
        read_counters(l, result);
    finish(l, NULL);
}

/* A refusal that is the way on, or has words of its own. True: it was dealt with. */
static bool take_refusal(struct assets_load *l, const struct assets_reply *r)
{
    struct eb_err err = { 0 };
    char *link;

    if (l->step == CANCEL_OLD) {    /* it ended by itself */
        ask(l, INFO, ASSETS_IMPORT_INFO, NULL, NULL);
        return true;
    }
    if (l->step == CANCEL) {
        cancelled(l);
        return true;
    }
    if (l->step == PROGRESS) {      /* it is only for display */
        next_chunk(l);
        return true;
    }
    if (l->step == MAPPING && r->status == 409) {
        link = background(l->mapping_link);
        ask(l, MAPPING_ADD, ASSETS_IMPORT_MAPPING_PATCH, link, assets_mapping(l->t));
        free(link);
        return true;
    }
    if (l->step == START && r->status == 409) {
        (void)explain(eb_json_str(r->body, "errorCode"), &err);
        fail(l, &err);
        return true;
    }
    return false;
}

static void on_reply(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_load *l = ctx;

    (void)id;
    assets_counted(l->t, r, false);      /* what it made is counted by whoever wanted it */
    if (r->result != ASSETS_OK) {
        if (!take_refusal(l, r))
            fail(l, &r->err);
        return;
    }
    switch (l->step) {
    case CANCEL_OLD:   ask(l, INFO, ASSETS_IMPORT_INFO, NULL, NULL); break;
    case INFO:         take_info(l, r); break;
    case STATUS:       take_status(l, r); break;
    case MAPPING:
    case MAPPING_ADD:  take_mapping(l, r); break;
    case MAPPING_WAIT: take_mapping_progress(l, r); break;
    case START:        take_start(l, r); break;
    case CHUNK:        take_chunk(l); break;
    case PROGRESS:     next_chunk(l); break;
    case COMPLETE:
        l->poll_ms = 0;
        ask(l, EXECUTION, ASSETS_IMPORT_EXECUTION, l->execution_link, NULL);
        break;
    case EXECUTION:    take_execution(l, r); break;
    case CANCEL:       cancelled(l); break;
    }
}

static void on_timer(void *arg)
{
    struct assets_load *l = arg;

    if (l->step == MAPPING_WAIT)
        ask(l, MAPPING_WAIT, ASSETS_IMPORT_MAPPING_PROGRESS, l->mapping_progress, NULL);
    else
        ask(l, EXECUTION, ASSETS_IMPORT_EXECUTION, l->execution_link, NULL);
}

bool assets_loads(void *target, int64_t creations)
{
    struct assets_target *t = target;
    const struct config_sync *c = &t->x->config->sync;

    if (creations <= 0 || c->loading == CONFIG_LOAD_NEVER || !assets_imports(t->x->assets))
        return false;
    return c->loading == CONFIG_LOAD_ALWAYS || creations > c->load_above;
}

void assets_load_start(void *target, sync_done *done, void *ctx)
{
    struct assets_target *t = target;
    struct assets_load *l = eb_alloc(sizeof(*l));

    *l = (struct assets_load){ .t = t, .done = done, .ctx = ctx, .seen_ms = eb_now_ms() };
    l->timer = eb_timer_new(t->x->loop, on_timer, l);
    t->load = l;
    t->x->progress(t->x->run, PHASE, 0, -1);
    l->keeping = keep_link(t, l, true, NULL);
}
