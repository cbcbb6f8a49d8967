/* fuzz_graph_page.c - a page of a list or of changes. Accepted: a page of one of the two kinds, with a list and at most one link. */
#include "sync/entra.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static bool holds_text(struct eb_span body, const char *text)
{
    return memmem(body.p, body.len, text, strlen(text)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const enum entra_phase phases[] = { ENTRA_USERS, ENTRA_USERS_CHANGED };
    const struct eb_span body = { (const char *)data, len };
    char *ahead = entra_page_peek(body);

    assert(ahead == NULL || (holds_text(body, ahead) && strchr(ahead, '"') == NULL));
    fuzz_accepted = false;
    for (size_t i = 0; i < EB_LEN(phases); i++) {
        struct eb_err err = { 0 };
        struct entra_page page;
        bool ok = entra_page_parse(body, phases[i], &page, &err);
        assert(ok || (err.code == EB_ENTRA_UNAVAILABLE && page.doc == NULL));
        if (!ok)
            continue;
        fuzz_accepted = true;
        assert(json_is_array(page.items) && (page.next == NULL || page.delta == NULL));
        assert(phases[i] == ENTRA_USERS ? page.delta == NULL : page.next != NULL || page.delta != NULL);
        assert((page.next == NULL || page.next[0] != '\0') && (page.delta == NULL || page.delta[0] != '\0'));
        entra_page_clear(&page);
    }
    free(ahead);
    return 0;
}
