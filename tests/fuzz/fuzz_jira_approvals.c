/* fuzz_jira_approvals.c - a page of approvals. Accepted: a page all of whose approvals are understood.
 *
 * Held: an approval counts as approved only where Jira's own word says so, and whoever approved has a name.
 */
#include "jira/internal.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static const struct jira_paging paging = { "", "", "start", "limit", "isLastPage", "approvals", 50, 20, true };

static void check(const struct jira_approval_list *list, const json_t *values)
{
    assert(list->count == json_array_size(values) && list->approvers <= 200);
    for (size_t i = 0; i < list->count; i++) {
        const struct jira_approval *a = &list->items[i];
        bool said = false;
        size_t k;
        json_t *o;
        json_array_foreach(values, k, o)
            said = said || (strcmp(json_string_value(json_object_get(o, "id")), a->id) == 0 &&
                            strcmp(json_string_value(json_object_get(o, "finalDecision")), "approved") == 0);
        assert(said == (a->decision == JIRA_APPROVED));
        assert(a->id[0] != '\0' && a->created_ms >= 0 && a->completed_ms >= 0);
        assert(i == 0 || list->items[i - 1].created_ms <= a->created_ms);
        for (size_t n = 0; n < a->approver_count; n++)
            assert(a->approvers[n].decision != JIRA_APPROVED || a->approvers[n].account_id[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct jira_approval_list list = { 0 };
    struct eb_err err = { 0 };
    json_t *page = NULL;
    int64_t next = 0;

    fuzz_accepted = eb_json_parse_reply((struct eb_span){ (const char *)data, len }, &page, &err) && jira_page_next(page, &paging, 0, &next, &err) &&
                    jira_approvals_add(page, &list, &err);
    assert(fuzz_accepted || err.code != EB_OK);
    assert(next >= -1);
    jira_approvals_sort(&list);
    if (fuzz_accepted)
        check(&list, json_object_get(page, "values"));
    jira_approvals_clear(&list);
    json_decref(page);
    return 0;
}
