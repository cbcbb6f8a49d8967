/* entra_read.c - the loop's side of a reading: asks for pages, hands them to the staging thread, goes where that says.
 *
 * A page is asked for while the one before it is stored; not more than one, so that two pages are the most that memory holds. Which one comes next is only guessed
 * at from the bytes: the staging thread says it, and a page that was asked for wrongly is thrown away.
 * Owns: struct entra, the page that was asked for, the jobs. A source that is closed in the middle lives on until its jobs have come back.
 */
#include "sync/entra.h"

#include "graph/query.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_MS 60000
#define BATCH_MS 60000
#define BEGINNINGS_MAX 3        /* of one reading: links that are not good any more lead to a new one, but not for ever */

struct slot {                   /* the page that was asked for, or has come and waits */
    uint64_t id;
    char *url;                  /* NULL: none */
    bool arrived;
    char *body;
    size_t len;
    struct eb_err err;
};

struct job;
struct entra {
    const struct sync_context *x;
    struct entra_options *options;
    bool closed, storing;
    bool goes_on, all;          /* what this reading ends was begun earlier; everything was read, in whichever walk */
    int jobs, beginnings;
    uint64_t last_id;
    struct entra_place place;
    struct slot slot;
    struct job *batch;          /* under way with a batch */
    bool *ret_all;
    sync_done *done;
    void *ctx;
};

enum job_kind { JOB_BEGIN, JOB_PAGE, JOB_ACCOUNTS, JOB_ASKS, JOB_ANSWERS, JOB_COUNT };

struct job {
    struct entra *e;
    const struct entra_options *options;
    enum job_kind kind;
    bool all, anew;             /* BEGIN */
    char *body;                 /* PAGE, ACCOUNTS */
    size_t len;
    struct entra_asks asks;     /* what ASKS finds, and ANSWERS has asked */
    char *answers[GRAPH_BATCH_MAX];
    int64_t users;              /* COUNT */
    int64_t sent_ms;            /* when its batch went out */
    struct entra_place from, to;
    struct entra_faults faults;
};

static void act(struct entra *e);

/* ---- jobs ---- */

static void job_free(struct job *j)
{
    free(j->body);
    entra_asks_clear(&j->asks);
    for (int i = 0; i < GRAPH_BATCH_MAX; i++)
        free(j->answers[i]);
    entra_place_clear(&j->from);
    entra_place_clear(&j->to);
    entra_faults_clear(&j->faults);
    free(j);
}

/* May run twice: what it gives back is made anew each time, what it is given stays. */
static bool run_job(struct db *db, void *arg, struct eb_err *err)
{
    struct job *j = arg;
    const struct entra_options *o = j->options;
    struct eb_span body = { j->body, j->len };

    entra_faults_clear(&j->faults);
    entra_place_clear(&j->to);
    j->to = j->from;
    j->to.next = eb_strdup(j->from.next);
    switch (j->kind) {
    case JOB_BEGIN:
        entra_place_clear(&j->to);
        return entra_begin(db, o, j->all, j->anew, &j->to, err);
    case JOB_PAGE:
        return entra_page_store(db, o, &j->to, body, &j->faults, err);
    case JOB_ACCOUNTS:
        return entra_accounts_store(db, o, &j->to, body, &j->faults, err);
    case JOB_ASKS:
        entra_asks_clear(&j->asks);
        return entra_asks_next(db, o, &j->to, &j->asks, err);
    case JOB_ANSWERS:
        return entra_asks_store(db, o, &j->to, &j->asks, j->answers, &j->faults, err);
    case JOB_COUNT:
        return (j->to.phase == ENTRA_CHOOSE ? entra_choose : entra_compare)(db, o, &j->to, j->users, err);
    }
    return false;
}

static void entra_free(struct entra *e)
{
    entra_options_free(e->options);
    entra_place_clear(&e->place);
    free(e->slot.url);
    free(e->slot.body);
    free(e);
}

static void drop_slot(struct entra *e)
{
    graph_page_forget(e->x->graph, e, e->slot.id);
    free(e->slot.url);
    free(e->slot.body);
    e->slot = (struct slot){ 0 };
}

static void finish(struct entra *e, const struct eb_err *err)
{
    sync_done *done = e->done;

    drop_slot(e);
    e->done = NULL;
    *e->ret_all = e->all || e->place.all;
    done(e->ctx, err);          /* may close */
}

