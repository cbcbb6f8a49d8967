/* test_assets.c - Assets' client over sockets: what each call says, what each answer means, rounds, links, credentials. */
#include "assets/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define W "/jsm/assets/workspace/w%2F1/v1"

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct assets *a;
    struct fake_server *server;
    struct config_assets config;
    struct config_jira jira;
    char base[64], url[96];
    int status, calls, answers, wanted;     /* status of answers; with `statuses` the one of each call */
    const char *body, *headers;
    const int *statuses;
    bool silent;
    char method[16], path[2048], head[2048], sent[4096];
    struct assets_reply last;
    char text[600], got[600], location[200];
};

static enum fake_then serve(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    int status = b->statuses != NULL ? b->statuses[b->calls] : b->status;

    b->calls++;
    snprintf(b->method, sizeof(b->method), "%s", r->method);
    snprintf(b->path, sizeof(b->path), "%s", r->path);
    snprintf(b->head, sizeof(b->head), "%s", r->head);
    snprintf(b->sent, sizeof(b->sent), "%s", r->body);
    if (!b->silent && status > 0)
        fake_answer(out, status, b->headers, b->body);
    return status > 0 ? FAKE_KEEP : FAKE_CLOSE;
}

static void bed_up(struct bed *b)
{
    static char email[] = "bot@example.com", token[] = "secret", import[] = "import-token", workspace[] = "w/1";
    struct eb_err err = { 0 };

    *b = (struct bed){ .status = 200, .body = "{}", .headers = "" };
    assert_true(eb_loop_new(&b->loop, &err));
    b->server = fake_server_new(b->loop, serve, b);
    snprintf(b->base, sizeof(b->base), "http://127.0.0.1:%d", b->server->port);
    snprintf(b->url, sizeof(b->url), "%s", b->base);
    b->config = (struct config_assets){ .api_url = b->url, .workspace_id = workspace, .import_token = import, .max_calls = 4 };
    b->jira = (struct config_jira){ .email = email, .api_token = token };
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    assert_true(assets_new(b->o, b->loop, &b->config, &b->jira, &b->a, &err));
}

static void again(struct bed *b)
{
    struct eb_err err = { 0 };

    assets_free(b->a);
    assert_true(assets_new(b->o, b->loop, &b->config, &b->jira, &b->a, &err));
}

static void bed_down(struct bed *b)
{
    assets_free(b->a);
    outbound_free(b->o);
    fake_server_free(b->server);
    eb_loop_free(b->loop);
}

static void on_done(void *ctx, uint64_t id, const struct assets_reply *r)
{
    struct bed *b = ctx;
    char *text = r->body != NULL ? eb_json_text(r->body) : NULL;

    (void)id;
    b->last = *r;
    snprintf(b->text, sizeof(b->text), "%s", r->err.text);
    snprintf(b->location, sizeof(b->location), "%s", r->location != NULL ? r->location : "");
    snprintf(b->got, sizeof(b->got), "%s", text != NULL ? text : r->bytes.p != NULL ? r->bytes.p : "");
    free(text);
    if (++b->answers >= b->wanted)
        eb_loop_stop(b->loop);
}

static void ask(struct bed *b, const struct assets_call *c)
{
    b->wanted = b->answers + 1;
    assets_send(b->a, c, 7, on_done, b);
    assert_int_equal(b->answers, b->wanted - 1);        /* never inside the call */
    eb_loop_run(b->loop);
}

