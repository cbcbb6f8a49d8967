/* orders.c - what the command line asks of the synchronization, while a service runs: an order that ops/ takes up and hands over.
 *
 * The answer tells the number of the run; the run itself is followed in the history.
 */
#include "sync/orders.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[] = { [SYNC_RUN] = "run", [SYNC_PREVIEW] = "preview", [SYNC_INIT] = "init" };

struct asked { struct sync_orders *orders; int64_t number; LIST_ENTRY(asked) link; };

struct sync_orders { struct sync *sync; struct ops *ops; LIST_HEAD(, asked) asked; };

static void answer(struct sync_orders *o, int64_t number, int64_t run, const struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) body = err == NULL ? json_pack("{s:I}", "run", (json_int_t)run)
                                                    : json_pack("{s:s, s:s}", "code", eb_code_text(err->code), "message", err->text);

    ops_order_answered(o->ops, number, body);
}

static void begun(void *ctx, int64_t run, const struct eb_err *err)
{
    struct asked *a = ctx;

    answer(a->orders, a->number, run, err);
    if (err != NULL) {
        LIST_REMOVE(a, link);
        free(a);
    }
}

static void ended(void *ctx, const struct sync_run *r)
{
    struct asked *a = ctx;

    (void)r;
    LIST_REMOVE(a, link);
    free(a);
}

static void asked(void *ctx, int64_t number, const json_t *data)
{
    struct sync_orders *o = ctx;
    const char *what = eb_json_str(data, "what"), *by = eb_json_str(data, "by");
    struct sync_order order = { .full = eb_json_bool(data, "full", false), .accept_removals = eb_json_int(data, "acceptRemovals", 0), .by = by != NULL ? by : "unknown" };
    struct eb_err err = { 0 };
    size_t i = 0;

    while (i < EB_LEN(words) && !eb_streq(words[i], what))
        i++;
    if (i == EB_LEN(words)) {
        (void)eb_fail(&err, EB_INVALID_REQUEST, "The order is incomplete.");
        answer(o, number, 0, &err);
        return;
    }
    order.what = (enum sync_what)i;
    struct asked *a = eb_alloc(sizeof *a);
    a->orders = o;
    a->number = number;
    LIST_INSERT_HEAD(&o->asked, a, link);
    sync_run(o->sync, &order, begun, ended, a);
}

struct sync_orders *sync_orders_new(struct sync *s, struct ops *ops)
{
    struct sync_orders *o = eb_alloc(sizeof *o);

    o->sync = s;
    o->ops = ops;
    LIST_INIT(&o->asked);
    ops_on_order(ops, "sync", asked, o);
    return o;
}

void sync_orders_free(struct sync_orders *o)
{
    struct asked *a;

    if (o == NULL)
        return;
    while ((a = LIST_FIRST(&o->asked)) != NULL) {
        LIST_REMOVE(a, link);
        free(a);
    }
    free(o);
}
