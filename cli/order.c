/* order.c - an order for the running service: put in, waited for.
 *
 * Invariant: an order that nobody has taken when we stop waiting is withdrawn: nothing happens later that nobody waits for.
 */
#include "cli/order.h"
#include "base/clock.h"
#include "store/order.h"

#include <time.h>

#define LOOK_MS 100
#define NOBODY_MS 3000                  /* then it is asked whether a service runs at all */
#define WAIT_MS 60000

struct asking {
    struct tool *tool;
    const char *kind, *data;
    int64_t number, began_ms;
    bool asked;                         /* whether a service runs */
    json_t *answer;
};

static bool put(struct db *db, void *arg, struct eb_err *err)
{
    struct asking *u = arg;

    return order_put(db, u->kind, u->data, eb_now_ms(), &u->number, err);
}

static bool withdraw(struct db *db, void *arg, struct eb_err *err)
{
    struct asking *u = arg;
    bool gone;

    if (!order_withdraw(db, u->number, &gone, err))
        return false;
    u->number = gone ? 0 : u->number;
    return true;
}

/* Nobody has taken it. False: nobody will, or we have waited for long enough. */
static bool wait_on(struct asking *u, struct eb_err *err)
{
    int64_t waited_ms = eb_mono_ms() - u->began_ms;
    bool served = true;

    if (waited_ms < NOBODY_MS)
        return true;
    if (!u->asked && !db_is_served(u->tool->config->store_url, &served, err))
        return false;
    u->asked = true;
    if (served && waited_ms < WAIT_MS)
        return true;
    if (!db_transact(u->tool->db, withdraw, u, err))
        return false;
    if (u->number != 0)
        return true;                    /* taken at the last moment */
    return eb_fail(err, EB_OVERLOADED, served ? "the service does not take it up; its log says why. Nothing was done"
                                              : "no service runs on this store, and only a service calls the clouds: start `entrabridge serve`, then say this "
                                                "again. Nothing was done");
}

/* What the service says of it. */
static bool look_at_order(struct asking *u, bool *ret_known, struct eb_err *err)
{
    struct order o = { 0 };

    *ret_known = false;
    if (!order_get(u->tool->db, u->number, &o, err))
        return false;
    if (o.answer == NULL) {
        order_clear(&o);
        return wait_on(u, err);
    }
    u->answer = json_loads(o.answer, 0, NULL);
    order_clear(&o);
    *ret_known = true;
    return u->answer != NULL || eb_fail(err, EB_INTERNAL, "the service's answer cannot be read");
}

void order_pause(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000L }, NULL);
}

static bool await_answer(struct asking *u, const char *late, struct eb_err *err)
{
    bool known = false;

    u->began_ms = eb_mono_ms();
    while (look_at_order(u, &known, err)) {
        if (known)
            return true;
        if (eb_mono_ms() - u->began_ms > 2 * WAIT_MS)
            return eb_fail(err, EB_OVERLOADED, "the service has taken it up and does not say more; %s", late);
        order_pause();
    }
    return false;
}

bool order_ask(struct tool *tool, const char *kind, const char *data, const char *late, json_t **ret_answer, struct eb_err *err)
{
    struct asking u = { .tool = tool, .kind = kind, .data = data };

    if (!db_transact(tool->db, put, &u, err) || !await_answer(&u, late, err))
        return false;
    *ret_answer = u.answer;
    return true;
}

bool order_refused(const json_t *answer, struct eb_err *err)
{
    const char *code = eb_json_str(answer, "code"), *message = eb_json_str(answer, "message");

    return code != NULL && !eb_fail(err, eb_code_parse(code), "%s", message != NULL ? message : code);
}
