/* fuzz_envelope.c - the marketplace app's envelope. Accepted: one that becomes the body of a kind; whether that is taken is the kind's. */
#include "base/text.h"
#include "handlers/envelope.h"
#include "tests/fuzz/fuzz.h"

static struct config_pair routes[] = { { (char *)(uintptr_t)"go", (char *)(uintptr_t)"user.assign_licenses" } };
static struct config_pair fields[] = { { (char *)(uintptr_t)"who", (char *)(uintptr_t)"user" }, { (char *)(uintptr_t)"post", (char *)(uintptr_t)"attributes.mail" } };
static const struct config_compat compat = { { routes, 1 }, { fields, 2 }, (char *)(uintptr_t)"contoso.com" };

bool fuzz_accepted;

/* Every member is one of the kind's, and an error about it finds a name that the caller knows. */
static void check(const struct envelope *e)
{
    const char *name;
    json_t *v;

    json_object_foreach(e->body, name, v) {
        struct eb_err err = { 0 }, said;

        assert(ops_kind_field(e->kind, name) != NULL);
        eb_fail_field(&err, EB_INVALID_REQUEST, name, "`%s` is wrong.", name);
        envelope_say(e, &err, &said);
        bool flat = strcmp(name, "attributes") == 0 && strcmp(said.field, "data") == 0;
        assert(flat || strncmp(said.field, "data.", 5) == 0 || strcmp(said.field, "x-issue-key") == 0);
        assert(!eb_text_unclean(said.field) && strstr(said.text, said.field) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_err err = { 0 };
    struct envelope *e = NULL;
    json_t *request = NULL;

    fuzz_accepted = false;
    if (!eb_json_parse((struct eb_span){ (const char *)data, len }, &request, &err))
        return 0;
    fuzz_accepted = envelope_read(request, len % 2 == 0 ? "ITSM-1" : NULL, &compat, &e, &err);
    json_decref(request);
    if (fuzz_accepted)
        check(e);
    else
        assert(err.code == EB_INVALID_REQUEST && err.text[0] != '\0' && !eb_text_unclean(err.text) && !eb_text_unclean(err.field));
    envelope_free(e);
    return 0;
}
