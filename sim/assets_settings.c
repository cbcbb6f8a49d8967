/* assets_settings.c - the settings' names, values and defaults as one table. */
#include "sim/assets.h"

#include "base/text.h"

#include <string.h>

struct assets_settings assets_settings_default(void)
{
    return (struct assets_settings){ .admin = true, .aql_page_max = 500, .chunk_bytes = (int64_t)MiB(1), .chunk_objects = 1000,
                                     .import_ms_per_object = 0.02 };
}

/* Atlassian's published limits, or none. */
static void put_limits(struct assets_settings *set, bool real)
{
    set->aql_per_minute = real ? 1000 : 0;
    set->count_per_minute = real ? 500 : 0;
    set->attributes_per_minute = real ? 2000 : 0;
    set->get_per_s = set->post_per_s = real ? 100 : 0;
    set->put_per_s = set->delete_per_s = real ? 50 : 0;
}

static int word_among(const json_t *value, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (eb_streq(json_string_value(value), words[i]))
            return i;
    return -1;
}

static bool put_word(struct assets_settings *set, const char *name, const json_t *value)
{
    static const char *const missing[] = { "nothing", "inactive", "delete" }, *const empty[] = { "ignore", "remove" }, *const limits[] = { "off", "real" };
    int m = word_among(value, missing, 3), e = word_among(value, empty, 2), l = word_among(value, limits, 2);

    if (strcmp(name, "import_missing") == 0 && m >= 0)
        set->missing = (enum assets_missing)m;
    else if (strcmp(name, "import_empty") == 0 && e >= 0)
        set->empty = (enum assets_empty)e;
    else if (strcmp(name, "limits") == 0 && l >= 0)
        put_limits(set, l == 1);
    else
        return false;
    return true;
}

bool assets_settings_put(struct assets_settings *set, const char *name, const json_t *value)
{
    const struct { const char *name; int64_t *at, least; } numbers[] = {
        { "assets_eventual_ms", &set->eventual_ms, 0 }, { "aql_page_max", &set->aql_page_max, 1 },
        { "import_chunk_bytes", &set->chunk_bytes, 1 }, { "import_chunk_objects", &set->chunk_objects, 1 },
        { "assets_aql_per_minute", &set->aql_per_minute, 0 }, { "assets_count_per_minute", &set->count_per_minute, 0 },
        { "assets_attributes_per_minute", &set->attributes_per_minute, 0 }, { "assets_get_per_s", &set->get_per_s, 0 },
        { "assets_post_per_s", &set->post_per_s, 0 }, { "assets_put_per_s", &set->put_per_s, 0 }, { "assets_delete_per_s", &set->delete_per_s, 0 },
    };

    for (size_t i = 0; i < EB_LEN(numbers); i++)
        if (strcmp(numbers[i].name, name) == 0 && json_is_integer(value) && json_integer_value(value) >= numbers[i].least) {
            *numbers[i].at = json_integer_value(value);
            return true;
        }
    if (strcmp(name, "assets_admin") == 0 && json_is_boolean(value)) {
        set->admin = json_is_true(value);
        return true;
    }
    if (strcmp(name, "import_ms_per_object") == 0 && json_is_number(value) && json_number_value(value) >= 0) {
        set->import_ms_per_object = json_number_value(value);
        return true;
    }
    return put_word(set, name, value);
}
