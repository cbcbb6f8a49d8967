/* entra_raw.c - an object's raw as text: compact, members in order. A few million of these are made in a full read, which is why jansson is not asked for it:
 * it spends three times as long in sorting copies of names and looking for letters to escape. Whatever is not plain is left to it all the same.
 */
#include "sync/entra.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 128
#define RAW_MAX MiB(1)

struct member { const char *name; const json_t *value; };

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

static void add_value(struct eb_buf *b, const json_t *v)
{
    if (json_is_string(v) && is_plain(json_string_value(v), json_string_length(v))) {
        eb_buf_add(b, "\"", 1);
        eb_buf_add(b, json_string_value(v), json_string_length(v));
        eb_buf_add(b, "\"", 1);
    } else if (json_is_boolean(v)) {
        eb_buf_str(b, json_is_true(v) ? "true" : "false");
    } else {
        b->failed = b->failed || !eb_json_to_buf(v, b);
    }
}

char *entra_lower(const char *text)
{
    char *out = text != NULL && text[0] != '\0' ? eb_strdup(text) : NULL;

    for (char *p = out; p != NULL && *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

char *entra_raw_text(const json_t *raw)
{
    struct member members[MEMBERS_MAX];
    struct eb_buf b = EB_BUF(RAW_MAX);
    size_t count = 0;
    const char *name;
    json_t *value;

    if (json_object_size(raw) > MEMBERS_MAX)
        return eb_need(eb_json_canonical(raw));
    json_object_foreach((json_t *)(uintptr_t)raw, name, value)
        members[count++] = (struct member){ name, value };
    qsort(members, count, sizeof(*members), compare);
    eb_buf_add(&b, "{", 1);
    for (size_t i = 0; i < count; i++) {
        if (!is_plain(members[i].name, strlen(members[i].name)))
            b.failed = true;
        eb_buf_str(&b, i > 0 ? ",\"" : "\"");
        eb_buf_str(&b, members[i].name);
        eb_buf_add(&b, "\":", 2);
        add_value(&b, members[i].value);
    }
    eb_buf_add(&b, "}", 1);
    char *text = eb_buf_take(&b);
    if (text == NULL)
        eb_buf_free(&b);
    return text != NULL ? text : eb_need(eb_json_canonical(raw));
}
