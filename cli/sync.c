/* sync.c - `sync init|preview|run`: by the service where one runs on the store, else by this process; and how it ended. */
#include "cli/sync.h"

#include "base/text.h"
#include "cli/print.h"
#include "store/db.h"

#include <string.h>

/* ---- how it ended ---- */

static const struct { const char *outcome, *text; bool good; } endings[] = {
    { "succeeded", "is done", true },
    { "partial", "is done, with errors at some objects", false },
    { "held", "was held before it wrote anything", false },
    { "failed", "failed", false },
    { "stopped", "was stopped; the next run goes on from there", false },
    { "interrupted", "was interrupted; the next run goes on from there", false },
};

static const char *ending(const struct sync_run *r, bool *ret_good)
{
    *ret_good = false;
    for (size_t i = 0; i < EB_LEN(endings); i++)
        if (eb_streq(endings[i].outcome, r->outcome)) {
            *ret_good = endings[i].good;
            return endings[i].text;
        }
    return r->outcome;
}

static void say_message(const struct sync_run *r, FILE *out)
{
    char clean[2000];

    if (r->message != NULL && *r->message != '\0')
        fprintf(out, "%s\n", eb_text_clean(r->message, clean, sizeof clean));
}

static int print_end(const struct sync_follow *f, enum sync_what what)
{
    const struct sync_run *r = &f->row;
    bool good;
    const char *text = ending(r, &good);
    FILE *out = good ? stdout : stderr;

    if (f->cli->json)
        return print_json(sync_run_json(r)) && good ? CLI_DONE : CLI_FAILED;
    fprintf(out, "%sRun %lld (%s) %s.\n", good ? "" : "entrabridge: ", (long long)r->number, r->kind != NULL ? r->kind : "?", text);
    if (what != SYNC_RUN || !good)
        say_message(r, out);
    if (what == SYNC_RUN && !eb_streq(r->outcome, "held") && !eb_streq(r->outcome, "failed"))
        sync_print_fields(r, out);
    if (sync_run_count(r, "errors") > 0)
        fprintf(out, "`entrabridge sync show %lld` lists the errors.\n", (long long)r->number);
    return good ? CLI_DONE : CLI_FAILED;
}

/* Somebody has interrupted the waiting, or did not want to wait at all. */
static int print_left(const struct sync_follow *f)
{
    if (f->cli->json)
        return print_json(json_pack("{s:I}", "run", (json_int_t)f->number)) && !f->left ? CLI_DONE : CLI_FAILED;
    fprintf(f->left ? stderr : stdout, "%sRun %lld %s in the service; `entrabridge sync show %lld` tells how it ends.\n", f->left ? "entrabridge: " : "",
            (long long)f->number, f->left ? "goes on" : "has begun", (long long)f->number);
    return f->left ? CLI_FAILED : CLI_DONE;
}

static int finish(struct sync_follow *f, const struct sync_wish *w)
{
    bool good;

    if (w->background || !f->ended)
        return print_left(f);
    (void)ending(&f->row, &good);
    return w->what == SYNC_PREVIEW && good ? sync_preview_print(f) : print_end(f, w->what);
}

/* ---- the commands ---- */

static bool do_it(struct sync_follow *f, const struct sync_wish *w, bool *ret_misused, struct eb_err *err)
{
    bool served;

    if (!f->tool.config->assets.wanted)
        return eb_fail(err, EB_INVALID_REQUEST, "the configuration has no section `assets`, so that nothing is synchronized; `assets: {}` begins with defaults");
    if (!db_is_served(f->tool.config->store_url, &served, err))
        return false;
    *ret_misused = w->background && !served;
    if (*ret_misused)
        return true;
    return served ? sync_by_service(f, w, err) : sync_here(f, w, err);
}

static int command(struct cli *cli, const struct sync_wish *w)
{
    struct sync_follow f = { .cli = cli, .bar = progress_new(cli, "objects") };
    struct eb_err err = { 0 };
    bool misused = false;
    int code;

    if (!tool_open(cli, TOOL_NO_KEYS, &f.tool))
        return CLI_FAILED;
    bool good = do_it(&f, w, &misused, &err);
    if (misused)
        code = cli_misused(cli, "--background leaves the work to a service, and none runs on this store");
    else
        code = good ? finish(&f, w) : cli_failed(&err);
    sync_run_clear(&f.row);
    tool_close(&f.tool);
    return code;
}

int cli_sync_init(struct cli *cli)
{
    return command(cli, &(struct sync_wish){ .what = SYNC_INIT });
}

int cli_sync_preview(struct cli *cli)
{
    if (!sync_preview_usage(cli))
        return CLI_USAGE;
    return command(cli, &(struct sync_wish){ .what = SYNC_PREVIEW, .full = cli_value(cli, "full") != NULL });
}

int cli_sync_run(struct cli *cli)
{
    struct sync_wish w = { .what = SYNC_RUN, .full = cli_value(cli, "full") != NULL, .background = cli_value(cli, "background") != NULL };

    if (!tool_number(cli, "accept-removals", 0, 100000000, &w.accept_removals))
        return CLI_USAGE;
    return command(cli, &w);
}
