/* test_graph_calls.c - a fake Graph over sockets: the token, 401, batches in rounds, doubt, links. */
#include "base/clock.h"
#include "base/log.h"
#include "graph/batch.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define USER "a0000000-0000-4000-8000-000000000001"
#define GROUP "b0000000-0000-4000-8000-000000000001"

static void member_add(struct graph *g, const char *group_id, const char *user_id, uint64_t id, graph_done *done, void *ctx)
{
    graph_write(g, &(struct graph_write){ .kind = GRAPH_MEMBER_ADD, .user_id = user_id, .other_id = group_id }, id, done, ctx);
}

static void member_remove(struct graph *g, const char *group_id, const char *user_id, uint64_t id, graph_done *done, void *ctx)
{
    graph_write(g, &(struct graph_write){ .kind = GRAPH_MEMBER_REMOVE, .user_id = user_id, .other_id = group_id }, id, done, ctx);
}

static void user_set_enabled(struct graph *g, const char *user_id, bool enabled, uint64_t id, graph_done *done, void *ctx)
{
    graph_write(g, &(struct graph_write){ .kind = enabled ? GRAPH_USER_ENABLE : GRAPH_USER_DISABLE, .user_id = user_id }, id, done, ctx);
}

static struct graph_batch *batch_of(int count)
{
    struct graph_batch *b = graph_batch_new();
    char path[32];

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/users/%d", i);
        assert_int_equal(graph_batch_get(b, path), i);
    }
    return b;
}

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct graph *g;
    struct fake_server *server;
    struct config_entra config;
    char base[64], graph_url[80];
    fake_handler *script;
    int tokens, calls, answers, wanted, token_status;
    const char *token_body;
    struct graph_reply last;
    char text[600], body[400], last_body[1000], last_head[2000];
    int item_status[GRAPH_BATCH_MAX], item_count;
    struct eb_err batch_err;
};

static enum fake_then serve(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    char token[128];

    if (strncmp(r->path, "/v1.0", 5) == 0) {
        b->calls++;
        snprintf(b->last_body, sizeof(b->last_body), "%s", r->body);
        snprintf(b->last_head, sizeof(b->last_head), "%s", r->head);
        return b->script(arg, r, out);
    }
    assert_string_equal(r->path, "/tenant/oauth2/v2.0/token");
    snprintf(b->last_body, sizeof(b->last_body), "%s", r->body);
    b->tokens++;
    snprintf(token, sizeof(token), "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"t%d\"}", b->tokens);
    fake_answer(out, b->token_status, "", b->token_body != NULL ? b->token_body : token);
    return FAKE_KEEP;
}

static void bed_up(struct bed *b, fake_handler *script)
{
    struct eb_err err = { 0 };
    static char tenant[] = "tenant", client[] = "c0000000-0000-4000-8000-000000000000", secret[] = "a+b&c=d%";

    *b = (struct bed){ .script = script, .token_status = 200 };
    assert_true(eb_loop_new(&b->loop, &err));
    b->server = fake_server_new(b->loop, serve, b);
    snprintf(b->base, sizeof(b->base), "http://127.0.0.1:%d", b->server->port);
    snprintf(b->graph_url, sizeof(b->graph_url), "%s/v1.0", b->base);
    b->config = (struct config_entra){ .tenant_id = tenant, .client_id = client, .client_secret = secret,
                                       .authority_url = b->base, .graph_url = b->graph_url, .max_calls = 4 };
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    assert_true(graph_new(b->o, b->loop, &b->config, &b->g, &err));
}

static void bed_down(struct bed *b)
{
    graph_free(b->g);
    outbound_free(b->o);
    fake_server_free(b->server);
    eb_loop_free(b->loop);
}

