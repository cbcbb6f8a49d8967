/* test_jira.c - what is sent to Jira, and what its answers mean: tables, then a fake Jira. */
#include "base/hash.h"
#include "base/log.h"
#include "jira/internal.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ADF "{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":\"Done.\"}]}]}"
#define OPERATION "0190a000-0000-7000-8000-000000000001"
#define US "712020:us"

static void test_comment_body(void **state)
{
    char *internal = jira_comment_body(ADF, OPERATION, true), *public = jira_comment_body(ADF, OPERATION, false);

    (void)state;
    assert_string_equal(internal, "{\"body\":" ADF ",\"properties\":[{\"key\":\"sd.public.comment\",\"value\":{\"internal\":true}},"
                        "{\"key\":\"entrabridge\",\"value\":{\"operation\":\"" OPERATION "\"}}]}");
    assert_string_equal(public, "{\"body\":" ADF ",\"properties\":[{\"key\":\"entrabridge\",\"value\":{\"operation\":\"" OPERATION "\"}}]}");
    free(internal);
    free(public);
}

/* A further comment of an operation is marked by its kind; what would have to be escaped is no mark. */
static void test_comment_mark(void **state)
{
    static const char *const bad[] = { OPERATION ":Opened", OPERATION ":a:b", OPERATION ":a\"", OPERATION "\"", "operation", OPERATION ":a b" };
    char *body = jira_comment_body(ADF, OPERATION ":opened", false);

    (void)state;
    assert_non_null(strstr(body, "{\"operation\":\"" OPERATION ":opened\"}"));
    free(body);
    for (size_t i = 0; i < EB_LEN(bad); i++)
        assert_null(jira_comment_body(ADF, bad[i], true));
}

#define COMMENT(id, author, operation) "{\"id\":\"" id "\",\"author\":{\"accountId\":\"" author "\"},\"properties\":" \
    "[{\"key\":\"x\",\"value\":1},{\"key\":\"entrabridge\",\"value\":{\"operation\":\"" operation "\"}}]}"