static void tell_faults(struct entra *e, const struct entra_faults *f)
{
    char *text;

    for (size_t i = 0; i < f->count; i++)
        e->x->fault(e->x->run, "read", f->items[i].kind, f->items[i].key, f->items[i].label, f->items[i].text);
    if (f->more == 0)
        return;
    text = eb_asprintf("%zu more items of this page were odd.", f->more);
    e->x->fault(e->x->run, "read", STAGE_UNKNOWN, "", "", text);
    free(text);
}

static struct job *job_new(struct entra *e, enum job_kind kind)
{
    struct job *j = eb_alloc(sizeof(*j));

    j->e = e;
    j->options = e->options;
    j->kind = kind;
    j->from = e->place;
    j->from.next = eb_strdup(e->place.next);
    return j;
}

static void send_batch(struct entra *e, struct job *asked);
static void job_done(void *arg, const struct eb_err *err);

static void submit(struct job *j)
{
    j->e->jobs++;
    j->e->storing = true;
    store_submit(j->e->x->stage, run_job, j, job_done);
}

static void begin(struct entra *e, bool all, bool anew)
{
    struct job *j = job_new(e, JOB_BEGIN);

    e->beginnings++;
    j->all = all;
    j->anew = anew;
    submit(j);
}

/* A link that is not good any more, or changes that tell too little: everything is read anew. */
static void fail(struct entra *e, const struct eb_err *err)
{
    if (err->code == EB_NOT_THERE && e->beginnings < BEGINNINGS_MAX) {
        drop_slot(e);
        begin(e, true, true);
    } else {
        finish(e, err);
    }
}

static void job_done(void *arg, const struct eb_err *err)
{
    struct job *j = arg;
    struct entra *e = j->e;

    e->jobs--;
    e->storing = false;
    if (e->closed) {
        job_free(j);
        if (e->jobs == 0)
            entra_free(e);
        return;
    }
    if (err != NULL) {
        job_free(j);
        fail(e, err);
        return;
    }
    tell_faults(e, &j->faults);
    entra_place_clear(&e->place);
    e->place = j->to;
    j->to = (struct entra_place){ 0 };
    *e->ret_all = e->all || e->place.all;
    if (j->kind == JOB_BEGIN)
        e->goes_on = e->place.goes_on;
    if (j->kind == JOB_ASKS && j->asks.count > 0)
        send_batch(e, j);       /* takes it */
    else {
        job_free(j);
        act(e);
    }
}

/* ---- pages of Graph ---- */

static bool is_changes(enum entra_phase phase)
{
    return phase == ENTRA_USERS_CHANGED || phase == ENTRA_GROUPS_CHANGED;
}

static void on_page(void *ctx, uint64_t id, const struct graph_page_reply *r);

static void ask(struct entra *e, char *url)
{
    e->slot = (struct slot){ .id = ++e->last_id, .url = url };
    graph_page_get(e->x->graph, url, is_changes(e->place.phase), PAGE_MS, e->slot.id, on_page, e);
}

/* Stores the page that has come, and asks for the next one meanwhile. */
static void consume(struct entra *e)
{
    struct slot s = e->slot;
    struct job *j;

    e->slot = (struct slot){ 0 };
    free(s.url);
    if (s.err.code != EB_OK) {
        free(s.body);
        fail(e, &s.err);
        return;
    }
    j = job_new(e, JOB_PAGE);
    j->body = s.body;
    j->len = s.len;
    char *ahead = entra_page_peek((struct eb_span){ s.body, s.len });
    submit(j);
    if (ahead != NULL)
        ask(e, ahead);
}

static void on_page(void *ctx, uint64_t id, const struct graph_page_reply *r)
{
    struct entra *e = ctx;

    (void)id;
    e->x->counts->graph_calls += r->result != GRAPH_NOT_SENT;
    e->x->counts->throttled_ms += r->throttled_ms;
    e->slot.arrived = true;
    e->slot.err = r->err;
    if (r->result == GRAPH_OK) {
        e->slot.err.code = EB_OK;
        e->slot.len = r->body.len;
        e->slot.body = eb_need(malloc(r->body.len + 1));
        memcpy(e->slot.body, r->body.p, r->body.len);
    }
    if (!e->storing)
        consume(e);
}

