/* fuzz_assets_quote.c - values within quotes for AQL: what comes out is one quoted text that reads back as the value. Accepted: one that needed no escape. */
#include "assets/assets.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

bool fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *value = fuzz_string(data, len);
    struct eb_buf out = EB_BUF(2 * len + 3);
    size_t at = 0, i = 1;

    assets_quote(&out, value);
    assert(!out.failed && out.len >= 2 && out.data[0] == '"' && out.data[out.len - 1] == '"');
    for (; i < out.len - 1; i++, at++) {
        assert(out.data[i] != '"');                 /* a bare quote would end the text */
        if (out.data[i] == '\\')
            i++;
        assert(i < out.len - 1 && out.data[i] == value[at]);
    }
    assert(value[at] == '\0');
    fuzz_accepted = out.len == strlen(value) + 2;
    eb_buf_free(&out);
    free(value);
    return 0;
}
