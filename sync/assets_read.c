/* assets_read.c - reads what Assets holds: all objects of our types, page by page, into the staging file.
 *
 * The next page is asked for while the last one is parsed on the staging thread, one page ahead and not more. Then rows that no page had are looked at one
 * by one: the index behind AQL may lag, and an object that it forgets must not be made a second time. At last references that pointed ahead are mended.
 * Any error ends the reading: what was put stays, nothing is removed for it. Nor is anything where most of what was known seems to be gone: an account that
 * lost its role is told that objects are not there, as if they were deleted.
 * Owns: struct assets_read from start to done; a job on the staging thread outlives it if it must.
 */
#include "sync/assets_target.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PHASE "reading Assets"
#define PAGE 200
#define PAGE_LEAST 25               /* where an answer was too large to be taken or parsed, smaller pages are asked for */
#define UNSEEN 20                   /* looked at side by side */
#define MEND 2000
#define FEW 20                      /* so many may go at once, whatever their share */
#define WALK 1000000
#define READ_MS 60000
#define LAST_PAGE "\"isLast\":true" /* a hint only: whether it is worth asking ahead */

enum { CALL_PAGE = 1, CALL_UNSEEN = 2 /* and as many as are looked at */ };
enum what { JOB_BEGIN, JOB_PAGE, JOB_UNSEEN, JOB_SETTLE, JOB_REMOVE, JOB_MEND };

struct unseen { enum stage_kind kind; char *key, *object_id, *body; bool gone; };
struct gone { STAILQ_ENTRY(gone) link; enum stage_kind kind; char key[40]; };
STAILQ_HEAD(gones, gone);

struct job {
    struct assets_target *t;
    struct assets_read *read;       /* NULL: it was given up meanwhile */
    enum what what;
    enum stage_kind kind;
    struct assets_rows rows;
    struct eb_buf bytes;            /* JOB_PAGE */
    int64_t count, total;
    bool last, malformed;
    int64_t from, after;            /* JOB_UNSEEN, JOB_MEND: behind which row; where to go on */
    int64_t foreign;                /* JOB_MEND: of the whole reading */
    bool more;
    struct unseen unseen[UNSEEN];
    size_t unseen_count;
    int64_t known;                  /* JOB_BEGIN */
    struct gones gones;             /* JOB_REMOVE */
};

struct assets_read {
    struct assets_target *t;
    int64_t generation;
    sync_done *done;
    void *ctx;
    struct job *job;                /* under way on the staging thread */
    size_t kind;                    /* of kinds[] */
    int64_t start;                  /* the page wanted next */
    int64_t step;                   /* objects on the last page: the next begins so much later, unless it was shorter */
    int size;
    bool asked;                     /* a page is under way or held */
    int64_t asked_start;
    struct eb_buf held;             /* it came while the one before was parsed */
    int64_t objects, total, foreign;
    int64_t known;                  /* rows from before */
    struct gones gones;             /* of them, whose objects are not there any more, or not ours; removed when that is known of all */
    int64_t gone_count;
    int64_t after;
    struct job *looked;             /* the batch of unseen rows whose objects are asked for */
    size_t answers;
};

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };     /* users refer to groups: most references are known when they come */

static void ask_page(struct assets_read *d, int64_t start);
static void submit(struct assets_read *d, enum what what, struct job *job);
static void submit_from(struct assets_read *d, enum what what, int64_t from);

static void gones_free(struct gones *list)
{
    struct gone *g;

    while ((g = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, link);
        free(g);
    }
}

static void job_free(struct job *j)
{
    gones_free(&j->gones);
    for (size_t i = 0; i < j->unseen_count; i++) {
        free(j->unseen[i].key);
        free(j->unseen[i].object_id);
        free(j->unseen[i].body);
    }
    eb_buf_free(&j->bytes);
    free(j);
}

void assets_read_free(struct assets_target *t)
{
    struct assets_read *d = t->read;

    if (d == NULL)
        return;
    t->read = NULL;
    assets_forget(t->x->assets, d, CALL_PAGE);
    for (uint64_t i = 0; i < UNSEEN; i++)
        assets_forget(t->x->assets, d, CALL_UNSEEN + i);
    if (d->job != NULL)
        d->job->read = NULL;
    if (d->looked != NULL)
        job_free(d->looked);
    gones_free(&d->gones);
    eb_buf_free(&d->held);
    free(d);
}

