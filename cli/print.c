/* print.c - tables and JSON on standard output.
 *
 * Invariant: what came from outside reaches a terminal only through eb_text_clean(); JSON escapes it.
 */
#include "cli/print.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CELL_MAX 400

struct table { const char *const *heads; size_t columns, width[TABLE_COLUMNS_MAX]; char **cells; size_t count, room; };

/* Characters, not bytes: good enough for names, without a locale. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

struct table *table_new(const char *const *heads)
{
    struct table *t = eb_alloc(sizeof(*t));

    t->heads = heads;
    for (; heads[t->columns] != NULL; t->columns++)
        t->width[t->columns] = width_of(heads[t->columns]);
    return t;
}

static void grow(struct table *t)
{
    size_t room = t->room == 0 ? 64 : t->room * 2;
    char **cells = eb_alloc(room * t->columns * sizeof(*cells));

    if (t->count > 0)
        memcpy(cells, t->cells, t->count * t->columns * sizeof(*cells));
    free(t->cells);
    t->cells = cells;
    t->room = room;
}

void table_add(struct table *t, const char *const *cells)
{
    char clean[CELL_MAX];

    if (t->count == t->room)
        grow(t);
    for (size_t c = 0; c < t->columns; c++) {
        const char *text = cells[c] != NULL && *cells[c] != '\0' ? eb_text_clean(cells[c], clean, sizeof(clean)) : "-";
        size_t width = width_of(text);
        t->cells[t->count * t->columns + c] = eb_strdup(text);
        if (width > t->width[c])
            t->width[c] = width;
    }
    t->count++;
}

static void print_row(const struct table *t, const char *const *cells, FILE *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        bool last = c + 1 == t->columns;
        fputs(cells[c], out);
        if (!last)
            fprintf(out, "%*s", (int)(t->width[c] - width_of(cells[c]) + 2), "");
    }
    putc('\n', out);
}

void table_end(struct table *t, const char *none)
{
    table_end_to(t, none, stdout);
}

void table_end_to(struct table *t, const char *none, FILE *out)
{
    if (t->count == 0)
        fprintf(out, "%s\n", none);
    else
        print_row(t, t->heads, out);
    for (size_t i = 0; i < t->count; i++)
        print_row(t, (const char *const *)&t->cells[i * t->columns], out);
    for (size_t i = 0; i < t->count * t->columns; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

struct listing listing_new(bool json, const char *const *heads)
{
    return json ? (struct listing){ .array = json_array() } : (struct listing){ .table = table_new(heads) };
}

bool listing_end(struct listing *l, bool good, const char *none)
{
    if (l->table != NULL)
        table_end(l->table, good ? none : "");
    if (l->array == NULL)
        return true;
    if (good)
        return print_json(l->array);
    json_decref(l->array);
    return true;
}

void print_field(const char *label, const char *value)
{
    char *clean;

    if (value == NULL || *value == '\0')
        return;
    clean = eb_alloc(strlen(value) + 1);
    printf("%-12s %s\n", label, eb_text_clean(value, clean, strlen(value) + 1));
    free(clean);
}

bool print_json(json_t *v)
{
    bool good = v != NULL && json_dumpf(v, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) == 0 && putchar('\n') != EOF;

    json_decref(v);
    return good;
}

const char *print_time(int64_t ms, char out[32])
{
    char text[EB_TIME_LEN];

    if (ms <= 0)
        return "-";
    eb_time_format(ms, text);
    snprintf(out, 32, "%.10s %.5s", text, text + 11);
    return out;
}

char *print_list(const char *json)
{
    EB_AUTO(json_t, json_decref) list = json != NULL ? json_loads(json, 0, NULL) : NULL;
    struct eb_buf b = EB_BUF(KiB(8));
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
        eb_buf_addf(&b, "%s%s", i > 0 ? "," : "", json_is_string(item) ? json_string_value(item) : "?");
    return eb_buf_take(&b);
}