/* Every call as it goes over the wire. */
static void test_calls(void **state)
{
    static const struct { enum assets_call_kind kind; const char *a; int start, size; bool body; const char *method, *path; bool import; } cases[] = {
        { ASSETS_SCHEMAS, NULL, 50, 0, false, "GET", W "/objectschema/list?startAt=50&maxResults=50", false },
        { ASSETS_SCHEMA_CREATE, NULL, 0, 0, true, "POST", W "/objectschema/create", false },
        { ASSETS_TYPES, "7", 0, 0, false, "GET", W "/objectschema/7/objecttypes/flat", false },
        { ASSETS_TYPE_CREATE, NULL, 0, 0, true, "POST", W "/objecttype/create", false },
        { ASSETS_ICONS, NULL, 0, 0, false, "GET", W "/icon/global", false },
        { ASSETS_ATTRIBUTES, "a/../b?c", 0, 0, false, "GET", W "/objecttype/a%2F..%2Fb%3Fc/attributes", false },
        { ASSETS_ATTRIBUTE_CREATE, "9", 0, 0, true, "POST", W "/objecttypeattribute/9", false },
        { ASSETS_REFERENCE_TYPES, "7", 0, 0, false, "GET", W "/config/referencetype?includeAll=true&objectSchemaId=7", false },
        { ASSETS_REFERENCE_TYPES, NULL, 0, 0, false, "GET", W "/config/referencetype", false },
        { ASSETS_REFERENCE_TYPE_CREATE, NULL, 0, 0, true, "POST", W "/config/referencetype", false },
        { ASSETS_STATUS_TYPES, NULL, 0, 0, false, "GET", W "/config/statustype", false },
        { ASSETS_STATUS_TYPES, "7&x=1", 0, 0, false, "GET", W "/config/statustype?objectSchemaId=7%26x%3D1", false },
        { ASSETS_STATUS_TYPE_CREATE, NULL, 0, 0, true, "POST", W "/config/statustype", false },
        { ASSETS_AQL, NULL, 500, 250, true, "POST", W "/object/aql?startAt=500&maxResults=250&includeAttributes=true", false },
        { ASSETS_OBJECT, "12", 0, 0, false, "GET", W "/object/12", false },
        { ASSETS_OBJECT_CREATE, NULL, 0, 0, true, "POST", W "/object/create", false },
        { ASSETS_OBJECT_UPDATE, "12", 0, 0, true, "PUT", W "/object/12", false },
        { ASSETS_OBJECT_DELETE, "12", 0, 0, false, "DELETE", W "/object/12", false },
        { ASSETS_USAGE, NULL, 0, 0, false, "GET", W "/usage", false },
        { ASSETS_IMPORT_INFO, NULL, 0, 0, false, "GET", "/jsm/assets/v1/imports/info", true },
        { ASSETS_IMPORT_STATUS, "/i/status", 0, 0, false, "GET", "/i/status", true },
        { ASSETS_IMPORT_MAPPING_PUT, "/i/mapping?async=true", 0, 0, true, "PUT", "/i/mapping?async=true", true },
        { ASSETS_IMPORT_MAPPING_PATCH, "/i/mapping", 0, 0, true, "PATCH", "/i/mapping", true },
        { ASSETS_IMPORT_MAPPING_PROGRESS, "/i/mapping/progress/1", 0, 0, false, "GET", "/i/mapping/progress/1", true },
        { ASSETS_IMPORT_START, "/i/executions", 0, 0, false, "POST", "/i/executions", true },
        { ASSETS_IMPORT_PROGRESS, "/i/1/progress", 0, 0, true, "PUT", "/i/1/progress", true },
        { ASSETS_IMPORT_DATA, "/i/1/data", 0, 0, true, "POST", "/i/1/data", true },
        { ASSETS_IMPORT_EXECUTION, "/i/1/status", 0, 0, false, "GET", "/i/1/status", true },
        { ASSETS_IMPORT_CANCEL, "/i/1", 0, 0, false, "DELETE", "/i/1", true },
    };
    struct bed b;
    json_t *body = json_pack("{s:s}", "name", "Ada");
    bool seen[ASSETS_CALL_KINDS] = { false };

    (void)state;
    bed_up(&b);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char link[200];
        bool is_link = cases[i].import && cases[i].a != NULL;
        snprintf(link, sizeof(link), "%s%s", is_link ? b.base : "", cases[i].a != NULL ? cases[i].a : "");
        ask(&b, &(struct assets_call){ .kind = cases[i].kind, .a = cases[i].a != NULL ? link : NULL, .start = cases[i].start, .size = cases[i].size,
                                       .body = cases[i].body ? body : NULL });
        seen[cases[i].kind] = true;
        if (b.last.result != ASSETS_OK || strcmp(b.method, cases[i].method) != 0 || strcmp(b.path, cases[i].path) != 0)
            fail_msg("case %zu: %s %s, result %d: %s", i, b.method, b.path, (int)b.last.result, b.text);
        assert_string_equal(b.sent, cases[i].body ? "{\"name\":\"Ada\"}" : "");
        assert_int_equal(strstr(b.head, "Content-Type: application/json\r\n") != NULL, cases[i].body);
        assert_non_null(strstr(b.head, cases[i].import ? "Authorization: Bearer import-token\r\n" : "Authorization: Basic Ym90QGV4YW1wbGUuY29tOnNlY3JldA==\r\n"));
    }
    for (int k = 0; k < ASSETS_CALL_KINDS; k++)
        assert_true(seen[k]);
    json_decref(body);
    bed_down(&b);
}

