/* audit_anchors.c - `audit verify --anchors`: the comments of all audit rows, read from Jira a few at once and compared.
 *
 * A page of rows is read, then their comments, then the next page: memory does not grow with the number of rows.
 * Owns: the loop and the way to Jira, for as long as it takes.
 */
#include "base/log.h"
#include "base/text.h"
#include "cli/audit_anchor.h"
#include "cli/progress.h"
#include "ops/kinds.h"
#include "store/audit.h"
#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 64
#define AT_ONCE 8                   /* Jira's quota is shared with the running service */

struct check {
    struct db *db;
    int64_t since_ms, after;
    struct config *config;
    struct eb_loop *loop;
    struct outbound *outbound;
    struct jira *jira;
    char *account;                  /* ours */
    struct anchor_row rows[PAGE];
    size_t count, next, flying;
    bool ended, failed;             /* no more rows; err is set */
    struct anchors *found;
    struct progress bar;
    struct eb_err *err;
};

/* ---- one page of rows ---- */

static json_t *parse(const char *text)
{
    json_t *doc = NULL;

    if (text == NULL || !eb_json_parse_reply((struct eb_span){ text, strlen(text) }, &doc, NULL))
        return NULL;
    return doc;
}

/* Takes the row if there is to be a comment for it. */
static bool take_row(void *ctx, const struct audit_row *r)
{
    struct check *c = ctx;
    json_t *data, *personal;

    c->after = r->number;
    if (r->operation == NULL || strcmp(r->event, "operation") != 0 || (data = parse(r->data)) == NULL)
        return true;
    if (eb_json_bool(data, "comment", false)) {
        struct anchor_row *a = &c->rows[c->count++];
        const char *text_hash = eb_json_str(personal = parse(r->personal), "comment");

        *a = (struct anchor_row){ .number = r->number };
        memcpy(a->hash, r->hash, sizeof a->hash);
        snprintf(a->operation, sizeof a->operation, "%s", r->operation);
        snprintf(a->text_hash, sizeof a->text_hash, "%s", text_hash != NULL ? text_hash : "");
        json_decref(personal);
    }
    json_decref(data);
    return true;
}

static bool find_comment(struct check *c, struct anchor_row *a)
{
    struct outbox_row o = { 0 };
    bool found;

    if (!outbox_find(c->db, a->operation, "comment", &o, &found, c->err))
        return false;
    a->state = ANCHOR_NONE;
    if (!found)
        return true;
    snprintf(a->issue, sizeof a->issue, "%s", o.issue);
    snprintf(a->comment, sizeof a->comment, "%s", o.comment_id != NULL ? o.comment_id : "");
    if (eb_streq(o.state, "ready"))
        a->state = ANCHOR_WAITING;
    else if (eb_streq(o.state, "dead"))
        a->state = ANCHOR_GIVEN_UP;
    else if (a->comment[0] != '\0')
        a->state = ANCHOR_GOOD;
    outbox_row_clear(&o);
    return true;
}

/* Pages in which no row has a comment are passed over. */
static bool load(struct check *c)
{
    int rows = PAGE;

    c->count = c->next = 0;
    while (c->count == 0 && rows == PAGE)
        if (!audit_page(c->db, c->since_ms, c->after, PAGE, take_row, c, &rows, c->err))
            return false;
    c->ended = rows < PAGE;
    for (size_t i = 0; i < c->count; i++)
        if (!find_comment(c, &c->rows[i]))
            return false;
    return true;
}

/* ---- comparing ---- */

static void note(struct check *c, const struct anchor_row *a, enum anchor_state state)
{
    struct anchors *f = c->found;

    f->seen++;
    f->waiting += state == ANCHOR_WAITING;
    if (state == ANCHOR_GOOD) {
        f->good++;
        f->erased += a->text_hash[0] == '\0';
        f->anchored = a->number > f->anchored ? a->number : f->anchored;
    } else if (state != ANCHOR_WAITING && f->faults++ < ANCHOR_FAULTS_MAX) {
        json_array_append_new(f->details, json_pack("{s:I, s:s, s:s, s:s, s:s}", "row", (json_int_t)a->number, "operation", a->operation,
                                                    "issue", a->issue, "comment", a->comment, "fault", anchor_state_text(state)));
    }
}

