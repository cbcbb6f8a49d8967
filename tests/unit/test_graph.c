/* test_graph.c - paths, the catalogue, batch answers, the token's errors and its assertion as tables. */
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "graph/batch.h"
#include "graph/catalogue.h"
#include "graph/token.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define USER "a0000000-0000-4000-8000-000000000001"
#define GROUP "b0000000-0000-4000-8000-000000000001"

static void test_paths(void **state)
{
    static const struct { const char *value, *user, *mail, *why; } cases[] = {
        { USER, "/users/" USER "?x", "/users?$filter=mail%20eq%20'" USER "'&$select=id", "an object id" },
        { "ada@contoso.com", "/users/ada%40contoso.com?x", "/users?$filter=mail%20eq%20'ada%40contoso.com'&$select=id", "a UPN" },
        { "g_x#EXT#@c.com", "/users/g_x%23EXT%23%40c.com?x", "/users?$filter=mail%20eq%20'g_x%23EXT%23%40c.com'&$select=id", "a guest" },
        { "miles.o'neil@c", "/users/miles.o%27neil%40c?x", "/users?$filter=mail%20eq%20'miles.o%27%27neil%40c'&$select=id", "an apostrophe is doubled in a literal" },
        { "$x@y", "/users('%24x%40y')?x", "/users?$filter=mail%20eq%20'%24x%40y'&$select=id", "a dollar at the front" },
        { "$o'x@y", "/users('%24o%27%27x%40y')?x", "/users?$filter=mail%20eq%20'%24o%27%27x%40y'&$select=id", "both" },
        { "a%2fb@c", "/users/a%252fb%40c?x", "/users?$filter=mail%20eq%20'a%252fb%40c'&$select=id", "an escape is text" },
        { "a/../groups@c", "/users/a%2F..%2Fgroups%40c?x", "/users?$filter=mail%20eq%20'a%2F..%2Fgroups%40c'&$select=id", "slashes do not leave the segment" },
        { "..", "/users('..')?x", "/users?$filter=mail%20eq%20'..'&$select=id", "a step upwards is no segment" },
        { "a?b&c=d", "/users/a%3Fb%26c%3Dd?x", "/users?$filter=mail%20eq%20'a%3Fb%26c%3Dd'&$select=id", "query characters" },
        { "zo\xc3\xab\xf0\x9f\x9a\x80@c", "/users/zo%C3%AB%F0%9F%9A%80%40c?x", "/users?$filter=mail%20eq%20'zo%C3%AB%F0%9F%9A%80%40c'&$select=id", "emoji" },
        { "a\r\nb", "/users/a%0D%0Ab?x", "/users?$filter=mail%20eq%20'a%0D%0Ab'&$select=id", "line ends" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *user = graph_path_user(cases[i].value, "?x"), *mail = graph_path_users_by_mail(cases[i].value, "id");
        if (!eb_streq(user, cases[i].user) || !eb_streq(mail, cases[i].mail))
            fail_msg("case %zu (%s): %s %s", i, cases[i].why, user, mail);
        free(user);
        free(mail);
    }
    char *name = graph_path_groups_by_name("O'Brien's #1 & co", "id,displayName");
    assert_string_equal(name, "/groups?$filter=displayName%20eq%20'O%27%27Brien%27%27s%20%231%20%26%20co'&$select=id,displayName");
    free(name);
    assert_null(graph_path_group("..", ""));
}

static void test_error_shapes(void **state)
{
    static const struct { const char *body, *code, *message, *why; } cases[] = {
        { "{\"error\":{\"code\":\"A\",\"message\":\"b\"}}", "A", "b", "the usual one" },
        { "{\"error\":{\"code\":\"A\",\"message\":{\"lang\":\"en\",\"value\":\"b\"}}}", "A", "b", "a message as an object" },
        { "{\"error\":{\"code\":\"A\",\"message\":\"b\",\"details\":{\"x\":1}}}", "A", "b", "details as an object" },
        { "{\"error\":{\"code\":1,\"message\":[]}}", "", "", "other types" },
        { "{\"error\":\"invalid\"}", "", "", "an error as text" },
        { "{\"error\":{}}", "", "", "nothing in it" },
        { "[]", "", "", "an array" },
        { "{\"error\":{\"code\":\"A\\u0007\\u202e\",\"message\":\"b\\nc\"}}", "A", "bc", "unclean" },
    };
    struct graph_error e;

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *doc = json_loads(cases[i].body, 0, NULL);
        graph_error_read(doc, &e);
        if (strcmp(e.code, cases[i].code) != 0 || strcmp(e.message, cases[i].message) != 0)
            fail_msg("case %zu (%s): %s / %s", i, cases[i].why, e.code, e.message);
        json_decref(doc);
    }
    graph_error_read(NULL, &e);
    assert_string_equal(e.code, "");
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

static bool take(struct graph_batch *b, const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    bool ok = graph_batch_take(b, doc, 0);
    json_decref(doc);
    return ok;
}

static void test_batch(void **state)
{
    struct graph_batch *b = batch_of(4);
    struct eb_buf body = EB_BUF(KiB(4));

    (void)state;
    assert_true(take(b, "{\"responses\":[{\"id\":\"2\",\"status\":429,\"headers\":{\"rEtry-aFter\":\"0.249\"}},"
                        "{\"id\":\"0\",\"status\":200,\"headers\":{\"request-id\":\"r0\"},\"body\":{\"id\":\"zero\"}},"
                        "{\"id\":\"0\",\"status\":404},{\"id\":\"9\",\"status\":200},{\"id\":\"x\",\"status\":200},{\"id\":\"-1\",\"status\":200},"
                        "{\"id\":1,\"status\":200},{\"status\":200},7,null,{\"id\":\"3\",\"status\":\"200\"},{\"id\":\"3\",\"status\":99}]}"));
    assert_int_equal(b->items[0].status, 200);
    assert_string_equal(eb_json_str(b->items[0].body, "id"), "zero");
    assert_string_equal(b->items[0].request_id, "r0");
    assert_int_equal(b->items[1].status, 0);            /* missing: a number is no id */
    assert_int_equal(b->items[2].status, 429);
    assert_int_equal(b->items[2].retry_after_ms, 249);
    assert_int_equal(b->items[3].status, 0);            /* no usable status */

    assert_true(graph_batch_body(b, &body));            /* only those still open */
    assert_string_equal(body.data, "{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users/1\"},"
                        "{\"id\":\"2\",\"method\":\"GET\",\"url\":\"/users/2\"},{\"id\":\"3\",\"method\":\"GET\",\"url\":\"/users/3\"}]}");
    assert_true(take(b, "{\"responses\":[{\"id\":\"0\",\"status\":500},{\"id\":\"2\",\"status\":200,\"body\":{\"id\":\"two\"}}]}"));
    assert_int_equal(b->items[0].status, 200);          /* answered before: not overwritten */
    assert_int_equal(b->items[2].status, 200);
    assert_false(take(b, "{\"responses\":{}}"));
    assert_false(take(b, "[]"));
    eb_buf_free(&body);
    graph_batch_free(b);

    static const char *const bad[] = { "users", "https://h/users", "/a b", "/a\"b", "/a\\b", "/a\nb", "/a#b", "/\xc3\xa9", NULL };
    for (size_t i = 0; i < EB_LEN(bad); i++) {
        b = batch_of(1);
        graph_batch_get(b, bad[i]);
        assert_true(b->bad);
        graph_batch_free(b);
    }
    b = batch_of(GRAPH_BATCH_MAX);
    assert_false(b->bad);
    graph_batch_get(b, "/one/too/many");
    assert_true(b->bad);
    graph_batch_free(b);
}

static void test_token_errors(void **state)
{
    static const struct { int status; const char *body; bool transient; const char *text, *why; } cases[] = {
        { 401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret s3cret.\",\"error_codes\":[7000215]}", false, "secret is wrong", "a wrong secret" },
        { 400, "{\"error\":\"invalid_client\",\"error_codes\":[7000222]}", false, "expired", "an expired secret" },
        { 400, "{\"error\":\"invalid_request\",\"error_codes\":[90002]}", false, "entra.tenant_id", "an unknown tenant" },
        { 400, "{\"error\":\"unauthorized_client\",\"error_codes\":[700016]}", false, "entra.client_id", "an unknown application" },
        { 401, "{\"error\":\"invalid_client\",\"error_codes\":[700027]}", false, "clock", "a certificate or clock" },
        { 400, "{\"error\":\"invalid_scope\",\"error_description\":\"AADSTS70011: x\"}", false, "entra.cloud", "the number in the text only" },
        { 400, "{\"error\":\"temporarily_unavailable\",\"error_codes\":[90033]}", true, "passing", "passing, with 400" },
        { 503, "{\"error\":\"x\"}", true, "x", "503" },
        { 400, "{\"error\":\"invalid_client\",\"error_codes\":[1]}", false, "credentials", "an unknown number" },
        { 400, "{}", false, "no error named", "no error" },
        { 200, "<html>", false, "not its JSON", "HTML" },
        { 400, "[1]", false, "no error named", "an array" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        bool transient = false;
        graph_token_error(cases[i].status, (struct eb_span){ cases[i].body, strlen(cases[i].body) }, &transient, &err);
        if (err.code != EB_ENTRA_UNAVAILABLE || transient != cases[i].transient || strstr(err.text, cases[i].text) == NULL ||
            strstr(err.text, "s3cret") != NULL)
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, transient, err.text);
    }
    assert_string_equal(graph_scope("https://graph.microsoft.us/v1.0", ""), "https://graph.microsoft.us/.default");
    assert_string_equal(graph_scope("https://graph.microsoft.com.evil/v1.0", "https://login.chinacloudapi.cn"), "https://microsoftgraph.chinacloudapi.cn/.default");
    assert_string_equal(graph_scope("http://127.0.0.1:80/v1.0", "http://127.0.0.1:80"), "https://graph.microsoft.com/.default");
}

/* ---- the assertion ---- */

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();

    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"t", -1, -1, 0);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static json_t *part_of(const char *text, size_t len)
{
    uint8_t raw[2048];
    size_t n = 0;
    struct eb_err err = { 0 };

    assert_true(len < 2000 && eb_b64u_decode(text, len, raw, &n, &err));
    return json_loadb((const char *)raw, n, 0, NULL);
}