static const char html[] = "<html>maintenance</html>", words[] = "{\"errorMessages\":[],\"errors\":{\"rlabs-insight-attribute-135\":\"must be\\u0007 unique\"}}";

/* Each answer to a read, to a write that is sent once, to one that may be repeated. */
static void test_answers(void **state)
{
    static const struct { enum assets_call_kind kind; int status; const char *body; enum assets_result result; enum eb_code code; const char *text; int calls; } cases[] = {
        { ASSETS_OBJECT_CREATE, 201, "{\"id\":\"1\"}", ASSETS_OK, EB_OK, "", 1 },
        { ASSETS_OBJECT_CREATE, 201, html, ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "not its JSON", 1 },
        { ASSETS_OBJECT_CREATE, 201, "{\"id\":\"1\"", ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "not its JSON", 1 },
        { ASSETS_OBJECT_CREATE, 400, words, ASSETS_REFUSED, EB_INVALID_REQUEST, "must be unique", 1 },
        { ASSETS_OBJECT_CREATE, 401, "{}", ASSETS_DENIED, EB_JIRA_UNAVAILABLE, "jira.api_token", 1 },
        { ASSETS_OBJECT_CREATE, 403, "{\"errorMessages\":[\"no role\"]}", ASSETS_DENIED, EB_JIRA_UNAVAILABLE, "write:cmdb-object:jira. Assets says: no role", 1 },
        { ASSETS_OBJECT_CREATE, 404, "{}", ASSETS_REFUSED, EB_NOT_THERE, "404", 1 },
        { ASSETS_OBJECT_CREATE, 409, "{}", ASSETS_REFUSED, EB_INVALID_REQUEST, "409", 1 },
        { ASSETS_OBJECT_CREATE, 429, "{}", ASSETS_NOT_SENT, EB_JIRA_UNAVAILABLE, "429", 1 },
        { ASSETS_OBJECT_CREATE, 500, html, ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "500", 1 },
        { ASSETS_OBJECT_CREATE, 503, "{}", ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "503", 1 },
        { ASSETS_OBJECT_CREATE, 302, "{}", ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "302", 1 },
        { ASSETS_OBJECT_UPDATE, 200, html, ASSETS_OK, EB_OK, "", 1 },
        { ASSETS_OBJECT_UPDATE, 404, "{}", ASSETS_REFUSED, EB_NOT_THERE, "404", 1 },
        { ASSETS_OBJECT_UPDATE, 500, "{}", ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "500", 0 },
        { ASSETS_OBJECT_DELETE, 204, "", ASSETS_OK, EB_OK, "", 1 },
        { ASSETS_OBJECT_DELETE, 404, "{}", ASSETS_OK, EB_OK, "", 1 },
        { ASSETS_OBJECT, 404, "{}", ASSETS_REFUSED, EB_NOT_THERE, "404", 1 },
        { ASSETS_OBJECT, 200, html, ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "proxy", 0 },
        { ASSETS_AQL, 200, "{\"values\":[", ASSETS_OK, EB_OK, "", 0 /* whoever parses it decides */ },
        { ASSETS_AQL, 200, html, ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "proxy", 0 },
        { ASSETS_AQL, 400, "{\"errorMessages\":[\"bad AQL\"]}", ASSETS_REFUSED, EB_INVALID_REQUEST, "bad AQL", 1 },
        { ASSETS_AQL, 500, "{}", ASSETS_IN_DOUBT, EB_JIRA_UNAVAILABLE, "500", 0 },
    };
    json_t *body = json_pack("{s:s}", "qlQuery", "x");

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.status = cases[i].status;
        b.body = cases[i].body;
        ask(&b, &(struct assets_call){ .kind = cases[i].kind, .a = "1", .body = body, .deadline_ms = 400 });
        if (b.last.result != cases[i].result || b.last.err.code != cases[i].code || strstr(b.text, cases[i].text) == NULL ||
            (cases[i].calls > 0 ? b.calls != cases[i].calls : b.calls < 1))
            fail_msg("case %zu: result %d, code %d, %d calls: %s", i, (int)b.last.result, (int)b.last.err.code, b.calls, b.text);
        assert_int_equal(b.last.attempts >= 1, true);
        bed_down(&b);
    }
    json_decref(body);
}