static void on_done(void *ctx, uint64_t id, const struct graph_reply *r)
{
    struct bed *b = ctx;
    char *body = r->body != NULL ? eb_json_text(r->body) : NULL;

    (void)id;
    b->last = *r;
    snprintf(b->text, sizeof(b->text), "%s", r->err.text);
    snprintf(b->body, sizeof(b->body), "%s", body != NULL ? body : "");
    free(body);
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static void on_batch(void *ctx, uint64_t id, const struct graph_reply *items, int count, const struct eb_err *err)
{
    struct bed *b = ctx;

    (void)id;
    b->item_count = count;
    for (int i = 0; i < count; i++)
        b->item_status[i] = items[i].status;
    b->batch_err = err != NULL ? *err : (struct eb_err){ 0 };
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static void wait_for(struct bed *b, int answers)
{
    b->wanted = answers;
    if (b->answers < answers)
        eb_loop_run(b->loop);
}

static enum fake_then answer_204(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 204, "request-id: g-1\r\n", "");
    return FAKE_KEEP;
}

static void test_writes_and_token(void **state)
{
    struct bed b;
    char expected[200];

    (void)state;
    bed_up(&b, answer_204);
    graph_check_credentials(b.g, 1, on_done, &b);
    for (int i = 0; i < 5; i++)
        member_add(b.g, GROUP, USER, 2, on_done, &b);
    assert_int_equal(b.answers, 0);
    wait_for(&b, 6);
    assert_int_equal(b.tokens, 1);                      /* one fetch, all others waited for it */
    assert_int_equal(b.last.result, GRAPH_OK);
    assert_int_equal(b.calls, 5);
    snprintf(expected, sizeof(expected), "{\"@odata.id\":\"%s/directoryObjects/" USER "\"}", b.graph_url);
    assert_string_equal(b.last_body, expected);
    assert_non_null(strstr(b.last_head, "POST /v1.0/groups/" GROUP "/members/$ref HTTP/1.1\r\n"));
    assert_non_null(strstr(b.last_head, "Authorization: Bearer t1\r\n"));
    assert_non_null(strstr(b.last_head, "Content-Type: application/json\r\n"));

    member_remove(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 7);
    assert_int_equal(b.last.result, GRAPH_OK);
    assert_non_null(strstr(b.last_head, "DELETE /v1.0/groups/" GROUP "/members/" USER "/$ref HTTP/1.1\r\n"));
    user_set_enabled(b.g, USER, false, 2, on_done, &b);
    wait_for(&b, 8);
    assert_non_null(strstr(b.last_head, "PATCH /v1.0/users/" USER " HTTP/1.1\r\n"));
    assert_string_equal(b.last_body, "{\"accountEnabled\":false}");

    member_remove(b.g, GROUP, "ada@contoso.com", 2, on_done, &b);
    wait_for(&b, 9);
    assert_int_equal(b.last.result, GRAPH_NOT_SENT);
    assert_int_equal(b.last.err.code, EB_INTERNAL);
    assert_int_equal(b.calls, 7);
    bed_down(&b);
}

static void write_one(struct bed *b, const struct graph_write *w)
{
    int answers = b->answers;

    graph_write(b->g, w, 2, on_done, b);
    assert_int_equal(b->answers, answers);              /* never inside the call */
    wait_for(b, answers + 1);
}

/* On the wire: a POST without a body says so, and has no media type; what does not fit its kind is not sent. */
static void test_write_shapes(void **state)
{
    struct bed b;
    json_t *body = json_pack("{s:b}", "accountEnabled", 0);

    (void)state;
    bed_up(&b, answer_204);
    write_one(&b, &(struct graph_write){ .kind = GRAPH_SESSIONS_REVOKE, .user_id = USER });
    assert_int_equal(b.last.result, GRAPH_OK);
    assert_non_null(strstr(b.last_head, "POST /v1.0/users/" USER "/revokeSignInSessions HTTP/1.1\r\n"));
    assert_non_null(strstr(b.last_head, "Content-Length: 0\r\n"));
    assert_null(strstr(b.last_head, "Content-Type:"));
    write_one(&b, &(struct graph_write){ .kind = GRAPH_USER_DELETE, .user_id = USER });
    assert_non_null(strstr(b.last_head, "DELETE /v1.0/users/" USER " HTTP/1.1\r\n"));
    write_one(&b, &(struct graph_write){ .kind = GRAPH_MANAGER_SET, .user_id = USER, .other_id = GROUP });
    assert_non_null(strstr(b.last_head, "PUT /v1.0/users/" USER "/manager/$ref HTTP/1.1\r\n"));
    assert_non_null(strstr(b.last_head, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(b.last_body, "/directoryObjects/" GROUP "\"}"));
    assert_int_equal(b.calls, 3);
    write_one(&b, &(struct graph_write){ .kind = GRAPH_USER_PATCH, .user_id = USER, .body = body });
    assert_int_equal(b.last.result, GRAPH_NOT_SENT);
    assert_int_equal(b.last.err.code, EB_INTERNAL);
    write_one(&b, &(struct graph_write){ .kind = GRAPH_METHOD_DELETE, .user_id = USER, .method_type = "passwordMethods", .method_id = USER });
    assert_int_equal(b.last.result, GRAPH_NOT_SENT);
    assert_int_equal(b.calls, 3);
    json_decref(body);
    bed_down(&b);
}

static enum fake_then answer_403(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 403, "", "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":\"Insufficient privileges to complete the operation.\"}}");
    return FAKE_KEEP;
}

static void test_403_names_the_permission(void **state)
{
    struct bed b;
    json_t *body = json_pack("{s:s}", "mobilePhone", "+49 1");

    (void)state;
    bed_up(&b, answer_403);
    write_one(&b, &(struct graph_write){ .kind = GRAPH_USER_PATCH, .user_id = USER, .body = body });
    assert_int_equal(b.last.err.code, EB_ENTRA_PERMISSION_MISSING);
    assert_non_null(strstr(b.text, "permission User-Phone.ReadWrite.All,"));
    assert_null(strstr(b.text, "+49"));                 /* names of attributes, never their values */
    json_decref(body);
    bed_down(&b);
}

static void test_china(void **state)
{
    struct bed b;
    struct eb_err err = { 0 };
    json_t *body = json_object();

    (void)state;
    bed_up(&b, answer_204);
    write_one(&b, &(struct graph_write){ .kind = GRAPH_PASS_CREATE, .user_id = USER, .body = body });
    assert_int_equal(b.last.result, GRAPH_OK);
    graph_free(b.g);
    b.config.cloud = CONFIG_CHINA;
    assert_true(graph_new(b.o, b.loop, &b.config, &b.g, &err));
    write_one(&b, &(struct graph_write){ .kind = GRAPH_PASS_CREATE, .user_id = USER, .body = body });
    assert_int_equal(b.last.result, GRAPH_REFUSED);     /* not to be tried again */
    assert_int_equal(b.last.err.code, EB_REJECTED_BY_ENTRA);
    assert_non_null(strstr(b.text, "China"));
    assert_false(graph_write_offered(b.g, GRAPH_PASS_CREATE, &err));
    assert_true(graph_write_offered(b.g, GRAPH_USER_CREATE, &err));
    assert_int_equal(b.calls, 1);
    json_decref(body);
    bed_down(&b);
}

/* A look at the credentials ends in the next turn where a token is there, also if other calls come between. */
static void test_credentials_do_not_wait(void **state)
{
    struct bed b;
    int64_t began_ms;

    (void)state;
    bed_up(&b, answer_204);
    graph_check_credentials(b.g, 1, on_done, &b);
    wait_for(&b, 1);
    began_ms = eb_mono_ms();
    graph_check_credentials(b.g, 1, on_done, &b);
    member_add(b.g, GROUP, USER, 2, on_done, &b);
    assert_int_equal(b.answers, 1);
    wait_for(&b, 3);
    assert_true(eb_mono_ms() - began_ms < 5000);
    bed_down(&b);
}

static void test_secret_is_form_encoded(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, answer_204);
    graph_check_credentials(b.g, 1, on_done, &b);
    wait_for(&b, 1);
    assert_string_equal(b.last_body, "client_id=c0000000-0000-4000-8000-000000000000&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
                        "&grant_type=client_credentials&client_secret=a%2Bb%26c%3Dd%25");
    bed_down(&b);
}

