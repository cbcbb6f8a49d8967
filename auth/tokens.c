/* tokens.c - the tokens of the store in memory, and the answer to "whose token is this?".
 *
 * A load job reads the table on the store's thread; its end, on the loop, puts the new set in force as a whole. The set that
 * serves is never changed. While one load runs, a further wish makes one more load after it, for it may have read too early.
 * Owns: the set, the load under way, the waiters. Borrows: loop, store, keys.
 */
#include "auth/inside.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"
#include "store/db.h"
#include "store/token_table.h"
#include "base/hashtable.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define RETRY_MS 1000
#define SEEN_MAX 256        /* a power of two */

struct entry { struct auth_token token; UT_hash_handle hh; };
struct waiter { void (*done)(void *ctx, const struct eb_err *err); void *ctx; STAILQ_ENTRY(waiter) link; };
STAILQ_HEAD(waiter_list, waiter);

/* A text that was found right, by its HMAC under a key of this process: the next time only that is computed. */
struct seen { uint8_t digest[EB_SHA256_LEN]; const struct auth_token *token; };

struct auth {
    struct eb_loop *loop;
    struct store *store;
    const struct auth_keys *keys;
    struct entry *set;                  /* by id */
    struct entry *fresh;                /* being read, on the store's thread */
    bool loading, again;
    bool *ended; struct eb_err *ended_err;      /* auth_new() waits for these */
    struct waiter_list waiting, next;   /* for the load under way; for the one after it */
    struct eb_timer *retry;
    uint8_t seen_key[EB_SHA256_LEN];
    struct seen seen[SEEN_MAX];
};

static struct eb_metric failures = {
    "entrabridge_authentication_failures_total", "Requests whose token was refused, by the check that failed", EB_COUNTER, { "reason" }
};

/* ---- a set ---- */

static void texts_free(char **list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        free(list[i]);
    free(list);
}

static void set_free(struct entry **set)
{
    struct entry *e, *next;

    HASH_ITER(hh, *set, e, next) {
        HASH_DEL(*set, e);
        free(e->token.name);
        texts_free(e->token.operations);
        texts_free(e->token.projects);
        free(e);
    }
}

/* NULL: not a JSON list of texts. */
static char **texts_of(const char *json)
{
    EB_AUTO(json_t, json_decref) list = json != NULL ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (!json_is_array(list))
        return NULL;
    size_t count = json_array_size(list);
    char **texts = eb_alloc((count + 1) * sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL) {
            texts_free(texts);
            return NULL;
        }
        texts[i] = eb_strdup(text);
    }
    return texts;
}

/* A row that cannot be read is no token; the others count. */
static bool add_row(void *ctx, const struct token_row *t)
{
    struct auth *a = ctx;
    char **operations = texts_of(t->operations), **projects = texts_of(t->projects);

    if (operations == NULL || projects == NULL || t->name == NULL || !eb_is_guid(t->id)) {
        texts_free(operations);
        texts_free(projects);
        eb_error(NULL, "a token row of the store cannot be read and is passed over");
        return true;
    }
    struct entry *e = eb_alloc(sizeof(*e));
    e->token = (struct auth_token){ .name = eb_strdup(t->name), .operations = operations, .projects = projects, .expires_ms = t->expires_ms,
                                    .created_ms = t->created_ms, .revoked_ms = t->revoked_ms, .reveal_secrets = t->reveal_secrets };
    memcpy(e->token.id, t->id, sizeof(e->token.id));
    HASH_ADD_STR(a->fresh, token.id, e);
    return true;
}

/* ---- loading ---- */

/* On the store's thread; `fresh` is its alone until load_done. May run twice. */
static bool load(struct db *db, void *arg, struct eb_err *err)
{
    struct auth *a = arg;

    set_free(&a->fresh);
    return token_list(db, add_row, a, err);
}

static void load_done(void *arg, const struct eb_err *err);

static void load_start(struct auth *a)
{
    a->loading = true;
    a->again = false;
    STAILQ_CONCAT(&a->waiting, &a->next);
    store_submit(a->store, load, a, load_done);
}

static void put_in_force(struct auth *a)
{
    set_free(&a->set);
    a->set = a->fresh;
    a->fresh = NULL;
    OPENSSL_cleanse(a->seen, sizeof(a->seen));      /* its pointers are gone */
}

