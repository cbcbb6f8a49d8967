/* recover.c - `recover --after-restore`: what an operator does once after a backup of the database was put back.
 *
 * The database is opened as a service does, so that none runs meanwhile and none can start. Everything is one transaction.
 */
#include "auth/auth.h"
#include "base/text.h"
#include "cli/print.h"
#include "cli/tool.h"
#include "ops/restored.h"

#include <string.h>
#include <unistd.h>

struct recovery { const struct config *config; struct auth_keys *keys; struct db *db; char by[80]; struct ops_restored done; };

static bool open_all(struct recovery *r, struct eb_err *err)
{
    return auth_keys_open(r->config->keys_directory, false, &r->keys, err) && db_open(r->config->store_url, DB_SERVE, &r->db, err);
}

static bool settle(struct db *db, void *arg, struct eb_err *err)
{
    struct recovery *r = arg;

    ops_restored_clear(&r->done);
    return ops_restored_settle(db, r->keys, r->config->keys_directory, r->by, &r->done, err);
}

/* ---- asking ---- */

static void print_look(const struct position_look *l, FILE *out)
{
    char stands[32], known[32];

    fprintf(out, "The database stands at %lld (last audit row %lld, %s).\n", (long long)l->database.number, (long long)l->database.audit,
            print_time(l->database.time_ms, stands));
    if (l->verdict == POSITION_GOOD)
        fputs("It is not behind what this installation knows. Go on only if you know that it was restored all the same, together with its keys.\n", out);
    else if (l->known.number > 0)
        fprintf(out, "This installation had come to %lld (last audit row %lld, %s).\n", (long long)l->known.number, (long long)l->known.audit,
                print_time(l->known.time_ms, known));
}

static bool ask(const struct position_look *l)
{
    char answer[16] = "";

    print_look(l, stderr);
    fputs("Everything that is open in it will be ended as unknown, and is not done again. Type yes to go on: ", stderr);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin) != NULL && strcmp(answer, "yes\n") == 0;
}

/* ---- telling ---- */

static json_t *position_json(const struct position *p)
{
    return json_pack("{s:I, s:I}", "position", (json_int_t)p->number, "auditRows", (json_int_t)p->audit);
}

static int print_for_programs(const struct ops_restored *d)
{
    return print_json(json_pack("{s:O, s:O, s:O, s:O, s:O, s:I, s:I, s:I, s:I, s:o, s:o}", "operations", d->operations, "scheduled", d->scheduled,
                                "ends", d->ends, "revoked", d->revoked, "younger", d->younger, "comments", (json_int_t)d->comments,
                                "orders", (json_int_t)d->orders, "secrets", (json_int_t)d->secrets, "lostAuditRows", (json_int_t)d->lost_rows,
                                "backup", position_json(&d->look.database), "known", position_json(&d->look.known))) ? CLI_DONE : CLI_FAILED;
}

/* One line for each thing, whatever list it stands in. */
static void add_rows(struct table *t, const char *what, const json_t *list, const char *id, const char *name, const char *when)
{
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o) {
        const char *cells[] = { what, eb_json_str(o, id), eb_json_str(o, name), eb_json_str(o, "issue"), eb_json_str(o, when) };
        table_add(t, cells);
    }
}

static int print_for_people(const struct ops_restored *d)
{
    static const char *const heads[] = { "WHAT", "ID", "NAME", "ISSUE", "TIME", NULL };
    struct table *t = table_new(heads);

    add_rows(t, "ended as unknown", d->operations, "operation", "name", "accepted");
    add_rows(t, "still to come", d->scheduled, "operation", "name", "at");
    add_rows(t, "membership ends", d->ends, "operation", "user", "expiresAt");
    add_rows(t, "token revoked again", d->revoked, "id", "name", "revoked");
    add_rows(t, "token not known", d->younger, "id", "name", "made");
    table_end(t, "Nothing was open in it.");
    printf("\n%zu operations were ended as unknown: look in Entra whether they were done. %zu scheduled ones and %zu ends of memberships stay: see that they are still meant.\n",
           json_array_size(d->operations), json_array_size(d->scheduled), json_array_size(d->ends));
    printf("%zu tokens were revoked again, %zu made after the backup are refused for good: make new ones.\n", json_array_size(d->revoked),
           json_array_size(d->younger));
    printf("%lld comments are searched for before they are posted. %lld orders of the command line are not carried out. %lld one-time links open nothing any more.\n",
           (long long)d->comments, (long long)d->orders, (long long)d->secrets);
    printf("At least %lld audit rows are lost; the chain goes on from row %lld. The service can be started now.\n", (long long)d->lost_rows,
           (long long)d->look.database.audit);
    return CLI_DONE;
}

/* ---- the command ---- */

static int recover(struct cli *cli, struct recovery *r)
{
    struct position_look l;
    struct eb_err err = { 0 };

    if (!open_all(r, &err) || !position_look(r->db, r->config->keys_directory, &l, &err))
        return cli_failed(&err);
    if (cli_value(cli, "yes") == NULL && !isatty(STDIN_FILENO))
        return cli_misused(cli, "there is no terminal to ask at: say --yes");
    if (cli_value(cli, "yes") == NULL && !ask(&l)) {
        fputs("Nothing was done.\n", stderr);
        return CLI_FAILED;
    }
    tool_who(r->by);
    if (!db_transact(r->db, settle, r, &err))
        return cli_failed(&err);
    if (!position_renewed(r->config->keys_directory, &r->done.now, &err))
        cli_failed(&err);               /* the next start does it; what matters is on disk */
    return cli->json ? print_for_programs(&r->done) : print_for_people(&r->done);
}

int cli_recover(struct cli *cli)
{
    struct recovery r = { 0 };
    struct config *config = NULL;

    if (!tool_config(cli, CONFIG_SHAPE, &config))
        return CLI_FAILED;
    r.config = config;
    int code = recover(cli, &r);
    ops_restored_clear(&r.done);
    if (r.db != NULL)
        db_close(r.db);
    auth_keys_free(r.keys);
    config_unref(config);
    return code;
}
