/* fuzz_assets_page.c - a page of objects told one by one: the same objects as the real parser finds in the whole. Accepted: a page. */
#include "assets/assets.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static bool gather(void *ctx, const json_t *object, struct eb_err *err)
{
    json_array_append(ctx, (json_t *)(uintptr_t)object);
    return true;
}

/* Leaves what is told of objects. */
static void prune(json_t *value)
{
    static const char *const names[] = { "id", "label", "objectKey", "attributes", "objectTypeAttributeId", "objectAttributeValues", "value", "searchValue", "referencedObject",
                                         "user", "key", "status", "category" };
    const char *key;
    json_t *item;
    void *next;
    size_t i;

    json_object_foreach_safe(value, next, key, item) {
        bool kept = false;
        for (size_t n = 0; n < EB_LEN(names); n++)
            kept = kept || strcmp(key, names[n]) == 0;
        if (kept)
            prune(item);
        else
            json_object_del(value, key);
    }
    json_array_foreach(value, i, item)
        prune(item);
}

/* What is told one by one must be an object or a list each. */
static bool all_containers(const json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        if (!json_is_object(json_array_get(values, i)) && !json_is_array(json_array_get(values, i)))
            return false;
    return json_is_array(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_span page = { (const char *)data, len };
    json_t *whole = NULL, *rest = NULL, *told = json_array();
    struct eb_err err = { 0 };
    int64_t count = 0;
    bool parsed = eb_json_parse_reply(page, &whole, NULL);

    fuzz_accepted = assets_page_each(page, gather, told, &rest, &count, &err);
    assert(fuzz_accepted == (rest != NULL) && (fuzz_accepted || err.code != EB_OK));
    assert(count == (int64_t)json_array_size(told));
    if (fuzz_accepted && parsed) {
        json_object_set(rest, "values", told);
        prune(json_object_get(whole, "values"));
        assert(json_equal(rest, whole));
    }
    if (!fuzz_accepted && parsed && len < KiB(64))
        assert(!all_containers(json_object_get(whole, "values")) || memchr(data, '\\', len) != NULL /* a key written with escapes */);
    json_decref(whole);
    json_decref(rest);
    json_decref(told);
    return 0;
}
