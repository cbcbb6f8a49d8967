/* fuzz_jira_edits.c - a page of an issue's changelog. Accepted: a page none of whose edits is lost. */
#include "jira/internal.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static const struct jira_paging paging = { "", "", "startAt", "maxResults", "isLast", "edits", 100, 50, false };

static size_t items_in(const json_t *values)
{
    size_t count = 0, i;
    json_t *entry;

    json_array_foreach(values, i, entry)
        count += json_array_size(json_object_get(entry, "items"));
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct jira_edit_list list = { 0 };
    struct eb_err err = { 0 };
    json_t *page = NULL;
    int64_t next = 0;

    fuzz_accepted = eb_json_parse_reply((struct eb_span){ (const char *)data, len }, &page, &err) && jira_page_next(page, &paging, 0, &next, &err) &&
                    jira_edits_add(page, "customfield_10010", &list, &err);
    assert(fuzz_accepted || err.code != EB_OK);
    assert(!fuzz_accepted || list.count == items_in(json_object_get(page, "values")));     /* none is lost */
    for (size_t i = 0; i < list.count; i++)
        assert(list.items[i].at_ms >= 0 && (list.items[i].field_id == NULL || (list.items[i].field_id[0] != '\0' && strlen(list.items[i].field_id) < 256)));
    jira_edits_clear(&list);
    json_decref(page);
    return 0;
}
