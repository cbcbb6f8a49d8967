/* reveal.c - the page behind a link to a secret: what stands behind it, and its opening, once.
 *
 * Invariant: done() has the value only after the table, the audit and the outbox say on disk that it was opened. A crash or a lost
 * connection in between loses the value; nothing shows it a second time.
 */
#include "ops/secret.h"

#include "base/metrics.h"
#include "base/text.h"
#include "ops/runner.h"
#include "store/audit.h"
#include "store/outbox.h"
#include "store/secret_table.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 1000                /* jobs of the store: past it a link is answered with 503, whoever sends them */

static struct eb_metric links = { "entrabridge_secret_links_total", "Requests for one-time links to secrets, by what came of them", EB_COUNTER, { "result" } };

struct reveal_job {
    struct ops *ops;
    struct ops_secret_link link;        /* its key is wiped: the hash does */
    bool open;
    uint64_t exchange;
    ops_secret_done *done;
    void *ctx;
    struct secret_row secret;
    struct journal_row operation;       /* its strings are NULL where the journal does not know it any more */
    char *value;
};

static void forget_results(struct reveal_job *j)
{
    secret_row_clear(&j->secret);
    journal_row_clear(&j->operation);
    eb_wipe_free(j->value);
    j->value = NULL;
}

static const char *phrase(const char *what)
{
    return strcmp(what, OPS_SECRET_ACCESS_PASS) == 0 ? "temporary access pass" : what;
}

/* For people, without the value. */
static char *comment(const struct reveal_job *j)
{
    char when[EB_TIME_LEN], *text = eb_asprintf("The %s of operation %s was opened at %s. It cannot be opened again.", phrase(j->secret.what),
                                                j->secret.operation, eb_time_format(j->secret.opened_ms, when));
    EB_AUTO(json_t, json_decref) doc = json_pack("{s:s, s:i, s:[{s:s, s:{s:s}, s:[{s:s, s:[{s:s, s:s}]}]}]}", "type", "doc", "version", 1,
        "content", "type", "panel", "attrs", "panelType", "info", "content", "type", "paragraph", "content", "type", "text", "text", text);
    char *adf = eb_json_text(doc);

    free(text);
    return adf;
}

static bool note_audit(struct db *db, const struct reveal_job *j, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:s, s:s?, s:s?}", "what", j->secret.what, "secret", j->secret.id,
                                                  "name", j->operation.kind, "issue", j->operation.issue_key);
    char *text = eb_json_text(data);
    bool good = audit_add(db, auth_key(j->ops->parts.keys, "audit"), j->secret.opened_ms, "secret.opened", j->secret.operation, text, NULL, err);

    free(text);
    return good;
}

static bool note_issue(struct db *db, const struct reveal_job *j, struct eb_err *err)
{
    int64_t now_ms = j->secret.opened_ms;

    if (j->operation.issue_id == NULL)
        return true;
    char *adf = comment(j);
    bool good = outbox_put(db, j->secret.operation, j->operation.issue_id, "opened", adf, now_ms, now_ms, NULL, err);
    free(adf);
    return good;
}

static bool read_operation(struct db *db, struct reveal_job *j, struct eb_err *err)
{
    struct eb_err e = { 0 };

    if (journal_get(db, j->secret.operation, NULL, &j->operation, &e) || e.code == EB_OPERATION_NOT_FOUND)
        return true;
    *err = e;
    return false;
}

static bool look_job(struct db *db, void *arg, struct eb_err *err)
{
    struct reveal_job *j = arg;

    forget_results(j);
    return secret_look(db, j->link.id, j->link.hash, eb_now_ms(), &j->secret, err) && read_operation(db, j, err);
}

static bool open_job(struct db *db, void *arg, struct eb_err *err)
{
    struct reveal_job *j = arg;

    forget_results(j);
    return secret_open(db, j->link.id, j->link.hash, eb_now_ms(), &j->secret, err) && read_operation(db, j, err) &&
           ops_secret_unseal(j->ops->parts.keys, j->secret.operation, j->secret.what, j->secret.sealed, &j->value, err) &&
           note_audit(db, j, err) && note_issue(db, j, err);
}

