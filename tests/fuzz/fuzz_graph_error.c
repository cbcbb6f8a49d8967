/* fuzz_graph_error.c - bodies of errors, of Graph and of the token endpoint. Accepted: one that names a code. */
#include "base/text.h"
#include "graph/catalogue.h"
#include "graph/token.h"
#include "tests/fuzz/fuzz.h"

#define KINDS 15                /* bits of enum graph_kind */
static const int statuses[] = { 400, 401, 403, 404, 408, 409, 429, 500, 503, 504 };

bool fuzz_accepted;

/* A write that failed on the other side may have happened; an error is never taken for a plain success. */
static void check_one(enum graph_kind kind, int status, const struct graph_error *e)
{
    static const char path[] = "/groups/b0000000-0000-4000-8000-000000000001/members/$ref";
    struct graph_reply r = { .status = status, .retry_after_ms = -1 };

    graph_judge(&(struct graph_asked){ kind, path, "P", "jobTitle" }, e, &r);
    assert(r.result != GRAPH_OK && r.result != GRAPH_NOT_SENT);
    assert(status < 500 || kind == GRAPH_READ || r.result == GRAPH_IN_DOUBT);
    assert(r.result != GRAPH_NO_CHANGE || (kind & (GRAPH_ADD | GRAPH_REMOVE | GRAPH_DELETE | GRAPH_METHOD | GRAPH_NO_MANAGER)));
    assert(r.result == GRAPH_NO_CHANGE || (r.err.code != EB_OK && r.err.text[0] != '\0' && !eb_text_unclean(r.err.text)));
}

static void check_token_error(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < EB_LEN(statuses); i++) {
        struct eb_err err = { 0 };
        bool transient = false;
        graph_token_error(statuses[i], (struct eb_span){ (const char *)data, len }, &transient, &err);
        assert(err.code != EB_OK && err.text[0] != '\0' && !eb_text_unclean(err.text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_err err = { 0 };
    struct graph_error e;
    json_t *body = NULL;

    if (!eb_json_parse_reply((struct eb_span){ (const char *)data, len }, &body, &err))
        body = NULL;
    graph_error_read(body, &e);
    assert(!eb_text_unclean(e.code) && !eb_text_unclean(e.message) && !eb_text_unclean(e.detail) && !eb_text_unclean(e.target));
    for (int k = 0; k < KINDS; k++)
        for (size_t s = 0; s < EB_LEN(statuses); s++)
            check_one((enum graph_kind)(1 << k), statuses[s], &e);
    check_token_error(data, len);
    fuzz_accepted = e.code[0] != '\0';
    json_decref(body);
    return 0;
}
