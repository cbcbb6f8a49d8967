/* test_jira_lists.c - approvals and edits: pages as tables, then a fake Jira that gives them one after another. */
#include "base/log.h"
#include "jira/internal.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct jira_paging paging = { "jira.test", "/x", "startAt", "maxResults", "isLast", "things", 2, 3, false };

static void test_page_next(void **state)
{
    static const struct { const char *page; int64_t at; bool ok; int64_t next; const char *why; } cases[] = {
        { "{\"values\":[1,2],\"startAt\":0,\"isLast\":false}", 0, true, 2, "more to come" },
        { "{\"values\":[1,2],\"startAt\":2,\"isLast\":true}", 2, true, -1, "the last" },
        { "{\"values\":[],\"startAt\":0,\"isLast\":true}", 0, true, -1, "nothing at all" },
        { "{\"values\":[1],\"startAt\":4,\"isLast\":false,\"total\":9}", 4, true, 5, "a page shorter than asked for" },
        { "{\"values\":[1],\"total\":3}", 0, true, 1, "no flag: the total tells" },
        { "{\"values\":[1],\"total\":3}", 2, true, -1, "no flag, the last" },
        { "{\"values\":[],\"isLast\":false,\"total\":2}", 2, true, -1, "empty behind the end" },
        { "{\"values\":[],\"isLast\":false,\"total\":3}", 2, false, -1, "empty before the end" },
        { "{\"values\":[],\"isLast\":false}", 2, false, -1, "empty, and more to come: it would never end" },
        { "{\"values\":[1,2]}", 0, false, -1, "neither flag nor total: cut" },
        { "{\"values\":[1],\"startAt\":0,\"isLast\":true}", 2, false, -1, "another page than asked for" },
        { "{\"values\":{},\"isLast\":true}", 0, false, -1, "no list" },
        { "{\"isLast\":true}", 0, false, -1, "no values" },
        { "{\"values\":[1],\"isLast\":\"true\"}", 0, false, -1, "a flag that is text" },
        { "[]", 0, false, -1, "an array" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *page = json_loads(cases[i].page, 0, NULL);
        struct eb_err err = { 0 };
        int64_t next = 0;
        bool ok = jira_page_next(page, &paging, cases[i].at, &next, &err);
        if (ok != cases[i].ok || next != cases[i].next || (!ok && err.code != EB_JIRA_UNAVAILABLE))
            fail_msg("case %zu (%s): %d %lld", i, cases[i].why, ok, (long long)next);
        json_decref(page);
    }
    assert_false(jira_page_next(NULL, &paging, 0, &(int64_t){ 0 }, NULL));
}

#define WHO(id, decision) "{\"approver\":{\"accountId\":\"" id "\",\"displayName\":\"N " id "\",\"emailAddress\":\"" id "@c.com\"},\"approverDecision\":\"" decision "\"}"
#define DATE(ms) "{\"iso8601\":\"2026-09-01T10:00:00+0000\",\"epochMillis\":" ms "}"
#define APPROVAL(id, decision, created, approvers) "{\"id\":\"" id "\",\"name\":\"Waiting\",\"finalDecision\":\"" decision "\",\"createdDate\":" DATE(created) \
    ",\"canAnswerApproval\":false,\"approvers\":[" approvers "]}"

/* Written out as id:decision/account=decision,... in order. */
static void print_list(const struct jira_approval_list *l, char *out, size_t size)
{
    static const char letters[] = "pad";
    struct eb_buf b = EB_BUF(KiB(4));

    for (size_t i = 0; i < l->count; i++) {
        eb_buf_addf(&b, "%s%s:%c", i > 0 ? " " : "", l->items[i].id, letters[l->items[i].decision]);
        for (size_t k = 0; k < l->items[i].approver_count; k++)
            eb_buf_addf(&b, "%s%s=%c", k > 0 ? "," : "/", l->items[i].approvers[k].account_id, letters[l->items[i].approvers[k].decision]);
    }
    snprintf(out, size, "%s", b.data != NULL ? b.data : "");
    eb_buf_free(&b);
}

static void test_approvals(void **state)
{
    static const struct { const char *values; bool ok; const char *list, *why; } cases[] = {
        { "", true, "", "none: no approval step, which is no approval" },
        { APPROVAL("1", "approved", "1000", WHO("m", "approved")), true, "1:a/m=a", "approved" },
        { APPROVAL("1", "pending", "1000", WHO("m", "approved") "," WHO("n", "pending")), true, "1:p/m=a,n=p", "one of two" },
        { APPROVAL("1", "declined", "1000", WHO("m", "declined")), true, "1:d/m=d", "declined" },
        { APPROVAL("2", "pending", "2000", "") "," APPROVAL("1", "approved", "1000", ""), true, "1:a 2:p", "two rounds, newest first: sorted" },
        { APPROVAL("10", "pending", "1000", "") "," APPROVAL("9", "approved", "1000", ""), true, "9:a 10:p", "of one time: by number" },
        { APPROVAL("1", "Approved", "1000", ""), false, NULL, "a word with a capital is another word" },
        { APPROVAL("1", "approve", "1000", ""), false, NULL, "the verb is not the decision" },
        { APPROVAL("1", "waived", "1000", ""), false, NULL, "an unknown word" },
        { APPROVAL("1", "approved", "1000", WHO("m", "abstained")), false, NULL, "an unknown word of an approver" },
        { "{\"id\":\"1\",\"approvers\":[]}", false, NULL, "no decision" },
        { "{\"id\":\"1\",\"finalDecision\":null,\"approvers\":[]}", false, NULL, "null" },
        { "{\"id\":\"1\",\"finalDecision\":\"approved\"}", false, NULL, "no approvers" },
        { "{\"id\":1,\"finalDecision\":\"approved\",\"approvers\":[]}", false, NULL, "an id that is a number" },
        { "{\"finalDecision\":\"approved\",\"approvers\":[]}", false, NULL, "no id" },
        { "{\"id\":\"1\",\"finalDecision\":\"approved\",\"approvers\":[{\"approverDecision\":\"approved\"}]}", false, NULL, "nobody approved" },
        { "{\"id\":\"1\",\"finalDecision\":\"pending\",\"approvers\":[{\"approverDecision\":\"pending\"}]}", true, "1:p/=p", "a former user who has not answered" },
        { "{\"id\":\"1\",\"finalDecision\":\"pending\",\"approvers\":[{\"approver\":{\"accountId\":\"m\"}}]}", false, NULL, "an approver without a decision" },
        { APPROVAL("1", "approved", "1000", "") "," APPROVAL("1", "approved", "1000", ""), false, NULL, "the same twice: it moved between pages" },
        { "7", false, NULL, "no object" },
        { "null", false, NULL, "null" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct jira_approval_list list = { 0 };
        struct eb_err err = { 0 };
        char text[4096], shown[400];
        snprintf(text, sizeof(text), "{\"values\":[%s]}", cases[i].values);
        json_t *page = json_loads(text, 0, NULL);
        assert_non_null(page);
        bool ok = jira_approvals_add(page, &list, &err);
        jira_approvals_sort(&list);
        print_list(&list, shown, sizeof(shown));
        if (ok != cases[i].ok || (ok && strcmp(shown, cases[i].list) != 0) || (!ok && err.code != EB_JIRA_UNAVAILABLE))
            fail_msg("case %zu (%s): %d %s %s", i, cases[i].why, ok, shown, err.text);
        jira_approvals_clear(&list);
        json_decref(page);
    }
}

static void test_approval_members(void **state)
{
    static const struct { const char *date; int64_t ms; const char *why; } dates[] = {
        { "{\"epochMillis\":1788256800123}", 1788256800123, "milliseconds" },
        { "{\"jira\":\"2026-09-01T10:00:00.123+0000\"}", 1788256800123, "Jira's form" },
        { "{\"iso8601\":\"2026-09-01T15:30:00+0530\"}", 1788256800000, "an offset" },
        { "{\"iso8601\":\"2026-09-01T15:30:00+05:30\"}", 1788256800000, "with a colon" },
        { "{\"epochMillis\":-5}", 0, "before all time" },
        { "{\"epochMillis\":\"1788256800123\"}", 0, "text" },
        { "{\"friendly\":\"Today 10:00 AM\"}", 0, "for people only" },
        { "{\"jira\":\"yesterday\",\"iso8601\":\"2026-13-01T10:00:00+0000\"}", 0, "no times" },
        { "null", 0, "null" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(dates); i++) {
        struct jira_approval_list list = { 0 };
        char text[1000];
        snprintf(text, sizeof(text), "{\"values\":[{\"id\":\"1\",\"name\":\"W\",\"finalDecision\":\"approved\",\"completedDate\":%s,\"approvers\":[" WHO("m", "approved") "]}]}", dates[i].date);
        json_t *page = json_loads(text, 0, NULL);
        assert_true(jira_approvals_add(page, &list, NULL));
        json_decref(page);
        if (list.items[0].completed_ms != dates[i].ms)
            fail_msg("case %zu (%s): %lld", i, dates[i].why, (long long)list.items[0].completed_ms);
        assert_int_equal(list.items[0].created_ms, 0);
        assert_string_equal(list.items[0].name, "W");
        assert_string_equal(list.items[0].approvers[0].email, "m@c.com");
        assert_string_equal(list.items[0].approvers[0].name, "N m");
        jira_approvals_clear(&list);
    }
}

static void test_many_approvers(void **state)
{
    struct jira_approval_list list = { 0 };
    struct eb_err err = { 0 };

    (void)state;
    for (int round = 0; round < 3; round++) {
        char id[12];
        snprintf(id, sizeof(id), "%d", round);
        json_t *approvers = json_array();
        for (int i = 0; i < 100; i++)
            json_array_append_new(approvers, json_pack("{s:s, s:{s:s}}", "approverDecision", "pending", "approver", "accountId", "a"));
        json_t *page = json_pack("{s:[{s:s, s:s, s:o}]}", "values", "id", id, "finalDecision", "pending", "approvers", approvers);
        assert_int_equal(jira_approvals_add(page, &list, &err), round < 2);
        json_decref(page);
    }
    assert_non_null(strstr(err.text, "more approvers"));
    jira_approvals_clear(&list);
}

#define ENTRY(created, items) "{\"id\":\"1\",\"created\":" created ",\"items\":[" items "]}"
#define AT "\"2026-11-20T10:00:00.000+0000\""
#define AT_MS 1795168800000

static void test_edits(void **state)
{
    static const struct { const char *entry; bool ok; const char *fields; int64_t at_ms; const char *why; } cases[] = {
        { ENTRY(AT, "{\"field\":\"Approved group\",\"fieldId\":\"customfield_10050\",\"fieldtype\":\"custom\"}"), true, "customfield_10050", AT_MS, "a custom field" },
        { ENTRY(AT, "{\"field\":\"reporter\",\"fieldId\":\"reporter\"},{\"field\":\"project\",\"fieldId\":\"project\"}"), true, "reporter,project", AT_MS, "two at once" },
        { ENTRY(AT, "{\"field\":\"Key\",\"fieldtype\":\"jira\"},{\"field\":\"issuetype\"}"), true, "Key,issuetype", AT_MS, "system fields without an id: the name" },
        { ENTRY("\"2026-11-20T15:30:00.000+0530\"", "{\"field\":\"x\"}"), true, "x", AT_MS, "another offset" },
        { ENTRY("\"2026-11-20T04:00:00.000-06:00\"", "{\"field\":\"x\"}"), true, "x", AT_MS, "and another" },
        { ENTRY("1795168800000", "{\"field\":\"x\"}"), true, "x", AT_MS, "milliseconds" },
        { ENTRY(AT, ""), true, "", 0, "an entry without items" },
        { ENTRY(AT, "{\"field\":\"Request Type\",\"fieldId\":\"customfield_10010\",\"fieldtype\":\"custom\"}"), true, "requesttype", AT_MS, "the request type, whatever its id" },
        { ENTRY(AT, "{\"field\":\"Approved group\",\"fieldtype\":\"custom\"}"), true, "?", AT_MS, "a custom field by its name alone: which?" },
        { ENTRY(AT, "{\"fieldId\":\"\"}"), true, "?", AT_MS, "no field" },
        { ENTRY(AT, "7"), true, "?", AT_MS, "no item: an edit of something" },
        { ENTRY("\"2026-11-20T10:00:00.000\"", "{\"field\":\"x\"}"), true, "x", 0, "a time without an offset" },
        { ENTRY("\"2026-02-30T10:00:00.000+0000\"", "{\"field\":\"x\"}"), true, "x", 0, "a day that is none" },
        { ENTRY("null", "{\"field\":\"x\"}"), true, "x", 0, "no time" },
        { ENTRY("0", "{\"field\":\"x\"}"), true, "x", 0, "no time" },
        { ENTRY("-1", "{\"field\":\"x\"}"), true, "x", 0, "before all time" },
        { "{\"created\":" AT "}", false, "", 0, "no items" },
        { "null", false, "", 0, "null" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct jira_edit_list list = { 0 };
        struct eb_buf shown = EB_BUF(KiB(1));
        struct eb_err err = { 0 };
        char text[1000];
        snprintf(text, sizeof(text), "{\"values\":[%s]}", cases[i].entry);
        json_t *page = json_loads(text, 0, NULL);
        assert_non_null(page);
        bool ok = jira_edits_add(page, "customfield_10010", &list, &err);
        for (size_t k = 0; ok && k < list.count; k++)
            eb_buf_addf(&shown, "%s%s", k > 0 ? "," : "", list.items[k].field_id != NULL ? list.items[k].field_id : "?");
        if (ok != cases[i].ok || strcmp(shown.data != NULL ? shown.data : "", cases[i].fields) != 0 || (!ok && err.code != EB_JIRA_UNAVAILABLE) ||
            (ok && list.count > 0 && list.items[0].at_ms != cases[i].at_ms))
            fail_msg("case %zu (%s): %d %s %s", i, cases[i].why, ok, shown.data, err.text);
        eb_buf_free(&shown);
        jira_edits_clear(&list);
        json_decref(page);
    }
}

static void test_issue(void **state)
{
    static const struct { const char *have, *more, *query, *why; } queries[] = {
        { "?fields=a", NULL, "?fields=a", "no more" },
        { "?fields=a", "", "?fields=a", "none" },
        { "?fields=a", "customfield_10050,customfield_10051", "?fields=a,customfield_10050,customfield_10051", "two more" },
        { "?fields=a", "x&expand=changelog", NULL, "not a field" },
        { "?fields=a", "x y", NULL, "not a field" },
        { "?fields=a", "*all", NULL, "not a field" },
    };
    struct jira_issue issue;
    json_t *doc = json_loads("{\"id\":\"1\",\"key\":\"A-1\",\"fields\":{\"created\":\"2026-11-20T15:30:00.000+0530\",\"customfield_10050\":\"ada@c.com\","
                             "\"reporter\":{\"accountId\":\"acc\",\"displayName\":\"Ada\"}}}", 0, NULL);
    (void)state;
    jira_issue_read(doc, NULL, &issue);
    assert_int_equal(issue.created_ms, AT_MS);
    assert_string_equal(issue.reporter_name, "Ada");
    assert_string_equal(eb_json_str(issue.fields, "customfield_10050"), "ada@c.com");
    json_object_set_new(json_object_get(doc, "fields"), "created", json_string("2026-11-20"));
    jira_issue_read(doc, NULL, &issue);
    assert_int_equal(issue.created_ms, 0);
    json_decref(doc);
    for (size_t i = 0; i < EB_LEN(queries); i++) {
        char *query = jira_fields_query(queries[i].have, queries[i].more);
        if (!eb_streq(query, queries[i].query))
            fail_msg("case %zu (%s): %s", i, queries[i].why, query);
        free(query);
    }
    assert_string_equal(jira_scopes(false), "read:jira-work write:jira-work read:jira-user");
    assert_string_equal(jira_scopes(true), "read:jira-work write:jira-work read:jira-user read:servicedesk-request");
}

/* ---- a fake Jira ---- */

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct jira *j;
    struct fake_server *server;
    struct config_jira config;
    char base[64];
    int pages, cut_page, status;        /* what the fake does: so many pages, one of which is cut */
    bool agent, endless;
    const char *body, *type, *fields;
    int calls;                          /* what it saw */
    char paths[2200];
    bool answered;                      /* what came back */
    size_t count, approvers, request_types;
    int64_t last_ms;
    enum jira_agent is_agent;
    struct eb_err err;
};

static enum fake_then serve(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    const char *at = strcasestr(r->path, "start");
    int start = at != NULL ? atoi(strchr(at, '=') + 1) : 0;
    char body[2000];

    if (strcmp(r->path, "/rest/api/3/field") == 0) {
        fake_answer(out, 200, "", b->fields);
        return FAKE_KEEP;
    }
    if (b->calls++ < 4)
        snprintf(b->paths + strlen(b->paths), sizeof(b->paths) - strlen(b->paths), "%s\n", r->path);
    if (strstr(r->path, "/mypermissions") != NULL) {
        fake_answer(out, 200, "", b->agent ? "{\"permissions\":{\"SERVICEDESK_AGENT\":{\"havePermission\":true}}}"
                                           : "{\"permissions\":{\"SERVICEDESK_AGENT\":{\"havePermission\":false}}}");
        return FAKE_KEEP;
    }
    const char *last = !b->endless && start + 1 >= b->pages ? "true" : "false";
    if (b->body != NULL)
        snprintf(body, sizeof(body), "%s", b->body);
    else if (strstr(r->path, "/project/") != NULL)
        snprintf(body, sizeof(body), "{\"id\":\"1\",\"key\":\"ITSM\",\"projectTypeKey\":\"%s\"}", b->type);
    else if (strstr(r->path, "/approval") != NULL)
        snprintf(body, sizeof(body), "{\"start\":%d,\"isLastPage\":%s,\"values\":[{\"id\":\"%d\",\"finalDecision\":\"approved\",\"createdDate\":{\"epochMillis\":%d},"
                 "\"approvers\":[" WHO("m", "approved") "]}]}", start, last, start + 1, 9000 - start);
    else
        snprintf(body, sizeof(body), "{\"startAt\":%d,\"isLast\":%s,\"values\":[" ENTRY(AT, "{\"field\":\"x\"}") "]}", start, last);
    fake_answer(out, b->status, "", start + 1 == b->cut_page ? "{\"values\":[]}" : body);
    return FAKE_KEEP;
}

static void bed_up(struct bed *b)
{
    struct eb_err err = { 0 };
    static char email[] = "bridge@contoso.com", token[] = "to:ken";

    *b = (struct bed){ .pages = 1, .status = 200, .type = "service_desk", .fields = "[]" };
    assert_true(eb_loop_new(&b->loop, &err));
    b->server = fake_server_new(b->loop, serve, b);
    snprintf(b->base, sizeof(b->base), "http://127.0.0.1:%d", b->server->port);
    b->config = (struct config_jira){ .site_url = b->base, .api_url = b->base, .email = email, .api_token = token, .max_calls = 4 };
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    assert_true(jira_new(b->o, b->loop, &b->config, &b->j, &err));
}

static void bed_down(struct bed *b)
{
    jira_free(b->j);
    outbound_free(b->o);
    fake_server_free(b->server);
    eb_loop_free(b->loop);
}

static void told(struct bed *b, const struct eb_err *err)
{
    assert_false(b->answered);
    b->answered = true;
    b->err = err != NULL ? *err : (struct eb_err){ 0 };
    eb_loop_stop(b->loop);
}

static void on_approvals(void *ctx, uint64_t id, const struct jira_approval *approvals, size_t count, const struct eb_err *err)
{
    struct bed *b = ctx;

    b->count = count;
    for (size_t i = 0; i < count; i++) {
        assert_true(approvals[i].created_ms >= b->last_ms);         /* oldest first */
        b->last_ms = approvals[i].created_ms;
        b->approvers += approvals[i].approver_count;
    }
    told(b, err);
}

static void on_edits(void *ctx, uint64_t id, const struct jira_edit *edits, size_t count, const struct eb_err *err)
{
    struct bed *b = ctx;

    b->count = count;
    for (size_t i = 0; i < count; i++)
        b->request_types += strcmp(edits[i].field_id, "requesttype") == 0;
    told(b, err);
}

static void on_agent(void *ctx, uint64_t id, enum jira_agent agent, const struct eb_err *err)
{
    struct bed *b = ctx;

    b->is_agent = agent;
    told(b, err);
}

static void get(struct bed *b, bool approvals)
{
    if (approvals)
        jira_approvals_get(b->j, "ITSM-42", 5000, 1, on_approvals, b);
    else
        jira_edits_get(b->j, "ITSM-42", 5000, 1, on_edits, b);
    assert_false(b->answered);
    eb_loop_run(b->loop);
}

static void test_calls(void **state)
{
    static const struct { bool approvals; int pages, cut, status; const char *body; size_t count; enum eb_code err; const char *text; int calls; const char *why; } cases[] = {
        { true, 1, 0, 200, NULL, 1, EB_OK, "", 1, "one page" },
        { true, 3, 0, 200, NULL, 3, EB_OK, "", 3, "several rounds on three pages" },
        { true, 3, 3, 200, NULL, 0, EB_JIRA_UNAVAILABLE, "not a page", 3, "the last page is cut: nothing is told" },
        { true, 20, 0, 200, NULL, 20, EB_OK, "", 20, "as many pages as are read" },
        { true, 21, 0, 200, NULL, 0, EB_JIRA_UNAVAILABLE, "more approvals", 20, "one page too many" },
        { true, 1, 0, 404, "{\"errorMessage\":\"The request does not exist.\"}", 0, EB_OK, "", 1, "no request: none" },
        { true, 1, 0, 400, "{\"errorMessage\":\"The issue is not a customer request.\"}", 0, EB_OK, "", 1, "the same as 400" },
        { true, 1, 0, 400, "{\"errorMessage\":\"Bad start.\"}", 0, EB_JIRA_UNAVAILABLE, "Bad start", 1, "another 400" },
        { true, 1, 0, 403, "{}", 0, EB_JIRA_UNAVAILABLE, "read:servicedesk-request", 1, "no agent, or no scope" },
        { true, 1, 0, 401, "{}", 0, EB_JIRA_UNAVAILABLE, "agent", 1, "the same" },
        { true, 1, 0, 200, "{\"isLastPage\":true,\"values\":[{\"id\":\"1\",\"finalDecision\":\"maybe\",\"approvers\":[]}]}", 0, EB_JIRA_UNAVAILABLE, "finalDecision", 1, "a word that is none of the three" },
        { true, 1, 0, 200, "[]", 0, EB_JIRA_UNAVAILABLE, "not a page", 1, "an array" },
        { false, 1, 0, 200, NULL, 1, EB_OK, "", 1, "one page" },
        { false, 50, 0, 200, NULL, 50, EB_OK, "", 50, "as many pages as are read" },
        { false, 51, 0, 200, NULL, 0, EB_JIRA_UNAVAILABLE, "more edits", 50, "one page too many" },
        { false, 4, 2, 200, NULL, 0, EB_JIRA_UNAVAILABLE, "not a page", 2, "the second page is cut" },
        { false, 1, 0, 404, "{}", 0, EB_ISSUE_NOT_FOUND, "browse", 1, "no issue" },
        { false, 1, 0, 200, "{\"isLast\":true,\"values\":[{\"created\":1}]}", 0, EB_JIRA_UNAVAILABLE, "what was edited", 1, "an edit without items" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.pages = cases[i].pages;
        b.cut_page = cases[i].cut;
        b.status = cases[i].status;
        b.body = cases[i].body;
        get(&b, cases[i].approvals);
        if (b.count != cases[i].count || b.err.code != cases[i].err || strstr(b.err.text, cases[i].text) == NULL || b.calls != cases[i].calls)
            fail_msg("case %zu (%s): %zu in %d calls, %s", i, cases[i].why, b.count, b.calls, b.err.text);
        if (cases[i].approvals && b.err.code == EB_OK)
            assert_int_equal(b.approvers, b.count);
        bed_down(&b);
    }
}

static void test_shape(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    b.pages = 2;
    get(&b, true);
    assert_string_equal(b.paths, "/rest/servicedeskapi/request/ITSM-42/approval?start=0&limit=50\n/rest/servicedeskapi/request/ITSM-42/approval?start=1&limit=50\n");
    bed_down(&b);
    bed_up(&b);
    b.pages = 2;
    get(&b, false);
    assert_string_equal(b.paths, "/rest/api/3/issue/ITSM-42/changelog?startAt=0&maxResults=100\n/rest/api/3/issue/ITSM-42/changelog?startAt=1&maxResults=100\n");
    bed_down(&b);
}

/* Asked right after the start: an edit of the request type must not pass for one of any other field. */
static void test_request_type_edit(void **state)
{
    static const struct { const char *fields; size_t count, request_types; enum eb_code err; } cases[] = {
        { "[{\"id\":\"customfield_10010\",\"schema\":{\"custom\":\"com.atlassian.servicedesk:vp-origin\"}}]", 1, 1, EB_OK },
        { "[]", 1, 0, EB_OK },
        { "{}", 0, 0, EB_JIRA_UNAVAILABLE },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.fields = cases[i].fields;
        b.body = "{\"isLast\":true,\"values\":[" ENTRY(AT, "{\"field\":\"Request Type\",\"fieldId\":\"customfield_10010\"}") "]}";
        get(&b, false);
        assert_int_equal(b.count, cases[i].count);
        assert_int_equal(b.request_types, cases[i].request_types);
        assert_int_equal(b.err.code, cases[i].err);
        bed_down(&b);
    }
}

static void test_agent(void **state)
{
    static const struct { const char *type, *body; bool agent; enum jira_agent told; enum eb_code err; int calls; const char *why; } cases[] = {
        { "service_desk", NULL, true, JIRA_AGENT, EB_OK, 2, "an agent" },
        { "service_desk", NULL, false, JIRA_NO_AGENT, EB_OK, 2, "none" },
        { "software", NULL, true, JIRA_NO_SERVICE_PROJECT, EB_OK, 1, "no service project: not asked" },
        { "", "{}", true, JIRA_NO_SERVICE_PROJECT, EB_JIRA_UNAVAILABLE, 1, "no project" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.type = cases[i].type;
        b.body = cases[i].body;
        b.agent = cases[i].agent;
        jira_agent_get(b.j, "ITSM", 1, on_agent, &b);
        eb_loop_run(b.loop);
        if (b.is_agent != cases[i].told || b.err.code != cases[i].err || b.calls != cases[i].calls)
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, b.is_agent, b.err.text);
        bed_down(&b);
    }
}

/* ---- for synchronizations ---- */

static char got[200];

static void on_users(void *ctx, uint64_t id, const struct jira_page_reply *r)
{
    snprintf(got, sizeof(got), "%.*s", (int)r->body.len, r->body.p);
    jira_forget(((struct bed *)ctx)->j, ctx, id);           /* from inside: it has ended */
    told(ctx, r->err.code != EB_OK ? &r->err : NULL);
}

static void on_workspace(void *ctx, uint64_t id, const char *workspace_id, const struct eb_err *err)
{
    snprintf(got, sizeof(got), "%s", workspace_id);
    told(ctx, err);
}

static void test_users_and_workspace(void **state)
{
    static const struct { bool users; int status; const char *body, *got; enum eb_code err; const char *text, *why; } cases[] = {
        { true, 200, "[{\"accountId\":\"a\"}]", "[{\"accountId\":\"a\"}]", EB_OK, "", "bytes, as they came" },
        { true, 200, "[]", "[]", EB_OK, "", "the end" },
        { true, 200, "<html></html>", "", EB_JIRA_UNAVAILABLE, "proxy", "a proxy's page: asked again, and forgotten meanwhile" },
        { true, 403, "{}", "", EB_JIRA_UNAVAILABLE, "Browse users and groups", "no permission" },
        { true, 409, "{\"errorMessages\":[\"It takes too long.\"]}", "", EB_JIRA_UNAVAILABLE, "too long", "more than 10 s" },
        { false, 200, "{\"values\":[{\"workspaceId\":\"g-1\"}]}", "g-1", EB_OK, "", "the workspace" },
        { false, 200, "{\"values\":[]}", "", EB_NOT_THERE, "Premium", "none" },
        { false, 404, "{}", "", EB_NOT_THERE, "", "none, said otherwise" },
        { false, 200, "{\"values\":[{}]}", "", EB_JIRA_UNAVAILABLE, "without its id", "no id" },
        { false, 200, "[]", "", EB_JIRA_UNAVAILABLE, "not a list", "something else" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.status = cases[i].status;
        b.body = cases[i].body;
        if (cases[i].users)
            jira_users_page(b.j, 1000, 7, on_users, &b);
        else
            jira_workspace_get(b.j, 7, on_workspace, &b);
        if (strstr(cases[i].body, "html") != NULL) {
            jira_forget(b.j, &b, 7);
            bed_down(&b);
            continue;
        }
        eb_loop_run(b.loop);
        if (b.err.code != cases[i].err || strcmp(got, cases[i].got) != 0 || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu (%s): %s, %s", i, cases[i].why, got, b.err.text);
        if (cases[i].users)
            assert_string_equal(b.paths, "/rest/api/3/users/search?startAt=1000&maxResults=1000\n");
        bed_down(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_next), cmocka_unit_test(test_approvals), cmocka_unit_test(test_approval_members), cmocka_unit_test(test_many_approvers),
        cmocka_unit_test(test_edits), cmocka_unit_test(test_issue), cmocka_unit_test(test_calls), cmocka_unit_test(test_shape), cmocka_unit_test(test_request_type_edit),
        cmocka_unit_test(test_agent), cmocka_unit_test(test_users_and_workspace),
    };
    eb_log_setup(EB_LOG_ERROR + 1, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
