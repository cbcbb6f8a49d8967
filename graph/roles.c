/* roles.c - the permissions that the access token carries: for `check` alone.
 *
 * The token is Graph's business and opaque to everybody else (its form may change, or be encrypted): nothing here may decide anything.
 * Invariant: whatever the token holds, the result is a list of short clean texts or NULL; the decoded token is wiped.
 */
#include "graph/internal.h"

#include "base/hash.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* The middle one of three parts, decoded; NULL: not a JWT. */
static json_t *claims(const char *token)
{
    const char *from = strchr(token, '.');
    const char *to = from == NULL ? NULL : strchr(from + 1, '.');
    json_t *doc = NULL;
    size_t len = 0;

    if (to == NULL)
        return NULL;
    size_t text_len = (size_t)(to - from - 1);
    uint8_t *bytes = eb_alloc(text_len + 3);
    if (eb_b64u_decode(from + 1, text_len, bytes, &len, NULL) && !eb_json_parse_reply((struct eb_span){ (const char *)bytes, len }, &doc, NULL))
        doc = NULL;
    OPENSSL_cleanse(bytes, text_len + 3);
    free(bytes);
    return doc;
}

/* One block: the pointers, then the texts. */
static char **pack(const json_t *list)
{
    size_t i, size = 0, count = json_array_size(list);
    const json_t *v;

    json_array_foreach(list, i, v)
        size += json_string_length(v) + 1;
    char **out = eb_alloc((count + 1) * sizeof(*out) + size);
    char *text = (char *)(out + count + 1);
    count = 0;
    json_array_foreach(list, i, v) {
        if (!json_is_string(v) || eb_text_unclean(json_string_value(v)))
            continue;
        out[count++] = text;
        text = stpcpy(text, json_string_value(v)) + 1;
    }
    return out;
}

static char **list_of(const char *token, const char *claim)
{
    json_t *doc = token != NULL ? claims(token) : NULL;
    char **out = NULL;

    if (doc != NULL)
        out = pack(json_object_get(doc, claim));        /* no claim: nothing was granted */
    json_decref(doc);
    return out;
}

char **graph_roles_of(const char *token)
{
    return list_of(token, "roles");
}

char **graph_token_roles(const struct graph *g)
{
    uint64_t serial;

    return list_of(graph_token_header(g->token, &serial), "roles");
}

char **graph_token_directory_roles(const struct graph *g)
{
    uint64_t serial;

    return list_of(graph_token_header(g->token, &serial), "wids");
}