static void finish(struct assets_read *d, const struct eb_err *err)
{
    sync_done *done = d->done;
    void *ctx = d->ctx;
    struct eb_err copy = err != NULL ? *err : (struct eb_err){ 0 };

    assets_read_free(d->t);
    done(ctx, err != NULL ? &copy : NULL);
}

/* ---- on the staging thread ---- */

struct putting { struct job *job; struct db *db; bool refused /* by the staging file, not by the parser */; };

static bool put_object(void *ctx, const json_t *object, struct eb_err *err)
{
    struct putting *p = ctx;

    p->refused = !assets_row_put(&p->job->rows, p->db, p->job->kind, object, err);
    return !p->refused;
}

static bool put_page(struct job *j, struct db *db, struct eb_err *err)
{
    struct putting p = { j, db, false };
    json_t *rest = NULL;
    bool ok = assets_page_each((struct eb_span){ j->bytes.data, j->bytes.len }, put_object, &p, &rest, &j->count, err);

    j->malformed = !ok && !p.refused;
    j->last = eb_json_bool(rest, "isLast", eb_json_bool(rest, "last", false));
    j->total = eb_json_int(rest, "total", -1);
    json_decref(rest);
    if (j->malformed)
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets answered with something that is not a page of objects: check assets.api_url");
    return ok;
}

static bool gather_unseen(void *ctx, const struct stage_target *s)
{
    struct job *j = ctx;

    j->after = s->n;
    if (s->object_id != NULL)           /* one in doubt is settled by whoever sent it */
        j->unseen[j->unseen_count++] = (struct unseen){ .kind = s->kind, .key = eb_strdup(s->key), .object_id = eb_strdup(s->object_id) };
    j->more = j->unseen_count == UNSEEN;
    return !j->more;
}

static void forget_unseen(struct job *j)
{
    while (j->unseen_count > 0) {
        j->unseen_count--;
        free(j->unseen[j->unseen_count].key);
        free(j->unseen[j->unseen_count].object_id);
    }
}

/* One that was looked at and is there: it is read as it is now. Its row is to go where it turns out to be another's object. */
static bool settle(struct job *j, struct db *db, struct unseen *u, struct eb_err *err)
{
    json_t *object = NULL;
    bool ok;

    if (u->body == NULL)
        return true;
    if (!eb_json_parse_reply((struct eb_span){ u->body, strlen(u->body) }, &object, err))
        return false;
    ok = assets_row_put(&j->rows, db, u->kind, object, err);
    u->gone = strcmp(j->rows.key, u->key) != 0;
    json_decref(object);
    return ok;
}

static bool remove_gone(struct job *j, struct db *db, struct eb_err *err)
{
    const struct gone *g;

    STAILQ_FOREACH(g, &j->gones, link)
        if (!stage_target_remove(db, g->kind, g->key, err))
            return false;
    return true;
}

static bool begin(struct job *j, struct db *db, struct eb_err *err)
{
    j->known = 0;
    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        int64_t count = 0;
        if (!stage_target_count(db, kinds[k], false, &count, err))
            return false;
        j->known += count;
    }
    return stage_notes_clear(db, ASSETS_NOTES, err);
}

static bool note_foreign(struct job *j, struct db *db, struct eb_err *err)
{
    char text[256];

    if (j->foreign == 0)
        return true;
    snprintf(text, sizeof(text), "%lld objects of our object types have no Entra id: they are not ours and are left alone.", (long long)j->foreign);
    return stage_note_put(db, ASSETS_NOTES, "", "", text, err);
}

static bool work(struct db *db, void *arg, struct eb_err *err)
{
    struct job *j = arg;
    bool ok = true;

    j->rows = (struct assets_rows){ .t = j->t, .generation = j->rows.generation };      /* it may be run twice */
    j->after = j->from;
    switch (j->what) {
    case JOB_BEGIN:
        return begin(j, db, err);
    case JOB_PAGE:
        return put_page(j, db, err);
    case JOB_UNSEEN:
        forget_unseen(j);
        j->more = false;
        return stage_target_unseen(db, j->rows.generation, j->from, WALK, gather_unseen, j, err);
    case JOB_SETTLE:
        for (size_t i = 0; i < j->unseen_count && ok; i++)
            ok = settle(j, db, &j->unseen[i], err);
        return ok;
    case JOB_REMOVE:
        return remove_gone(j, db, err);
    case JOB_MEND:
        return assets_rows_mend(&j->rows, db, &j->after, MEND, &j->more, err) && (j->more || note_foreign(j, db, err));
    }
    return true;
}