static void load_done(void *arg, const struct eb_err *err)
{
    struct auth *a = arg;
    struct waiter_list done = STAILQ_HEAD_INITIALIZER(done);
    struct waiter *w;

    a->loading = false;
    if (err == NULL) {
        put_in_force(a);
    } else {
        set_free(&a->fresh);
        eb_error(NULL, "tokens could not be loaded, the earlier ones stay in force: %s", err->text);
        eb_timer_set(a->retry, RETRY_MS);
    }
    if (a->ended != NULL) {
        *a->ended = true;
        if (err != NULL)
            *a->ended_err = *err;
    }
    STAILQ_CONCAT(&done, &a->waiting);
    if (a->again)
        load_start(a);
    while ((w = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, link);
        w->done(w->ctx, err);
        free(w);
    }
}

void auth_reload(struct auth *a, void (*done)(void *ctx, const struct eb_err *err), void *ctx)
{
    if (done != NULL) {
        struct waiter *w = eb_alloc(sizeof(*w));
        w->done = done;
        w->ctx = ctx;
        STAILQ_INSERT_TAIL(&a->next, w, link);
    }
    if (a->loading)
        a->again = true;
    else
        load_start(a);
}

static void retry(void *arg)
{
    auth_reload(arg, NULL, NULL);
}

/* Nothing listens yet, so the loop may turn here until the store has answered. */
static bool load_first(struct auth *a, struct eb_err *err)
{
    struct eb_err first = { 0 };
    bool ended = false;

    a->ended = &ended;
    a->ended_err = &first;
    load_start(a);
    while (!ended && event_base_loop(eb_loop_base(a->loop), EVLOOP_ONCE) == 0)
        ;
    a->ended = NULL;
    a->ended_err = NULL;
    if (first.code != EB_OK && err != NULL)
        *err = first;
    return ended && first.code == EB_OK;
}

bool auth_new(struct eb_loop *loop, struct store *s, const struct auth_keys *k, struct auth **ret, struct eb_err *err)
{
    struct auth *a = eb_alloc(sizeof(*a));

    *a = (struct auth){ .loop = loop, .store = s, .keys = k };
    STAILQ_INIT(&a->waiting);
    STAILQ_INIT(&a->next);
    eb_random(a->seen_key, sizeof(a->seen_key));
    a->retry = eb_timer_new(loop, retry, a);
    if (!load_first(a, err)) {
        auth_free(a);
        return false;
    }
    *ret = a;
    return true;
}

void auth_free(struct auth *a)
{
    struct waiter *w;

    if (a == NULL)
        return;
    STAILQ_CONCAT(&a->waiting, &a->next);
    while ((w = STAILQ_FIRST(&a->waiting)) != NULL) {
        STAILQ_REMOVE_HEAD(&a->waiting, link);
        free(w);
    }
    eb_timer_free(a->retry);
    set_free(&a->set);
    set_free(&a->fresh);
    OPENSSL_cleanse(a, sizeof(*a));
    free(a);
}

/* ---- checking ---- */

static struct entry *find(const struct auth *a, const char *id)
{
    struct entry *e = NULL;

    HASH_FIND_STR(a->set, id, e);
    return e;
}

static enum auth_fault usable(const struct auth_token *t, int64_t now_ms)
{
    if (t->revoked_ms != 0)
        return AUTH_REVOKED;
    return t->expires_ms <= now_ms ? AUTH_EXPIRED : AUTH_GOOD;
}

static enum auth_fault check_whole(struct auth *a, struct eb_span text, int64_t now_ms, const struct auth_token **ret)
{
    json_t *made = NULL;
    enum auth_fault fault = auth_jwt_check(a->keys, text, now_ms, &made);
    EB_AUTO(json_t, json_decref) claims = made;

    if (fault != AUTH_GOOD)
        return fault;
    struct entry *e = find(a, eb_json_str(claims, "jti"));
    if (e == NULL)
        return AUTH_UNKNOWN;
    if (!auth_jwt_agrees(claims, &e->token))
        return AUTH_ALTERED;
    *ret = &e->token;
    return usable(&e->token, now_ms);
}

