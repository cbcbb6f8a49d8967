/* fuzz_json.c - JSON from callers and from clouds. */
#include "base/json.h"
#include "base/json_fast.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

/* What was accepted is written and read again without a change. */
static void check_round_trip(const json_t *v)
{
    char *text = eb_json_canonical(v);
    json_t *again = NULL;
    struct eb_err err = { 0 };

    if (text == NULL)
        return;
    if (eb_json_parse_reply((struct eb_span){ text, strlen(text) }, &again, &err)) {
        assert(json_equal(v, again));
        json_decref(again);
    } else {
        assert(!"written JSON is not read again");
    }
    free(text);
}

/* What is read the straight way, jansson reads alike. */
static void check_as_jansson_does(struct eb_span text)
{
    json_t *ours = eb_json_read_plain(text, 500000);

    if (ours == NULL)
        return;
    json_t *theirs = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(theirs != NULL && json_equal(ours, theirs));
    json_decref(ours);
    json_decref(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_span text = { (const char *)data, len };
    struct eb_err err = { 0 }, reply_err = { 0 };
    json_t *request = NULL, *reply = NULL;

    check_as_jansson_does(text);
    fuzz_accepted = eb_json_parse(text, &request, &err);
    bool as_reply = eb_json_parse_reply(text, &reply, &reply_err);
    assert(as_reply || !fuzz_accepted);     /* the clouds' limits are the wider ones */
    if (fuzz_accepted) {
        assert(json_equal(request, reply));
        check_round_trip(request);
    } else {
        assert(err.code == EB_INVALID_JSON && err.text[0] != '\0' && request == NULL);
    }
    json_decref(request);
    json_decref(reply);
    return 0;
}