/* ---- pages ---- */

static void on_page(void *ctx, uint64_t id, const struct assets_reply *r);

static void ask_page(struct assets_read *d, int64_t start)
{
    json_t *body = assets_aql(d->t, kinds[d->kind], NULL);

    d->asked = true;
    d->asked_start = start;
    assets_send(d->t->x->assets, &(struct assets_call){ .kind = ASSETS_AQL, .start = start, .size = d->size, .body = body, .deadline_ms = READ_MS }, CALL_PAGE,
                on_page, d);
    json_decref(body);
}

static void drop_page(struct assets_read *d)
{
    assets_forget(d->t->x->assets, d, CALL_PAGE);
    eb_buf_reset(&d->held);
    d->asked = false;
}

/* The held page goes to the staging thread; the one after it is asked for. */
static void parse_held(struct assets_read *d)
{
    struct job *j = eb_alloc(sizeof(*j));
    bool ahead = d->step > 0 && memmem(d->held.data, d->held.len, LAST_PAGE, strlen(LAST_PAGE)) == NULL;

    STAILQ_INIT(&j->gones);
    j->bytes = d->held;
    j->kind = kinds[d->kind];
    d->held = EB_BUF(MiB(16));
    d->asked = false;
    submit(d, JOB_PAGE, j);
    if (ahead)
        ask_page(d, d->start + d->step);
}

/* An answer too large, or not to be parsed: smaller pages, from where we are. */
static bool shrink(struct assets_read *d)
{
    if (d->size <= PAGE_LEAST)
        return false;
    d->size /= 2;
    d->step = 0;
    drop_page(d);
    ask_page(d, d->start);
    return true;
}

static void on_page(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_read *d = ctx;

    (void)id;
    assets_counted(d->t, r, false);
    if (r->result == ASSETS_IN_DOUBT && d->job != NULL) {      /* it was asked for ahead: once more when its turn has come */
        d->asked = false;
        return;
    }
    if (r->result == ASSETS_IN_DOUBT && shrink(d))
        return;
    if (r->result != ASSETS_OK) {
        finish(d, &r->err);
        return;
    }
    if (!eb_buf_add(&d->held, r->bytes.p, r->bytes.len)) {
        finish(d, &(struct eb_err){ .code = EB_INTERNAL, .where = __func__, .text = "a page of objects is too large" });
        return;
    }
    if (d->job == NULL)
        parse_held(d);
}

static void page_done(struct assets_read *d, const struct job *j)
{
    struct eb_err err = { 0 };

    d->objects += j->count;
    d->foreign += j->rows.foreign;
    d->t->x->counts->warnings += j->rows.doubles;
    if (d->start == 0 && j->total > 0)
        d->total += j->total;
    d->t->x->progress(d->t->x->run, PHASE, d->objects, d->total >= d->objects ? d->total : -1);
    if (!j->last && j->count == 0) {
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Assets gave an empty page of objects before the last one.");
        finish(d, &err);
        return;
    }
    d->step = j->count;
    d->start += j->count;
    if (j->last) {
        drop_page(d);
        d->start = d->step = 0;
        if (++d->kind == EB_LEN(kinds)) {
            submit_from(d, JOB_UNSEEN, 0);
            return;
        }
    } else if (d->asked && d->asked_start != d->start) {
        drop_page(d);
    }
    if (!d->asked)
        ask_page(d, d->start);
    else if (d->held.len > 0)
        parse_held(d);
}

/* ---- rows that no page had ---- */

static void on_unseen(void *ctx, uint64_t id, const struct assets_reply *r);

static void look(struct assets_read *d, struct job *j)
{
    d->answers = 0;
    d->looked = j;
    for (size_t i = 0; i < j->unseen_count; i++)
        assets_send(d->t->x->assets, &(struct assets_call){ .kind = ASSETS_OBJECT, .a = j->unseen[i].object_id, .deadline_ms = ASSETS_LONG_MS },
                    CALL_UNSEEN + i, on_unseen, d);
}