static void go_on(struct check *c);

static void fail(struct check *c)
{
    c->failed = true;
    eb_loop_stop(c->loop);
}

static void on_comment(void *ctx, uint64_t id, const struct jira_comment *comment, const struct eb_err *err)
{
    struct check *c = ctx;
    const struct anchor_row *a = &c->rows[id];

    c->flying--;
    if (err != NULL && err->code != EB_NOT_THERE) {
        *c->err = *err;
        fail(c);
        return;
    }
    note(c, a, err != NULL ? ANCHOR_GONE : anchor_compare(a, comment, c->account));
    go_on(c);
}

static void go_on(struct check *c)
{
    while (!c->failed && c->flying < AT_ONCE) {
        if (c->next == c->count) {
            if (c->flying > 0)
                return;
            progress_show(&c->bar, c->after > 0 ? c->after : 0, c->found->last);
            if (c->ended) {
                eb_loop_stop(c->loop);
                return;
            }
            if (!load(c)) {
                fail(c);
                return;
            }
            continue;
        }
        size_t i = c->next++;
        if (c->rows[i].state != ANCHOR_GOOD) {
            note(c, &c->rows[i], c->rows[i].state);
            continue;
        }
        c->flying++;
        jira_comment_get(c->jira, c->rows[i].issue, c->rows[i].comment, i, on_comment, c);
    }
}

static void on_account(void *ctx, uint64_t id, const char *account_id, const struct eb_err *err)
{
    struct check *c = ctx;

    if (err != NULL) {
        *c->err = *err;
        fail(c);
        return;
    }
    c->account = eb_strdup(account_id);
    go_on(c);
}

/* ---- the whole ---- */

static bool load_config(const struct cli *cli, struct config **ret, struct eb_err *err)
{
    struct eb_buf faults = EB_BUF(KiB(256));
    bool good = config_load(cli->config, ops_config_names(), CONFIG_FULL, ret, &faults);

    if (!good)
        (void)eb_fail(err, EB_INVALID_REQUEST, "%s", faults.data != NULL ? faults.data : "the configuration cannot be read");
    eb_buf_free(&faults);
    return good;
}

static bool open_jira(struct check *c)
{
    struct outbound_options o = { c->config->ca_file, "entrabridge/" EB_VERSION };

    return eb_loop_new(&c->loop, c->err) && outbound_new(c->loop, &o, &c->outbound, c->err) &&
           jira_new(c->outbound, c->loop, &c->config->jira, &c->jira, c->err);
}

static void close_jira(struct check *c)
{
    jira_free(c->jira);
    if (c->outbound != NULL)
        outbound_free(c->outbound);
    eb_loop_free(c->loop);
    config_unref(c->config);
    free(c->account);
}

bool anchors_check(const struct cli *cli, struct db *db, int64_t since_ms, struct anchors *ret, struct eb_err *err)
{
    struct check *c = eb_alloc(sizeof *c);

    *ret = (struct anchors){ .details = json_array() };
    *c = (struct check){ .db = db, .since_ms = since_ms, .after = INT64_MIN, .found = ret, .err = err, .bar = progress_new(cli, "rows") };
    outbound_start();
    bool good = load_config(cli, &c->config, err) && audit_last(db, &ret->last, err) && open_jira(c);
    if (good) {
        jira_myself(c->jira, 0, on_account, c);
        eb_loop_run(c->loop);
        good = !c->failed;
    }
    progress_clear(&c->bar);
    close_jira(c);
    outbound_stop();
    free(c);
    return good;
}

void anchors_clear(struct anchors *a)
{
    json_decref(a->details);
    *a = (struct anchors){ 0 };
}
