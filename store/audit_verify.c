/* audit_verify.c - the walk along the audit chain that finds what does not fit.
 *
 * A personal record may be gone only if a later row of the chain says that it was erased: who deletes one by hand is noticed.
 * Owns: the list of rows whose personal record was not there; it is freed at the end of the walk.
 */
#include "base/json.h"
#include "base/text.h"
#include "store/audit_rows.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

struct gone { int64_t number; bool erased; };
struct walk {
    const uint8_t *key;
    int64_t number;
    char hash[EB_HEX_LEN];
    struct gone *gone;              /* ascending */
    size_t gone_count, gone_room, erased;
    int64_t recoveries, lost;
};

static void note_gone(struct walk *w, int64_t number)
{
    if (w->gone_count == w->gone_room) {
        w->gone_room = w->gone_room > 0 ? 2 * w->gone_room : 64;
        w->gone = eb_need(reallocarray(w->gone, w->gone_room, sizeof(*w->gone)));
    }
    w->gone[w->gone_count++] = (struct gone){ number, false };
}

static int compare_gone(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* The rows that an erasure lists are accounted for. */
static void note_erasure(struct walk *w, const char *data)
{
    json_t *doc = NULL, *numbers, *n;
    size_t i;

    if (!eb_json_parse_reply((struct eb_span){ data, strlen(data) }, &doc, NULL))
        return;
    numbers = json_object_get(doc, "rows");
    json_array_foreach(numbers, i, n) {
        const struct gone sought = { json_integer_value(n), false };
        struct gone *g = w->gone_count > 0 ? bsearch(&sought, w->gone, w->gone_count, sizeof(*w->gone), compare_gone) : NULL;
        if (g != NULL && !g->erased) {
            g->erased = true;
            w->erased++;
        }
    }
    json_decref(doc);
}

static void note_recovery(struct walk *w, const char *data)
{
    json_t *doc = NULL;

    w->recoveries++;
    if (eb_json_parse_reply((struct eb_span){ data, strlen(data) }, &doc, NULL))
        w->lost += eb_json_int(doc, "lostRows", 0);
    json_decref(doc);
}

static bool check_personal(struct walk *w, const struct audit_stored *r, struct eb_err *err)
{
    long long number = (long long)r->row.number;
    char want[EB_HEX_LEN];

    if (r->personal_hash == NULL)
        return r->salt == NULL || eb_fail(err, EB_INTERNAL, "Audit row %lld had no personal record: the one that is there now was put there later.", number);
    if (r->salt == NULL) {
        note_gone(w, r->row.number);
        return true;
    }
    audit_personal_hash(w->key, r->salt, r->row.personal, want);
    return eb_equal_ct(want, r->personal_hash, EB_HEX_LEN - 1) ||
           eb_fail(err, EB_INTERNAL, "The personal record of audit row %lld was changed: it does not fit the hash in the row.", number);
}

/* Does r follow what was seen so far? */
static bool check_row(struct walk *w, const struct audit_stored *s, struct eb_err *err)
{
    const struct audit_row *r = &s->row;
    long long number = (long long)r->number, expected = (long long)w->number + 1;
    char want[EB_HEX_LEN];

    if (number > expected)
        return eb_fail(err, EB_INTERNAL, "Audit row %lld is missing: row %lld follows row %lld.", expected, number, expected - 1);
    if (number < expected)
        return eb_fail(err, EB_INTERNAL, "Audit row %lld is out of order.", number);
    if (s->personal_hash != NULL && strlen(s->personal_hash) != EB_HEX_LEN - 1)
        return eb_fail(err, EB_INTERNAL, "Audit row %lld was changed: the hash of its personal record is no hash.", number);
    if (!audit_row_hash(w->key, r, s->personal_hash, want, err))
        return false;
    if (!eb_equal_ct(want, r->hash, EB_HEX_LEN - 1))
        return eb_fail(err, EB_INTERNAL, "Audit row %lld was changed: its hash does not fit its content (or the audit key is another one).", number);
    if (strcmp(r->previous, w->hash) != 0)
        return eb_fail(err, EB_INTERNAL, "Audit row %lld does not follow row %lld: a row before it was changed or replaced.", number, number - 1);
    if (!check_personal(w, s, err))
        return false;
    if (strcmp(r->event, AUDIT_ERASE_EVENT) == 0)
        note_erasure(w, r->data);
    if (strcmp(r->event, AUDIT_RECOVER_EVENT) == 0)
        note_recovery(w, r->data);
    w->number = r->number;
    memcpy(w->hash, r->hash, sizeof(w->hash));
    return true;
}

/* At most AUDIT_PAGE rows after `after`. *ret_rows: how many there were. */
static bool check_page(struct db *db, struct walk *w, int64_t after, int64_t until, int *ret_rows, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " AUDIT_COLUMNS " FROM " AUDIT_TABLES " WHERE a.number > $1 AND a.number <= $2"
                                 " ORDER BY a.number LIMIT $3", DB_I(after), DB_I(until), DB_I(AUDIT_PAGE));
    enum db_step step = DB_FAILED;
    struct audit_stored r;

    for (*ret_rows = 0; s != NULL && (step = db_step(s, err)) == DB_ROW; ++*ret_rows) {
        audit_row_read(s, &r);
        if (!check_row(w, &r, err)) {
            db_stop(s);
            return false;
        }
    }
    return step == DB_DONE;
}

