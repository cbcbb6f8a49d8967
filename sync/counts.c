/* counts.c - what a run has counted, as the history keeps it. */
#include "sync/run.h"

#define COUNT(name, member) { name, offsetof(struct sync_counts, member) }
struct count_row { const char *name; size_t at; };

static const struct count_row counts[] = {
    COUNT("creates", creates), COUNT("updates", updates), COUNT("inactivations", inactivations), COUNT("deletions", deletions), COUNT("unmatched", unmatched),
    COUNT("missingManagers", missing_managers), COUNT("warnings", warnings), COUNT("errors", errors), COUNT("users", users), COUNT("groups", groups), COUNT("accounts", accounts),
};
static const struct count_row calls[] = {
    COUNT("graph", graph_calls), COUNT("jira", jira_calls), COUNT("assets", assets_calls), COUNT("writes", writes),
};

static char *text_of(const struct sync_counts *c, const struct count_row *rows, size_t count)
{
    EB_AUTO(json_t, json_decref) o = json_object();

    for (size_t i = 0; i < count; i++)
        json_object_set_new(o, rows[i].name, json_integer(*(const int64_t *)((const char *)c + rows[i].at)));
    return eb_need(eb_json_text(o));
}

char *sync_counts_text(const struct sync_counts *c) { return text_of(c, counts, EB_LEN(counts)); }
char *sync_calls_text(const struct sync_counts *c) { return text_of(c, calls, EB_LEN(calls)); }
