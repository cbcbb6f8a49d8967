/* fuzz_retry_after.c - the heads of answers: Retry-After in all its spellings, and the lines around it. Accepted: a wait that can be used. */
#include "outbound/header.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1792000000000)   /* 2026-10-14T17:46:40Z: dates in the corpus lie around it */
#define DAY_MS INT64_C(86400000)

bool fuzz_accepted;

/* The same bytes as the lines of a head, each kept within its place. */
static void check_head(const uint8_t *data, size_t len)
{
    struct outbound_head head;
    size_t at = 0;

    outbound_head_reset(&head);
    while (at < len) {
        const uint8_t *end = memchr(data + at, '\n', len - at);
        size_t n = end == NULL ? len - at : (size_t)(end - data) - at + 1;
        outbound_head_line(&head, (struct eb_span){ (const char *)data + at, n }, NOW_MS);
        at += n;
    }
    assert(head.retry_after_ms >= -1 && head.retry_after_ms <= DAY_MS);
    assert(memchr(head.content_type, '\0', sizeof(head.content_type)) != NULL);
    assert(memchr(head.request_id, '\0', sizeof(head.request_id)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int64_t ms = outbound_retry_after((struct eb_span){ (const char *)data, len }, NOW_MS);

    assert(ms >= -1 && ms <= DAY_MS);
    fuzz_accepted = ms >= 0;
    check_head(data, len);
    return 0;
}
