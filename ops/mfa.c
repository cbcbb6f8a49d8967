/* mfa.c - the methods by which a user proves who they are, deleted so that they can be registered anew.
 *
 * Entra refuses to delete the default while others stand, and does not tell an application which one it is: so those that can never be it go first, those
 * that most often are it last, and one that is refused is tried once more after the others.
 * Invariant: after the first write only methods are deleted that stood before it; one that the user registers meanwhile stays.
 */
#include "ops/user_write.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TYPE_PREFIX "#microsoft.graph."
#define TYPE_SUFFIX "AuthenticationMethod"

/* In the order of deletion. collection NULL: left alone. */
static const struct method { const char *type, *phone_type, *collection, *shown; } methods[] = {
    { "email", NULL, "emailMethods", "e-mail" },
    { "fido2", NULL, "fido2Methods", "passkey" },
    { "phone", "office", "phoneMethods", "office phone" },
    { "phone", "alternateMobile", "phoneMethods", "alternate phone" },
    { "windowsHelloForBusiness", NULL, "windowsHelloForBusinessMethods", "Windows Hello" },
    { "softwareOath", NULL, "softwareOathMethods", "one-time code app" },
    { "phone", NULL, "phoneMethods", "phone" },
    { "microsoftAuthenticator", NULL, "microsoftAuthenticatorMethods", "Microsoft Authenticator" },
    { "password", NULL, NULL, "the password" },
    { "temporaryAccessPass", NULL, NULL, "an access pass" },
};

static bool is_type(const char *odata, const char *type)
{
    size_t prefix = strlen(TYPE_PREFIX), len = strlen(type);

    return odata != NULL && strncmp(odata, TYPE_PREFIX, prefix) == 0 && strncmp(odata + prefix, type, len) == 0 &&
           strcmp(odata + prefix + len, TYPE_SUFFIX) == 0;
}

/* NULL: a type that this build does not know. */
static const struct method *row_of(const json_t *m)
{
    for (size_t i = 0; i < EB_LEN(methods); i++)
        if (is_type(eb_json_str(m, "@odata.type"), methods[i].type) &&
            (methods[i].phone_type == NULL || eb_streq(methods[i].phone_type, eb_json_str(m, "phoneType"))))
            return &methods[i];
    return NULL;
}

/* "phoneMethods/3179e48a-…": names a method without saying a number or an address. */
static bool name_of(const json_t *m, char out[256])
{
    const struct method *row = row_of(m);
    const char *id = eb_json_str(m, "id");

    if (row == NULL || row->collection == NULL || id == NULL)
        return false;
    return snprintf(out, 256, "%s/%s", row->collection, id) < 256;
}

static bool was_recorded(const struct ops_case *c, const char *name)
{
    const json_t *list = json_object_get(c->recorded, "methods"), *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
        if (eb_streq(json_string_value(item), name))
            return true;
    return c->recorded == NULL;
}

static bool add_row(const struct ops_case *c, const struct method *row, struct ops_plan *p, struct eb_err *err)
{
    const json_t *m;
    char name[256];
    size_t i;

    json_array_foreach(c->facts->methods_json, i, m) {
        if (row_of(m) != row || !name_of(m, name) || !was_recorded(c, name))
            continue;
        if (p->count == OPS_WRITES_MAX)
            return eb_fail(err, EB_REJECTED_BY_ENTRA, "The user has more than %d methods. Delete some of them in Entra first.", OPS_WRITES_MAX);
        struct ops_write *w = ops_user_write(p, GRAPH_METHOD_DELETE, c->facts);
        w->method_type = row->collection;
        w->may_follow = true;
        snprintf(w->method_id, sizeof w->method_id, "%s", eb_json_str(m, "id"));
    }
    return true;
}

/* What stays is said: whoever reads "reset" must not believe that nothing is left. */
static void note_left(const struct ops_case *c, struct ops_plan *p)
{
    const json_t *m;
    bool other = false, seen[EB_LEN(methods)] = { false };
    struct eb_buf b = EB_BUF(sizeof p->note - 1);
    size_t i;

    json_array_foreach(c->facts->methods_json, i, m) {
        const struct method *row = row_of(m);
        other |= row == NULL;
        if (row != NULL)
            seen[row - methods] = true;
    }
    for (i = 0; i < EB_LEN(methods); i++)
        if (seen[i] && methods[i].collection == NULL)
            eb_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", methods[i].shown);
    if (other)
        eb_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", "methods of other types");
    if (b.len > 0)
        snprintf(p->note, sizeof p->note, "Left alone: %s.", b.data);
    eb_buf_free(&b);
}

static bool plan_reset(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    json_t *standing = json_array();
    const json_t *m;
    char name[256];
    size_t i;

    p->before = json_pack("{s:o}", "methods", standing);
    p->after = json_pack("{s:[]}", "methods");
    if (c->facts->methods_json == NULL)
        return ops_untold("the user's authentication methods", "UserAuthenticationMethod.Read.All", err);
    json_array_foreach(c->facts->methods_json, i, m)
        if (name_of(m, name))
            json_array_append_new(standing, json_string(name));
    for (i = 0; i < EB_LEN(methods); i++)
        if (!add_row(c, &methods[i], p, err))
            return false;
    note_left(c, p);
    return true;
}

const struct ops_change ops_mfa_reset = {
    .settle = OPS_SETTLE_LOOK, .plan = plan_reset,
    .did = "Deleted the authentication methods of {user}, who registers new ones at the next sign-in.",
    .was_so = "{user} has no authentication methods that can be deleted.", .would = "Would delete the authentication methods of {user}.",
};
