/* audit.c - audit rows in a chain: their hashes, the head, adding and listing. The walk that finds what does not fit stands in audit_verify.c.
 *
 * Each row's hash covers the row and the hash before it. The head (number and hash of the last row, under a seal of its own) makes
 * rows cut off at the end show. Invariant: a seal is good only if the one before it was, so that a head that was once
 * tampered with is never made good again by the next row.
 */
#include "store/audit.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "store/audit_rows.h"
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_MAX = 4 << 20, SALT_BYTES = 16 };

static const char broken_seal[] = "broken";

/* Lengths before the texts, so that no two rows have the same form. Most rows fit into the space on the stack. */
bool audit_row_hash(const uint8_t *key, const struct audit_row *r, const char *personal_hash, char out[EB_HEX_LEN], struct eb_err *err)
{
    const char *operation = r->operation != NULL ? r->operation : "";
    size_t data_len = strlen(r->data), most = data_len + strlen(r->event) + strlen(operation) + 384;
    char space[2048];

    if (most > ROW_MAX)
        return eb_fail(err, EB_INTERNAL, "An audit row of more than 4 MiB was refused.");
    char *form = most <= sizeof(space) ? space : eb_alloc(most);
    int n = snprintf(form, most, "row%s%.64s\n%s\n%lld\n%lld\n%zu:%s\n%d:%zu:%s\n%zu:", personal_hash != NULL ? "+" : "",
                     personal_hash != NULL ? personal_hash : "", r->previous, (long long)r->number, (long long)r->time_ms,
                     strlen(r->event), r->event, r->operation != NULL, strlen(operation), operation, data_len);
    memcpy(form + n, r->data, data_len);
    eb_hmac_hex(key, AUDIT_KEY_LEN, form, (size_t)n + data_len, out);
    if (form != space)
        free(form);
    return true;
}

void audit_personal_hash(const uint8_t *key, const char *salt, const char *data, char out[EB_HEX_LEN])
{
    size_t salt_len = strlen(salt), data_len = strlen(data), most = salt_len + data_len + 64;
    char *form = eb_alloc(most);
    int n = snprintf(form, most, "personal\n%zu:%s\n%zu:", salt_len, salt, data_len);

    memcpy(form + n, data, data_len);
    eb_hmac_hex(key, AUDIT_KEY_LEN, form, (size_t)n + data_len, out);
    free(form);
}

static void head_seal(const uint8_t *key, int64_t number, const char *hash, char out[EB_HEX_LEN])
{
    char form[128];
    int n = snprintf(form, sizeof(form), "head\n%lld\n%s", (long long)number, hash);

    eb_hmac_hex(key, AUDIT_KEY_LEN, form, (size_t)n, out);
}

bool audit_head_good(const uint8_t *key, const struct audit_head *h)
{
    char want[EB_HEX_LEN];

    head_seal(key, h->number, h->hash, want);
    return strlen(h->seal) == EB_HEX_LEN - 1 && eb_equal_ct(want, h->seal, EB_HEX_LEN - 1);
}

bool audit_head_read(struct db *db, struct audit_head *ret, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "SELECT number, hash, seal FROM audit_head WHERE one = 1", err);
    struct audit_head h = { .hash = AUDIT_NO_HASH };

    if (!db_first(s, &h.there, err))
        return false;
    if (h.there) {
        h.number = db_int(s, 0);
        eb_text_clean(db_text(s, 1), h.hash, sizeof(h.hash));
        eb_text_clean(db_text(s, 2), h.seal, sizeof(h.seal));
        if (!db_run(s, NULL, err))
            return false;
    }
    *ret = h;
    return true;
}

static bool insert_row(struct db *db, const struct audit_row *r, const char *personal_hash, const char *seal, bool first, struct eb_err *err)
{
    return db_execute(db, NULL, err,
                      "INSERT INTO audit (number, time_ms, event, operation, data, previous, hash, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                      DB_I(r->number), DB_I(r->time_ms), DB_T(r->event), DB_T(r->operation), DB_T(r->data), DB_T(r->previous), DB_T(r->hash),
                      DB_T(personal_hash)) &&
           db_execute(db, NULL, err, first ? "INSERT INTO audit_head (one, number, hash, seal) VALUES (1, $1, $2, $3)"
                                           : "UPDATE audit_head SET number = $1, hash = $2, seal = $3",
                      DB_I(r->number), DB_T(r->hash), DB_T(seal));
}

/* Is h what the last row left? A broken head does not stop the service: the row is kept, the damage stays visible. Should a row with
 * the next number be there already (somebody set the head back), the number after the last one is taken. */
static bool find_end(struct db *db, const uint8_t *key, struct audit_head *h, bool *ret_good, struct eb_err *err)
{
    int64_t last = 0;

    *ret_good = h->there && audit_head_good(key, h);
    if (*ret_good)
        return true;
    if (!db_number(db_prepare(db, "SELECT COALESCE(MAX(number), 0) FROM audit", err), &last, err))
        return false;
    *ret_good = !h->there && last == 0;
    if (!*ret_good)
        eb_error(NULL, "audit_head_broken number=%lld: rows were removed, or the audit key is another one; see `audit verify`", (long long)h->number);
    h->number = last;
    return true;
}