static enum fake_then only_new_tokens(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;

    if (strstr(r->head, "Bearer t1\r\n") != NULL || b->token_status == 0)
        fake_answer(out, 401, "", "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"x\"}}");
    else
        fake_answer(out, 204, "", "");
    return FAKE_KEEP;
}

static void test_401_renews_once(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, only_new_tokens);
    graph_check_credentials(b.g, 1, on_done, &b);
    wait_for(&b, 1);
    usleep(1100 * 1000);                                /* a token that Graph has known for a while */
    for (int i = 0; i < 3; i++)
        member_add(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 4);
    assert_int_equal(b.last.result, GRAPH_OK);
    assert_int_equal(b.tokens, 2);
    assert_int_equal(b.calls, 6);
    bed_down(&b);
}

static enum fake_then always_401(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 401, "", "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"x\"}}");
    return FAKE_KEEP;
}

static void test_401_for_ever(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, always_401);
    member_add(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, GRAPH_REFUSED);
    assert_int_equal(b.last.err.code, EB_ENTRA_UNAVAILABLE);
    assert_int_equal(b.calls, 2);
    bed_down(&b);
}

static void test_wrong_secret(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, answer_204);
    b.token_status = 401;
    b.token_body = "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}";
    for (int i = 0; i < 3; i++)
        member_add(b.g, GROUP, USER, 2, on_done, &b);
    graph_check_credentials(b.g, 2, on_done, &b);
    wait_for(&b, 4);
    assert_int_equal(b.last.result, GRAPH_NOT_SENT);
    assert_int_equal(b.last.err.code, EB_ENTRA_UNAVAILABLE);
    assert_non_null(strstr(b.text, "client secret is wrong"));
    member_add(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 5);
    assert_int_equal(b.tokens, 1);                      /* not asked again with every call */
    assert_int_equal(b.calls, 0);
    bed_down(&b);
}

