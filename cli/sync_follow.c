/* sync_follow.c - an order for the running service, and the run that it becomes, followed in the history.
 *
 * Who wants a run while one is under way is shown that one: there is never a second. Who wants more of it (everything read, removals let through) is refused.
 * Invariant: whoever stops looking stops nothing: the run is the service's, and the command says where its end is to be seen.
 */
#include "cli/sync.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/order.h"
#include "store/db.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SERVED_MS 3000              /* so often it is asked whether the service still runs */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    interrupted = 1;
}

/* The first one is ours; a second one ends the command at once. */
static void catch_interrupt(void)
{
    struct sigaction a = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

    interrupted = 0;
    sigaction(SIGINT, &a, NULL);
}

bool sync_follow_look(struct sync_follow *f, struct eb_err *err)
{
    sync_run_clear(&f->row);
    if (!sync_run_get(f->tool.db, f->number, &f->row, err))
        return false;
    f->ended = f->row.outcome != NULL;
    if (!f->ended)
        progress_phase(&f->bar, f->row.phase, f->row.done, f->row.total, eb_mono_ms());
    return true;
}

static char *order_text(const struct sync_wish *w)
{
    static const char *const words[] = { [SYNC_RUN] = "run", [SYNC_PREVIEW] = "preview", [SYNC_INIT] = "init" };
    char who[80];
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:b, s:i, s:s}", "what", words[w->what], "full", (int)w->full,
                                                  "acceptRemovals", w->accept_removals, "by", tool_who(who));

    return data != NULL ? eb_json_text(data) : NULL;
}

/* The order was refused. Is a run under way that does what is wanted? Its number, else 0. */
static int64_t joined(struct sync_follow *f, const struct sync_wish *w, const struct eb_err *refused)
{
    struct eb_err err = { 0 };
    struct sync_run r = { 0 };
    bool found = false, plain = w->what == SYNC_RUN && !w->full && !w->background && w->accept_removals == 0;

    if (!plain || refused->code != EB_OVERLOADED || !sync_run_open(f->tool.db, &r, &found, &err))
        return 0;
    int64_t number = found && (eb_streq(r.kind, "full") || eb_streq(r.kind, "delta")) ? r.number : 0;
    sync_run_clear(&r);
    if (number > 0)
        fprintf(stderr, "entrabridge: Run %lld is under way already, and there is one at a time: this is that one.\n", (long long)number);
    return number;
}

static bool put_order(struct sync_follow *f, const struct sync_wish *w, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) answer = NULL;
    char *data = order_text(w);

    bool asked = data != NULL ? order_ask(&f->tool, "sync", data, "`entrabridge sync status` may tell more, later", &answer, err)
                              : eb_fail(err, EB_INTERNAL, "the order could not be written");
    free(data);
    if (!asked)
        return false;
    bool refused = order_refused(answer, err);
    f->number = refused ? joined(f, w, err) : eb_json_int(answer, "run", 0);
    return f->number > 0 || (!refused && eb_fail(err, EB_INTERNAL, "the service's answer names no run"));
}

static bool still_served(struct sync_follow *f, int64_t *asked_ms, struct eb_err *err)
{
    bool served = true;

    if (eb_mono_ms() - *asked_ms < SERVED_MS)
        return true;
    *asked_ms = eb_mono_ms();
    if (!db_is_served(f->tool.config->store_url, &served, err))
        return false;
    return served || eb_fail(err, EB_SHUTTING_DOWN, "the service has stopped; its next start goes on with run %lld", (long long)f->number);
}

static bool follow(struct sync_follow *f, struct eb_err *err)
{
    int64_t asked_ms = eb_mono_ms();
    bool good;

    while ((good = sync_follow_look(f, err) && (f->ended || still_served(f, &asked_ms, err))) && !f->ended && !f->left) {
        order_pause();
        f->left = interrupted != 0;
    }
    progress_clear(&f->bar);
    return good;
}

bool sync_by_service(struct sync_follow *f, const struct sync_wish *w, struct eb_err *err)
{
    catch_interrupt();
    return put_order(f, w, err) && (w->background ? sync_follow_look(f, err) : follow(f, err));
}
