/* orders.c - what the command line asks of the service: orders, taken up from the store.
 *
 * The command line reads the database itself; what changes Entra goes through here, so that one process alone does it. The answer says that the
 * operation is in the journal, or why not; how it ends is read from there.
 * Owns: the look under way and its timer. An order that is taken and not answered is found again after a crash.
 */
#include "ops/explain.h"
#include "ops/undo.h"
#include "base/text.h"
#include "store/order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TAKE_MOST 16
#define WAIT_READY_MS 1000
#define TOO_OLD_MS (10 * 60000LL)       /* who asked does not wait any more */

#define OTHERS_MOST 4

struct orders {
    struct ops *ops;
    struct { const char *kind; ops_order_fn *fn; void *ctx; } others[OTHERS_MOST];      /* carried out by other rooms */
    size_t other_count;
    struct eb_timer *timer;
    bool looking, again, looked;        /* looked: those that an earlier process had taken are known */
};

struct take_job { struct orders *orders; bool first; struct order rows[TAKE_MOST]; size_t count; };

/* ---- answering ---- */

struct answer_job { int64_t number; char *text; };

static bool answer_job(struct db *db, void *arg, struct eb_err *err)
{
    struct answer_job *j = arg;

    return order_answer(db, j->number, j->text, err);
}

static void answered(void *arg, const struct eb_err *err)
{
    struct answer_job *j = arg;

    if (err != NULL)
        eb_error(NULL, "order %lld of the command line could not be answered: %s", (long long)j->number, err->text);
    free(j->text);
    free(j);
}

void orders_answer_body(struct ops *o, int64_t number, const json_t *body)
{
    struct answer_job *j = eb_alloc(sizeof *j);

    j->number = number;
    j->text = eb_json_text(body);
    store_submit(o->parts.store, answer_job, j, answered);
}

void orders_answer(struct ops *o, int64_t number, const char *operation, const struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) body = err == NULL ? json_pack("{s:s}", "operation", operation)
                                                    : json_pack("{s:s, s:s}", "code", eb_code_text(err->code), "message", err->text);

    orders_answer_body(o, number, body);
}

void ops_order_answered(struct ops *o, int64_t number, const json_t *body)
{
    orders_answer_body(o, number, body);
}

void ops_on_order(struct ops *o, const char *kind, ops_order_fn *fn, void *ctx)
{
    struct orders *orders = o->orders;

    assert(orders->other_count < OTHERS_MOST);
    orders->others[orders->other_count].kind = kind;
    orders->others[orders->other_count].fn = fn;
    orders->others[orders->other_count++].ctx = ctx;
}

/* ---- taking up ---- */

static void refuse(struct ops *o, const struct order *r, const char *why)
{
    struct eb_err err = { 0 };

    eb_fail(&err, EB_INVALID_REQUEST, "%s", why);
    orders_answer(o, r->number, NULL, &err);
}

static void undo(struct ops *o, const struct order *r, const json_t *data)
{
    const struct undo_order undo = {
        .number = r->number, .operation = eb_json_str(data, "operation"), .id = eb_json_str(data, "id"), .by = eb_json_str(data, "by"),
        .body = json_object_get(data, "body"),
    };

    if (undo.operation == NULL || undo.id == NULL || !eb_is_guid(undo.id) || undo.by == NULL || undo.body == NULL)
        refuse(o, r, "The order is incomplete.");
    else
        undo_by_order(o, &undo);
}

static void explain(struct ops *o, const struct order *r, const json_t *data)
{
    explain_by_order(o, r->number, data);
}

/* A pin was released: names are bound anew, as at a reload. */
static void bind_names(struct ops *o, const struct order *r, const json_t *data)
{
    directory_bind(o->parts.directory, o->config);
    orders_answer(o, r->number, "", NULL);
}

static void carry_out(struct ops *o, const struct order *r)
{
    static const struct { const char *kind; void (*carry_out)(struct ops *o, const struct order *r, const json_t *data); } kinds[] = {
        { "undo", undo }, { "explain", explain }, { "bind", bind_names },
    };
    EB_AUTO(json_t, json_decref) data = json_loads(r->data, 0, NULL);

    if (r->taken_ms == 0 && eb_now_ms() - r->made_ms > TOO_OLD_MS) {
        refuse(o, r, "The order waited for too long and was not carried out.");
        return;
    }
    for (size_t i = 0; i < EB_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, r->kind) == 0) {
            kinds[i].carry_out(o, r, data);
            return;
        }
    for (size_t i = 0; i < o->orders->other_count; i++)
        if (strcmp(o->orders->others[i].kind, r->kind) == 0) {
            o->orders->others[i].fn(o->orders->others[i].ctx, r->number, data);
            return;
        }
    refuse(o, r, "This version of the service does not know such an order.");
}

static bool keep(void *ctx, const struct order *r)
{
    struct take_job *j = ctx;

    j->rows[j->count++] = (struct order){ r->number, r->made_ms, r->taken_ms, eb_strdup(r->kind), eb_strdup(r->data), NULL };
    return j->count < TAKE_MOST;
}

static void drop_rows(struct take_job *j)
{
    for (size_t i = 0; i < j->count; i++)
        order_clear(&j->rows[i]);
    j->count = 0;
}

static bool take_job(struct db *db, void *arg, struct eb_err *err)
{
    struct take_job *j = arg;

    drop_rows(j);
    return order_take(db, eb_now_ms(), j->first, TAKE_MOST, keep, j, err);
}

static void taken(void *arg, const struct eb_err *err)
{
    struct take_job *j = arg;
    struct orders *orders = j->orders;

    orders->looking = false;
    if (err == NULL) {
        /* More of an earlier process would be found here again and again: so many at once were never put in. */
        orders->looked = true;
        orders->again |= j->count == TAKE_MOST;
        for (size_t i = 0; i < j->count; i++)
            carry_out(orders->ops, &j->rows[i]);
    }
    if (err != NULL || orders->again)
        eb_timer_set(orders->timer, err != NULL ? WAIT_READY_MS : 0);
    orders->again = false;
    drop_rows(j);
    free(j);
}

static void look(void *arg)
{
    struct orders *orders = arg;
    struct ops *o = orders->ops;

    if (o->draining)
        return;
    if (orders->looking) {
        orders->again = true;
        return;
    }
    if (!ops_ready(o, NULL)) {          /* they wait in the store until operations are taken */
        eb_timer_set(orders->timer, WAIT_READY_MS);
        return;
    }
    struct take_job *j = eb_alloc(sizeof *j);
    j->orders = orders;
    j->first = !orders->looked;
    orders->looking = true;
    store_submit(o->parts.store, take_job, j, taken);
}

void orders_wake(struct ops *o)
{
    look(o->orders);
}

void orders_new(struct ops *o)
{
    o->orders = eb_alloc(sizeof *o->orders);
    o->orders->ops = o;
    o->orders->timer = eb_timer_new(o->parts.loop, look, o->orders);
}

void orders_free(struct ops *o)
{
    if (o->orders == NULL)
        return;
    eb_timer_free(o->orders->timer);
    free(o->orders);
}