static enum fake_then html(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 200, "", "<html>maintenance</html>");
    return FAKE_KEEP;
}

static void test_html(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, html);
    graph_get(b.g, "/users/x", 2000, 1, on_done, &b);
    wait_for(&b, 1);
    assert_int_not_equal(b.last.result, GRAPH_OK);
    assert_int_equal(b.last.err.code, EB_ENTRA_UNAVAILABLE);
    member_add(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 2);
    assert_int_equal(b.last.result, GRAPH_OK);          /* of a write the status is the truth */
    struct graph_batch *batch = graph_batch_new();
    graph_batch_get(batch, "/users/x");
    graph_batch_send(b.g, batch, 2000, 1, on_batch, &b);
    wait_for(&b, 3);
    assert_int_equal(b.item_count, 0);
    assert_int_equal(b.batch_err.code, EB_ENTRA_UNAVAILABLE);
    bed_down(&b);
}

/* Round one: item 1 throttled, item 2 missing. Round two: both. */
static enum fake_then batch_in_rounds(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;

    assert_string_equal(r->path, "/v1.0/$batch");
    if (b->calls == 1)
        fake_answer(out, 200, "", "{\"responses\":[{\"id\":\"1\",\"status\":429,\"headers\":{\"Retry-After\":\"0.4\"}},"
                                  "{\"id\":\"0\",\"status\":200,\"body\":{}}]}");
    else
        fake_answer(out, 200, "", "{\"responses\":[{\"id\":\"2\",\"status\":404,\"body\":{}},{\"id\":\"1\",\"status\":200,\"body\":{}}]}");
    return FAKE_KEEP;
}

static void test_batch_rounds(void **state)
{
    struct bed b;
    struct graph_batch *batch = batch_of(3);

    (void)state;
    bed_up(&b, batch_in_rounds);
    int64_t from = eb_mono_ms();
    graph_batch_send(b.g, batch, 5000, 1, on_batch, &b);
    wait_for(&b, 1);
    assert_true(eb_mono_ms() - from >= 400);
    assert_int_equal(b.item_count, 3);
    assert_int_equal(b.item_status[0], 200);
    assert_int_equal(b.item_status[1], 200);
    assert_int_equal(b.item_status[2], 404);
    assert_int_equal(b.calls, 2);
    assert_null(strstr(b.last_body, "/users/0"));
    bed_down(&b);
}

static enum fake_then throttled_long(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 200, "", "{\"responses\":[{\"id\":\"0\",\"status\":429,\"headers\":{\"Retry-After\":\"60\"}},{\"id\":\"1\",\"status\":200,\"body\":{}}]}");
    return FAKE_KEEP;
}

/* Waiting would outlast the deadline: what is there is handed up, the rest says that it was throttled. */
static void test_batch_deadline(void **state)
{
    struct bed b;
    struct graph_batch *batch = batch_of(2);

    (void)state;
    bed_up(&b, throttled_long);
    graph_batch_send(b.g, batch, 1000, 1, on_batch, &b);
    wait_for(&b, 1);
    assert_int_equal(b.item_count, 2);
    assert_int_equal(b.item_status[0], 429);
    assert_int_equal(b.item_status[1], 200);
    bed_down(&b);
}

static enum fake_then vanish(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    return FAKE_CLOSE;
}

static void test_write_in_doubt(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, vanish);
    member_add(b.g, GROUP, USER, 2, on_done, &b);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, GRAPH_IN_DOUBT);
    assert_int_equal(b.calls, 1);
    bed_down(&b);
}

static enum fake_then page(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 200, "", strstr(r->path, "skiptoken=2") != NULL ? "{\"value\":[2]}" : "{\"value\":[1]}");
    return FAKE_KEEP;
}

