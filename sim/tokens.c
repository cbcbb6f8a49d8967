/* tokens.c - access tokens in a hash by their signature, at most TOKENS_MAX, the oldest go first.
 *
 * Nothing is signed: a token is good because it was given out. Owns the certificate that assertions are checked with.
 */
#include "sim/tokens.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#define TOKENS_MAX 4096

struct token { char signature[48]; char *text; int64_t until_ms; UT_hash_handle hh; };
struct sim_tokens { struct token *all; X509 *cert; };

static void token_free(struct sim_tokens *t, struct token *k)
{
    HASH_DEL(t->all, k);
    free(k->text);
    free(k);
}

struct sim_tokens *sim_tokens_new(const char *client_cert)
{
    struct sim_tokens *t = eb_alloc(sizeof(*t));

    if (client_cert == NULL)
        return t;
    FILE *f = fopen(client_cert, "re");
    t->cert = f != NULL ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (f != NULL)
        fclose(f);
    if (t->cert == NULL) {
        fprintf(stderr, "entrabridge-sim: %s: no certificate in PEM form\n", client_cert);
        exit(2);
    }
    return t;
}

void sim_tokens_clear(struct sim_tokens *t)
{
    struct token *k, *tmp;

    HASH_ITER(hh, t->all, k, tmp)
        token_free(t, k);
}

void sim_tokens_free(struct sim_tokens *t)
{
    if (t == NULL)
        return;
    sim_tokens_clear(t);
    X509_free(t->cert);
    free(t);
}

const void *sim_tokens_certificate(const struct sim_tokens *t)
{
    return t->cert;
}

/* base64url of the value's text. */
static bool add_part(struct eb_buf *out, const json_t *value)
{
    char *text = eb_json_text(value);
    size_t n = strlen(text);
    char *room = eb_buf_room(out, 4 * ((n + 2) / 3) + 1);

    if (room != NULL)
        eb_buf_used(out, eb_b64u_encode(text, n, room));
    free(text);
    return room != NULL;
}

/* header.payload. */
static char *unsigned_text(json_t *claims)
{
    EB_AUTO(json_t, json_decref) header = json_pack("{s:s, s:s, s:s}", "typ", "JWT", "alg", "RS256", "kid", "sim");
    json_t *roles = json_object_get(claims, "roles");

    for (;;) {
        struct eb_buf b = EB_BUF(SIM_TOKEN_LEN - 48);
        add_part(&b, header);
        eb_buf_str(&b, ".");
        add_part(&b, claims);
        eb_buf_str(&b, ".");
        char *text = eb_buf_take(&b);
        if (text != NULL || json_array_size(roles) == 0)
            return eb_need(text);
        json_array_remove(roles, json_array_size(roles) - 1);
    }
}

void sim_tokens_issue(struct sim_tokens *t, int64_t life_s, json_t *claims, char out[SIM_TOKEN_LEN])
{
    unsigned char random[32];
    struct token *k = eb_alloc(sizeof(*k));
    char *text = unsigned_text(claims);

    eb_random(random, sizeof(random));
    k->signature[eb_b64u_encode(random, sizeof(random), k->signature)] = '\0';
    k->text = eb_asprintf("%s%s", text, k->signature);
    free(text);
    k->until_ms = eb_mono_ms() + life_s * 1000;
    HASH_ADD_STR(t->all, signature, k);
    snprintf(out, SIM_TOKEN_LEN, "%s", k->text);
    if (HASH_COUNT(t->all) > TOKENS_MAX)
        token_free(t, t->all);      /* uthash iterates in the order of insertion */
}

bool sim_tokens_valid(struct sim_tokens *t, const char *authorization)
{
    const char *signature = strrchr(authorization, '.');
    struct token *k = NULL;

    if (strncasecmp(authorization, "Bearer ", 7) != 0 || signature == NULL)
        return false;
    HASH_FIND_STR(t->all, signature + 1, k);
    return k != NULL && strcmp(k->text, authorization + 7) == 0 && eb_mono_ms() < k->until_ms;
}
