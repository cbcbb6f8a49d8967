/* test_graph_write.c - every kind of write: its path, its body, and that none but one can delete a user. */
#include "base/text.h"
#include "graph/internal.h"
#include "graph/path.h"
#include "graph/permission.h"
#include "graph/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define USER "a0000000-0000-4000-8000-000000000001"
#define OTHER "b0000000-0000-4000-8000-000000000001"
#define METHOD "3179e48a-750b-4051-897c-87b9720928f7"
#define AUTH "/users/" USER "/authentication/"

static const struct { enum graph_write_kind kind; const char *type, *action, *method, *path; } writes[] = {
    { GRAPH_MEMBER_ADD, NULL, "member.add", "POST", "/groups/" OTHER "/members/$ref" },
    { GRAPH_MEMBER_REMOVE, NULL, "member.remove", "DELETE", "/groups/" OTHER "/members/" USER "/$ref" },
    { GRAPH_USER_CREATE, NULL, "user.create", "POST", "/users" },
    { GRAPH_USER_PATCH, NULL, "user.update", "PATCH", "/users/" USER },
    { GRAPH_USER_ENABLE, NULL, "user.enable", "PATCH", "/users/" USER },
    { GRAPH_USER_DISABLE, NULL, "user.disable", "PATCH", "/users/" USER },
    { GRAPH_USER_PASSWORD, NULL, "user.password", "PATCH", "/users/" USER },
    { GRAPH_USER_DELETE, NULL, "user.delete", "DELETE", "/users/" USER },
    { GRAPH_USER_RESTORE, NULL, "user.restore", "POST", "/directory/deletedItems/" USER "/restore" },
    { GRAPH_USER_INVITE, NULL, "user.invite", "POST", "/invitations" },
    { GRAPH_MANAGER_SET, NULL, "manager.set", "PUT", "/users/" USER "/manager/$ref" },
    { GRAPH_MANAGER_REMOVE, NULL, "manager.remove", "DELETE", "/users/" USER "/manager/$ref" },
    { GRAPH_LICENSES_ASSIGN, NULL, "licenses.assign", "POST", "/users/" USER "/assignLicense" },
    { GRAPH_SESSIONS_REVOKE, NULL, "sessions.revoke", "POST", "/users/" USER "/revokeSignInSessions" },
    { GRAPH_PASS_CREATE, NULL, "pass.create", "POST", AUTH "temporaryAccessPassMethods" },
    { GRAPH_PASS_DELETE, NULL, "pass.delete", "DELETE", AUTH "temporaryAccessPassMethods/" METHOD },
    { GRAPH_METHOD_DELETE, "phoneMethods", "method.delete", "DELETE", AUTH "phoneMethods/" METHOD },
    { GRAPH_METHOD_DELETE, "emailMethods", "method.delete", "DELETE", AUTH "emailMethods/" METHOD },
    { GRAPH_METHOD_DELETE, "fido2Methods", "method.delete", "DELETE", AUTH "fido2Methods/" METHOD },
    { GRAPH_METHOD_DELETE, "microsoftAuthenticatorMethods", "method.delete", "DELETE", AUTH "microsoftAuthenticatorMethods/" METHOD },
    { GRAPH_METHOD_DELETE, "softwareOathMethods", "method.delete", "DELETE", AUTH "softwareOathMethods/" METHOD },
    { GRAPH_METHOD_DELETE, "windowsHelloForBusinessMethods", "method.delete", "DELETE", AUTH "windowsHelloForBusinessMethods/" METHOD },
};