static void test_links(void **state)
{
    static const char *const bad[] = { "https://evil.example/v1.0/users", "/users", "" };
    struct bed b;
    char link[160];

    (void)state;
    bed_up(&b, page);
    snprintf(link, sizeof(link), "%s/users?$skiptoken=2&$count=true", b.graph_url);
    graph_get_link(b.g, link, 2000, 1, on_done, &b);
    wait_for(&b, 1);
    assert_string_equal(b.body, "{\"value\":[2]}");
    assert_non_null(strstr(b.last_head, "ConsistencyLevel: eventual\r\n"));     /* not carried over by the link */
    for (size_t i = 0; i < EB_LEN(bad); i++) {
        graph_get_link(b.g, bad[i], 2000, 1, on_done, &b);
        wait_for(&b, 2 + (int)i);
        assert_int_equal(b.last.result, GRAPH_NOT_SENT);
    }
    assert_int_equal(b.calls, 1);
    bed_down(&b);
}

/* ---- pages ---- */

static void on_page(void *ctx, uint64_t id, const struct graph_page_reply *r)
{
    struct bed *b = ctx;

    (void)id;
    b->last = (struct graph_reply){ .result = r->result, .status = r->status, .err = r->err };
    snprintf(b->text, sizeof(b->text), "%s", r->err.text);
    snprintf(b->body, sizeof(b->body), "%.*s", (int)r->body.len, r->body.p);
    graph_page_forget(b->g, b, id);             /* from inside: nothing happens to the one that is being told */
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static int page_status;
static const char *page_body, *page_headers;

static enum fake_then give_page(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    if (page_status == 0) {         /* more is promised than comes */
        evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n%s", page_body);
        return FAKE_CLOSE;
    }
    fake_answer(out, page_status, page_headers, page_body);
    return FAKE_KEEP;
}

#define WORDS "{\"error\":{\"code\":\"Request_UnsupportedQuery\",\"message\":\"DeltaLink older than 30 days is not supported.\"}}"

static void test_pages(void **state)
{
    static const struct { bool link; int status; const char *body; enum graph_result result; enum eb_code code; const char *why; } cases[] = {
        { false, 200, " {\"value\":[]}\n", GRAPH_OK, EB_OK, "a page" },
        { true, 200, "{\"value\":[]}", GRAPH_OK, EB_OK, "the page at a link" },
        { false, 200, "<html>sign in</html>", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "a proxy's page" },
        { false, 200, "{\"value\":[{\"id\":", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "cut" },
        { false, 0, "{\"value\":[]}", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "cut, and it shows by the length alone" },
        { false, 200, "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "nothing" },
        { true, 410, "{}", GRAPH_REFUSED, EB_NOT_THERE, "expired" },
        { true, 410, "", GRAPH_REFUSED, EB_NOT_THERE, "expired, without a word" },
        { true, 400, WORDS, GRAPH_REFUSED, EB_NOT_THERE, "expired, as seen in the field" },
        { true, 404, "{}", GRAPH_REFUSED, EB_NOT_THERE, "expired, another form" },
        { false, 400, WORDS, GRAPH_REFUSED, EB_REJECTED_BY_ENTRA, "a bad request of ours is no expired link" },
        { true, 403, "{}", GRAPH_REFUSED, EB_ENTRA_PERMISSION_MISSING, "no permission" },
        { true, 429, "{}", GRAPH_THROTTLED, EB_ENTRA_UNAVAILABLE, "throttled for longer than the deadline" },
        { true, 503, "{}", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "away" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        char link[160];
        bed_up(&b, give_page);
        page_status = cases[i].status;
        page_body = cases[i].body;
        page_headers = cases[i].status == 429 ? "Retry-After: 60\r\n" : "";
        snprintf(link, sizeof(link), "%s/users/delta?$deltatoken=x", b.graph_url);
        /* Time enough for an answer on a busy machine; those that are tried again take all of it. */
        graph_page_get(b.g, cases[i].link ? link : "/users?$top=999", cases[i].link, cases[i].result == GRAPH_IN_DOUBT || cases[i].result == GRAPH_THROTTLED ? 1500 : 10000, 7, on_page, &b);
        wait_for(&b, 1);
        /* A read is tried again until its time is up: the last try may find none left to leave in. */
        bool late = cases[i].result == GRAPH_IN_DOUBT && b.last.result == GRAPH_NOT_SENT;
        if ((b.last.result != cases[i].result && !late) || b.last.err.code != cases[i].code || (b.last.result == GRAPH_OK) != (b.body[0] != '\0'))
            fail_msg("case %zu (%s): %d, %s", i, cases[i].why, b.last.result, b.text);
        if (b.last_head[0] != '\0') {
            assert_non_null(strstr(b.last_head, "x-ms-throttle-priority: low\r\n"));
            assert_int_equal(strstr(b.last_head, "Prefer: return=minimal\r\n") != NULL, cases[i].link);
        }
        bed_down(&b);
    }
}

static void test_page_links_stay_within(void **state)
{
    static const char *const bad[] = { "https://evil.example/v1.0/users", "", "users" };
    struct bed b;

    (void)state;
    bed_up(&b, give_page);
    for (size_t i = 0; i < EB_LEN(bad); i++) {
        graph_page_get(b.g, bad[i], false, 300, 7, on_page, &b);
        wait_for(&b, 1 + (int)i);
        assert_int_equal(b.last.result, GRAPH_NOT_SENT);
        assert_int_equal(b.last.err.code, EB_ENTRA_UNAVAILABLE);
    }
    assert_int_equal(b.calls, 0);
    bed_down(&b);
}

static enum fake_then no_answer(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    graph_page_forget(((struct bed *)arg)->g, arg, 7);      /* while it is under way */
    eb_loop_stop(((struct bed *)arg)->loop);
    return FAKE_KEEP;
}

static void test_page_forgotten(void **state)
{
    struct graph_batch *batch = batch_of(1);
    struct bed b;

    (void)state;
    bed_up(&b, no_answer);
    graph_page_get(b.g, "/users", false, 300, 7, on_page, &b);
    graph_page_forget(b.g, &b, 7);                          /* while it waits for the token */
    graph_page_get(b.g, "/users", false, 300, 7, on_page, &b);
    eb_loop_run(b.loop);
    graph_batch_for(batch, GRAPH_SYNC, NULL);
    graph_batch_send(b.g, batch, 300, 7, on_batch, &b);
    eb_loop_run(b.loop);
    b.script = give_page;
    page_status = 200;
    page_body = "{}";
    page_headers = "";
    graph_page_get(b.g, "/users", false, 300, 8, on_page, &b);
    graph_page_forget(b.g, &b, 7);                          /* another's */
    wait_for(&b, 1);
    assert_int_equal(b.answers, 1);
    assert_int_equal(b.last.result, GRAPH_OK);
    bed_down(&b);
}

static enum fake_then answer_batch(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    fake_answer(out, 200, "", "{\"responses\":[{\"id\":\"0\",\"status\":200,\"body\":{}},{\"id\":\"1\",\"status\":200,\"body\":\"7\"}]}");
    return FAKE_KEEP;
}

static void test_low_batch(void **state)
{
    struct graph_batch *batch = graph_batch_new();
    struct bed b;

    (void)state;
    bed_up(&b, answer_batch);
    graph_batch_for(batch, GRAPH_SYNC, NULL);
    graph_batch_get(batch, "/users/a");
    graph_batch_get(batch, "/users/$count");
    graph_batch_send(b.g, batch, 2000, 1, on_batch, &b);
    wait_for(&b, 1);
    assert_int_equal(b.item_count, 2);
    assert_non_null(strstr(b.last_head, "x-ms-throttle-priority: low\r\n"));
    assert_string_equal(b.last_body, "{\"requests\":[{\"id\":\"0\",\"method\":\"GET\",\"url\":\"/users/a\",\"headers\":{\"x-ms-throttle-priority\":\"low\"}},"
        "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users/$count\",\"headers\":{\"ConsistencyLevel\":\"eventual\",\"x-ms-throttle-priority\":\"low\"}}]}");
    bed_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_and_token),
        cmocka_unit_test(test_credentials_do_not_wait),
        cmocka_unit_test(test_write_shapes),
        cmocka_unit_test(test_403_names_the_permission),
        cmocka_unit_test(test_china),
        cmocka_unit_test(test_secret_is_form_encoded),
        cmocka_unit_test(test_401_renews_once),
        cmocka_unit_test(test_401_for_ever),
        cmocka_unit_test(test_wrong_secret),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_batch_rounds),
        cmocka_unit_test(test_batch_deadline),
        cmocka_unit_test(test_write_in_doubt),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_page_links_stay_within),
        cmocka_unit_test(test_page_forgotten),
        cmocka_unit_test(test_low_batch),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
