/* fuzz_text.c - text from outside: cleaning, escaping, forms of names. Accepted: clean text. */
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static void check_clean(const char *s)
{
    char out[64];

    eb_text_clean(s, out, sizeof(out));
    assert(strlen(out) < sizeof(out) && eb_utf8_valid(out, strlen(out)) && !eb_text_unclean(out));
}

static void check_escape(const char *s)
{
    struct eb_buf b = EB_BUF(KiB(4));

    if (eb_url_escape(&b, s)) {
        for (size_t i = 0; i < b.len; i++)
            assert(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%", b.data[i]) != NULL);
    } else {
        assert(b.failed);
    }
    eb_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = fuzz_string(data, len);

    fuzz_accepted = !eb_text_unclean(text);
    assert(eb_utf8_valid(text, strlen(text)) || !fuzz_accepted);
    check_clean(text);
    check_escape(text);
    if (eb_is_guid(text))
        assert(strlen(text) == 36 && fuzz_accepted);
    if (eb_is_issue(text))
        assert(strpbrk(text, "/?#%&. ") == NULL && fuzz_accepted);
    free(text);
    return 0;
}
