/* test_query.c - paths that filter or search: whatever a value holds, it stays within its quotes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "graph/query.h"

#include <stdlib.h>
#include <string.h>

static char *by_address(const char *v) { return graph_query_users_by_address(v, "id"); }
static char *deleted(const char *v) { return graph_query_deleted_user(v, "id"); }
static char *search(const char *v) { return graph_query_users_search(v, "id", 20); }
static char *with_mail(const char *v) { return graph_query_users_with_mail(v, "id"); }
static char *taken(const char *v) { return graph_query_users_taken((const char *const[]){ v, "b@x", NULL }, "id"); }

#define GUID "a0000000-0000-4000-8000-000000000001"

static void test_paths(void **state)
{
    static const struct { char *(*make)(const char *v); const char *value, *path, *why; } cases[] = {
        { by_address, "a@x", "/users?$filter=mail%20eq%20'a%40x'%20or%20userPrincipalName%20eq%20'a%40x'%20or%20otherMails/any(m:m%20eq%20'a%40x')&$select=id", "plain" },
        { by_address, "a' or mail ne 'b", "/users?$filter=mail%20eq%20'a%27%27%20or%20mail%20ne%20%27%27b'%20or%20userPrincipalName%20eq%20'a%27%27%20or%20mail%20ne"
          "%20%27%27b'%20or%20otherMails/any(m:m%20eq%20'a%27%27%20or%20mail%20ne%20%27%27b')&$select=id", "a quote does not end the text" },
        { deleted, "a@x", "/directory/deletedItems/microsoft.graph.user?$filter=endswith(userPrincipalName,'a%40x')&$count=true&$select=id", "by UPN: advanced" },
        { deleted, GUID, "/directory/deletedItems/microsoft.graph.user?$filter=id%20eq%20'" GUID "'&$select=id", "by id" },
        { deleted, "a')&$top=1", "/directory/deletedItems/microsoft.graph.user?$filter=endswith(userPrincipalName,'a%27%27%29%26%24top%3D1')&$count=true&$select=id",
          "nor does it add an option" },
        { search, "ada", "/users?$search=%22displayName%3Aada%22%20OR%20%22userPrincipalName%3Aada%22%20OR%20%22mail%3Aada%22&$top=20&$select=id", "plain" },
        { search, "a\"b\\", "/users?$search=%22displayName%3Aa%5C%22b%5C%5C%22%20OR%20%22userPrincipalName%3Aa%5C%22b%5C%5C%22%20OR%20%22mail%3Aa%5C%22b%5C%5C%22"
          "&$top=20&$select=id", "quotes and backslashes behind a backslash" },
        { taken, "o'neil@x", "/users?$filter=userPrincipalName%20in%20('o%27%27neil%40x','b%40x')&$select=id", "a list" },
        { graph_query_application, "app'", "/applications?$filter=appId%20eq%20'app%27%27'&$select=id", "a client id" },
        { graph_query_application_owners, GUID, "/applications/" GUID "/owners?$select=id&$top=999", "owners" },
        { graph_query_application_owners, "x/../y", NULL, "not an object id" },
        { graph_query_service_principal_owners, "", NULL, "nothing" },
        { graph_query_role_eligibilities, "' or true", NULL, "not an object id" },
        { graph_query_role_eligibilities, GUID, "/roleManagement/directory/roleEligibilityScheduleInstances?$filter=principalId%20eq%20'" GUID "'"
          "&$select=id,principalId,roleDefinitionId", "of one" },
        { graph_query_select, "id,jobTitle,extension_0a_key", "?$select=id,jobTitle,extension_0a_key", "attributes" },
        { graph_query_select, "id&$expand=manager", NULL, "an attribute is a name" },
        { graph_query_users_list, "id,mail", "/users?$select=id,mail&$expand=manager($select=id)&$top=999", "all users" },
        { graph_query_users_list, "id&$top=1", NULL, "an attribute is a name" },
        { graph_query_users_latest, "id,mail", "/users/delta?$deltatoken=latest&$select=id,mail,manager", "from now on" },
        { graph_query_groups_list, "id", "/groups/delta?$select=id,members,owners", "all groups" },
        { with_mail, "o'neil@x", "/users?$filter=mail%20eq%20'o%27%27neil%40x'%20or%20userPrincipalName%20eq%20'o%27%27neil%40x'&$select=id&$expand=manager($select=id)", "by mail" },
        { graph_query_select, "id,%24", NULL, "and is not encoded" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *path = cases[i].make(cases[i].value);
        if (!eb_streq(path, cases[i].path))
            fail_msg("case %zu (%s): %s", i, cases[i].why, path == NULL ? "none" : path);
        free(path);
    }
}

/* Every byte, in every query that takes a text: what is left of the value has none that means something in a URL, a filter or JSON. */
static void test_every_byte(void **state)
{
    char *(*const all[])(const char *v) = { by_address, deleted, search, taken, with_mail, graph_query_application };

    for (size_t m = 0; m < EB_LEN(all); m++) {
        char *plain = all[m]("zz");
        for (int c = 1; c < 256; c++) {
            char value[] = { 'z', (char)c, 'z', '\0' };
            char *path = all[m](value);
            assert_non_null(path);
            for (const char *p = path; *p != '\0'; p++)
                if (*p <= ' ' || (unsigned char)*p >= 0x7F || strchr("\"\\#<>", *p) != NULL)
                    fail_msg("query %zu, byte %d: %s", m, c, path);
            for (const char *q = "'&=?()"; *q != '\0'; q++) {
                int more = 0;
                for (const char *p = path; *p != '\0'; p++)
                    more += *p == *q;
                for (const char *p = plain; *p != '\0'; p++)
                    more -= *p == *q;
                if (more != 0)
                    fail_msg("query %zu, byte %d brings a bare %c: %s", m, c, *q, path);
            }
            free(path);
        }
        free(plain);
    }
}

static void test_bounds(void **state)
{
    static const char *many[17];
    char *long_text = eb_alloc(KiB(16));

    memset(long_text, 'a', KiB(16) - 1);
    assert_null(by_address(long_text));
    assert_null(search(long_text));
    for (size_t i = 0; i < 16; i++)
        many[i] = "a@x";
    assert_null(graph_query_users_taken(many, "id"));
    many[15] = NULL;
    char *path = graph_query_users_taken(many, "id");
    assert_non_null(path);
    assert_null(graph_query_users_taken(&many[15], "id"));      /* none */
    free(path);
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths), cmocka_unit_test(test_every_byte), cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