/* A creation goes again only after an answer that says that nothing was done. */
static void test_rounds(void **state)
{
    static const struct { enum assets_call_kind kind; int statuses[4]; enum assets_result result; int calls; const char *why; } cases[] = {
        { ASSETS_OBJECT_CREATE, { 429, 429, 201 }, ASSETS_OK, 3, "throttled: again" },
        { ASSETS_OBJECT_CREATE, { 503, 201 }, ASSETS_IN_DOUBT, 1, "it may be done" },
        { ASSETS_OBJECT_CREATE, { 0 }, ASSETS_IN_DOUBT, 1, "no answer" },
        { ASSETS_OBJECT_CREATE, { 429, 0 }, ASSETS_IN_DOUBT, 2, "throttled, then no answer" },
        { ASSETS_OBJECT_UPDATE, { 0, 503, 429, 200 }, ASSETS_OK, 4, "absolute values" },
        { ASSETS_IMPORT_START, { 0 }, ASSETS_IN_DOUBT, 1, "a second execution must not begin" },
    };
    json_t *body = json_object();
    char link[100];

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.statuses = cases[i].statuses;
        b.headers = "Retry-After: 0\r\n";
        snprintf(link, sizeof(link), "%s/i/executions", b.base);
        ask(&b, &(struct assets_call){ .kind = cases[i].kind, .a = cases[i].kind == ASSETS_IMPORT_START ? link : "1", .body = body, .deadline_ms = 20000 });
        if (b.last.result != cases[i].result || b.calls != cases[i].calls)
            fail_msg("case %zu (%s): result %d after %d calls: %s", i, cases[i].why, (int)b.last.result, b.calls, b.text);
        bed_down(&b);
    }
    json_decref(body);
}

static void test_timeouts(void **state)
{
    static const struct { enum assets_call_kind kind; enum assets_result result; } cases[] = {
        { ASSETS_OBJECT_CREATE, ASSETS_IN_DOUBT }, { ASSETS_OBJECT_UPDATE, ASSETS_IN_DOUBT }, { ASSETS_OBJECT, ASSETS_IN_DOUBT },
    };
    json_t *body = json_object();

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b);
        b.silent = true;
        ask(&b, &(struct assets_call){ .kind = cases[i].kind, .a = "1", .body = body, .deadline_ms = 300 });
        assert_int_equal(b.last.result, cases[i].result);
        assert_int_equal(b.last.err.code, EB_JIRA_UNAVAILABLE);
        bed_down(&b);
    }
    json_decref(body);
}

/* What is not sent: no workspace, no id, no body, no import token, a link that leads elsewhere. */
static void test_not_sent(void **state)
{
    static const char *const links[] = { "https://evil.example/i/status", "/i/status", "", "http://127.0.0.1:1/i" };
    struct eb_err err = { 0 };
    struct bed b;

    (void)state;
    bed_up(&b);
    for (size_t i = 0; i < EB_LEN(links); i++) {
        ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_STATUS, .a = links[i] });
        assert_int_equal(b.last.result, ASSETS_NOT_SENT);
        assert_non_null(strstr(b.text, "leads away"));
    }
    ask(&b, &(struct assets_call){ .kind = ASSETS_OBJECT, .a = "" });
    assert_int_equal(b.last.result, ASSETS_NOT_SENT);
    ask(&b, &(struct assets_call){ .kind = ASSETS_OBJECT_CREATE });
    assert_int_equal(b.last.err.code, EB_INTERNAL);
    b.config.workspace_id = b.config.import_token = NULL;
    again(&b);
    assert_null(assets_workspace(b.a));
    assert_false(assets_imports(b.a));
    ask(&b, &(struct assets_call){ .kind = ASSETS_USAGE });
    assert_non_null(strstr(b.text, "workspace"));
    ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_INFO });
    assert_int_equal(b.last.result, ASSETS_DENIED);
    assert_non_null(strstr(b.text, "assets.import_token"));
    assert_int_equal(b.calls, 0);
    assert_false(assets_set_workspace(b.a, "", &err));
    assert_false(assets_set_workspace(b.a, "a\nb", &err));
    assert_true(assets_set_workspace(b.a, "w2", &err));
    ask(&b, &(struct assets_call){ .kind = ASSETS_USAGE });
    assert_string_equal(b.path, "/jsm/assets/workspace/w2/v1/usage");
    bed_down(&b);
}

