/* fuzz_swagger.c - OpenAPI documents, JSON or YAML. Accepted: one with a route in it. */
#include "base/text.h"
#include "config/envelope.h"
#include "config/swagger.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

/* What the proposal and the configuration rely on. */
static void check_name(const json_t *o, const char *member)
{
    const char *name = eb_json_str(o, member);
    char normal[ENVELOPE_NAME_MAX];
    bool good = name != NULL && !eb_text_unclean(name) && envelope_normal(name, normal);

    assert(good);
}

static void check_route(const json_t *r)
{
    const json_t *fields = json_object_get(r, "fields");

    check_name(r, "route");
    assert(eb_json_str(r, "where") != NULL && !eb_text_unclean(eb_json_str(r, "where")) && json_array_size(fields) <= SWAGGER_FIELDS_MAX);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        check_name(json_array_get(fields, i), "name");
        assert(json_is_boolean(json_object_get(json_array_get(fields, i), "required")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct eb_buf faults = EB_BUF(KiB(64));
    json_t *routes = json_array();

    fuzz_accepted = swagger_read("f", (struct eb_span){ (const char *)data, len }, routes, &faults);
    assert(fuzz_accepted == (json_array_size(routes) > 0) && fuzz_accepted == (faults.len == 0) && json_array_size(routes) <= SWAGGER_ROUTES_MAX);
    for (size_t i = 0; i < json_array_size(routes); i++)
        check_route(json_array_get(routes, i));
    json_decref(routes);
    eb_buf_free(&faults);
    return 0;
}
