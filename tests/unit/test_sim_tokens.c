/* test_sim_tokens.c - the simulated token endpoint: which client assertions it takes, and what the tokens it gives tell. */
#include "tests/unit/sim_world.h"

#include "base/clock.h"
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <unistd.h>

/* Asks the token endpoint; the payload of the token it gives. The caller's. */
static json_t *token_claims(struct world *w, char authorization[SIM_TOKEN_LEN + 8])
{
    static const char form[] = "client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&"
                               "grant_type=client_credentials&client_secret=sim-client-secret";
    struct sim_call c = { .cloud = SIM_CLOUD_TOKEN, .method = "POST", .content_type = "application/x-www-form-urlencoded" };
    uint8_t payload[SIM_TOKEN_LEN];
    struct eb_err err = { 0 };
    size_t n;

    assert_true(sim_call_target(&c, "/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token"));
    c.body = (struct eb_span){ form, sizeof(form) - 1 };
    sim_reply_clear(&w->reply);
    sim_dispatch(w->sim, &c, &w->reply);
    sim_call_free(&c);
    assert_int_equal(w->reply.status, 200);
    const char *token = eb_json_str(w->reply.body, "access_token"), *start = strchr(token, '.') + 1;
    snprintf(authorization, SIM_TOKEN_LEN + 8, "Bearer %s", token);
    assert_true(eb_b64u_decode(start, (size_t)(strchr(start, '.') - start), payload, &n, &err));
    return json_loadb((const char *)payload, n, 0, NULL);
}

static bool has_role(const json_t *claims, const char *name)
{
    const json_t *roles = json_object_get(claims, "roles");

    for (size_t i = 0; i < json_array_size(roles); i++)
        if (eb_streq(json_string_value(json_array_get(roles, i)), name))
            return true;
    return false;
}

/* A token says what was granted when it was issued; what is granted now decides. */
static void test_token_claims(void **state)
{
    struct world *w = *state;
    json_t *claims = token_claims(w, w->token);

    assert_string_equal(eb_json_str(claims, "tid"), "11111111-2222-4333-8444-555555555555");
    assert_string_equal(eb_json_str(claims, "appid"), "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
    assert_true(eb_json_int(claims, "exp", 0) > eb_now_ms() / 1000);
    assert_true(has_role(claims, "User.Create") && !has_role(claims, "RoleManagement.ReadWrite.Directory"));
    assert_int_equal(json_array_size(json_object_get(claims, "wids")), 0);
    json_decref(claims);
    assert_int_equal(call(w, "GET", "/v1.0/groups", NULL), 200);
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"granted\":[\"User.Read.All\"],\"app_role\":\"user-administrator\"}"), 200);
    assert_int_equal(call(w, "GET", "/v1.0/groups", NULL), 403);    /* at once, with the old token */
    claims = token_claims(w, w->token);
    assert_true(has_role(claims, "User.Read.All") && !has_role(claims, "User.Create"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(claims, "wids"), 0)), "fe930be7-5e62-47db-91af-98c3a49a38b1");
    json_decref(claims);
    w->token[strlen(w->token) / 2] ^= 1;                            /* another text with the same signature */
    assert_int_equal(call(w, "GET", "/v1.0/users", NULL), 401);
}

/* More roles than a header should hold: those at the end are left out. */
static void test_token_length(void **state)
{
    struct sim_tokens *t = sim_tokens_new(NULL);
    EB_AUTO(json_t, json_decref) claims = json_pack("{s:[]}", "roles");
    char token[SIM_TOKEN_LEN], authorization[SIM_TOKEN_LEN + 8];

    (void)state;
    for (int i = 0; i < 500; i++)
        json_array_append_new(json_object_get(claims, "roles"), json_string("Some.Permission.All"));
    sim_tokens_issue(t, 60, claims, token);
    snprintf(authorization, sizeof(authorization), "Bearer %s", token);
    assert_true(sim_tokens_valid(t, authorization));
    assert_true(strlen(token) < SIM_TOKEN_LEN - 1 && json_array_size(json_object_get(claims, "roles")) > 50);
    for (int i = 0; i < 4100; i++)
        sim_tokens_issue(t, 60, claims, token);
    assert_false(sim_tokens_valid(t, authorization));               /* the oldest went */
    sim_tokens_free(t);
}

/* A client's key and self-signed certificate, in a file as --client-cert takes it. */
struct client { EVP_PKEY *key; X509 *cert; char path[64]; char x5t[64]; };

