/* audit_erase.c - personal records of the audit trail: those that name somebody are found, and erased.
 *
 * Invariant: a record goes in the same transaction that adds the row which lists it, so that a record that is gone without such a row was tampered with.
 */
#include "base/json.h"
#include "base/text.h"
#include "store/audit_rows.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

/* ---- is somebody named? ---- */

/* A letter of a name or an address: what stands beside it is another word. */
static bool is_inner(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("_-@#+'", c) != NULL;
}

/* A full stop ends a sentence, unless the address goes on behind it. */
static bool ends_here(const char *end)
{
    if (*end == '\0')
        return true;
    return *end == '.' ? end[1] == '\0' || !is_inner((unsigned char)end[1]) : !is_inner((unsigned char)*end);
}

static bool text_names(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = text; len > 0 && (p = strcasestr(p, name)) != NULL; p++)
        if ((p == text || (!is_inner((unsigned char)p[-1]) && p[-1] != '.')) && ends_here(p + len))
            return true;
    return false;
}

static bool value_names(const json_t *v, const char *name, int depth)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(v))
        return text_names(json_string_value(v), name);
    if (depth >= DEPTH_MAX)
        return true;                    /* deeper than anything we write: better gone than kept */
    json_array_foreach(v, i, member)
        if (value_names(member, name, depth + 1))
            return true;
    if (json_is_object(v))
        json_object_foreach((json_t *)(uintptr_t)v, key, member)
            if (text_names(key, name) || value_names(member, name, depth + 1))
                return true;
    return false;
}

static bool names_any(const struct audit_found *f, const json_t *doc)
{
    for (size_t i = 0; i < f->name_count; i++)
        if (value_names(doc, f->names[i], 0))
            return true;
    return false;
}

/* ---- finding ---- */

static void add_name(struct audit_found *f, const char *name)
{
    for (size_t i = 0; i < f->name_count; i++)
        if (eb_strieq(f->names[i], name))
            return;
    if (f->name_count < AUDIT_NAMES_MAX)
        f->names[f->name_count++] = eb_strdup(name);
}

static void add_number(struct audit_found *f, int64_t number)
{
    if (f->count == f->room) {
        f->room = f->room > 0 ? 2 * f->room : 64;
        f->numbers = eb_need(reallocarray(f->numbers, f->room, sizeof(*f->numbers)));
    }
    f->numbers[f->count++] = number;
}

/* The ids that went with the UPN. */
static void see_id(struct audit_found *f, int64_t number, const json_t *doc)
{
    const char *id = eb_json_str(doc, "userId");

    if (id != NULL && id[0] != '\0' && eb_strieq(eb_json_str(doc, "userPrincipalName"), f->names[0]))
        add_name(f, id);
}

static void see_record(struct audit_found *f, int64_t number, const json_t *doc)
{
    if (doc == NULL || names_any(f, doc))       /* what cannot be read cannot be said to name nobody */
        add_number(f, number);
}

typedef void see_fn(struct audit_found *f, int64_t number, const json_t *doc);

/* One page behind *after, which is moved on. *ret_rows: how many rows it had. */
static bool look_at_page(struct db *db, struct audit_found *f, see_fn *see, int64_t *after, int *ret_rows, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT number, data FROM audit_personal WHERE number > $1 ORDER BY number LIMIT $2", DB_I(*after),
                                 DB_I(AUDIT_PAGE));
    enum db_step step = DB_FAILED;

    for (*ret_rows = 0; s != NULL && (step = db_step(s, err)) == DB_ROW; ++*ret_rows) {
        const char *data = db_text(s, 1);
        json_t *doc = NULL;

        *after = db_int(s, 0);
        if (data == NULL || !eb_json_parse_reply((struct eb_span){ data, strlen(data) }, &doc, NULL))
            doc = NULL;
        see(f, *after, doc);
        json_decref(doc);
    }
    return step == DB_DONE;
}

static bool look_through(struct db *db, struct audit_found *f, see_fn *see, struct eb_err *err)
{
    int64_t after = INT64_MIN;
    int rows = AUDIT_PAGE;

    while (rows == AUDIT_PAGE)
        if (!look_at_page(db, f, see, &after, &rows, err))
            return false;
    return true;
}

bool audit_find_person(struct db *db, const char *user, struct audit_found *ret, struct eb_err *err)
{
    struct audit_found f = { 0 };

    add_name(&f, user);
    if ((strchr(user, '@') == NULL || look_through(db, &f, see_id, err)) && look_through(db, &f, see_record, err)) {
        *ret = f;
        return true;
    }
    audit_found_clear(&f);
    return false;
}

void audit_found_clear(struct audit_found *f)
{
    for (size_t i = 0; i < f->name_count; i++)
        free(f->names[i]);
    free(f->numbers);
    *f = (struct audit_found){ 0 };
}

/* ---- erasing ---- */

/* Takes the rows that still have a record out of the table, and lists them. */
static bool delete_records(struct db *db, const int64_t *numbers, size_t count, json_t *gone, struct eb_err *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t n = 0;

        if (!db_execute(db, &n, err, "DELETE FROM audit_personal WHERE number = $1", DB_I(numbers[i])))
            return false;
        if (n > 0)
            json_array_append_new(gone, json_integer((json_int_t)numbers[i]));
    }
    return true;
}

bool audit_erase(struct db *db, const uint8_t *key, int64_t now_ms, const char *by, const int64_t *numbers, size_t count, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) data = json_pack("{s:s, s:[]}", "by", by, "rows");

    if (data == NULL || count > AUDIT_ERASE_MOST)
        return eb_fail(err, EB_INTERNAL, "%zu audit rows cannot be erased at once.", count);
    json_t *gone = json_object_get(data, "rows");
    if (!delete_records(db, numbers, count, gone, err))
        return false;
    if (json_array_size(gone) == 0)
        return true;
    char *text = eb_json_text(data);
    bool ok = audit_add(db, key, now_ms, AUDIT_ERASE_EVENT, NULL, text, NULL, err);
    free(text);
    return ok;
}
