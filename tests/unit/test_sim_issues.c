/* test_sim_issues.c - the simulated Jira and JSM: fields, the changelog, approvals, comments edited behind our back, rights. */
#include "tests/unit/sim_world.h"

#include <stdlib.h>

#define GRACE "\"grace@contoso.com\""

static void test_fields(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "POST", "/sim/issues", "{\"key\":\"NEW-1\",\"created\":\"2026-01-02T03:04:05Z\",\"fields\":{\"customfield_10050\":{\"account\":" GRACE "},"
          "\"customfield_10051\":\"VPN Users\",\"customfield_10052\":{\"value\":\"30d\"},\"customfield_10099\":[{\"value\":\"a\"},{\"value\":\"b\"}]}}",
          200, NULL, "each kind of field" },
        { "GET", "/rest/api/3/issue/NEW-1?fields=created,customfield_10051", NULL, 200,
          "\"fields\":{\"created\":\"2026-01-02T03:04:05.000+0000\",\"customfield_10051\":\"VPN Users\"}", "text, and only what was asked for" },
        { "GET", "/rest/api/3/issue/NEW-1?fields=customfield_10050", NULL, 200, "grace.hopper@contoso.com", "a person" },
        { "GET", "/rest/api/3/issue/NEW-1?fields=customfield_10052", NULL, 200, "\"value\":\"30d\"", "an option" },
        { "GET", "/rest/api/3/issue/NEW-1", NULL, 200, "\"value\":\"b\"", "a list" },
        { "GET", "/rest/servicedeskapi/request/NEW-1", NULL, 200, "Target group", "in JSM too" },
        { "GET", "/rest/api/3/field", NULL, 200, "Target user", "they have names" },
        { "GET", "/rest/api/3/issue/NEW-1/changelog", NULL, 200, "\"total\":0", "how it was made is no change" },
        { "POST", "/sim/issues", "{\"key\":\"NEW-1\",\"fields\":{\"summary\":\"x\"}}", 400, "no custom field", "other names" },
        { "POST", "/sim/issues", "{\"key\":\"NEW-1\",\"fields\":{\"customfield_10050\":{\"account\":\"nobody\"}}}", 400, "no account", "unknown person" },
        { "POST", "/sim/users", "{\"userPrincipalName\":\"grace@contoso.com\",\"hideEmail\":true}", 200, NULL, "she hides her e-mail" },
        { "GET", "/rest/api/3/user?accountId=712020:" USER("02"), NULL, 200, "\"displayName\":\"Grace Hopper\",\"active\":true,\"timeZone\":\"Europe/Berlin\"}", "no e-mail" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

static void test_changelog(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"status\":\"Done\",\"at\":\"2026-03-01T00:00:00Z\",\"author\":\"alan@contoso.com\"}", 200, NULL, "status" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog", NULL, 200, "\"created\":\"2026-03-01T00:00:00.000+0000\",\"items\":[{\"field\":\"status\"", "when and what" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog", NULL, 200, "alan.turing@contoso.com", "by whom" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog", NULL, 200, "\"fromString\":\"Waiting for support\",\"to\":null,\"toString\":\"Done\"", "from what to what" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"status\":\"Done\"}", 200, NULL, "the same again" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog", NULL, 200, "\"total\":1", "is no change" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"reporter\":" GRACE ",\"requestTypeId\":\"7\"}", 200, NULL, "two at once" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog?startAt=1&maxResults=1", NULL, 200,
          "\"from\":\"712020:" USER("01") "\",\"fromString\":\"Ada Lovelace\",\"to\":\"712020:" USER("02") "\"", "a reporter, on the second page" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog?startAt=1&maxResults=1", NULL, 200, "\"fieldId\":\"customfield_10010\"", "the request type, in the same entry" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog?startAt=0&maxResults=1", NULL, 200, "\"isLast\":false", "there is more" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"fields\":{\"customfield_10051\":\"CRM\"}}", 200, NULL, "a field" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"fields\":{\"customfield_10051\":\"VPN Users\"},\"quiet\":true}", 200, NULL, "quietly" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog?startAt=2", NULL, 200, "\"fromString\":null,\"to\":null,\"toString\":\"CRM\"", "the field's first value" },
        { "GET", "/rest/api/3/issue/ITSM-42/changelog", NULL, 200, "\"total\":3", "what was quiet is not there" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-42\",\"moveTo\":\"SEC-77\"}", 200, NULL, "moved" },
        { "GET", "/rest/api/3/issue/ITSM-42", NULL, 200, "\"key\":\"SEC-77\"", "found under the old key" },
        { "GET", "/rest/api/3/issue/SEC-77/changelog?startAt=3", NULL, 200, "\"fieldId\":\"project\",\"fieldtype\":\"jira\",\"from\":\"10001\"", "and told of" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-1\",\"moveTo\":\"ITSM-2\"}", 400, "taken", "a key in use" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

static void test_approvals(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", "/rest/servicedeskapi/request/HR-2/approval", NULL, 200, "quentin@contoso.com\"},\"approverDecision\":\"pending\"", "a group: one was enough" },
        { "GET", "/rest/servicedeskapi/request/HR-3/approval?limit=1", NULL, 200, "\"isLastPage\":false", "two rounds, two pages" },
        { "GET", "/rest/servicedeskapi/request/HR-3/approval?limit=1", NULL, 200, "/rest/servicedeskapi/request/HR-3/approval?start=1&limit=1", "with a link" },
        { "GET", "/rest/servicedeskapi/request/HR-3/approval?limit=1&start=1", NULL, 200, "Quentin", "the second" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-50\",\"approvals\":[{\"decision\":\"approved\",\"created\":\"2026-01-01T00:00:00Z\",\"completed\":\"2026-01-02T00:00:00Z\","
          "\"approvers\":[{\"group\":\"Access Approvers\",\"decision\":\"approved\"},{\"account\":" GRACE ",\"decision\":\"pending\"}]}]}", 200,
          "\"completed\":\"2026-01-02T00:00:00.000Z\"", "dates, a group and a person" },
        { "GET", "/rest/servicedeskapi/request/ITSM-50/approval", NULL, 200, "\"completedDate\":{\"iso8601\":\"2026-01-02T00:00:00+0000\"", "as JSM says it" },
        { "GET", "/rest/servicedeskapi/request/ITSM-50/approval", NULL, 200, "petra@contoso.com", "the group's members" },
        { "GET", "/rest/servicedeskapi/request/ITSM-61/approval", NULL, 200, "\"finalDecision\":\"pending\",\"canAnswerApproval\":false", "pending" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-50\",\"approvals\":[{\"decision\":\"maybe\"}]}", 400, "decision", "no such word" },
        { "POST", "/sim/issues", "{\"key\":\"ITSM-50\",\"approvals\":[{\"decision\":\"approved\",\"approvers\":[{\"group\":\"Twins\"}]}]}", 400, "no group", "a name that two groups have" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

#define DOC "{\"body\":{\"type\":\"doc\",\"version\":1,\"content\":[]},\"properties\":[{\"key\":\"sd.public.comment\",\"value\":{\"internal\":true}}]}"

static void test_comments_behind_our_back(void **state)
{
    struct world *w = *state;

    assert_int_equal(call(w, "POST", "/rest/api/3/issue/ITSM-42/comment", DOC), 201);
    char *id = eb_strdup(eb_json_str(w->reply.body, "id")), *target = eb_asprintf("/rest/api/3/issue/ITSM-42/comment/%s", id);
    assert_int_equal(call(w, "GET", target, NULL), 200);
    assert_string_equal(eb_json_str(w->reply.body, "created"), eb_json_str(w->reply.body, "updated"));
    char *edit = eb_asprintf("{\"issue\":\"ITSM-42\",\"id\":\"%s\",\"text\":\"I was never here\"}", id);
    assert_int_equal(call(w, "POST", "/sim/comments", edit), 200);
    assert_int_equal(call(w, "GET", target, NULL), 200);
    assert_string_not_equal(eb_json_str(w->reply.body, "created"), eb_json_str(w->reply.body, "updated"));
    assert_string_equal(eb_json_str(json_object_get(w->reply.body, "author"), "displayName"), "Entra Bridge");
    assert_string_equal(eb_json_str(json_object_get(w->reply.body, "updateAuthor"), "displayName"), "Grace Hopper");
    assert_int_equal(call(w, "POST", "/sim/comments", "{\"issue\":\"ITSM-42\",\"text\":\"mine\",\"author\":\"alan@contoso.com\"}"), 200);
    free(edit);
    edit = eb_asprintf("{\"issue\":\"ITSM-42\",\"id\":\"%s\",\"deleted\":true}", id);
    assert_int_equal(call(w, "POST", "/sim/comments", edit), 200);
    assert_int_equal(call(w, "GET", target, NULL), 404);
    assert_int_equal(call(w, "POST", "/sim/comments", edit), 400);              /* there is none any more */
    assert_int_equal(call(w, "GET", "/rest/api/3/issue/ITSM-42/comment", NULL), 200);
    assert_int_equal(eb_json_int(w->reply.body, "total", 0), 1);
    assert_int_equal(counted(w, NULL, "comments"), 1);                          /* what others write is not counted */
    free(edit);
    free(target);
    free(id);
}

static void test_rights(void **state)
{
    struct world *w = *state;
#define RIGHTS "/rest/api/3/mypermissions?permissions=SERVICEDESK_AGENT,ADMINISTER"
    static const struct step cases[] = {
        { "GET", RIGHTS "&projectKey=ITSM", NULL, 200, "\"havePermission\":true", "an agent everywhere at first" },
        { "POST", "/sim/settings", "{\"agent\":[\"HR\"]}", 200, NULL, "only in HR" },
        { "GET", RIGHTS "&projectKey=HR", NULL, 200, "Agent\",\"havePermission\":true", "by key" },
        { "GET", RIGHTS "&projectId=10001", NULL, 200, "Agent\",\"havePermission\":false", "by id" },
        { "GET", RIGHTS "&issueKey=ITSM-1", NULL, 200, "Agent\",\"havePermission\":false", "by issue" },
        { "GET", RIGHTS "&projectKey=NONE", NULL, 404, "does not exist", "no such project" },
        { "GET", "/rest/api/3/mypermissions", NULL, 400, "required", "what is asked for" },
        { "POST", "/rest/api/3/issue/HR-1/comment", DOC, 201, "\"jsdPublic\":false", "internal where we are an agent" },
        { "POST", "/rest/api/3/issue/ITSM-1/comment", DOC, 201, "\"jsdPublic\":true", "public where we are none" },
        { "POST", "/rest/servicedeskapi/request/ITSM-1/comment", "{\"body\":\"x\",\"public\":false}", 403, "agents", "refused by JSM" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

/* What tests do to people behind our back. */
static void test_people(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "POST", "/sim/users", "{\"id\":\"" USER("03") "\",\"deleted\":true}", 200, NULL, "deleted" },
        { "GET", "/v1.0/users/" USER("03"), NULL, 404, NULL, "gone" },
        { "GET", "/v1.0/directory/deletedItems/" USER("03"), NULL, 200, NULL, "in the bin" },
        { "GET", "/sim/state?user=" USER("03"), NULL, 200, "deletedDateTime", "in the state" },
        { "POST", "/sim/users", "{\"id\":\"" USER("03") "\",\"userPrincipalName\":\"x@contoso.com\"}", 400, "taken", "its id is not free" },
        { "POST", "/sim/users", "{\"id\":\"" USER("01") "\",\"licences\":[\"50000000-0000-4000-8000-000000000002\"],\"methods\":[],\"defaultMethod\":null}", 200,
          "50000000-0000-4000-8000-000000000002", "a licence, even of those that are used up" },
        { "POST", "/sim/users", "{\"id\":\"" USER("01") "\",\"licences\":[\"x\"]}", 400, "no SKU", "unknown" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, NULL, "deletes"), 0);               /* what others do is not counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changelog, setup, teardown),
        cmocka_unit_test_setup_teardown(test_approvals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_comments_behind_our_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_people, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
