/* record.c - the one form in which records are compared.
 *
 * Invariant: two records that show the same have the same text and the same hash, in whatever order their members and lists came.
 */
#include "sync/record.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define HASH_LEN 32

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A list in order, without repetition; items that are no text are left out. NULL: nothing is left. */
static json_t *sorted(const json_t *list)
{
    size_t count = 0, size = json_array_size(list);
    const char **items = eb_alloc((size + 1) * sizeof(*items));
    json_t *out = json_array();

    for (size_t i = 0; i < size; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL && text[0] != '\0')
            items[count++] = text;
    }
    qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(items[i], items[i - 1]) != 0)
            json_array_append_new(out, json_string(items[i]));
    free(items);
    if (json_array_size(out) > 0)
        return out;
    json_decref(out);
    return NULL;
}

/* A new reference, or NULL where the value says that nothing is there. */
static json_t *plain(json_t *value)
{
    if (value == NULL || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0))
        return NULL;
    return json_is_array(value) ? sorted(value) : json_incref(value);
}

void sync_record_seal(const json_t *record, char **ret_text, char ret_hash[33])
{
    json_t *out = json_object(), *value;
    char hex[EB_HEX_LEN];
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)record, name, value) {
        json_t *kept = plain(value);
        if (kept != NULL)
            json_object_set_new_nocheck(out, name, kept);
    }
    *ret_text = eb_need(eb_json_canonical(out));
    eb_sha256_hex(*ret_text, strlen(*ret_text), hex);
    memcpy(ret_hash, hex, HASH_LEN);
    ret_hash[HASH_LEN] = '\0';
    json_decref(out);
}

const char *sync_record_time(const char *text, char out[EB_TIME_LEN])
{
    int64_t ms;

    if (!eb_time_parse(text, &ms, NULL))
        return text;
    (void)eb_time_format(ms, out);
    if (ms % 1000 == 0)
        memcpy(strchr(out, '.'), "Z", 2);
    return out;
}

json_t *sync_record_difference(const json_t *was, const json_t *now)
{
    json_t *out = json_object(), *value;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)now, name, value) {
        json_t *before = plain(json_object_get(was, name)), *after = plain(value);
        if (after != NULL && (before == NULL || !json_equal(before, after)))
            json_object_set_nocheck(out, name, after);
        json_decref(before);
        json_decref(after);
    }
    json_object_foreach((json_t *)(uintptr_t)was, name, value) {
        json_t *before = plain(value), *after = plain(json_object_get(now, name));
        if (before != NULL && after == NULL)
            json_object_set_new_nocheck(out, name, json_null());
        json_decref(before);
        json_decref(after);
    }
    return out;
}