/* Only a 404 says that it is gone. */
static void on_unseen(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct assets_read *d = ctx;
    struct job *j = d->looked;
    struct unseen *u = &j->unseen[id - CALL_UNSEEN];
    struct eb_err err = r->err;

    assets_counted(d->t, r, false);
    u->gone = r->result == ASSETS_REFUSED && r->status == 404;
    if (r->result == ASSETS_OK && eb_streq(eb_json_str(r->body, "id"), u->object_id))
        u->body = eb_need(eb_json_text(r->body));
    else if (r->result == ASSETS_OK)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Assets answered with another object than was asked for");
    if (!u->gone && err.code != EB_OK) {
        finish(d, &err);
        return;
    }
    if (++d->answers < j->unseen_count)
        return;
    d->looked = NULL;
    submit(d, JOB_SETTLE, j);
}

/* Takes note of what is gone. False: it is too much to be true. */
static bool take_gone(struct assets_read *d, const struct job *j, struct eb_err *err)
{
    for (size_t i = 0; i < j->unseen_count; i++) {
        if (!j->unseen[i].gone)
            continue;
        struct gone *g = eb_alloc(sizeof(*g));
        g->kind = j->unseen[i].kind;
        snprintf(g->key, sizeof(g->key), "%s", j->unseen[i].key);
        STAILQ_INSERT_TAIL(&d->gones, g, link);
        d->gone_count++;
    }
    if (d->known <= FEW || d->gone_count * 2 <= d->known)
        return true;
    return eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets shows less than half of the %lld objects of ours that were there: most likely the account of jira.api_token has lost its role "
                   "in the schema %s, or no longer sees all of it. Give it the role back. Nothing was changed. If somebody has deleted them on purpose, remove the staging file "
                   "(sync.stage) while nothing runs: the next run then makes them anew.", (long long)d->known, d->t->x->config->assets.schema_key);
}

static void remove_all(struct assets_read *d)
{
    struct job *j = eb_alloc(sizeof(*j));

    STAILQ_INIT(&j->gones);
    STAILQ_CONCAT(&j->gones, &d->gones);
    submit(d, JOB_REMOVE, j);
}

/* ---- the walk ---- */

static void next(struct assets_read *d, struct job *j)
{
    struct eb_err err = { 0 };

    switch (j->what) {
    case JOB_BEGIN:
        d->known = j->known;
        ask_page(d, 0);
        break;
    case JOB_PAGE:
        page_done(d, j);
        break;
    case JOB_UNSEEN:
        d->after = j->after;
        if (j->unseen_count > 0)
            look(d, j);
        else
            remove_all(d);
        break;
    case JOB_SETTLE:
        d->foreign += j->rows.foreign;
        if (take_gone(d, j, &err))
            submit_from(d, JOB_UNSEEN, d->after);
        else
            finish(d, &err);
        break;
    case JOB_REMOVE:
        submit_from(d, JOB_MEND, 0);
        break;
    case JOB_MEND:
        if (j->more)
            submit_from(d, JOB_MEND, j->after);
        else
            finish(d, NULL);
        break;
    }
}

static void on_job(void *arg, const struct eb_err *err)
{
    struct job *j = arg;
    struct assets_read *d = j->read;
    bool looked;

    if (!assets_job_ended(j->t) || d == NULL) {
        job_free(j);
        return;
    }
    d->job = NULL;
    if (err != NULL && !(j->what == JOB_PAGE && j->malformed && shrink(d)))
        finish(d, err);
    else if (err == NULL) {
        looked = j->what == JOB_UNSEEN && j->unseen_count > 0;     /* kept for what its objects answer */
        next(d, j);
        if (looked)
            return;
    }
    job_free(j);
}

static void submit(struct assets_read *d, enum what what, struct job *j)
{
    j->t = d->t;
    j->read = d;
    j->what = what;
    j->rows.generation = d->generation;
    j->foreign = d->foreign;
    d->job = j;
    assets_job_begins(d->t);
    store_submit(d->t->x->stage, work, j, on_job);
}

static void submit_from(struct assets_read *d, enum what what, int64_t from)
{
    struct job *j = eb_alloc(sizeof(*j));

    STAILQ_INIT(&j->gones);
    j->from = from;
    submit(d, what, j);
}

void assets_read_start(void *target, int64_t generation, sync_done *done, void *ctx)
{
    struct assets_target *t = target;
    struct assets_read *d = eb_alloc(sizeof(*d));

    *d = (struct assets_read){ .t = t, .generation = generation, .done = done, .ctx = ctx, .size = PAGE, .held = EB_BUF(MiB(16)) };
    STAILQ_INIT(&d->gones);
    t->read = d;
    t->x->progress(t->x->run, PHASE, 0, -1);
    submit_from(d, JOB_BEGIN, 0);
}