static void test_paths(void **state)
{
    bool seen[GRAPH_WRITE_KINDS] = { false };

    (void)state;
    for (size_t i = 0; i < EB_LEN(writes); i++) {
        struct graph_write w = { writes[i].kind, USER, OTHER, writes[i].type, METHOD, NULL };
        enum graph_write_kind parsed = GRAPH_WRITE_KINDS;
        char *path = graph_write_path(&w);
        if (!eb_streq(path, writes[i].path) || strcmp(graph_write_method(w.kind), writes[i].method) != 0 ||
            strcmp(graph_write_action(w.kind), writes[i].action) != 0)
            fail_msg("row %zu: %s %s", i, graph_write_method(w.kind), path);
        assert_true(graph_write_parse(writes[i].action, &parsed) && parsed == w.kind);
        assert_true(graph_write_permissions(w.kind)[0] != '\0');
        seen[w.kind] = true;
        free(path);
    }
    for (int k = 0; k < GRAPH_WRITE_KINDS; k++)
        assert_true(seen[k]);                           /* a new kind is covered the day it is added */
    assert_false(graph_write_parse("member", &(enum graph_write_kind){ 0 }));
    assert_false(graph_write_parse(NULL, &(enum graph_write_kind){ 0 }));
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a careless server would make of a path: escapes undone, query cut off, empty segments and dots resolved. */
static size_t segments_of(const char *path, char text[4096], const char *out[64])
{
    size_t n = 0, count = 0;

    for (; *path != '\0' && *path != '?' && *path != '#' && n < 4095; n++, path++) {
        bool escape = path[0] == '%' && hex(path[1]) >= 0 && hex(path[2]) >= 0;
        text[n] = escape ? (char)(hex(path[1]) * 16 + hex(path[2])) : *path;
        path += escape ? 2 : 0;
    }
    text[n] = '\0';
    for (char *rest = text, *s; (s = strsep(&rest, "/\\")) != NULL;) {
        if (s[0] == '\0' || strcmp(s, ".") == 0)
            continue;
        if (strcmp(s, "..") == 0)
            count -= count > 0;
        else if (count < 64)
            out[count++] = s;
    }
    return count;
}

/* DELETE /users/{id}, /directoryObjects/{id}, /groups/{id}/members/{id} and the like delete an object; what ends in $ref takes off a
 * link, and below authentication/ only a method goes. */
static bool deletes_an_object(const char *path)
{
    char text[4096];
    const char *s[64];
    size_t n = segments_of(path, text, s);

    if (n > 0 && strcmp(s[n - 1], "$ref") == 0)
        return n < 4;
    return !(n == 5 && strcmp(s[0], "users") == 0 && strcmp(s[2], "authentication") == 0);
}

static void test_the_test(void **state)
{
    static const char *const deleting[] = { "/users/x", "/users/x/", "/users/x?", "/users('x')", "/groups/x/members/y", "/groups/x/members/y/%2e", "/directoryObjects/x",
                                            "/users/x/authentication/phoneMethods/../..", "/users/x/authentication/phoneMethods/%2e%2e%2F..", "/users/$ref",
                                            "/groups/g/members/u/$ref/..", "/users/x/manager" };
    (void)state;
    for (size_t i = 0; i < EB_LEN(deleting); i++)
        if (!deletes_an_object(deleting[i]))
            fail_msg("%s", deleting[i]);
    assert_false(deletes_an_object("/groups/g/members/u/$ref"));
    assert_false(deletes_an_object(AUTH "phoneMethods/" METHOD));
}

/* Every kind with every kind of bad id: nothing but GRAPH_USER_DELETE makes a path that deletes a user, and that one takes ids only. */
static void test_nothing_else_deletes(void **state)
{
    static const char *const ids[] = { NULL, "", ".", "..", "x", "ada@contoso.com", USER, OTHER, USER "/", USER "/$ref", "../" USER, "..%2f" USER, USER "x",
        USER "?x", "a0000000-0000-4000-8000-00000000000g", "$ref", "%24ref", USER "/..", "../../../users/" USER, "../../../../users/" USER "?",
        "..\\..\\" USER, " " USER, USER "\n", "{" USER "}", "me", "\xc3\xa9" };
    static const char *const types[] = { NULL, "", ".", "..", "phoneMethods", "phonemethods", "passwordMethods", "methods", "phoneMethods/..", "../..",
        "temporaryAccessPassMethods", "platformCredentialMethods" };
    size_t deletes = 0, made = 0;

    (void)state;
    for (int k = 0; k < GRAPH_WRITE_KINDS; k++)
        for (size_t u = 0; u < EB_LEN(ids); u++)
            for (size_t o = 0; o < EB_LEN(ids); o++)
                for (size_t t = 0; t < EB_LEN(types); t++) {
                    /* The second id plays the other object and the method: no kind takes both. */
                    struct graph_write w = { (enum graph_write_kind)k, ids[u], ids[o], types[t], ids[o], NULL };
                    char *path = graph_write_path(&w);
                    if (path == NULL)
                        continue;
                    bool is_delete = strcmp(graph_write_method(w.kind), "DELETE") == 0;
                    made++;
                    if (is_delete && k == GRAPH_USER_DELETE) {
                        assert_true(strcmp(path, "/users/" USER) == 0 || strcmp(path, "/users/" OTHER) == 0);
                        deletes++;
                    } else if (is_delete && deletes_an_object(path)) {
                        fail_msg("kind %s makes DELETE %s", graph_write_action(w.kind), path);
                    }
                    if (w.kind == GRAPH_METHOD_DELETE)
                        assert_string_equal(types[t], "phoneMethods");      /* the list is closed */
                    free(path);
                }
    assert_int_equal(deletes, 2 * EB_LEN(ids) * EB_LEN(types));
    assert_true(made > deletes);
}

#define G "https://graph.microsoft.com/v1.0"

static void test_bodies(void **state)
{
    static const struct { enum graph_write_kind kind; const char *body; bool ok; const char *text, *why; } cases[] = {
        { GRAPH_MEMBER_ADD, NULL, true, "{\"@odata.id\":\"" G "/directoryObjects/" USER "\"}", "the member is the user" },
        { GRAPH_MANAGER_SET, NULL, true, "{\"@odata.id\":\"" G "/directoryObjects/" OTHER "\"}", "the manager is the other" },
        { GRAPH_USER_ENABLE, NULL, true, "{\"accountEnabled\":true}", "alone" },
        { GRAPH_USER_DISABLE, NULL, true, "{\"accountEnabled\":false}", "alone" },
        { GRAPH_USER_DISABLE, "{\"jobTitle\":\"x\"}", true, "{\"accountEnabled\":false}", "alone, whatever else is given" },
        { GRAPH_MEMBER_REMOVE, NULL, true, NULL, "no body" },
        { GRAPH_USER_DELETE, "{}", false, NULL, "a body where there is none" },
        { GRAPH_SESSIONS_REVOKE, NULL, true, NULL, "no body" },
        { GRAPH_USER_PATCH, "{\"jobTitle\":\"x\",\"city\":null}", true, "{\"jobTitle\":\"x\",\"city\":null}", "as given" },
        { GRAPH_USER_PATCH, NULL, false, NULL, "nothing to change" },
        { GRAPH_USER_PATCH, "{}", false, NULL, "nothing to change" },
        { GRAPH_USER_PATCH, "[1]", false, NULL, "no object" },
        { GRAPH_USER_PATCH, "{\"jobTitle\":\"x\",\"accountEnabled\":false}", false, NULL, "disabling has a kind of its own" },
        { GRAPH_USER_PATCH, "{\"passwordProfile\":{}}", false, NULL, "a password too" },
        { GRAPH_USER_PASSWORD, "{\"passwordProfile\":{\"password\":\"x\"}}", true, "{\"passwordProfile\":{\"password\":\"x\"}}", "a password" },
        { GRAPH_USER_PASSWORD, "{\"passwordProfile\":{},\"accountEnabled\":true}", false, NULL, "a password and more" },
        { GRAPH_USER_PASSWORD, "{\"jobTitle\":\"x\"}", false, NULL, "no password" },
        { GRAPH_USER_PASSWORD, "{\"passwordProfile\":null}", false, NULL, "null" },
        { GRAPH_LICENSES_ASSIGN, "{\"addLicenses\":[],\"removeLicenses\":[]}", true, "{\"addLicenses\":[],\"removeLicenses\":[]}", "both" },
        { GRAPH_LICENSES_ASSIGN, "{\"addLicenses\":[]}", false, NULL, "one of the two" },
        { GRAPH_USER_RESTORE, NULL, true, NULL, "no body is fine" },
        { GRAPH_USER_RESTORE, "{\"newUserPrincipalName\":\"a@b\"}", true, "{\"newUserPrincipalName\":\"a@b\"}", "and so is one" },
        { GRAPH_USER_RESTORE, "[]", false, NULL, "no object" },
        { GRAPH_USER_CREATE, NULL, false, NULL, "nobody to create" },
        { GRAPH_USER_INVITE, NULL, false, NULL, "nobody to invite" },
        { GRAPH_PASS_CREATE, "{}", true, "{}", "all of it optional" },
    };
    struct eb_loop *loop = NULL;
    struct outbound *o = NULL;
    struct graph *g = NULL;
    struct eb_err err = { 0 };
    static char tenant[] = "t", client[] = "c", secret[] = "s", login[] = "https://login.microsoftonline.com", base[] = G;
    const struct config_entra c = { .tenant_id = tenant, .client_id = client, .client_secret = secret, .authority_url = login, .graph_url = base, .max_calls = 1 };

    (void)state;
    assert_true(eb_loop_new(&loop, &err) && outbound_new(loop, &(struct outbound_options){ 0 }, &o, &err) && graph_new(o, loop, &c, &g, &err));
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *body = cases[i].body != NULL ? json_loads(cases[i].body, 0, NULL) : NULL;
        struct graph_write w = { cases[i].kind, USER, OTHER, NULL, NULL, body };
        char *text = NULL;
        err = (struct eb_err){ 0 };
        bool ok = graph_write_body(g, &w, &text, &err);
        if (ok != cases[i].ok || !eb_streq(text, cases[i].text) || (!ok && err.code != EB_INTERNAL))
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, ok, text);
        free(text);
        json_decref(body);
    }
    assert_null(graph_object_link(g, "x"));
    assert_null(graph_object_link(g, NULL));
    graph_free(g);
    outbound_free(o);
    eb_loop_free(loop);
}