static void client_make(struct client *k)
{
    unsigned char digest[32];
    unsigned int n;

    k->key = EVP_RSA_gen(2048);
    k->cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(k->cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(k->cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(k->cert), 3600);
    X509_set_pubkey(k->cert, k->key);
    assert_true(X509_sign(k->cert, k->key, EVP_sha256()) > 0);
    assert_int_equal(X509_digest(k->cert, EVP_sha256(), digest, &n), 1);
    k->x5t[eb_b64u_encode(digest, n, k->x5t)] = '\0';
    snprintf(k->path, sizeof(k->path), "/tmp/test_sim_XXXXXX");
    FILE *f = fdopen(mkstemp(k->path), "w");
    assert_true(PEM_write_X509(f, k->cert) == 1);
    fclose(f);
}

static char *client_sign(struct client *k, const char *header, const char *claims)
{
    struct eb_buf b = EB_BUF(KiB(8));
    char part[2048];
    unsigned char sig[512];
    size_t sig_len = sizeof(sig);
    EVP_PKEY_CTX *pctx;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    eb_buf_add(&b, part, eb_b64u_encode(header, strlen(header), part));
    eb_buf_str(&b, ".");
    eb_buf_add(&b, part, eb_b64u_encode(claims, strlen(claims), part));
    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, k->key), 1);
    EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
    assert_int_equal(EVP_DigestSign(ctx, sig, &sig_len, (const unsigned char *)b.data, b.len), 1);
    EVP_MD_CTX_free(ctx);
    eb_buf_str(&b, ".");
    eb_buf_add(&b, part, eb_b64u_encode(sig, sig_len, part));
    return eb_buf_take(&b);
}

static void test_assertions(void **state)
{
    static const struct { const char *alg, *x5t, *aud, *iss; int exp; bool own_key; int aadsts; const char *why; } cases[] = {
        { "PS256", NULL, "http://h/t/oauth2/v2.0/token", "c", 600, true, 0, "good" },
        { "PS256", NULL, "https://login.microsoftonline.com/t/oauth2/v2.0/token", "c", 600, true, 0, "the public token URL" },
        { "RS256", NULL, "http://h/t/oauth2/v2.0/token", "c", 600, true, 50027, "algorithm" },
        { "PS256", "AAAA", "http://h/t/oauth2/v2.0/token", "c", 600, true, 50012, "no SHA-256" },
        { "PS256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "http://h/t/oauth2/v2.0/token", "c", 600, true, 700027, "another certificate" },
        { "PS256", NULL, "http://h/other/oauth2/v2.0/token", "c", 600, true, 50012, "another tenant's URL" },
        { "PS256", NULL, "http://h/t/oauth2/v2.0/token", "d", 600, true, 50012, "another client" },
        { "PS256", NULL, "http://h/t/oauth2/v2.0/token", "c", -1, true, 700024, "expired" },
        { "PS256", NULL, "http://h/t/oauth2/v2.0/token", "c", 600, false, 700027, "signed by another key" },
    };
    struct client ours, other;

    client_make(&ours);
    client_make(&other);
    struct sim_tokens *tokens = sim_tokens_new(ours.path);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_assertion_rules rules = { "c", "t", "http://h", tokens, eb_now_ms() };
        struct eb_err err = { 0 };
        char header[256], claims[512];
        int number = 0;
        snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"x5t#S256\":\"%s\"}", cases[i].alg, cases[i].x5t != NULL ? cases[i].x5t : ours.x5t);
        snprintf(claims, sizeof(claims), "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"j\",\"nbf\":%lld,\"exp\":%lld}", cases[i].aud,
                 cases[i].iss, cases[i].iss, (long long)rules.now_ms / 1000, (long long)rules.now_ms / 1000 + cases[i].exp);
        char *jwt = client_sign(cases[i].own_key ? &ours : &other, header, claims);
        bool ok = sim_assertion_check(jwt, &rules, &number, &err);
        if (ok != (cases[i].aadsts == 0) || (!ok && number != cases[i].aadsts))
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, number, err.text);
        free(jwt);
    }
    sim_tokens_free(tokens);
    unlink(ours.path);
    unlink(other.path);
    EVP_PKEY_free(ours.key);
    EVP_PKEY_free(other.key);
    X509_free(ours.cert);
    X509_free(other.cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_token_claims, setup, teardown), cmocka_unit_test(test_token_length), cmocka_unit_test(test_assertions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
