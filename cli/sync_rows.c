/* sync_rows.c - a preview's rows as a table, as one JSON document, as CSV.
 *
 * Invariant: what came from outside is cleaned of control and bidi characters, and no field of the CSV begins as a formula does.
 * Memory is bounded: a table is printed in parts, the other two row by row.
 */
#include "cli/sync_rows.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CELL 60
#define PART 500                    /* lines of a table that are aligned together */

static char *clean(const char *text)
{
    size_t size = text != NULL ? strlen(text) + 1 : 0;
    char *copy = text != NULL ? eb_alloc(size) : NULL;

    if (copy != NULL)
        eb_text_clean(text, copy, size);
    return copy;
}

/* ---- table ---- */

static const char *const heads[] = { "WHAT", "KIND", "NAME", "ATTRIBUTE", "OLD", "NEW, OR WHY", NULL };

/* Cut on a character boundary. */
static const char *cell(const char *text, char out[CELL + 4])
{
    if (text == NULL)
        return NULL;
    eb_text_clean(text, out, CELL);
    if (strlen(text) >= CELL)
        strcat(out, "...");
    return out;
}

static bool table_line(struct sync_rows *r, const struct sync_preview_row *row, const char *attribute, const char *was, const char *now)
{
    char name[CELL + 4], old[CELL + 4], new[CELL + 4];

    if (r->lines_max > 0 && r->lines == r->lines_max) {
        r->cut = true;
        return false;
    }
    if (r->table == NULL)
        r->table = table_new(heads);
    table_add(r->table, (const char *const[]){ sync_preview_word(row->category), row->kind, cell(row->label != NULL ? row->label : row->key, name), attribute,
                                               cell(was, old), cell(now, new) });
    if (++r->lines % PART == 0) {
        table_end_to(r->table, "", r->out);
        r->table = NULL;
    }
    return true;
}

static void table_begin(struct sync_rows *r, const json_t *head)
{
}

/* Of a new object one line is enough. */
static bool table_row(struct sync_rows *r, const struct sync_preview_row *row)
{
    if (row->category != SYNC_PREVIEW_UPDATE)
        return table_line(r, row, NULL, NULL, row->text);
    for (size_t i = 0; i < row->count; i++)
        if (!table_line(r, row, row->values[i].attribute, row->values[i].was, row->values[i].now))
            return false;
    return true;
}

static void table_finish(struct sync_rows *r)
{
    if (r->table != NULL)
        table_end_to(r->table, "", r->out);
    r->table = NULL;
}

/* ---- JSON ---- */

static json_t *text_json(const char *text)
{
    char *copy = clean(text);
    json_t *v = copy != NULL ? json_string(copy) : json_null();

    free(copy);
    return v;
}

static json_t *row_json(const struct sync_preview_row *row)
{
    json_t *o = json_pack("{s:s, s:o, s:o, s:o}", "category", sync_preview_word(row->category), "kind", text_json(row->kind), "key", text_json(row->key),
                          "name", text_json(row->label));

    if (row->text != NULL)
        json_object_set_new(o, "text", text_json(row->text));
    if (row->count == 0)
        return o;
    json_t *values = json_array();
    for (size_t i = 0; i < row->count; i++)
        json_array_append_new(values, json_pack("{s:o, s:o, s:o}", "attribute", text_json(row->values[i].attribute), "old", text_json(row->values[i].was),
                                                "new", text_json(row->values[i].now)));
    json_object_set_new(o, "values", values);
    return o;
}

static void json_begin(struct sync_rows *r, const json_t *head)
{
    const char *name;
    json_t *v;

    fputs("{", r->out);
    json_object_foreach((json_t *)(uintptr_t)head, name, v) {
        fprintf(r->out, "\"%s\": ", name);
        json_dumpf(v, r->out, JSON_COMPACT);
        fputs(",\n", r->out);
    }
    fputs("\"changes\": [", r->out);
    r->first = true;
}

static bool json_row(struct sync_rows *r, const struct sync_preview_row *row)
{
    EB_AUTO(json_t, json_decref) o = row_json(row);

    fputs(r->first ? "\n" : ",\n", r->out);
    r->first = false;
    return o != NULL && json_dumpf(o, r->out, JSON_COMPACT) == 0;
}

static void json_finish(struct sync_rows *r)
{
    fputs("\n]}\n", r->out);
}

/* ---- CSV ---- */

void sync_rows_field(FILE *out, const char *text)
{
    char *copy = clean(text);

    if (copy != NULL && strpbrk(copy, ",\"") == NULL && strchr("=+-@", *copy) == NULL) {
        fputs(copy, out);
    } else if (copy != NULL) {
        fputs(*copy != '\0' && strchr("=+-@", *copy) != NULL ? "\"'" : "\"", out);
        for (const char *p = copy; *p != '\0'; p++)
            fputs(*p == '"' ? "\"\"" : (char[]){ *p, '\0' }, out);
        putc('"', out);
    }
    free(copy);
}

static void csv_line(struct sync_rows *r, const struct sync_preview_row *row, const char *attribute, const char *was, const char *now)
{
    const char *const fields[] = { sync_preview_word(row->category), row->kind, row->key, row->label, attribute, was, now, row->text };

    for (size_t i = 0; i < EB_LEN(fields); i++) {
        if (i > 0)
            putc(',', r->out);
        sync_rows_field(r->out, fields[i]);
    }
    fputs("\r\n", r->out);
}

static void csv_begin(struct sync_rows *r, const json_t *head)
{
    fputs("category,kind,key,name,attribute,old,new,text\r\n", r->out);
}

static bool csv_row(struct sync_rows *r, const struct sync_preview_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        csv_line(r, row, row->values[i].attribute, row->values[i].was, row->values[i].now);
    if (row->count == 0)
        csv_line(r, row, NULL, NULL, NULL);
    return !ferror(r->out);
}

static void csv_finish(struct sync_rows *r)
{
}

const struct sync_rows_form sync_rows_forms[] = {
    { "table", table_begin, table_row, table_finish },
    { "json", json_begin, json_row, json_finish },
    { "csv", csv_begin, csv_row, csv_finish },
    { NULL, NULL, NULL, NULL },
};