static void test_assertion(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = make_certificate(key);
    struct eb_err err = { 0 };
    const char *audience = "https://login.microsoftonline.com/t/oauth2/v2.0/token";

    (void)state;
    char *jwt = graph_assertion(key, x, "client", audience, 1000000, &err);
    assert_non_null(jwt);
    const char *dot1 = strchr(jwt, '.'), *dot2 = strrchr(jwt, '.');
    json_t *head = part_of(jwt, (size_t)(dot1 - jwt)), *claims = part_of(dot1 + 1, (size_t)(dot2 - dot1 - 1));

    assert_string_equal(eb_json_str(head, "alg"), "PS256");
    assert_string_equal(eb_json_str(head, "typ"), "JWT");
    unsigned char digest[32];
    char thumbprint[64];
    assert_int_equal(X509_digest(x, EVP_sha256(), digest, NULL), 1);
    eb_b64u_encode(digest, 32, thumbprint);
    assert_string_equal(eb_json_str(head, "x5t#S256"), thumbprint);
    assert_string_equal(eb_json_str(claims, "aud"), audience);
    assert_string_equal(eb_json_str(claims, "iss"), "client");
    assert_string_equal(eb_json_str(claims, "sub"), "client");
    assert_true(eb_is_guid(eb_json_str(claims, "jti")));
    assert_int_equal(eb_json_int(claims, "nbf", 0), 1000000);
    assert_int_equal(eb_json_int(claims, "exp", 0), 1000600);

    uint8_t signature[512];
    size_t n = 0;
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_true(eb_b64u_decode(dot2 + 1, strlen(dot2 + 1), signature, &n, &err));
    assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, EVP_sha256(), NULL, key), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    assert_int_equal(EVP_DigestVerify(ctx, signature, n, (const unsigned char *)jwt, (size_t)(dot2 - jwt)), 1);
    EVP_MD_CTX_free(ctx);
    json_decref(head);
    json_decref(claims);
    free(jwt);
    X509_free(x);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_error_shapes),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_token_errors),
        cmocka_unit_test(test_assertion),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
