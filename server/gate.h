/* gate.h - what a request's headers say: token, media type, form of the answer. Pure. */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include "base/buf.h"

#include <event2/keyvalq_struct.h>

#define GATE_FORWARDED 8

/* The headers that the server itself looks at; found in one walk. All borrowed, NULL when absent. */
struct gate_headers {
    const char *authorization, *automation_key, *content_type, *content_encoding, *accept, *connection;
    unsigned authorizations, automation_keys, content_types;
    const char *forwarded[GATE_FORWARDED];
    size_t forwarded_count;             /* GATE_FORWARDED + 1: more than we read */
};
void gate_read(const struct evkeyvalq *headers, struct gate_headers *ret);

/* The token, wherever it stands. UNAUTHENTICATED: none, several, two that differ, another scheme. */
bool gate_token(const struct gate_headers *h, struct eb_span *ret, struct eb_err *err) EB_CHECK;
/* UNSUPPORTED_MEDIA_TYPE unless application/json or an application type that ends with +json, not compressed. */
bool gate_media_type(const struct gate_headers *h, struct eb_err *err) EB_CHECK;
/* The same for a page's form: application/x-www-form-urlencoded. */
bool gate_form_type(const struct gate_headers *h, struct eb_err *err) EB_CHECK;
/* Does the client ask for application/problem+json, at least as much as for application/json? */
bool gate_wants_problem(const char *accept, size_t len);
/* Is `token` one of the comma-separated words? */
bool gate_has_word(const char *value, const char *word);

#endif