/* Inserts the personal record and gives its hash under a new salt. One that is there already belongs to a row that was cut off: the service goes on. */
static bool add_personal(struct db *db, const uint8_t *key, int64_t number, const char *personal, char ret_hash[EB_HEX_LEN], struct eb_err *err)
{
    uint8_t random[SALT_BYTES];
    char salt[2 * SALT_BYTES + 1];

    eb_random(random, sizeof(random));
    eb_hex(random, sizeof(random), salt);
    audit_personal_hash(key, salt, personal, ret_hash);
    return db_execute(db, NULL, err, "INSERT INTO audit_personal (number, salt, data) VALUES ($1, $2, $3)"
                      " ON CONFLICT (number) DO UPDATE SET salt = excluded.salt, data = excluded.data", DB_I(number), DB_T(salt), DB_T(personal));
}

bool audit_add_personal(struct db *db, const uint8_t *key, int64_t now_ms, const char *event, const char *operation, const char *data,
                        const char *personal, struct audit_row *ret, struct eb_err *err)
{
    struct audit_row row = { .time_ms = now_ms, .event = event, .operation = operation, .data = data, .personal = personal,
                             .has_personal = personal != NULL };
    char seal[EB_HEX_LEN], personal_hash[EB_HEX_LEN];
    const char *ph = personal != NULL ? personal_hash : NULL;
    struct audit_head h;
    bool good;

    if (!audit_head_read(db, &h, err) || !find_end(db, key, &h, &good, err))
        return false;
    row.number = h.number + 1;
    memcpy(row.previous, h.hash, sizeof(row.previous));
    if ((personal != NULL && !add_personal(db, key, row.number, personal, personal_hash, err)) || !audit_row_hash(key, &row, ph, row.hash, err))
        return false;
    head_seal(key, row.number, row.hash, seal);
    if (!insert_row(db, &row, ph, good ? seal : broken_seal, !h.there, err))
        return false;
    if (ret != NULL)
        *ret = row;
    return true;
}

bool audit_add(struct db *db, const uint8_t *key, int64_t now_ms, const char *event, const char *operation, const char *data,
               struct audit_row *ret, struct eb_err *err)
{
    return audit_add_personal(db, key, now_ms, event, operation, data, NULL, ret, err);
}

const char *audit_anchor(int64_t number, const char *hash, char out[AUDIT_ANCHOR_LEN])
{
    snprintf(out, AUDIT_ANCHOR_LEN, "%lld / %.16s", (long long)number, hash);
    return out;
}

/* ---- reading ---- */

void audit_row_read(struct db_stmt *s, struct audit_stored *ret)
{
    *ret = (struct audit_stored){
        .row = { .number = db_int(s, 0), .time_ms = db_int(s, 1), .event = db_text(s, 2), .operation = db_text(s, 3), .data = db_text(s, 4),
                 .personal = db_text(s, 9) },
        .personal_hash = db_text(s, 7), .salt = db_text(s, 8),
    };
    ret->row.has_personal = ret->personal_hash != NULL;
    eb_text_clean(db_text(s, 5), ret->row.previous, sizeof(ret->row.previous));
    eb_text_clean(db_text(s, 6), ret->row.hash, sizeof(ret->row.hash));
}

bool audit_page(struct db *db, int64_t since_ms, int64_t after, int most, audit_each *each, void *ctx, int *ret_rows, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " AUDIT_COLUMNS " FROM " AUDIT_TABLES " WHERE a.number > $1 AND a.time_ms >= $2"
                                 " ORDER BY a.number LIMIT $3", DB_I(after), DB_I(since_ms), DB_I(most));
    enum db_step step = DB_DONE;
    struct audit_stored r;
    bool more = true;

    *ret_rows = 0;
    if (s == NULL)
        return false;
    for (; more && (step = db_step(s, err)) == DB_ROW; ++*ret_rows) {
        audit_row_read(s, &r);
        more = each(ctx, &r.row);
    }
    db_stop(s);
    return step != DB_FAILED;
}

struct listing { audit_each *each; void *ctx; int64_t last; bool more; };

static bool list_row(void *ctx, const struct audit_row *r)
{
    struct listing *l = ctx;

    l->last = r->number;
    return l->more = l->each(l->ctx, r);
}

bool audit_list(struct db *db, int64_t since_ms, audit_each *each, void *ctx, struct eb_err *err)
{
    struct listing l = { each, ctx, INT64_MIN, true };
    int rows = AUDIT_PAGE;

    while (l.more && rows == AUDIT_PAGE)
        if (!audit_page(db, since_ms, l.last, AUDIT_PAGE, list_row, &l, &rows, err))
            return false;
    return true;
}

bool audit_last(struct db *db, int64_t *ret_number, struct eb_err *err)
{
    *ret_number = 0;
    return db_number(db_prepare(db, "SELECT COALESCE(MAX(number), 0) FROM audit", err), ret_number, err);
}
