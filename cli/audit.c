/* audit.c - `audit verify|erase`. */
#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_anchor.h"
#include "cli/audit_since.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "store/audit.h"
#include "store/position.h"

#include <stdlib.h>
#include <string.h>

/* ---- verify ---- */

struct verdict { struct audit_tally tally; struct position_look look; bool chain, anchors_read; struct eb_err chain_err, anchors_err; struct anchors anchors; };

/* Rows that this installation has written and the database does not hold: it was restored, and nobody has said so yet. */
static int64_t rows_behind(const struct verdict *v)
{
    int64_t behind = v->look.known.audit - v->look.database.audit;

    return v->look.verdict == POSITION_BEHIND && behind > 0 ? behind : 0;
}

static bool whole(const struct verdict *v, bool anchors)
{
    return v->chain && v->look.verdict != POSITION_BEHIND && (!anchors || (v->anchors_read && v->anchors.faults == 0));
}

static int verify_for_programs(const struct verdict *v, bool anchors)
{
    json_t *answer = json_pack("{s:b, s:I, s:I}", "whole", (int)whole(v, anchors), "rows", (json_int_t)v->tally.rows, "erased", (json_int_t)v->tally.erased);

    if (v->tally.recoveries > 0)
        json_object_set_new(answer, "restored", json_pack("{s:I, s:I}", "times", (json_int_t)v->tally.recoveries, "lostRows", (json_int_t)v->tally.lost));
    if (v->look.verdict == POSITION_BEHIND)
        json_object_set_new(answer, "rowsBehind", json_integer((json_int_t)rows_behind(v)));
    if (!v->chain)
        json_object_set_new(answer, "fault", json_string(v->chain_err.text));
    if (anchors && v->anchors_read)
        json_object_set_new(answer, "anchors", json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "comments", (json_int_t)v->anchors.seen,
                            "good", (json_int_t)v->anchors.good, "waiting", (json_int_t)v->anchors.waiting, "textErased", (json_int_t)v->anchors.erased,
                            "anchoredUpTo", (json_int_t)v->anchors.anchored, "faultCount", (json_int_t)v->anchors.faults, "faults", v->anchors.details));
    else if (anchors)
        json_object_set_new(answer, "anchorsFault", json_string(v->anchors_err.text));
    return print_json(answer) && whole(v, anchors) ? CLI_DONE : CLI_FAILED;
}

static enum anchor_state state_of(const json_t *detail)
{
    for (enum anchor_state s = ANCHOR_NONE; s <= ANCHOR_OTHER_TEXT; s++)
        if (eb_streq(eb_json_str(detail, "fault"), anchor_state_text(s)))
            return s;
    return ANCHOR_NONE;
}

static void print_faults(const struct anchors *a)
{
    static const char *const heads[] = { "ROW", "OPERATION", "ISSUE", "COMMENT", "WHAT IS WRONG", NULL };
    struct table *t = table_new(heads);
    size_t i;
    json_t *d;

    json_array_foreach(a->details, i, d) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)eb_json_int(d, "row", 0));
        const char *cells[] = { number, eb_json_str(d, "operation"), eb_json_str(d, "issue"), eb_json_str(d, "comment"), anchor_state_help(state_of(d)) };
        table_add(t, cells);
    }
    table_end(t, "");
    if (a->faults > ANCHOR_FAULTS_MAX)
        printf("... and %lld more.\n", (long long)(a->faults - ANCHOR_FAULTS_MAX));
}

static void print_anchors(const struct anchors *a)
{
    if (a->faults > 0)
        print_faults(a);
    printf("%lld of %lld comments in Jira agree with their rows", (long long)a->good, (long long)a->seen);
    if (a->erased > 0)
        printf(" (of %lld the text is not compared: it was erased)", (long long)a->erased);
    if (a->waiting > 0)
        printf("; %lld wait to be posted", (long long)a->waiting);
    printf(".\nJira vouches for the rows up to %lld, the newest is %lld.\n", (long long)a->anchored, (long long)a->last);
}

static void print_restored(const struct verdict *v)
{
    if (v->tally.recoveries > 0)
        printf("The database was restored from a backup %lld time%s and the chain continued from there; at least %lld rows of before are lost. "
               "The rows with the event " AUDIT_RECOVER_EVENT " say when and by whom.\n", (long long)v->tally.recoveries, v->tally.recoveries == 1 ? "" : "s",
               (long long)v->tally.lost);
    if (v->look.verdict == POSITION_BEHIND)
        fprintf(stderr, "entrabridge: The database is an older copy: %lld audit rows that this installation has written after it are not in it.\n",
                (long long)rows_behind(v));
}