/* Rows above the head are those that came since, unless the head as it is now has not seen them. */
static bool check_end(struct db *db, const struct walk *w, const struct audit_head *h, struct eb_err *err)
{
    int64_t beyond = 0;

    if (w->number != h->number)
        return eb_fail(err, EB_INTERNAL, "Audit rows are missing at the end: the last row is %lld, there were %lld.", (long long)w->number,
                       (long long)h->number);
    if (strcmp(w->hash, h->hash) != 0)
        return eb_fail(err, EB_INTERNAL, "Audit row %lld, the last one, was replaced.", (long long)w->number);
    if (!db_number(db_prepare(db, "SELECT number FROM audit WHERE number > COALESCE((SELECT number FROM audit_head WHERE one = 1), 0)"
                              " ORDER BY number LIMIT 1", err), &beyond, err))
        return false;
    return beyond == 0 || eb_fail(err, EB_INTERNAL, "Audit row %lld was not put there by entrabridge: the chain ends before it.", (long long)beyond);
}

struct report { void (*progress)(void *ctx, int64_t done, int64_t total); void *ctx; };

/* From the row seen last to h. */
static bool walk_to(struct db *db, struct walk *w, const struct audit_head *h, const struct report *report, struct eb_err *err)
{
    int64_t after = w->number > 0 ? w->number : INT64_MIN;
    int rows;

    do {
        if (!check_page(db, w, after, h->number, &rows, err))
            return false;
        after = w->number;
        if (report->progress != NULL)
            report->progress(report->ctx, w->number, h->number);
    } while (rows == AUDIT_PAGE);
    if (h->there && !audit_head_good(w->key, h))
        return eb_fail(err, EB_INTERNAL, "The head of the audit chain does not fit its seal: rows were removed at the end, or the audit key is another one.");
    return check_end(db, w, h, err);
}

static bool all_accounted(const struct walk *w, struct eb_err *err)
{
    for (size_t i = 0; i < w->gone_count; i++)
        if (!w->gone[i].erased)
            return eb_fail(err, EB_INTERNAL, "The personal record of audit row %lld is missing, and no `audit erase` took it away.",
                           (long long)w->gone[i].number);
    return true;
}

/* A record may be erased while the walk is under way: the row that says so then stands behind the head that was read first. */
static bool walk_all(struct db *db, struct walk *w, const struct report *report, struct eb_err *err)
{
    struct audit_head h;
    int64_t seen;

    do {
        seen = w->number;
        if (!audit_head_read(db, &h, err) || !walk_to(db, w, &h, report, err))
            return false;
    } while (w->erased < w->gone_count && w->number > seen);
    return all_accounted(w, err);
}

static bool check_strays(struct db *db, struct eb_err *err)
{
    int64_t stray = 0;

    if (!db_number(db_prepare(db, "SELECT p.number FROM audit_personal p LEFT JOIN audit a ON a.number = p.number WHERE a.number IS NULL"
                              " ORDER BY p.number LIMIT 1", err), &stray, err))
        return false;
    return stray == 0 || eb_fail(err, EB_INTERNAL, "There is a personal record for audit row %lld, but no such row.", (long long)stray);
}

bool audit_verify(struct db *db, const uint8_t *key, struct audit_tally *ret, void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx,
                  struct eb_err *err)
{
    struct walk w = { .key = key, .hash = AUDIT_NO_HASH };
    const struct report report = { progress, ctx };
    bool good = walk_all(db, &w, &report, err) && check_strays(db, err);

    *ret = (struct audit_tally){ w.number, (int64_t)w.erased, w.recoveries, w.lost };
    free(w.gone);
    return good;
}
