/* fuzz_time.c - RFC 3339 times and durations. */
#include "base/clock.h"
#include "base/zone.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static bool try_time(const char *text)
{
    struct eb_err err = { 0 };
    char out[EB_TIME_LEN];
    int64_t ms = 0, again = 0;

    if (!eb_time_parse(text, &ms, &err)) {
        assert(err.text[0] != '\0');
        return false;
    }
    eb_time_format(ms, out);
    bool ok = eb_time_parse(out, &again, &err);
    assert(ok && again == ms);
    return true;
}

static bool try_duration(const char *text)
{
    struct eb_err err = { 0 };
    char out[EB_TIME_LEN];
    int64_t ms = 0, again = 0;

    if (!eb_duration_parse(text, &ms, &err)) {
        assert(err.text[0] != '\0');
        return false;
    }
    assert(ms >= 0);
    eb_duration_format(ms, out);
    bool ok = eb_duration_parse(out, &again, &err);
    assert(ok && again == ms);
    return true;
}

/* Where the clocks leave an hour out, two texts mean one time; else it reads back as it was. */
static bool try_local(const char *text)
{
    char out[EB_LOCAL_LEN];
    int64_t ms = 0, again = 0;

    eb_zone_use("UTC");
    if (!eb_local_parse(text, &ms))
        return false;
    eb_local_format(ms, out);
    out[strcspn(out, "U") - 1] = '\0';
    bool ok = eb_local_parse(out, &again);
    assert(ok && ms - again >= 0 && ms - again < 60000);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = fuzz_string(data, len);
    bool is_time = try_time(text), is_duration = try_duration(text), is_local = try_local(text);

    assert(!(is_time && is_duration));
    assert(!is_local || (!is_time && !is_duration));
    fuzz_accepted = is_time || is_duration;
    free(text);
    return 0;
}