/* A gateway stands before the workspace's calls, not before imports; without e-mail the token is a Bearer. */
static void test_gateway_and_bearer(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b);
    snprintf(b.url, sizeof(b.url), "%s/ex/jira/c-1", b.base);
    b.jira.email = NULL;
    again(&b);
    ask(&b, &(struct assets_call){ .kind = ASSETS_USAGE });
    assert_string_equal(b.path, "/ex/jira/c-1" W "/usage");
    assert_non_null(strstr(b.head, "Authorization: Bearer secret\r\n"));
    ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_INFO });
    assert_string_equal(b.path, "/jsm/assets/v1/imports/info");
    bed_down(&b);
}

static void test_background(void **state)
{
    struct bed b;
    json_t *body = json_object();
    char link[100];

    (void)state;
    bed_up(&b);
    snprintf(link, sizeof(link), "%s/i/mapping?async=true", b.base);
    b.status = 303;
    b.headers = "Location: https://x.example/progress/1\r\n";
    ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_MAPPING_PUT, .a = link, .body = body, .deadline_ms = 400 });
    assert_int_equal(b.last.result, ASSETS_OK);
    assert_int_equal(b.last.status, 303);
    assert_string_equal(b.location, "https://x.example/progress/1");
    b.headers = "Location: /i/progress/2\r\n";
    ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_MAPPING_PATCH, .a = link, .body = body, .deadline_ms = 400 });
    snprintf(link, sizeof(link), "%s/i/progress/2", b.base);
    assert_string_equal(b.location, link);
    b.status = 200;
    ask(&b, &(struct assets_call){ .kind = ASSETS_IMPORT_MAPPING_PROGRESS, .a = link });
    assert_string_equal(b.path, "/i/progress/2");
    json_decref(body);
    bed_down(&b);
}

static void test_forget(void **state)
{
    struct bed b;
    json_t *body = json_object();

    (void)state;
    bed_up(&b);
    b.status = 429;
    assets_send(b.a, &(struct assets_call){ .kind = ASSETS_OBJECT_CREATE, .body = body, .deadline_ms = 20000 }, 1, on_done, &b);   /* on its way */
    assets_send(b.a, &(struct assets_call){ .kind = ASSETS_OBJECT, .a = "" }, 1, on_done, &b);                                    /* failed already */
    assets_forget(b.a, &b, 1);
    b.status = 200;
    ask(&b, &(struct assets_call){ .kind = ASSETS_USAGE });
    assert_int_equal(b.answers, 1);
    assets_send(b.a, &(struct assets_call){ .kind = ASSETS_USAGE }, 1, on_done, &b);     /* freed with the client */
    json_decref(body);
    bed_down(&b);
    assert_int_equal(b.answers, 1);
}

static void test_words(void **state)
{
    static const struct { const char *body, *words, *attribute; } cases[] = {
        { words, "must be unique", "135" },
        { "{\"errorMessages\":[\"first\"],\"errors\":{}}", "first", NULL },
        { "{\"errorCode\":\"IN_PROGRESS\"}", "IN_PROGRESS", NULL },
        { "{\"errors\":{\"rlabs-insight-attribute-\":\"x\"}}", "x", NULL },
        { "{\"errors\":{\"other\":\"y\",\"rlabs-insight-attribute-7\":\"z\"}}", "y", "7" },
        { "[]", "it did not say why", NULL },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *doc = json_loads(cases[i].body, 0, NULL);
        char out[64], id[32] = "";
        assets_error_words(doc, out, sizeof(out));
        assert_string_equal(out, cases[i].words);
        assert_int_equal(assets_error_attribute(doc, id), cases[i].attribute != NULL);
        assert_string_equal(id, cases[i].attribute != NULL ? cases[i].attribute : "");
        json_decref(doc);
    }
}

static bool add_object(void *ctx, const json_t *object, struct eb_err *err)
{
    (void)err;
    json_array_append(ctx, (json_t *)(uintptr_t)object);
    return true;
}

