/* sync_preview.c - `sync preview`, once it has ended: totals, then the rows from the staging file. */
#include "cli/sync.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/sync_rows.h"
#include "store/db.h"

#include <errno.h>
#include <string.h>

#define TABLE_LINES 200             /* for people, who see no more than that anyway */

static const struct sync_rows_form *form_of(const struct cli *cli)
{
    const char *name = cli_value(cli, "format");

    if (name == NULL)
        name = cli->json ? "json" : "table";
    for (const struct sync_rows_form *f = sync_rows_forms; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

bool sync_preview_usage(const struct cli *cli)
{
    if (form_of(cli) != NULL)
        return true;
    cli_misused(cli, "--format is table, json or csv");
    return false;
}

/* ---- totals ---- */

/* Named as the counts of a run are. */
static json_t *totals_json(const int64_t totals[SYNC_PREVIEW_CATEGORIES])
{
    static const char *const names[SYNC_PREVIEW_CATEGORIES] = {
        [SYNC_PREVIEW_CREATE] = "creates", [SYNC_PREVIEW_UPDATE] = "updates", [SYNC_PREVIEW_INACTIVATE] = "inactivations", [SYNC_PREVIEW_DELETE] = "deletions",
        [SYNC_PREVIEW_MANAGER] = "missingManagers", [SYNC_PREVIEW_UNMATCHED] = "unmatched", [SYNC_PREVIEW_WARNING] = "warnings",
    };
    json_t *o = json_object();

    for (int c = 0; c < SYNC_PREVIEW_CATEGORIES; c++)
        json_object_set_new(o, names[c], json_integer(totals[c]));
    return o;
}

static void print_totals(const struct sync_follow *f, const int64_t totals[SYNC_PREVIEW_CATEGORIES])
{
    char clean[2000];
    int64_t changes = 0;

    for (int c = 0; c <= SYNC_PREVIEW_DELETE; c++)
        changes += totals[c];
    printf("Run %lld (preview): %s\n\n", (long long)f->number, changes > 0 ? "a run now would" : "Assets is as the directory is.");
    for (int c = 0; c < SYNC_PREVIEW_CATEGORIES; c++)
        if (c <= SYNC_PREVIEW_DELETE || totals[c] > 0)
            printf("  %-22s %lld\n", sync_preview_word((enum sync_preview_category)c), (long long)totals[c]);
    if (f->row.message != NULL && *f->row.message != '\0')
        printf("\n%s\n", eb_text_clean(f->row.message, clean, sizeof clean));
    putchar('\n');
}

/* ---- rows ---- */

struct writing { const struct sync_rows_form *form; struct sync_rows rows; };

static bool on_row(void *ctx, const struct sync_preview_row *row)
{
    struct writing *w = ctx;

    return w->form->row(&w->rows, row);
}

static bool write_rows(struct sync_follow *f, const struct sync_preview *p, struct writing *w, struct eb_err *err)
{
    const char *path = cli_value(f->cli, "output");
    int64_t totals[SYNC_PREVIEW_CATEGORIES];

    if (!sync_preview_totals(p, totals, err))
        return false;
    if ((w->rows.out = output_open(path)) == NULL)
        return eb_fail(err, EB_INTERNAL, "%s cannot be written: %s", path, strerror(errno));
    if (!f->cli->json && (path != NULL || strcmp(w->form->name, "table") == 0))
        print_totals(f, totals);
    json_t *head = json_pack("{s:o, s:o}", "run", sync_run_json(&f->row), "totals", totals_json(totals));
    w->form->begin(&w->rows, head);
    json_decref(head);
    bool good = sync_preview_rows(p, on_row, w, err);
    w->form->end(&w->rows);
    if (!output_close(w->rows.out) && good)
        good = eb_fail(err, EB_INTERNAL, "%s does not take the rows: %s", path != NULL ? path : "standard output", strerror(errno));
    return good;
}

int sync_preview_print(struct sync_follow *f)
{
    struct sync_preview p = { .config = &f->tool.config->sync, .now_ms = eb_now_ms() };
    struct writing w = { .form = form_of(f->cli) };
    struct eb_err err = { 0 };

    if (cli_value(f->cli, "format") == NULL && cli_value(f->cli, "output") == NULL)
        w.rows.lines_max = TABLE_LINES;
    if (!db_open_stage(f->tool.config->sync.stage, &p.stage, &err))
        return cli_failed(&err);
    bool good = write_rows(f, &p, &w, &err);
    db_close(p.stage);
    if (!good)
        return cli_failed(&err);
    if (w.rows.cut)
        printf("\nOnly the first %d lines are shown; `entrabridge sync preview --format csv --output FILE` writes all of them.\n", TABLE_LINES);
    return CLI_DONE;
}