static char *first_path(const struct entra *e)
{
    const struct entra_options *o = e->options;

    switch (e->place.phase) {
    case ENTRA_LATEST: return graph_query_users_latest(o->users_select);
    case ENTRA_USERS: return graph_query_users_list(o->users_select);
    case ENTRA_GROUPS: return graph_query_groups_list(o->groups_select);
    default: return NULL;
    }
}

static void want_page(struct entra *e)
{
    char *url = e->place.next != NULL ? eb_strdup(e->place.next) : first_path(e);

    if (url != NULL && eb_streq(url, e->slot.url)) {
        free(url);
        if (e->slot.arrived)
            consume(e);
        return;
    }
    if (e->slot.url != NULL)
        drop_slot(e);
    if (url != NULL) {
        ask(e, url);
        return;
    }
    struct eb_err err = { 0 };
    (void)eb_fail(&err, EB_INVALID_REQUEST, "The attributes that sync asks Entra for are no list of names: check sync.attributes and sync.filters.");
    finish(e, &err);
}

/* ---- pages of Jira ---- */

static void on_accounts(void *ctx, uint64_t id, const struct jira_page_reply *r)
{
    struct entra *e = ctx;
    struct job *j;

    (void)id;
    e->x->counts->jira_calls++;
    e->x->counts->throttled_ms += r->throttled_ms;
    if (r->err.code != EB_OK) {
        fail(e, &r->err);
        return;
    }
    j = job_new(e, JOB_ACCOUNTS);
    j->len = r->body.len;
    j->body = eb_need(malloc(r->body.len + 1));
    memcpy(j->body, r->body.p, r->body.len);
    submit(j);
}

/* ---- batches ---- */

/* How many users there are: "$count" is a text, with a mark before it where the service puts one. False: it is not. */
static bool count_of(const json_t *body, int64_t *ret)
{
    const char *text = json_string_value(body);

    *ret = json_is_integer(body) ? json_integer_value(body) : -1;
    if (text != NULL) {
        text += strcspn(text, "0123456789");
        *ret = *text != '\0' ? strtoll(text, NULL, 10) : -1;
    }
    return *ret >= 0;
}

/* Nobody of that id is an answer to a look, or to a question whether somebody is still there; of everything else a failure fails the reading: who was not read must not seem to be gone. */
static bool take_answers(struct job *j, const struct graph_reply *items, int count, struct eb_err *err)
{
    if (count != (j->kind == JOB_COUNT ? 1 : j->asks.count))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph answered another batch than was asked.");
    for (int i = 0; i < count; i++) {
        const struct graph_reply *r = &items[i];
        bool nobody = r->result == GRAPH_REFUSED && r->status == 404 && (j->from.phase == ENTRA_LOOK || j->from.phase == ENTRA_CONFIRM);
        if (r->status == 429)
            j->e->x->counts->throttled_ms += eb_mono_ms() - j->sent_ms;
        if (r->result != GRAPH_OK && !nobody) {
            *err = r->err;
            if (err->code == EB_NOT_THERE)
                err->code = EB_ENTRA_UNAVAILABLE;
            return false;
        }
        if (j->kind == JOB_COUNT && !count_of(r->body, &j->users))
            return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph did not say how many users there are.");
        if (j->kind != JOB_COUNT && !nobody)
            j->answers[i] = eb_need(eb_json_text(r->body));
    }
    return true;
}

static void on_batch(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *batch_err)
{
    struct job *j = ctx;
    struct entra *e = j->e;
    struct eb_err err = { 0 };

    (void)id;
    e->batch = NULL;
    e->x->counts->graph_calls++;
    if (batch_err != NULL)
        err = *batch_err;
    if (batch_err == NULL && take_answers(j, items, count, &err)) {
        submit(j);
        return;
    }
    job_free(j);
    fail(e, &err);
}