static void test_page(void **state)
{
    static const struct { const char *page, *told, *rest /* NULL: no page */, *why; } cases[] = {
        { "{\"total\":1,\"values\":[],\"isLast\":true}", "[]", "{\"isLast\":true,\"total\":1,\"values\":[]}", "nothing" },
        { "{\"values\":[{\"id\":\"1\",\"objectType\":{\"id\":\"9\",\"icon\":[{\"id\":1}]},\"label\":\"a}]\\\"\"}]}", "[{\"id\":\"1\",\"label\":\"a}]\\\"\"}]",
          "{\"values\":[]}", "what nobody reads, in the middle; brackets and quotes in a text" },
        { "{\"values\":[ {\"avatar\":{},\"id\":\"1\"} , {\"id\":\"2\",\"avatar\":[]} , {\"avatar\":\"x\"} ] }", "[{\"id\":\"1\"},{\"id\":\"2\"},{}]", "{\"values\":[]}",
          "at the beginning, at the end, alone, with blanks" },
        { "{\"values\":[{\"attributes\":[{\"objectAttributeValues\":[{\"value\":null,\"displayValue\":\"x\",\"status\":{\"id\":\"1\",\"name\":\"n\",\"category\":1}}],\"id\":\"7\"}]}]}",
          "[{\"attributes\":[{\"id\":\"7\",\"objectAttributeValues\":[{\"status\":{\"category\":1,\"id\":\"1\"},\"value\":null}]}]}]", "{\"values\":[]}", "deep" },
        { "{\"values\":[{\"id\":\"1\"} {\"id\":\"2\"}]}", "[{\"id\":\"1\"}]", NULL, "no comma" },
        { "{\"values\":[{\"id\":\"1\"},]}", "[{\"id\":\"1\"}]", NULL, "a comma too many" },
        { "{\"values\":[{\"id\":\"1\"}", "[{\"id\":\"1\"}]", NULL, "cut off behind an object" },
        { "{\"values\":[{\"id\":\"1\",\"avatar\":{\"x\":1", "[]", NULL, "cut off within what nobody reads" },
        { "{\"values\":[{\"id\":\"1\",\"id\":\"2\"}]}", "[]", NULL, "a member twice" },
        { "{\"values\":[{\"id\":\"1\"}]", "[{\"id\":\"1\"}]", NULL, "the page does not close" },
        { "{\"values\":{\"id\":\"1\"}}", "[]", NULL, "no list" },
        { "{\"x\":{\"values\":[]}}", "[]", NULL, "the list of something else" },
        { "[]", "[]", NULL, "no object" }, { "", "[]", NULL, "nothing at all" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *told = json_array(), *rest = NULL;
        struct eb_err err = { 0 };
        int64_t count = -1;
        bool ok = assets_page_each((struct eb_span){ cases[i].page, strlen(cases[i].page) }, add_object, told, &rest, &count, &err);
        char *text = json_dumps(told, JSON_COMPACT | JSON_SORT_KEYS), *left = rest != NULL ? json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        if (ok != (cases[i].rest != NULL) || !eb_streq(left, cases[i].rest) || !eb_streq(text, cases[i].told) || count != (int64_t)json_array_size(told))
            fail_msg("case %zu (%s): told %s, left %s, %lld", i, cases[i].why, text, left != NULL ? left : "nothing", (long long)count);
        free(text);
        free(left);
        json_decref(told);
        json_decref(rest);
    }
}

static void test_quote(void **state)
{
    static const struct { const char *value, *out; } cases[] = {
        { "Ada", "\"Ada\"" }, { "", "\"\"" }, { "a\"b", "\"a\\\"b\"" }, { "\\", "\"\\\\\"" }, { "x\" OR \"1\" = \"1", "\"x\\\" OR \\\"1\\\" = \\\"1\"" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf out = EB_BUF(100);
        assets_quote(&out, cases[i].value);
        assert_string_equal(out.data, cases[i].out);
        eb_buf_free(&out);
    }
    assert_non_null(strstr(assets_scopes(true), "write:cmdb-schema:jira"));
    assert_null(strstr(assets_scopes(false), "write:cmdb-schema:jira"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_not_sent),
        cmocka_unit_test(test_gateway_and_bearer),
        cmocka_unit_test(test_background),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_quote),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