static void test_permissions(void **state)
{
    static const struct { struct graph_write w; const char *body, *text, *names; } cases[] = {
        { { GRAPH_USER_PATCH }, "{\"mobilePhone\":\"1\",\"businessPhones\":[\"1\"]}", "User-Phone.ReadWrite.All", "mobilePhone, businessPhones" },
        { { GRAPH_USER_PATCH }, "{\"otherMails\":[]}", "User-Mail.ReadWrite.All", "otherMails" },
        { { GRAPH_USER_PATCH }, "{\"employeeLeaveDateTime\":null}", "User-LifeCycleInfo.ReadWrite.All", "employeeLeaveDateTime" },
        { { GRAPH_USER_PATCH }, "{\"jobTitle\":\"x\",\"mobilePhone\":\"1\"}",
          "User.ReadUpdate.All and User-Phone.ReadWrite.All (where the tenant does not offer that one: User.ReadWrite.All)", "jobTitle, mobilePhone" },
        { { GRAPH_USER_DISABLE }, NULL, "User.EnableDisableAccount.All and User.Read.All", "" },
        { { GRAPH_USER_PASSWORD }, NULL, "User-PasswordProfile.ReadWrite.All and the directory role User Administrator", "" },
        { { GRAPH_METHOD_DELETE, .method_type = "fido2Methods" }, NULL, "UserAuthMethod-Passkey.ReadWrite.All", "" },
        { { GRAPH_PASS_DELETE }, NULL, "UserAuthMethod-TAP.ReadWrite.All", "" },
        { { GRAPH_MEMBER_ADD }, NULL, "GroupMember.ReadWrite.All (for a role-assignable group also RoleManagement.ReadWrite.Directory)", "" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct graph_write w = cases[i].w;
        json_t *body = cases[i].body != NULL ? json_loads(cases[i].body, 0, NULL) : NULL;
        w.body = body;
        char *text = graph_permission_of_write(&w), *names = graph_attribute_names(body);
        if (!eb_streq(text, cases[i].text) || !eb_streq(names, cases[i].names))
            fail_msg("case %zu: %s / %s", i, text, names);
        free(text);
        free(names);
        json_decref(body);
    }
    json_t *many = json_object();
    for (int i = 0; i < 60; i++) {
        char name[24];
        snprintf(name, sizeof(name), "attribute%02d", i);
        json_object_set_new(many, name, json_null());
    }
    char *names = graph_attribute_names(many);
    assert_non_null(strstr(names, "attribute00, "));
    assert_non_null(strstr(names, " and 48 more"));
    free(names);
    json_decref(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths), cmocka_unit_test(test_the_test), cmocka_unit_test(test_nothing_else_deletes), cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
