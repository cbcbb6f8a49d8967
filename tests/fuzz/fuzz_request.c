/* fuzz_request.c - a request's body against the fields of each operation kind. Accepted: a body that some kind takes. */
#include "base/text.h"
#include "ops/request.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static void check_fields(const struct ops_fields *f)
{
    const char *const texts[] = { f->issue, f->user, f->group, f->reason, f->again };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        assert(texts[i] == NULL || (texts[i][0] != '\0' && !eb_text_unclean(texts[i])));
    assert(f->issue == NULL || eb_is_issue(f->issue));
    assert(f->user == NULL || eb_is_guid(f->user) || strcmp(f->user, OPS_REPORTER) == 0 || (strchr(f->user, '@') != NULL && strchr(f->user, '@') == strrchr(f->user, '@')));
}

/* The canonical form is what makes a repeat: reading it again gives the same. */
static void check_canonical(const struct ops_kind *kind, const struct ops_fields *f)
{
    struct eb_err err = { 0 };
    struct ops_fields again = { 0 };
    json_t *body = NULL;

    bool read = eb_json_parse((struct eb_span){ f->canonical, strlen(f->canonical) }, &body, &err) && ops_fields_read(kind, body, &again, &err);
    assert(read && strcmp(again.canonical, f->canonical) == 0);
    assert(eb_streq(again.user, f->user) && eb_streq(again.group, f->group) && eb_streq(again.issue, f->issue) && again.dry_run == f->dry_run);
    ops_fields_clear(&again);
    json_decref(body);
}

static bool try_kind(const struct ops_kind *kind, const json_t *body)
{
    struct ops_fields f = { 0 };
    struct eb_err err = { 0 };

    if (!ops_fields_read(kind, body, &f, &err)) {
        assert((err.code == EB_INVALID_REQUEST || err.code == EB_ATTRIBUTE_NOT_PERMITTED) && err.text[0] != '\0' && !eb_text_unclean(err.text));
        return false;
    }
    check_fields(&f);
    check_canonical(kind, &f);
    ops_fields_clear(&f);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct ops_kind *kinds;
    size_t count = ops_kinds(&kinds);
    struct eb_err err = { 0 };
    json_t *body = NULL;

    fuzz_accepted = false;
    if (!eb_json_parse((struct eb_span){ (const char *)data, len }, &body, &err))
        return 0;
    for (size_t i = 0; i < count; i++)
        fuzz_accepted |= try_kind(&kinds[i], body);
    json_decref(body);
    return 0;
}
