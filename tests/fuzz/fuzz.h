/* fuzz.h - what a fuzz entry offers. One file a parser; the same file serves libFuzzer, AFL++ and the replay of the corpus.
 *
 * An entry checks properties, not only crashes: assert() what must hold for accepted and for refused inputs.
 * A file in corpus/<entry>/ whose name begins with "ok-" must be accepted, with "bad-" refused; the replay holds that.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern bool fuzz_accepted;      /* each entry defines it, and says with it whether the last input was accepted */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The input as a C string, cut at its first NUL; the caller frees it. Its memory ends right behind the NUL, so that ASan sees a byte too far. */
static inline char *fuzz_string(const uint8_t *data, size_t len)
{
    char *s = malloc(len + 1);

    assert(s != NULL);
    if (len > 0)
        memcpy(s, data, len);
    s[len] = '\0';
    char *exact = strdup(s);
    free(s);
    assert(exact != NULL);
    return exact;
}

#endif
