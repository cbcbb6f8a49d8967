/* fuzz_secret_link.c - the two parts of a one-time link as they come in a path, parted here by the first slash. */
#include "base/hash.h"
#include "ops/secret.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ops_secret_link l;
    char *id = fuzz_string(data, len), *slash = strchr(id, '/'), hash[EB_HEX_LEN];

    if (slash != NULL)
        *slash = '\0';
    char *key = fuzz_string((const uint8_t *)(slash != NULL ? slash + 1 : ""), slash != NULL ? strlen(slash + 1) : 0);
    fuzz_accepted = ops_secret_link_read(id, key, &l);
    if (fuzz_accepted) {
        uint8_t raw[3 * (OPS_SECRET_KEY_LEN / 4) + 3];
        size_t raw_len = 0;

        assert(strcmp(l.id, id) == 0 && strcmp(l.key, key) == 0 && strlen(id) == EB_ID_LEN - 1);
        assert(eb_b64u_decode(key, strlen(key), raw, &raw_len, NULL) && raw_len == 32);
        eb_sha256_hex(key, strlen(key), hash);
        assert(strcmp(hash, l.hash) == 0);
    }
    free(key);
    free(id);
    return 0;
}