static void refuse(uint64_t exchange, const struct eb_err *err, ops_secret_done *done, void *ctx)
{
    eb_metric_add(&links, 1, err->code == EB_NOT_THERE ? "refused" : "failed", NULL, NULL);
    if (err->code != EB_NOT_THERE)
        eb_error(NULL, "a secret cannot be shown: %s", err->text);
    done(ctx, exchange, NULL, err);
}

static void show(struct reveal_job *j)
{
    const struct ops_secret_page page = {
        .operation = j->secret.operation, .kind = j->operation.kind, .what = j->secret.what, .token_name = j->operation.token_name,
        .issue = j->operation.issue_key, .expires_ms = j->secret.expires_ms, .value = j->value,
    };

    eb_metric_add(&links, 1, j->open ? "opened" : "seen", NULL, NULL);
    if (j->open) {
        eb_info(j->secret.operation, "secret opened what=%s", j->secret.what);
        poster_wake(j->ops->poster);
    }
    j->done(j->ctx, j->exchange, &page, NULL);
}

static void revealed(void *arg, const struct eb_err *err)
{
    struct reveal_job *j = arg;

    if (err != NULL)
        refuse(j->exchange, err, j->done, j->ctx);
    else
        show(j);
    forget_results(j);
    free(j);
}

static void submit(struct ops *o, const char *id, const char *key, bool open, uint64_t exchange, ops_secret_done *done, void *ctx)
{
    struct ops_secret_link link;
    struct eb_err err = { 0 };

    if (!ops_secret_link_read(id, key, &link))
        (void)eb_fail(&err, EB_NOT_THERE, "This link opens nothing.");
    else if (store_queue_length(o->parts.store) >= WAITING_MAX)
        (void)eb_fail(&err, EB_OVERLOADED, "The database has too much to do.");
    if (err.code != EB_OK) {
        refuse(exchange, &err, done, ctx);
        return;
    }
    struct reveal_job *j = eb_alloc(sizeof(*j));
    *j = (struct reveal_job){ .ops = o, .link = link, .open = open, .exchange = exchange, .done = done, .ctx = ctx };
    memset(j->link.key, 0, sizeof(j->link.key));
    ops_secret_link_wipe(&link);
    store_submit(o->parts.store, open ? open_job : look_job, j, revealed);
}

void ops_secret_look(struct ops *o, const char *id, const char *key, uint64_t exchange, ops_secret_done *done, void *ctx)
{
    submit(o, id, key, false, exchange, done, ctx);
}

void ops_secret_open(struct ops *o, const char *id, const char *key, uint64_t exchange, ops_secret_done *done, void *ctx)
{
    submit(o, id, key, true, exchange, done, ctx);
}

const char *ops_secret_origin(const struct ops *o, char *out, size_t size)
{
    return ops_secret_origin_of(o->config->public_url, out, size);
}

/* ---- expired ones ---- */

#define FORGET "forget_secrets"
#define FORGET_EVERY_MS 600000
#define FORGET_MOST 100                 /* in one transaction: others wait behind it */

struct forget_job { struct ops *ops; int64_t gone; };

static bool forget_job(struct db *db, void *arg, struct eb_err *err)
{
    struct forget_job *j = arg;

    return secret_forget(db, eb_now_ms(), FORGET_MOST, &j->gone, err);
}

static void forgotten(void *arg, const struct eb_err *err)
{
    struct forget_job *j = arg;
    bool more = err == NULL && j->gone == FORGET_MOST;

    if (err != NULL)
        eb_warn(NULL, "expired secrets were not deleted: %s", err->text);
    schedule_done(j->ops->parts.schedule, FORGET, "expired", eb_now_ms() + (more ? 1000 : FORGET_EVERY_MS));
    free(j);
}

static void forget(void *ctx, const char *subject, int64_t due_ms)
{
    struct ops *o = ctx;
    struct forget_job *j = eb_alloc(sizeof(*j));

    (void)subject;
    (void)due_ms;
    j->ops = o;
    store_submit(o->parts.store, forget_job, j, forgotten);
}

void ops_secret_register(struct ops *o)
{
    schedule_register(o->parts.schedule, FORGET, forget, o);
}

void ops_secret_begin(struct ops *o)
{
    schedule_put(o->parts.schedule, FORGET, "expired", eb_now_ms());
}
