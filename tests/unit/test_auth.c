/* test_auth.c - keys on disk, the form of tokens, and whose token counts.
 *
 * libjwt is the second opinion: what we make it must read, what we refuse is made here by hand, segment by segment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/inside.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"
#include "store/db.h"
#include "store/token_table.h"

#include <fcntl.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static struct auth_keys *keys;
#define SPAN(s) ((struct eb_span){ (s), strlen(s) })

static char *in_directory(const char *name)
{
    return eb_asprintf("%s/%s", directory, name);
}

static char rule_name[] = "rule-1";
static char *some_operations[] = { (char []){ "group.add_member" }, (char []){ "user.get" }, NULL };
static char *all[] = { (char []){ "*" }, NULL };

static struct auth_token a_token(int64_t expires_ms)
{
    return (struct auth_token){ .name = rule_name, .operations = some_operations, .projects = all, .expires_ms = expires_ms };
}

/* ---- keys ---- */

static void test_keys_on_disk(void **state)
{
    struct eb_err err = { 0 };
    struct auth_keys *first = NULL, *second = NULL;
    char *where = in_directory("keys-1");
    struct stat st;

    assert_false(auth_keys_open(where, false, &first, &err));
    assert_int_equal(err.code, EB_NOT_THERE);
    assert_true(auth_keys_open(where, true, &first, &err));
    assert_true(auth_keys_open(where, false, &second, &err));
    assert_int_equal(stat(where, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_memory_equal(auth_key(first, "audit"), auth_key(second, "audit"), AUTH_KEY_LEN);
    assert_memory_not_equal(auth_key(first, "audit"), auth_key(first, "idempotency"), AUTH_KEY_LEN);
    assert_null(auth_key(first, "other"));
    assert_int_equal(second->count, 1);
    assert_memory_equal(first->signing[0].key, second->signing[0].key, AUTH_KEY_LEN);
    auth_keys_free(first);
    auth_keys_free(second);
    free(where);
}

/* Each spoils a good directory; then opening must fail and say this. */
static void test_keys_refused(void **state)
{
    static const struct { const char *command, *says, *why; } rows[] = {
        { "chmod 640 token-*.key", "mode 0640", "readable by the group" },
        { "chmod 604 audit.key", "mode 0604", "readable by all" },
        { "chmod 777 .", "chmod 700", "others could put keys there" },
        { "truncate -s 31 audit.key", "not a key of 32 bytes", "cut" },
        { "rm audit.key", "restore it from a backup", "a lost audit key must not be made anew in silence" },
        { "rm idempotency.key", "restore it from a backup", "nor the other one" },
        { "mv audit.key a && ln -s a audit.key", "cannot be opened", "links are not followed" },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        struct auth_keys *k = NULL;
        struct eb_err err = { 0 };
        char *where = in_directory("keys-2"), *line = eb_asprintf("cd %s && %s", where, rows[i].command);

        assert_true(auth_keys_open(where, true, &k, &err));
        auth_keys_free(k);
        k = NULL;
        assert_int_equal(system(line), 0);
        if (auth_keys_open(where, true, &k, &err) || strstr(err.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].why, err.text);
        free(line);
        line = eb_asprintf("rm -r %s", where);
        assert_int_equal(system(line), 0);
        free(line);
        free(where);
    }
}

/* kill -9 between the files of the first start: the token key comes last, so what is missing is made. */
static void test_keys_after_crash(void **state)
{
    struct eb_err err = { 0 };
    struct auth_keys *k = NULL;
    char *where = in_directory("keys-3"), *line = eb_asprintf("cd %s && rm token-*.key idempotency.key && cp audit.key draft.tmp", where);

    assert_true(auth_keys_open(where, true, &k, &err));
    auth_keys_free(k);
    assert_int_equal(system(line), 0);
    assert_true(auth_keys_open(where, true, &k, &err));
    assert_int_equal(k->count, 1);
    auth_keys_free(k);
    free(line);
    free(where);
}

/* ---- the form: texts made by hand ---- */

static const char good_claims[] = "{\"exp\":4102444800,\"iss\":\"entrabridge\",\"jti\":\"7d444840-9dc0-11d1-b245-5ffdce74fad2\",\"nbf\":1700000000}";
#define CLAIMS(exp, nbf) "{\"exp\":" exp ",\"iss\":\"entrabridge\",\"jti\":\"7d444840-9dc0-11d1-b245-5ffdce74fad2\",\"nbf\":" nbf "}"

static char *b64(const char *text)
{
    char *out = eb_alloc(4 * ((strlen(text) + 2) / 3) + 1);

    eb_b64u_encode(text, strlen(text), out);
    return out;
}

/* header "" stands for the right one; signed with key. */
static char *by_hand(const char *header, const char *payload, const uint8_t *key, const char *tail)
{
    char *right = eb_asprintf("{\"alg\":\"HS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", keys->signing[0].kid);
    char *h = b64(*header != '\0' ? header : right), *p = b64(payload), *part = eb_asprintf("%s.%s", h, p), signature[64];
    uint8_t mac[EB_SHA256_LEN];

    eb_hmac_sha256(key, AUTH_KEY_LEN, part, strlen(part), mac);
    eb_b64u_encode(mac, sizeof(mac), signature);
    char *text = eb_asprintf("%s.%s%s", part, signature, tail);
    free(right);
    free(h);
    free(p);
    free(part);
    return text;
}

static enum auth_fault verdict(const char *text, size_t len)
{
    json_t *claims = NULL;
    enum auth_fault fault = auth_jwt_check(keys, (struct eb_span){ text, len }, eb_now_ms(), &claims);

    assert_int_equal(claims != NULL, fault == AUTH_GOOD);
    json_decref(claims);
    return fault;
}

#define KID "\"kid\":\"%s\""
static void test_headers_and_claims(void **state)
{
    static const struct { const char *header, *claims, *tail; bool other_key; enum auth_fault fault; const char *why; } rows[] = {
        { "", good_claims, "", false, AUTH_GOOD, "right" },
        { "", good_claims, "", true, AUTH_SIGNATURE, "another key" },
        { "", good_claims, "A", false, AUTH_SIGNATURE, "a character more" },
        { "", good_claims, "..!!", false, AUTH_FORM, "libjwt accepts this tail" },
        { "", good_claims, "=", false, AUTH_SIGNATURE, "padding" },
        { "{\"alg\":\"none\"," KID ",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_HEADER, "alg none" },
        { "{\"alg\":\"hs256\"," KID ",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_HEADER, "alg in other case" },
        { "{\"alg\":\"HS384\"," KID ",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_HEADER, "another HMAC" },
        { "{\"alg\":\"RS256\"," KID ",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_HEADER, "algorithm confusion" },
        { "{\"alg\":\"HS256\"," KID ",\"typ\":\"jwt\"}", good_claims, "", false, AUTH_HEADER, "typ in other case" },
        { "{\"alg\":\"HS256\"," KID "}", good_claims, "", false, AUTH_HEADER, "no typ" },
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_HEADER, "no kid" },
        { "{\"alg\":\"HS256\"," KID ",\"typ\":\"JWT\",\"crit\":[\"x\"]}", good_claims, "", false, AUTH_HEADER, "crit" },
        { "{\"alg\":\"HS256\"," KID ",\"typ\":\"JWT\",\"jwk\":{}}", good_claims, "", false, AUTH_HEADER, "a key of its own" },
        { "{\"alg\":\"HS256\",\"alg\":\"HS256\"," KID ",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_FORM, "a member twice" },
        { "{\"alg\":\"HS256\",\"kid\":\"../x\",\"typ\":\"JWT\"}", good_claims, "", false, AUTH_KEY, "unknown kid" },
        { "[]", good_claims, "", false, AUTH_FORM, "a header that is a list" },
        { "x", good_claims, "", false, AUTH_FORM, "a header that is no JSON" },
        { "", CLAIMS("4102444800.0", "1700000000"), "", false, AUTH_CLAIMS, "exp as a real number: libjwt reads 0" },
        { "", CLAIMS("\"4102444800\"", "1700000000"), "", false, AUTH_CLAIMS, "exp as a text" },
        { "", CLAIMS("9223372036854775807", "1700000000"), "", false, AUTH_CLAIMS, "exp that overflows in milliseconds" },
        { "", CLAIMS("-1", "1700000000"), "", false, AUTH_CLAIMS, "exp before 1970" },
        { "", CLAIMS("1700000001", "1700000000"), "", false, AUTH_EXPIRED, "expired" },
        { "", CLAIMS("4102444800", "4102444700"), "", false, AUTH_EARLY, "not yet" },
        { "", CLAIMS("4102444800", "null"), "", false, AUTH_CLAIMS, "no nbf" },
        { "", "{\"exp\":4102444800,\"iss\":\"other\",\"jti\":\"7d444840-9dc0-11d1-b245-5ffdce74fad2\",\"nbf\":1}", "", false, AUTH_CLAIMS, "another issuer" },
        { "", "{\"exp\":4102444800,\"iss\":\"entrabridge\",\"jti\":\"x\",\"nbf\":1}", "", false, AUTH_CLAIMS, "jti is no id" },
        { "", "{\"exp\":4102444800,\"exp\":4102444800,\"iss\":\"entrabridge\",\"nbf\":1}", "", false, AUTH_FORM, "a claim twice" },
        { "", "[1]", "", false, AUTH_FORM, "claims that are a list" },
    };
    uint8_t other[AUTH_KEY_LEN] = { 1 };

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        char header[300], *text;
        const char *kid = strstr(rows[i].header, "%s");

        if (kid != NULL)
            snprintf(header, sizeof(header), "%.*s%s%s", (int)(kid - rows[i].header), rows[i].header, keys->signing[0].kid, kid + 2);
        else
            strcpy(header, rows[i].header);
        text = by_hand(header, rows[i].claims, rows[i].other_key ? other : keys->signing[0].key, rows[i].tail);
        enum auth_fault fault = verdict(text, strlen(text));
        if (fault != rows[i].fault)
            fail_msg("%s: %s", rows[i].why, auth_fault_text(fault));
        free(text);
    }
}

/* Whatever is done to a right text, it is right no longer. */
static void test_mangled(void **state)
{
    char *text = by_hand("", good_claims, keys->signing[0].key, "");
    size_t len = strlen(text);

    assert_int_equal(verdict(text, len), AUTH_GOOD);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_not_equal(verdict(text, cut), AUTH_GOOD);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        for (int bit = 0; bit < 8; bit++) {
            text[i] = (char)(was ^ 1 << bit);
            if (verdict(text, len) == AUTH_GOOD)
                fail_msg("accepted with bit %d of character %zu flipped", bit, i);
        }
        text[i] = was;
    }
    free(text);
}

static void test_odd_texts(void **state)
{
    static const struct { const char *text; enum auth_fault fault; const char *why; } rows[] = {
        { "", AUTH_LENGTH, "nothing" }, { ".", AUTH_FORM, "one dot" }, { "..", AUTH_FORM, "empty segments" }, { "...", AUTH_FORM, "too many" },
        { "a.b.c", AUTH_FORM, "no base64url" }, { "e30.e30.", AUTH_FORM, "no signature" }, { "e30.e30.e30", AUTH_HEADER, "empty objects" },
        { "e30=.e30.e30", AUTH_FORM, "padding" }, { "e30\n.e30.e30", AUTH_FORM, "white space" }, { "e31.e30.e30", AUTH_FORM, "stray bits" },
    };
    char *big = eb_alloc(MiB(9));

    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (verdict(rows[i].text, strlen(rows[i].text)) != rows[i].fault)
            fail_msg("%s: %s", rows[i].why, auth_fault_text(verdict(rows[i].text, strlen(rows[i].text))));
    memset(big, 'A', MiB(9));
    assert_int_equal(verdict(big, MiB(9)), AUTH_LENGTH);        /* libjwt's stack ends here */
    assert_int_equal(verdict(big, AUTH_TOKEN_MAX), AUTH_FORM);
    big[10] = big[AUTH_TOKEN_MAX - 10] = '.';
    assert_int_equal(verdict(big, AUTH_TOKEN_MAX), AUTH_FORM);
    free(big);
}

/* What we make, libjwt reads; what we sign, libjwt verifies. */
static void test_libjwt_agrees(void **state)
{
    struct auth_token t = a_token(4102444800000);
    struct eb_err err = { 0 };
    char *text = NULL;
    jwt_t *jwt = NULL;

    eb_uuid4(t.id);
    t.created_ms = eb_now_ms();
    assert_true(auth_jwt_make(keys, &t, &text, &err));
    assert_int_equal(jwt_decode(&jwt, text, keys->signing[0].key, AUTH_KEY_LEN), 0);
    assert_int_equal(jwt_get_alg(jwt), JWT_ALG_HS256);
    assert_string_equal(jwt_get_grant(jwt, "sub"), "rule-1");
    assert_string_equal(jwt_get_header(jwt, "kid"), keys->signing[0].kid);
    assert_int_equal(jwt_get_grant_int(jwt, "exp"), 4102444800);
    assert_int_equal(verdict(text, strlen(text)), AUTH_GOOD);
    jwt_free(jwt);
    eb_wipe_free(text);

    text = by_hand("", good_claims, keys->signing[0].key, "");
    assert_int_equal(jwt_decode(&jwt, text, keys->signing[0].key, AUTH_KEY_LEN), 0);
    jwt_free(jwt);
    free(text);
}

/* ---- whose token ---- */

struct bench { struct eb_loop *loop; struct store *store; struct auth *auth; struct db *db; int reloads; };

static void open_bench(struct bench *b, const char *file)
{
    struct eb_err err = { 0 };
    char *url = eb_asprintf("sqlite:%s/%s", directory, file);

    *b = (struct bench){ 0 };
    if (!eb_loop_new(&b->loop, &err) || !store_open(url, b->loop, &b->store, &err) || !auth_new(b->loop, b->store, keys, &b->auth, &err) ||
        !db_open(url, DB_TOOL, &b->db, &err))
        fail_msg("%s", err.text);
    free(url);
}

static void close_bench(struct bench *b)
{
    db_close(b->db);
    store_close(b->store);
    auth_free(b->auth);
    eb_loop_free(b->loop);
}

static void on_reload(void *ctx, const struct eb_err *err)
{
    struct bench *b = ctx;

    assert_null(err);
    b->reloads++;
}

static void reload(struct bench *b)
{
    int before = b->reloads;

    auth_reload(b->auth, on_reload, b);
    while (b->reloads == before)
        event_base_loop(eb_loop_base(b->loop), EVLOOP_ONCE);
}

struct making { struct auth_token token; char *text; };

static bool create(struct db *db, void *arg, struct eb_err *err)
{
    struct making *m = arg;

    return auth_token_create(keys, db, &m->token, &m->text, err);
}

static bool take_back(struct db *db, void *arg, struct eb_err *err)
{
    int64_t count;

    return token_revoke(db, arg, eb_now_ms(), &count, err);
}

static bool forge_row(struct db *db, void *arg, struct eb_err *err)
{
    return token_insert(db, arg, err);
}

static const struct auth_token *who(struct bench *b, const char *text)
{
    struct eb_err err = { 0 };
    const struct auth_token *t = auth_check(b->auth, SPAN(text), &err);

    if (t == NULL)
        assert_int_equal(err.code, EB_UNAUTHENTICATED);
    return t;
}

static void test_life_of_a_token(void **state)
{
    struct bench b;
    struct eb_err err = { 0 };
    struct making one = { a_token(eb_now_ms() + 3600000), NULL }, two = one;

    open_bench(&b, "life.db");
    assert_true(db_transact(b.db, create, &one, &err));
    assert_true(db_transact(b.db, create, &two, &err));
    assert_null(who(&b, one.text));                 /* signed, but not loaded: the id is not known */
    reload(&b);
    for (int twice = 0; twice < 2; twice++) {       /* the second time from what was seen */
        const struct auth_token *t = who(&b, one.text);
        assert_non_null(t);
        assert_string_equal(t->id, one.token.id);
        assert_string_equal(t->name, "rule-1");
        assert_string_equal(t->operations[1], "user.get");
        assert_string_equal(t->projects[0], "*");
        assert_false(t->reveal_secrets);
    }
    assert_non_null(who(&b, two.text));             /* several of one name are valid at once */
    assert_non_null(auth_find(b.auth, one.token.id));
    assert_true(db_transact(b.db, take_back, one.token.id, &err));
    reload(&b);
    assert_null(who(&b, one.text));
    assert_null(auth_find(b.auth, one.token.id));
    assert_non_null(who(&b, two.text));
    assert_null(auth_find(b.auth, "unknown"));
    assert_null(auth_find(b.auth, NULL));
    eb_wipe_free(one.text);
    eb_wipe_free(two.text);
    close_bench(&b);
}

/* A token ends by the clock also while it stands among the seen ones. */
static void test_expiry_after_seen(void **state)
{
    struct bench b;
    struct eb_err err = { 0 };
    struct making m = { a_token(eb_now_ms() + 2000), NULL };

    open_bench(&b, "expiry.db");
    assert_true(db_transact(b.db, create, &m, &err));
    assert_int_equal(m.token.expires_ms % 1000, 0);
    reload(&b);
    assert_non_null(who(&b, m.text));
    while (eb_now_ms() < m.token.expires_ms)
        usleep(20000);
    assert_null(who(&b, m.text));
    assert_null(auth_find(b.auth, m.token.id));
    eb_wipe_free(m.text);
    close_bench(&b);
}

/* A stolen key alone is useless, and so is a row that was widened or put in without the key. */
static void test_key_and_row_both(void **state)
{
    struct bench b;
    struct eb_err err = { 0 };
    struct auth_token t = a_token(4102444800000);
    char *text = NULL;

    open_bench(&b, "both.db");
    eb_uuid4(t.id);
    t.created_ms = eb_now_ms();
    assert_true(auth_jwt_make(keys, &t, &text, &err));
    reload(&b);
    assert_null(who(&b, text));                     /* rightly signed, no row */

    struct token_row row = { t.id, "rule-1", "[\"*\"]", "[\"*\"]", t.expires_ms, t.created_ms, 0, false };
    assert_true(db_transact(b.db, forge_row, &row, &err));
    reload(&b);
    assert_null(who(&b, text));                     /* the row allows more than the text says */
    eb_wipe_free(text);
    close_bench(&b);
}

static void test_rotation(void **state)
{
    struct eb_err err = { 0 };
    struct auth_keys *before = NULL, *after = NULL;
    struct auth_token t = a_token(4102444800000);
    char *where = in_directory("keys-4"), *old_text = NULL, *new_text = NULL, *line = NULL;
    json_t *claims = NULL;

    assert_true(auth_keys_open(where, true, &before, &err));
    eb_uuid4(t.id);
    t.created_ms = eb_now_ms();
    assert_true(auth_jwt_make(before, &t, &old_text, &err));
    line = eb_asprintf("cd %s && umask 077 && head -c 32 /dev/urandom >token-zz-2026.key", where);
    assert_int_equal(system(line), 0);
    assert_true(auth_keys_open(where, true, &after, &err));
    assert_int_equal(after->count, 2);
    assert_true(auth_jwt_make(after, &t, &new_text, &err));
    assert_int_equal(auth_jwt_check(after, SPAN(old_text), eb_now_ms(), &claims), AUTH_GOOD);
    json_decref(claims);
    assert_int_equal(auth_jwt_check(after, SPAN(new_text), eb_now_ms(), &claims), AUTH_GOOD);
    json_decref(claims);
    assert_int_equal(auth_jwt_check(before, SPAN(new_text), eb_now_ms(), &claims), AUTH_KEY);
    eb_wipe_free(old_text);
    eb_wipe_free(new_text);
    auth_keys_free(before);
    auth_keys_free(after);
    free(where);
    free(line);
}

/* ---- cost: no sort of wrong text is far from the right one ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double median_us(const char *text)
{
    int64_t us[101];

    for (size_t i = 0; i < EB_LEN(us); i++) {
        int64_t start = eb_mono_us();
        for (int n = 0; n < 20; n++)
            (void)verdict(text, strlen(text));
        us[i] = eb_mono_us() - start;
    }
    qsort(us, EB_LEN(us), sizeof(*us), by_value);
    return (double)us[EB_LEN(us) / 2] / 20;
}

static void test_cost(void **state)
{
    static const uint8_t other[AUTH_KEY_LEN] = { 1 };
    char *right = by_hand("", good_claims, keys->signing[0].key, ""), *forged = by_hand("", good_claims, other, "");
    char *none = by_hand("{\"alg\":\"none\",\"kid\":\"x\",\"typ\":\"JWT\"}", good_claims, other, "");
    double cost = median_us(right);
    const struct { const char *text, *why; } wrong[] = { { forged, "signature" }, { none, "header" }, { "garbage", "no form" } };

    print_message("right %.1f us", cost);
    for (size_t i = 0; i < EB_LEN(wrong); i++) {
        double w = median_us(wrong[i].text);
        print_message(", wrong %s %.1f us", wrong[i].why, w);
        if (w > 2.5 * cost || cost > 2.5 * w)
            fail_msg("wrong %s costs %.1f us, right %.1f us", wrong[i].why, w, cost);
    }
    print_message("\n");
    free(right);
    free(forged);
    free(none);
}

static void test_counted(void **state)
{
    struct bench b;
    struct eb_buf text = EB_BUF(KiB(64));

    open_bench(&b, "counted.db");
    assert_null(who(&b, "garbage"));
    assert_true(eb_metrics_render(&text));
    assert_non_null(strstr(text.data, "entrabridge_authentication_failures_total{reason=\"form\"}"));
    eb_buf_free(&text);
    close_bench(&b);
}

static int setup(void **state)
{
    struct eb_err err = { 0 };

    strcpy(directory, "/tmp/eb-auth-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    char *where = in_directory("keys");
    bool good = auth_keys_open(where, true, &keys, &err);
    free(where);
    return good ? 0 : -1;
}

static int teardown(void **state)
{
    char *line = eb_asprintf("rm -r %s", directory);
    int status = system(line);

    free(line);
    auth_keys_free(keys);
    eb_metrics_free();
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_on_disk),
        cmocka_unit_test(test_keys_refused),
        cmocka_unit_test(test_keys_after_crash),
        cmocka_unit_test(test_headers_and_claims),
        cmocka_unit_test(test_mangled),
        cmocka_unit_test(test_odd_texts),
        cmocka_unit_test(test_libjwt_agrees),
        cmocka_unit_test(test_life_of_a_token),
        cmocka_unit_test(test_expiry_after_seen),
        cmocka_unit_test(test_key_and_row_both),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_counted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