/* The job is under way with the batch, and with its answers goes to the staging thread. */
static void send_batch(struct entra *e, struct job *j)
{
    struct graph_batch *b = graph_batch_new();

    entra_place_clear(&j->from);
    j->from = e->place;
    j->from.next = eb_strdup(e->place.next);
    if (j->kind == JOB_ASKS)
        j->kind = JOB_ANSWERS;
    if (j->kind == JOB_COUNT) {
        char *path = graph_query_users_count();
        graph_batch_get(b, path);
        free(path);
    }
    for (int i = 0; i < j->asks.count; i++)
        graph_batch_get(b, j->asks.paths[i]);
    graph_batch_for(b, GRAPH_SYNC, NULL);
    j->sent_ms = eb_mono_ms();
    e->batch = j;
    graph_batch_send(e->x->graph, b, BATCH_MS, e->last_id, on_batch, j);
}

/* ---- where it goes on ---- */

static const char *const phase_texts[ENTRA_PHASES] = {
    [ENTRA_ACCOUNTS] = "reading accounts", [ENTRA_CHOOSE] = "reading users", [ENTRA_LATEST] = "reading users", [ENTRA_USERS] = "reading users",
    [ENTRA_USERS_CHANGED] = "reading changes of users", [ENTRA_LOOK] = "reading users", [ENTRA_ASK] = "reading users by mail",
    [ENTRA_COMPARE] = "counting users", [ENTRA_CONFIRM] = "looking for users that were not listed",
    [ENTRA_GROUPS_CHANGED] = "reading changes of groups", [ENTRA_GROUPS] = "reading groups", [ENTRA_DONE] = "read",
};

/* What an earlier run has begun tells the directory as it was then: what changed since is read after it. */
static void walked(struct entra *e)
{
    if (!e->goes_on) {
        finish(e, NULL);
        return;
    }
    e->all = e->all || e->place.all;
    drop_slot(e);
    begin(e, false, false);
}

/* Does it ask Graph for pages of a list? */
static bool is_paged(enum entra_phase phase)
{
    switch (phase) {
    case ENTRA_LATEST:
    case ENTRA_USERS:
    case ENTRA_USERS_CHANGED:
    case ENTRA_GROUPS:
    case ENTRA_GROUPS_CHANGED:
        return true;
    default:
        return false;
    }
}

static void act(struct entra *e)
{
    enum entra_phase phase = e->place.phase;

    e->x->progress(e->x->run, phase_texts[phase] != NULL ? phase_texts[phase] : "reading", e->place.done, -1);
    if (!is_paged(phase))           /* a page that was asked for early may have been guessed wrongly: it must not come in between */
        drop_slot(e);
    switch (phase) {
    case ENTRA_ACCOUNTS:
        jira_users_page(e->x->jira, e->place.next != NULL ? strtoll(e->place.next, NULL, 10) : 0, ++e->last_id, on_accounts, e);
        break;
    case ENTRA_CHOOSE:
    case ENTRA_COMPARE:
        send_batch(e, job_new(e, JOB_COUNT));
        break;
    case ENTRA_LOOK:
    case ENTRA_ASK:
    case ENTRA_CONFIRM:
        submit(job_new(e, JOB_ASKS));
        break;
    case ENTRA_IDLE:
    case ENTRA_DONE:
    case ENTRA_PHASES:
        walked(e);
        break;
    default:
        want_page(e);
        break;
    }
}

void entra_read(void *source, enum sync_reading how, bool *ret_all, sync_done *done, void *ctx)
{
    struct entra *e = source;

    e->ret_all = ret_all;
    e->done = done;
    e->ctx = ctx;
    e->beginnings = 0;
    e->all = false;
    begin(e, how == SYNC_READ_ALL, false);
}

/* ---- the source ---- */

const struct entra_options *entra_options_of(const void *source)
{
    return ((const struct entra *)source)->options;
}

static void *entra_open(const struct sync_context *x)
{
    struct entra *e = eb_alloc(sizeof(*e));

    e->x = x;
    e->options = entra_options_new(&x->config->sync, x->schema);
    return e;
}

static void entra_close(void *source)
{
    struct entra *e = source;

    if (e == NULL)
        return;
    drop_slot(e);
    jira_forget(e->x->jira, e, e->last_id);
    if (e->batch != NULL) {
        graph_page_forget(e->x->graph, e->batch, e->last_id);
        job_free(e->batch);
    }
    if (e->jobs > 0)
        e->closed = true;
    else
        entra_free(e);
}

const struct sync_source sync_source_entra = { "entra", entra_open, entra_close, entra_read, entra_project, entra_notes };