static enum auth_fault check(struct auth *a, struct eb_span text, const struct auth_token **ret)
{
    uint8_t digest[EB_SHA256_LEN];
    int64_t now_ms = eb_now_ms();

    if (text.len == 0 || text.len > AUTH_TOKEN_MAX)
        return check_whole(a, text, now_ms, ret);
    eb_hmac_sha256(a->seen_key, sizeof(a->seen_key), text.p, text.len, digest);
    struct seen *s = &a->seen[(digest[0] | digest[1] << 8) & (SEEN_MAX - 1)];
    if (s->token != NULL && eb_equal_ct(s->digest, digest, sizeof(digest))) {
        *ret = s->token;
        return usable(s->token, now_ms);
    }
    enum auth_fault fault = check_whole(a, text, now_ms, ret);
    if (fault == AUTH_GOOD) {
        memcpy(s->digest, digest, sizeof(digest));
        s->token = *ret;
    }
    return fault;
}

const struct auth_token *auth_check(struct auth *a, struct eb_span text, struct eb_err *err)
{
    const struct auth_token *t = NULL;
    enum auth_fault fault = check(a, text, &t);

    if (fault == AUTH_GOOD)
        return t;
    eb_metric_add(&failures, 1, auth_fault_text(fault), NULL, NULL);
    eb_fail(err, EB_UNAUTHENTICATED, "The token is not valid. Send one that `entrabridge token create` made, as \"Authorization: Bearer <token>\".");
    return NULL;
}

const struct auth_token *auth_find(struct auth *a, const char *token_id)
{
    struct entry *e = token_id != NULL ? find(a, token_id) : NULL;

    return e != NULL && usable(&e->token, eb_now_ms()) == AUTH_GOOD ? &e->token : NULL;
}

const struct auth_token *auth_find_later(struct auth *a, const char *token_id)
{
    const struct auth_token *best = auth_find(a, token_id);
    const struct entry *e = token_id != NULL ? find(a, token_id) : NULL;
    int64_t now_ms = eb_now_ms();

    if (best != NULL || e == NULL || e->token.revoked_ms != 0)
        return best;
    for (const struct entry *other = a->set; other != NULL; other = other->hh.next)
        if (strcmp(other->token.name, e->token.name) == 0 && usable(&other->token, now_ms) == AUTH_GOOD &&
            (best == NULL || other->token.created_ms > best->created_ms))
            best = &other->token;
    return best;
}

/* ---- making ---- */

static char *texts_json(char *const *list)
{
    EB_AUTO(json_t, json_decref) array = json_array();

    for (size_t i = 0; list[i] != NULL; i++)
        if (json_array_append_new(array, json_string(list[i])) != 0)
            return NULL;
    return eb_json_text(array);
}

static bool check_new(const struct auth_token *t, struct eb_err *err)
{
    if (t->name == NULL || *t->name == '\0' || strlen(t->name) > 100 || eb_text_unclean(t->name) || !eb_utf8_valid(t->name, strlen(t->name)))
        return eb_fail_field(err, EB_INVALID_REQUEST, "name", "the token's name must be a text of 1 to 100 bytes without control characters");
    if (t->operations == NULL || t->operations[0] == NULL || t->projects == NULL || t->projects[0] == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, "operations", "a token needs at least one operation and one project, or '*'");
    return true;
}

bool auth_token_create(const struct auth_keys *k, struct db *db, struct auth_token *t, char **ret_text, struct eb_err *err)
{
    char *text = NULL;

    if (!check_new(t, err))
        return false;
    eb_uuid4(t->id);
    t->created_ms = eb_now_ms();
    t->expires_ms -= t->expires_ms % 1000;      /* a JWT knows seconds; row and text must agree */
    if (!auth_jwt_make(k, t, &text, err))
        return false;
    char *operations = texts_json(t->operations), *projects = texts_json(t->projects);
    const struct token_row row = { t->id, t->name, operations, projects, t->expires_ms, t->created_ms, 0, t->reveal_secrets };
    bool good = operations != NULL && projects != NULL ? token_insert(db, &row, err) : eb_fail(err, EB_INTERNAL, "out of memory");
    free(operations);
    free(projects);
    if (good)
        *ret_text = text;
    else
        eb_wipe_free(text);
    return good;
}