static void test_comment_page(void **state)
{
    static const struct { const char *page; bool ok; const char *found; int64_t next; const char *why; } cases[] = {
        { "{\"total\":1,\"comments\":[" COMMENT("7", US, OPERATION) "]}", true, "7", -1, "ours" },
        { "{\"total\":1,\"comments\":[" COMMENT("7", "other", OPERATION) "]}", true, NULL, -1, "another account copied our property" },
        { "{\"total\":1,\"comments\":[" COMMENT("7", US, "another") "]}", true, NULL, -1, "another operation" },
        { "{\"total\":1,\"comments\":[" COMMENT("7", US, OPERATION ":opened") "]}", true, NULL, -1, "a further comment of this operation" },
        { "{\"total\":9,\"comments\":[" COMMENT("7", US, "another") "]}", true, NULL, 101, "more pages" },
        { "{\"comments\":[" COMMENT("7", US, "another") "]}", true, NULL, 101, "no total: until a page is empty" },
        { "{\"total\":500,\"comments\":[]}", true, NULL, -1, "an empty page ends it" },
        { "{\"total\":1,\"comments\":[{\"id\":\"7\",\"author\":{\"accountId\":\"" US "\"}}]}", true, NULL, -1, "no properties" },
        { "{\"total\":3,\"comments\":[7,null,{}]}", true, NULL, 103, "garbage among them" },
        { "{\"total\":3}", false, NULL, -1, "no comments" },
        { "[]", false, NULL, -1, "an array" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *page = json_loads(cases[i].page, 0, NULL);
        const json_t *c = NULL;
        int64_t next = 0;
        bool total_small = cases[i].next > 0 && strstr(cases[i].page, "\"total\":9") != NULL;
        bool ok = jira_comment_page(page, US, OPERATION, total_small || cases[i].next < 0 ? 0 : 100, &c, &next);
        int64_t want = total_small ? 1 : cases[i].next;
        if (strstr(cases[i].page, "\"total\":3,") != NULL)
            want = -1;                                  /* 103 is past the total */
        if (ok != cases[i].ok || next != want || !eb_streq(eb_json_str(c, "id"), cases[i].found))
            fail_msg("case %zu (%s): %d %lld", i, cases[i].why, ok, (long long)next);
        json_decref(page);
    }
}

static void test_comment_scan(void **state)
{
    static const struct { const char *text; bool ok; const char *id; int is_public; const char *why; } cases[] = {
        { "{\"id\":\"500\",\"jsdPublic\":false}", true, "500", 0, "plain" },
        { "{\"self\":\"x\",\"author\":{\"id\":\"9\",\"jsdPublic\":true},\"id\":\"500\"}", true, "500", -1, "inner members do not count" },
        { " { \"body\" : [ \"}\\\"\" , {} ] , \"id\" : \"5\" , \"jsdPublic\" : true } \n", true, "5", 1, "blanks, braces in texts" },
        { "{\"id\":\"1\",\"id\":\"2\"}", false, "", 0, "a member given twice" },
        { "{\"id\":\"1\",\"jsdPublic\":false,\"jsdPublic\":true}", false, "", 0, "the other one given twice" },
        { "{\"\\u0069d\":\"1\",\"id\":\"2\"}", false, "", 0, "a name with an escape" },
        { "{\"id\":\"1\\u0031\"}", false, "", 0, "an id with an escape" },
        { "{\"id\":\"1/2\"}", false, "", 0, "an id that is no number" },
        { "{\"id\":500}", false, "", 0, "a number" },
        { "{\"id\":\"1\",\"jsdPublic\":null}", false, "", 0, "null" },
        { "{\"id\":\"1\",\"jsdPublic\":tru}", false, "", 0, "half a word" },
        { "{\"id\":\"1\"", false, "", 0, "cut" },
        { "{\"id\":\"1\",}", false, "", 0, "a comma too many" },
        { "{\"id\":\"1\"}}", false, "", 0, "a brace too many" },
        { "{\"id\":\"1\"", false, "", 0, "no end" },
        { "{}", false, "", 0, "nothing in it" },
        { "[{\"id\":\"1\"}]", false, "", 0, "an array" },
        { "<html>", false, "", 0, "HTML" },
        { "", false, "", 0, "nothing" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char id[32];
        int is_public;
        bool ok = jira_comment_scan((struct eb_span){ cases[i].text, strlen(cases[i].text) }, id, &is_public);
        if (ok != cases[i].ok || (ok && (strcmp(id, cases[i].id) != 0 || is_public != cases[i].is_public)))
            fail_msg("case %zu (%s): %d %s %d", i, cases[i].why, ok, id, is_public);
    }
}

static void test_issue(void **state)
{
    json_t *doc = json_loads("{\"id\":\"10001\",\"key\":\"ITSM-42\",\"fields\":{\"project\":{\"id\":\"1\",\"key\":\"ITSM\"},\"status\":{\"name\":\"Open\"},"
        "\"reporter\":{\"accountId\":\"acc\"},\"customfield_10010\":{\"requestType\":{\"id\":\"25\"}}}}", 0, NULL);
    struct jira_issue issue;

    (void)state;
    jira_issue_read(doc, "customfield_10010", &issue);
    assert_string_equal(issue.id, "10001");
    assert_string_equal(issue.project_key, "ITSM");
    assert_string_equal(issue.status, "Open");
    assert_string_equal(issue.request_type_id, "25");
    assert_string_equal(issue.reporter_account_id, "acc");
    assert_string_equal(issue.reporter_email, "");
    jira_issue_read(doc, NULL, &issue);
    assert_string_equal(issue.request_type_id, "");
    json_decref(doc);
    char *path = jira_path_issue("../../x?y#z", "/comment");
    assert_string_equal(path, "/rest/api/3/issue/..%2F..%2Fx%3Fy%23z/comment");
    free(path);
    assert_null(jira_path_issue("..", ""));
}

/* ---- a fake Jira ---- */

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct jira *j;
    struct fake_server *server;
    struct config_jira config;
    char base[64];
    int answers, wanted;
    /* what the fake does */
    int post_status, delete_status;
    const char *post_headers, *post_body;
    bool post_vanishes;
    int pages, found_on_page;
    bool found_is_public;
    /* what it saw */
    int posts, deletes, finds, fields, myselfs;
    char last_head[2000], last_body[2000], last_path[2100];
    /* what came back */
    struct jira_post_reply post;
    char comment_id[32], text[600], issue_key[32], request_type[32];
    struct eb_err err;
};

static void serve_page(struct bed *b, const struct fake_request *r, struct evbuffer *out)
{
    int start = atoi(strstr(r->path, "startAt=") + 8);
    char body[600];

    b->finds++;
    assert_non_null(strstr(r->path, "expand=properties"));
    if (start == b->found_on_page)
        snprintf(body, sizeof(body), "{\"total\":%d,\"comments\":[{\"id\":\"77\",\"author\":{\"accountId\":\"" US "\"},\"jsdPublic\":%s,\"properties\":"
                 "[{\"key\":\"sd.public.comment\",\"value\":{\"internal\":true}},{\"key\":\"entrabridge\",\"value\":{\"operation\":\"" OPERATION "\"}}]}]}",
                 b->pages, b->found_is_public ? "true" : "false");
    else
        snprintf(body, sizeof(body), "{\"total\":%d,\"comments\":[{\"id\":\"1\"}]}", b->pages);
    fake_answer(out, 200, "", body);
}

static enum fake_then serve(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;

    if (strcmp(r->path, "/rest/api/3/field") == 0) {
        b->fields++;
        fake_answer(out, 200, "", "[{\"id\":\"summary\",\"schema\":{\"type\":\"string\"}},{\"id\":\"customfield_10010\",\"schema\":{\"type\":\"x\","
                    "\"custom\":\"com.atlassian.servicedesk:vp-origin\"}}]");
    } else if (strcmp(r->path, "/rest/api/3/myself") == 0) {
        b->myselfs++;
        fake_answer(out, 200, "", "{\"accountId\":\"" US "\"}");
    } else if (strcmp(r->method, "DELETE") == 0) {
        b->deletes++;
        snprintf(b->last_path, sizeof(b->last_path), "%s", r->path);
        fake_answer(out, b->delete_status, "", "{}");
    } else if (strcmp(r->method, "GET") == 0 && strstr(r->path, "/comment/") != NULL) {
        snprintf(b->last_path, sizeof(b->last_path), "%s", r->path);
        fake_answer(out, b->post_status, "", b->post_body);
    } else if (strcmp(r->method, "GET") == 0 && strstr(r->path, "/comment") != NULL) {
        serve_page(b, r, out);
    } else if (strcmp(r->method, "GET") == 0 && strstr(r->path, "/project/") != NULL) {
        fake_answer(out, strstr(r->path, "/project/ITSM") ? 200 : 404, "", "{\"id\":\"10001\",\"key\":\"ITSM\"}");
    } else if (strcmp(r->method, "GET") == 0) {
        snprintf(b->last_path, sizeof(b->last_path), "%s", r->path);
        fake_answer(out, b->post_status == 201 ? 200 : b->post_status, "", strstr(r->path, "/HTML-1") ? "<html>" :
                    "{\"id\":\"5\",\"key\":\"NEW-1\",\"fields\":{\"project\":{\"id\":\"1\",\"key\":\"NEW\"},\"customfield_10010\":{\"requestType\":{\"id\":\"25\"}}}}");
    } else {
        b->posts++;
        snprintf(b->last_head, sizeof(b->last_head), "%s", r->head);
        snprintf(b->last_body, sizeof(b->last_body), "%s", r->body);
        snprintf(b->last_path, sizeof(b->last_path), "%s %s", r->method, r->path);
        if (b->post_vanishes)
            return FAKE_CLOSE;
        fake_answer(out, b->post_status, b->post_headers, b->post_body);
    }
    return FAKE_KEEP;
}

static void bed_up(struct bed *b)
{
    static char email[] = "bridge@contoso.com", token[] = "to:ken";
    struct eb_err err = { 0 };

    *b = (struct bed){ .post_status = 201, .delete_status = 204, .post_headers = "", .found_on_page = -1,
                       .post_body = "{\"id\":\"500\",\"jsdPublic\":false}" };
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

static void answered(struct bed *b, const struct eb_err *err)
{
    b->err = err != NULL ? *err : (struct eb_err){ 0 };
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static void wait_for(struct bed *b, int answers)
{
    b->wanted = answers;
    if (b->answers < answers)
        eb_loop_run(b->loop);
}

static void on_post(void *ctx, uint64_t id, const struct jira_post_reply *r)
{
    struct bed *b = ctx;
    b->post = *r;
    snprintf(b->comment_id, sizeof(b->comment_id), "%s", r->comment_id);
    answered(b, &r->err);
}

static void on_find(void *ctx, uint64_t id, const char *comment_id, const struct eb_err *err)
{
    struct bed *b = ctx;
    snprintf(b->comment_id, sizeof(b->comment_id), "%s", comment_id);
    answered(b, err);
}

static void on_issue(void *ctx, uint64_t id, const struct jira_issue *issue, const struct eb_err *err)
{
    struct bed *b = ctx;
    snprintf(b->issue_key, sizeof(b->issue_key), "%s", issue != NULL ? issue->key : "");
    snprintf(b->request_type, sizeof(b->request_type), "%s", issue != NULL ? issue->request_type_id : "");
    answered(b, err);
}

static void on_project(void *ctx, uint64_t id, const char *project_id, const char *key, const struct eb_err *err)
{
    struct bed *b = ctx;
    snprintf(b->comment_id, sizeof(b->comment_id), "%s", project_id);
    answered(b, err);
}

static void on_comment(void *ctx, uint64_t id, const struct jira_comment *c, const struct eb_err *err)
{
    struct bed *b = ctx;
    snprintf(b->text, sizeof(b->text), "%s|%s|%s|%s", c != NULL ? c->account_id : "", c != NULL ? c->created : "", c != NULL ? c->updated : "",
             c != NULL ? c->text : "");
    answered(b, err);
}

static void post(struct bed *b, bool internal, int answer)
{
    jira_comment_post(b->j, "ITSM-42", ADF, OPERATION, internal, 1, on_post, b);
    wait_for(b, answer);
}

static void test_posting(void **state)
{
    static const struct { int status; const char *headers, *body; bool vanishes, internal; enum jira_post_result result; int deletes;
                          const char *text, *why; } cases[] = {
        { 201, "", "{\"id\":\"500\",\"jsdPublic\":false}", false, true, JIRA_POSTED, 0, "", "as it should be" },
        { 201, "", "{\"id\":\"500\"}", false, true, JIRA_POSTED, 0, "", "a Jira without service projects" },
        { 201, "", "{\"id\":\"500\",\"jsdPublic\":true,\"\\u0078\":1}", false, true, JIRA_POST_REFUSED, 1, "agent", "the same through the real parser" },
        { 201, "", "{\"id\":\"500\",\"jsdPublic\":true}", false, false, JIRA_POSTED, 0, "", "public was wanted" },
        { 201, "", "{\"id\":\"500\",\"jsdPublic\":true}", false, true, JIRA_POST_REFUSED, 1, "agent", "came out public: deleted" },
        { 201, "", "<html>", false, true, JIRA_POST_IN_DOUBT, 0, "", "posted, but who can see it is not known" },
        { 429, "Retry-After: 5\r\n", "{}", false, true, JIRA_AGAIN, 0, "429", "throttled" },
        { 429, "", "{}", false, true, JIRA_AGAIN, 0, "", "throttled without a time" },
        { 401, "", "{}", false, true, JIRA_AGAIN, 0, "jira.api_token", "credentials: later" },
        { 400, "", "{\"errorMessages\":[],\"errors\":{\"comment\":\"too long\"}}", false, true, JIRA_POST_REFUSED, 0, "too long", "refused" },
        { 403, "", "{\"errorMessages\":[\"no\"]}", false, true, JIRA_POST_REFUSED, 0, "permission", "not permitted" },
        { 404, "", "{}", false, true, JIRA_POST_REFUSED, 0, "", "the issue is gone" },
        { 413, "", "{}", false, true, JIRA_POST_REFUSED, 0, "largest number", "full" },
        { 500, "", "{}", false, true, JIRA_POST_IN_DOUBT, 0, "", "500" },
        { 503, "Retry-After: 1\r\n", "<html>", false, true, JIRA_POST_IN_DOUBT, 0, "", "503" },
        { 201, "", "", true, true, JIRA_POST_IN_DOUBT, 0, "", "no answer" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.post_status = cases[i].status;
        b.post_headers = cases[i].headers;
        b.post_body = cases[i].body;
        b.post_vanishes = cases[i].vanishes;
        post(&b, cases[i].internal, 1);
        if (b.post.result != cases[i].result || b.posts != 1 || b.deletes != cases[i].deletes || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu (%s): %d posts %d deletes %d %s", i, cases[i].why, b.post.result, b.posts, b.deletes, b.err.text);
        if (b.post.result == JIRA_POSTED)
            assert_string_equal(b.comment_id, "500");
        if (cases[i].deletes > 0)
            assert_string_equal(b.last_path, "/rest/api/3/issue/ITSM-42/comment/500");
        bed_down(&b);
    }
}

static void test_request_shape(void **state)
{
    struct bed b;
    char expected[128], pair[64] = "";

    (void)state;
    bed_up(&b);
    post(&b, true, 1);
    eb_b64_encode("bridge@contoso.com:to:ken", strlen("bridge@contoso.com:to:ken"), pair);
    snprintf(expected, sizeof(expected), "Authorization: Basic %s\r\n", pair);
    assert_non_null(strstr(b.last_head, expected));
    assert_non_null(strstr(b.last_head, "Content-Type: application/json\r\n"));
    assert_string_equal(b.last_path, "POST /rest/api/3/issue/ITSM-42/comment");
    jira_property_put(b.j, "ITSM-42", "{\"outcome\":\"succeeded\"}", 1, on_post, &b);
    wait_for(&b, 2);
    assert_int_equal(b.post.result, JIRA_POSTED);
    assert_string_equal(b.last_path, "PUT /rest/api/3/issue/ITSM-42/properties/entrabridge");
    assert_string_equal(b.last_body, "{\"outcome\":\"succeeded\"}");
    bed_down(&b);
}

static void test_finding(void **state)
{
    static const struct { int pages, found_on; bool is_public; const char *id; int finds, deletes; const char *why; } cases[] = {
        { 3, 0, false, "77", 1, 0, "on the first page" },
        { 3, 2, false, "77", 3, 0, "on the last page" },
        { 3, -1, false, "", 3, 0, "nowhere" },
        { 1, 0, true, "", 1, 1, "it came out public: deleted, so that it is posted anew" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.pages = cases[i].pages;
        b.found_on_page = cases[i].found_on;
        b.found_is_public = cases[i].is_public;
        jira_comment_find(b.j, "ITSM-42", OPERATION, 1, on_find, &b);
        wait_for(&b, 1);
        if (b.err.code != EB_OK || strcmp(b.comment_id, cases[i].id) != 0 || b.finds != cases[i].finds || b.deletes != cases[i].deletes)
            fail_msg("case %zu (%s): %s finds %d deletes %d %s", i, cases[i].why, b.comment_id, b.finds, b.deletes, b.err.text);
        jira_comment_find(b.j, "ITSM-42", OPERATION, 1, on_find, &b);
        wait_for(&b, 2);
        assert_int_equal(b.myselfs, 1);                 /* our account is asked for once */
        bed_down(&b);
    }
}

#define NODE(t) "{\"type\":\"text\",\"text\":\"" t "\"}"
#define ONE(body) "{\"id\":\"7\",\"author\":{\"accountId\":\"me\"},\"created\":\"C\",\"updated\":\"U\",\"body\":" body "}"
static void test_one_comment(void **state)
{
    static const struct { int status; const char *id, *body; enum eb_code code; const char *text, *why; } cases[] = {
        { 200, "7", ONE("{\"type\":\"doc\",\"content\":[{\"type\":\"panel\",\"content\":[" NODE("a ") "," NODE("b") "]}," NODE("c") "]}"), EB_OK,
          "me|C|U|a bc", "texts at every depth, in order" },
        { 200, "7", ONE("null"), EB_OK, "me|C|U|", "without a text" },
        { 200, "7", ONE("{\"type\":\"emoji\",\"text\":\"x\"}"), EB_OK, "me|C|U|", "only text nodes have text" },
        { 200, "7", "{\"id\":\"7\",\"created\":\"C\",\"updated\":\"C\"}", EB_JIRA_UNAVAILABLE, "|||", "nobody's" },
        { 200, "7", "[]", EB_JIRA_UNAVAILABLE, "|||", "no comment at all" },
        { 404, "7", "{}", EB_NOT_THERE, "|||", "gone" },
        { 403, "7", "{}", EB_JIRA_UNAVAILABLE, "|||", "hidden" },
        { 200, "..", ONE("null"), EB_INTERNAL, "|||", "an id that would be another path" },
        { 200, "", ONE("null"), EB_INTERNAL, "|||", "no id" },
    };
    struct bed b;

    (void)state;
    bed_up(&b);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        b.post_status = cases[i].status;
        b.post_body = cases[i].body;
        b.last_path[0] = '\0';
        jira_comment_get(b.j, "ITSM-42", cases[i].id, 1, on_comment, &b);
        wait_for(&b, 1 + (int)i);
        bool sent = cases[i].id[0] == '7';
        if ((sent ? b.err.code != cases[i].code : b.err.code == EB_OK) || strcmp(b.text, cases[i].text) != 0)
            fail_msg("case %zu (%s): %s %s %s", i, cases[i].why, eb_code_text(b.err.code), b.err.text, b.text);
        assert_string_equal(b.last_path, sent ? "/rest/api/3/issue/ITSM-42/comment/7" : "");
    }
    bed_down(&b);
}

static void test_reading(void **state)
{
    static const struct { int status; const char *issue; enum eb_code code; const char *text; } cases[] = {
        { 404, "ITSM-1", EB_ISSUE_NOT_FOUND, "browse" },
        { 401, "ITSM-1", EB_JIRA_UNAVAILABLE, "jira.api_token" },
        { 403, "ITSM-1", EB_JIRA_UNAVAILABLE, "permission" },
        { 201, "HTML-1", EB_JIRA_UNAVAILABLE, "proxy" },
    };
    struct bed b;

    (void)state;
    bed_up(&b);
    jira_issue_get(b.j, "OLD-1", NULL, 2000, 1, on_issue, &b);
    wait_for(&b, 1);
    assert_string_equal(b.issue_key, "NEW-1");          /* a moved issue says its new key */
    while (b.j->request_type_field == NULL)             /* looked up in the background */
        event_base_loop(eb_loop_base(b.loop), EVLOOP_ONCE);
    jira_issue_get(b.j, "OLD-1", NULL, 2000, 1, on_issue, &b);
    wait_for(&b, 2);
    assert_string_equal(b.request_type, "25");
    assert_string_equal(b.last_path, "/rest/api/3/issue/OLD-1?fields=project,status,reporter,created,customfield_10010");
    assert_int_equal(b.fields, 1);
    jira_project_get(b.j, "ITSM", 1, on_project, &b);
    wait_for(&b, 3);
    assert_string_equal(b.comment_id, "10001");
    jira_project_get(b.j, "NOPE", 1, on_project, &b);
    wait_for(&b, 4);
    assert_int_equal(b.err.code, EB_NOT_THERE);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        b.post_status = cases[i].status;
        jira_issue_get(b.j, cases[i].issue, NULL, 2000, 1, on_issue, &b);
        wait_for(&b, 5 + (int)i);
        if (b.err.code != cases[i].code || strstr(b.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %s %s", i, eb_code_text(b.err.code), b.err.text);
    }
    bed_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comment_body), cmocka_unit_test(test_comment_mark), cmocka_unit_test(test_comment_page), cmocka_unit_test(test_comment_scan), cmocka_unit_test(test_issue),
        cmocka_unit_test(test_posting), cmocka_unit_test(test_request_shape), cmocka_unit_test(test_finding),
        cmocka_unit_test(test_reading), cmocka_unit_test(test_one_comment),
    };
    eb_log_setup(EB_LOG_ERROR + 1, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
