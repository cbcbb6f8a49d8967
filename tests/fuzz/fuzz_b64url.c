/* fuzz_b64url.c - the strict base64url decoder: one text for one value. */
#include "base/hash.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_err err = { 0 };
    size_t out_len = 0;
    uint8_t *out = malloc(3 * (len / 4) + 3);

    assert(out != NULL);
    fuzz_accepted = eb_b64u_decode((const char *)data, len, out, &out_len, &err);
    if (fuzz_accepted) {
        char *again = malloc(4 * ((out_len + 2) / 3) + 1);
        assert(again != NULL);
        size_t n = eb_b64u_encode(out, out_len, again);
        assert(n == len && (len == 0 || memcmp(again, data, len) == 0));
        free(again);
    }
    free(out);
    return 0;
}
