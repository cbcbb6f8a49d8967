/* page.c - lists that come in pages: how one page says where the next begins, and the walk to the last one.
 *
 * Invariant: a list is told whole or not at all. A page that is cut, out of place, empty before the end, or one too many is an error:
 * what was not read might be the declined approval.
 */
#include "jira/internal.h"

#include "base/clock.h"

#include <stdio.h>

bool jira_page_next(const json_t *page, const struct jira_paging *p, int64_t start_at, int64_t *ret_next, struct eb_err *err)
{
    const json_t *values = json_object_get(page, "values"), *last = json_object_get(page, p->last);
    int64_t next = start_at + (int64_t)json_array_size(values), total = eb_json_int(page, "total", -1);

    *ret_next = -1;
    if (!json_is_array(values) || eb_json_int(page, p->start, start_at) != start_at || (!json_is_boolean(last) && total < 0))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a page of %s: check jira.api_url, and whether "
                       "a proxy stands in between.", p->what);
    if (json_is_boolean(last) ? json_is_true(last) : next >= total)
        return true;
    if (next == start_at && next >= total && total >= 0)
        return true;
    if (next == start_at)
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira gave an empty page of %s before the last one.", p->what);
    *ret_next = next;
    return true;
}

void jira_page_send(struct jira_call *call)
{
    const struct jira_paging *p = call->paging;
    int64_t left = call->deadline_ms - eb_mono_ms();
    char tail[128];

    (void)snprintf(tail, sizeof(tail), "%s?%s=%lld&%s=%d", p->tail, p->start, (long long)call->start_at, p->size, p->page_size);
    jira_call_send(call, p->call, "GET", p->is_request ? jira_path_request(call->issue, tail) : jira_path_issue(call->issue, tail), NULL,
                   left > 0 ? left : 1);
}

bool jira_page_more(struct jira_call *call, const json_t *page, bool *ret_more, struct eb_err *err)
{
    const struct jira_paging *p = call->paging;
    int64_t next = -1;

    *ret_more = false;
    if (!jira_page_next(page, p, call->start_at, &next, err))
        return false;
    if (next < 0)
        return true;
    if (++call->pages >= p->pages_max)
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "The issue has more %s than this program reads (%d pages of %d).", p->what, p->pages_max,
                       p->page_size);
    call->start_at = next;
    *ret_more = true;
    return true;
}