static int verify_for_people(const struct verdict *v, bool anchors)
{
    if (v->chain) {
        printf("%lld audit rows, whole and unchanged", (long long)v->tally.rows);
        if (v->tally.erased > 0)
            printf("; personal values were erased from %lld of them", (long long)v->tally.erased);
        puts(".");
    } else {
        cli_failed(&v->chain_err);
    }
    print_restored(v);
    if (anchors && v->anchors_read)
        print_anchors(&v->anchors);
    else if (anchors)
        cli_failed(&v->anchors_err);
    return whole(v, anchors) ? CLI_DONE : CLI_FAILED;
}

/* The chain first, and the anchors even if it is broken: they tell which rows were rewritten. */
int cli_audit_verify(struct cli *cli)
{
    struct verdict v = { 0 };
    bool anchors = cli_value(cli, "anchors") != NULL;
    struct tool tool;
    int64_t since_ms;

    if (!audit_since(cli_value(cli, "since"), &since_ms))
        return cli_misused(cli, AUDIT_SINCE_HELP);
    if (!anchors && cli_value(cli, "since") != NULL)
        return cli_misused(cli, "--since is for --anchors: the chain is always walked from its begin");
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    struct progress bar = progress_new(cli, "rows");
    struct eb_err err = { 0 };
    if (!position_look(tool.db, tool.config->keys_directory, &v.look, &err))
        cli_failed(&err);               /* the chain can be walked all the same */
    v.chain = audit_verify(tool.db, auth_key(tool.keys, "audit"), &v.tally, progress_show, &bar, &v.chain_err);
    progress_clear(&bar);
    if (anchors)
        v.anchors_read = anchors_check(cli, tool.db, since_ms, &v.anchors, &v.anchors_err);
    tool_close(&tool);
    int code = cli->json ? verify_for_programs(&v, anchors) : verify_for_people(&v, anchors);
    anchors_clear(&v.anchors);
    return code;
}

/* ---- erase ---- */

#define CONFIRM "erase"
struct erasure { const struct tool *tool; char by[80]; const int64_t *numbers; size_t count; };

static bool erase_some(struct db *db, void *arg, struct eb_err *err)
{
    const struct erasure *e = arg;

    return audit_erase(db, auth_key(e->tool->keys, "audit"), eb_now_ms(), e->by, e->numbers, e->count, err);
}

/* In portions, so that a running service is not held up for long. */
static bool erase_all(const struct tool *tool, const struct audit_found *f, struct eb_err *err)
{
    struct erasure e = { .tool = tool };

    tool_who(e.by);
    for (size_t done = 0; done < f->count; done += e.count) {
        e.numbers = f->numbers + done;
        e.count = f->count - done < AUDIT_ERASE_MOST ? f->count - done : AUDIT_ERASE_MOST;
        if (!db_transact(tool->db, erase_some, &e, err))
            return false;
    }
    return true;
}

static bool names_one_person(const char *user)
{
    const char *at = strchr(user, '@');

    return eb_is_guid(user) || (at != NULL && at != user && at[1] != '\0' && strchr(at + 1, '@') == NULL);
}

static void print_names(const struct audit_found *f)
{
    for (size_t i = 0; i < f->name_count; i++)
        print_field(i == 0 ? "looked for" : "with the id", f->names[i]);
}

static int erased(const struct cli *cli, const struct audit_found *f, bool confirmed)
{
    if (cli->json)
        return print_json(json_pack("{s:I, s:b}", "rows", (json_int_t)f->count, "erased", (int)confirmed)) && confirmed ? CLI_DONE : CLI_USAGE;
    print_names(f);
    if (confirmed) {
        printf("The personal values of %zu audit rows were erased; the rows themselves stand, and so does the chain.\n", f->count);
        return CLI_DONE;
    }
    printf("The personal values of %zu audit rows would be erased for ever. Nothing was done: say `--confirm " CONFIRM "` to do it.\n", f->count);
    return CLI_USAGE;
}

int cli_audit_erase(struct cli *cli)
{
    const char *confirm = cli_value(cli, "confirm");
    struct audit_found found = { 0 };
    struct eb_err err = { 0 };
    struct tool tool;

    if (!names_one_person(cli->argument))
        return cli_misused(cli, "`%.100s` is neither an object id nor a user principal name", cli->argument);
    if (confirm != NULL && strcmp(confirm, CONFIRM) != 0)
        return cli_misused(cli, "--confirm takes the word " CONFIRM);
    if (!tool_open(cli, TOOL_KEYS, &tool))
        return CLI_FAILED;
    bool good = audit_find_person(tool.db, cli->argument, &found, &err) && (confirm == NULL || erase_all(&tool, &found, &err));
    tool_close(&tool);
    int code = good ? erased(cli, &found, confirm != NULL) : cli_failed(&err);
    audit_found_clear(&found);
    return code;
}
