/* fuzz_scan.c - the raw head of a request. Accepted: one that evhttp may see.
 *
 * Held: the pieces in which bytes come do not matter; what is accepted has one reading.
 */
#include "server/scan.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static const struct scan_limits limits = { .head = 2048, .headers = 20, .body = 65536 };

static enum scan_result scan_in_steps(struct scan *s, const char *p, size_t len, size_t step, enum eb_code *ret_code)
{
    enum scan_result r = SCAN_MORE;
    struct eb_err err = { 0 };

    *s = (struct scan){ 0 };
    for (size_t n = 0; r == SCAN_MORE && n < len;) {
        n = len - n > step ? n + step : len;
        r = scan_run(s, p, n, &limits, &err);
    }
    *ret_code = err.code;
    return r;
}

/* Counted without knowledge of scan.c: the line ends, and no line that begins with a blank. */
static void check_accepted(const char *p, const struct scan *s)
{
    size_t lines = 0;

    assert(s->head >= 4 && memcmp(p + s->head - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < s->head; i++) {
        unsigned char c = (unsigned char)p[i];
        assert(c != '\0' && c != 0x7f && (c >= ' ' || c == '\t' || c == '\r' || c == '\n'));
        assert(c != '\n' || (i > 0 && p[i - 1] == '\r'));
        assert(c != '\r' || p[i + 1] == '\n');
        assert(c != '\n' || i + 1 == s->head || (p[i + 1] != ' ' && p[i + 1] != '\t'));
        lines += c == '\n';
    }
    assert(lines <= limits.headers + 2);
    assert(p[s->target.at] == '/' && memchr(p + s->target.at, ' ', s->target.len) == NULL);
    assert(memmem(p + s->target.at, s->target.len, "/../", 4) == NULL || memchr(p + s->target.at, '?', s->target.len) != NULL);
    assert(!s->known || s->body == 0 || s->takes_body);
    assert(!s->known || s->body <= limits.body);
    assert(strcasestr(p, "\ntransfer-encoding:") == NULL || strcasestr(p, "\ntransfer-encoding:") > p + s->head - 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const size_t steps[] = { 1, 3, 64 };
    char *p = calloc(1, len + 1);
    enum eb_code code, other_code;
    struct scan s, other;

    assert(p != NULL);
    if (len > 0)
        memcpy(p, data, len);
    enum scan_result r = scan_in_steps(&s, p, len, len > 0 ? len : 1, &code);
    for (size_t i = 0; i < EB_LEN(steps); i++) {
        enum scan_result again = scan_in_steps(&other, p, len, steps[i], &other_code);
        assert(again == r && other_code == code && other.head == s.head && other.body == s.body);
    }
    assert(s.seen <= len && s.seen <= limits.head && (r != SCAN_BAD || code != EB_OK));
    fuzz_accepted = r == SCAN_GOOD;
    if (fuzz_accepted)
        check_accepted(p, &s);
    free(p);
    return 0;
}
