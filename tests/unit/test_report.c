/* test_report.c - the audit comment and the audit row of an operation: what people read, what is kept, and that Jira takes it whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "jira/jira.h"
#include "ops/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define ID "0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11"

static json_t *json_of(const char *text)
{
    json_t *v = NULL;
    struct eb_err err = { 0 };

    if (!eb_json_parse_reply((struct eb_span){ text, strlen(text) }, &v, &err))
        fail_msg("%s: %s", err.text, text);
    return v;
}

static struct ops_report usual(void)
{
    return (struct ops_report){
        .operation = ID, .kind = "user.update", .outcome = "succeeded", .message = "Updated Ada Lovelace.", .changed = true, .token = "hr-rule",
        .token_id = "t1", .rule = "policy.operations.user.update", .issue = "HR-7", .issue_id = "30007", .user = "ada@contoso.com",
        .user_id = "a0000000-0000-4000-8000-000000000001", .upn = "ada@contoso.com", .display_name = "Ada Lovelace", .group_id = "b1",
        .group_name = "Parents of Ada", .reason = "promoted", .request = "{\"user\":\"ada@contoso.com\"}", .request_id = "r-1",
        .configuration = "c0ffee", .undo = "user.update",
    };
}

/* ---- the document ---- */

/* The rules of ADF that Jira enforces and we can break. */
static void check_node(const json_t *n, bool root, bool in_panel)
{
    const char *type = eb_json_str(n, "type");
    const json_t *content = json_object_get(n, "content");
    size_t i;
    json_t *child;

    assert_non_null(type);
    if (strcmp(type, "text") == 0) {
        assert_true(json_string_length(json_object_get(n, "text")) > 0);
        assert_false(eb_text_unclean(eb_json_str(n, "text")));
        assert_false(root);
    }
    if (strcmp(type, "expand") == 0)
        assert_true(root && !in_panel);         /* a panel may not hold one */
    if (strcmp(type, "doc") == 0)
        assert_int_equal(json_object_size(n), 3);
    if (strcmp(type, "paragraph") == 0)
        assert_string_not_equal(eb_json_str(json_array_get(content, 0), "type"), "hardBreak");
    json_array_foreach(content, i, child)
        check_node(child, strcmp(type, "doc") == 0, in_panel || strcmp(type, "panel") == 0);
}

/* Its text; the document is checked. The caller's. */
static char *text_of(const struct ops_report *r)
{
    struct ops_comment c;
    char hash[EB_HEX_LEN];

    ops_comment_make(r, &c);
    char *whole = ops_comment_whole(&c, 1234, HASH);
    if (strlen(whole) > OPS_COMMENT_MAX)
        fail_msg("%zu bytes", strlen(whole));
    json_t *doc = json_of(whole);
    check_node(doc, false, false);
    char *text = jira_comment_text(doc), *anchor = strstr(text, "Audit: 1234 / 9f86d081884c7d65");
    assert_non_null(anchor);

    /* As `audit verify --anchors` does: without number and hash it is what the row's hash is of. */
    char *rest = eb_asprintf("%.*s%s", (int)(anchor + 7 - text), text, anchor + strlen("Audit: 1234 / 9f86d081884c7d65"));
    eb_sha256_hex(rest, strlen(rest), hash);
    assert_string_equal(hash, c.text_hash);
    free(rest);
    free(whole);
    json_decref(doc);
    ops_comment_clear(&c);
    return text;
}

struct values { const char *before, *after; };
static void test_comment(void **state)
{
    static const struct { const char *outcome, *code; bool changed; struct values v; const char *approvals, *says, *not, *why; } cases[] = {
        { "succeeded", NULL, true, { "{\"jobTitle\":\"Analyst\"}", "{\"jobTitle\":\"Engineer\"}" }, NULL, "jobTitle: Analyst → Engineer", "Approved", "a text" },
        { "succeeded", NULL, true, { "{\"member\":false}", "{\"member\":true}" }, NULL, "member: false → true", NULL, "a boolean" },
        { "succeeded", NULL, true, { "{\"a\":null,\"b\":1}", "{\"a\":\"x\",\"b\":1}" }, NULL, "a: (none) → x", "b: ", "null; what did not change is not shown" },
        { "succeeded", NULL, true, { "{\"a\":\"x\"}", "{\"a\":\"\"}" }, NULL, "a: x → (empty)", NULL, "cleared" },
        { "succeeded", NULL, true, { "{\"m\":{\"id\":\"1\",\"displayName\":\"Grace\"}}", "{\"m\":null}" }, NULL, "m: Grace → (none)", NULL, "a person" },
        { "succeeded", NULL, true, { "{\"l\":[]}", "{\"l\":[\"E3\",\"E5\"]}" }, NULL, "l: (none) → E3, E5", NULL, "a list" },
        { "succeeded", NULL, true, { "{\"n\":1}", "{\"n\":2.5}" }, NULL, "n: 1 → 2.5", NULL, "numbers" },
        { "succeeded", NULL, true, { NULL, "{\"n\":1}" }, NULL, "n: (none) → 1", NULL, "nothing stood before" },
        { "succeeded", NULL, true, { "{\"gone\":1}", "{}" }, NULL, "gone: 1 → (none)", NULL, "what only stood before" },
        { "succeeded", NULL, false, { "{\"a\":1}", "{\"a\":1}" }, NULL, "Updated Ada", "To undo", "nothing changed: nothing to undo" },
        { "succeeded", NULL, true, { "{\"a\":1}", "{\"a\":2}" }, NULL, "To undo: entrabridge operations undo " ID " (user.update)", "What to do", "how to undo it" },
        { "succeeded", NULL, true, { "{\"a\":1}", "{\"a\":2}" },
          "[{\"name\":\"Manager\",\"approvers\":[{\"name\":\"Grace Hopper\",\"decision\":\"approved\"},{\"name\":\"Alan\",\"decision\":\"pending\"},"
          "{\"accountId\":\"712020:7\",\"decision\":\"approved\"}]}]", "Approved by: Grace Hopper, 712020:7", "Alan", "on whose approval" },
        { "refused", "approval_missing", false, { "{\"a\":1}", NULL }, "[]", "Not done: Updated", "a: ", "a refusal" },
        { "refused", "approval_missing", false, { NULL, NULL }, NULL, "What to do: Have the request approved", "To undo", "a refusal says what to do" },
        { "failed", "rejected_by_entra", false, { NULL, NULL }, NULL, "Failed: ", NULL, "a failure" },
        { "unknown", "entra_unavailable", false, { NULL, NULL }, NULL, "What to do: Look in Entra", "run the rule again", "an unknown outcome is not to be repeated" },
        { "expired", "internal_error", false, { NULL, NULL }, NULL, "Expired: ", NULL, "a code without advice" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct ops_report r = usual();
        json_t *before = cases[i].v.before != NULL ? json_of(cases[i].v.before) : NULL, *after = cases[i].v.after != NULL ? json_of(cases[i].v.after) : NULL;
        json_t *approvals = cases[i].approvals != NULL ? json_of(cases[i].approvals) : NULL;
        r.outcome = cases[i].outcome;
        r.code = cases[i].code;
        r.changed = cases[i].changed;
        r.before = before;
        r.after = after;
        r.approvals = approvals;
        char *text = text_of(&r);
        if (strstr(text, cases[i].says) == NULL || (cases[i].not != NULL && strstr(text, cases[i].not) != NULL))
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
        assert_non_null(strstr(text, "Token: hr-rule"));
        assert_non_null(strstr(text, "User: ada@contoso.com"));
        free(text);
        json_decref(before);
        json_decref(after);
        json_decref(approvals);
    }
}

/* ---- what does not fit ---- */

static char *repeated(const char *s, size_t times)
{
    struct eb_buf b = EB_BUF(MiB(1));

    for (size_t i = 0; i < times; i++)
        eb_buf_str(&b, s);
    return eb_buf_take(&b);
}

static json_t *many(size_t members, size_t entries, const char *text)
{
    json_t *o = json_object();

    for (size_t i = 0; i < members; i++) {
        json_t *list = json_array();
        char name[40];
        snprintf(name, sizeof name, "attribute%zu", i);
        for (size_t k = 0; k < entries; k++)
            json_array_append_new(list, json_string(text));
        json_object_set_new(o, name, list);
    }
    return o;
}

/* Every text at its longest, of the characters that take most in JSON or must not be cut in two. */
static void test_largest(void **state)
{
    static const char *const letters[] = { "x", "\"", "\\", "ü", "🚀", "\n", "\u202Ea", "<&>" };
    static const struct { size_t members, entries; } sizes[] = { { 1, 1 }, { 11, 2 }, { 60, 1 }, { 3, 400 }, { 1, 5000 }, { 200, 20 } };

    (void)state;
    for (size_t i = 0; i < EB_LEN(letters); i++)
        for (size_t k = 0; k < EB_LEN(sizes); k++) {
            char *text = repeated(letters[i], 3000);
            json_t *before = many(sizes[k].members, 0, ""), *after = many(sizes[k].members, sizes[k].entries, text);
            json_t *approvals = json_pack("[{s:[{s:s, s:s}]}]", "approvers", "name", text, "decision", "approved");
            struct ops_report r = {
                .operation = ID, .kind = text, .outcome = "succeeded", .message = text, .note = text, .changed = true, .token = text, .rule = text,
                .user = text, .group = text, .reason = text, .before = before, .after = after, .approvals = approvals, .undo = text,
            };
            free(text_of(&r));
            json_decref(before);
            json_decref(after);
            json_decref(approvals);
            free(text);
        }
}

/* A long list is told by its length in the panel and stands in full behind it; a short one has nothing folded. */
static void test_folded(void **state)
{
    json_t *before = json_of("{\"licences\":[]}"), *after = many(0, 0, ""), *list = json_array();
    struct ops_report r = usual();

    (void)state;
    for (int i = 0; i < 30; i++)
        json_array_append_new(list, json_sprintf("LICENCE_%d", i));
    json_object_set_new(after, "licences", list);
    r.before = before;
    r.after = after;
    char *text = text_of(&r);
    assert_non_null(strstr(text, "licences: (none) → 30 entries"));
    assert_non_null(strstr(text, "licences, after: LICENCE_0"));
    assert_non_null(strstr(text, "LICENCE_29"));
    assert_true(strstr(text, "Audit: ") < strstr(text, "LICENCE_0"));
    free(text);
    json_decref(after);
    after = json_of("{\"licences\":[\"E3\"]}");
    r.after = after;
    text = text_of(&r);
    assert_null(strstr(text, "licences, after"));
    free(text);
    json_decref(before);
    json_decref(after);
}

/* ---- the row ---- */

/* What stands in the chain for ever names nobody; all that does can be erased. */
static void test_row(void **state)
{
    static const char *const personal[] = { "ada@contoso.com", "Ada Lovelace", "a0000000-0000-4000-8000-000000000001", "Parents of Ada", "promoted",
                                            "Updated", "Engineer", "Analyst", "Grace" };
    static const char *const kept[] = { "\"token\":\"hr-rule\"", "\"issue\":\"HR-7\"", "\"rule\":\"policy.operations.user.update\"", "\"requestId\":\"r-1\"",
                                        "\"configuration\":\"c0ffee\"", "\"outcome\":\"succeeded\"", "\"approvals\":1", "\"comment\":true", "\"changed\":true",
                                        "\"groupId\":\"b1\"" };
    json_t *before = json_of("{\"jobTitle\":\"Analyst\"}"), *after = json_of("{\"jobTitle\":\"Engineer\"}");
    json_t *approvals = json_of("[{\"approvers\":[{\"name\":\"Grace\",\"decision\":\"approved\"}]}]");
    struct ops_report r = usual();

    (void)state;
    r.before = before;
    r.after = after;
    r.approvals = approvals;
    char *row = ops_audit_data(&r, true), *record = ops_audit_personal(&r, HASH);
    for (size_t i = 0; i < EB_LEN(personal); i++) {
        if (strstr(row, personal[i]) != NULL)
            fail_msg("the chain has %s: %s", personal[i], row);
        if (strstr(record, personal[i]) == NULL)
            fail_msg("the record lacks %s: %s", personal[i], record);
    }
    for (size_t i = 0; i < EB_LEN(kept); i++)
        if (strstr(row, kept[i]) == NULL)
            fail_msg("the chain lacks %s: %s", kept[i], row);
    assert_non_null(strstr(record, "\"comment\":\"" HASH "\""));
    json_decref(json_of(row));
    json_decref(json_of(record));
    free(row);
    free(record);
    json_decref(before);
    json_decref(after);
    json_decref(approvals);

    struct ops_report bare = { .operation = ID, .kind = "user.get", .outcome = "refused", .code = "unauthenticated", .message = "No." };
    row = ops_audit_data(&bare, false);
    record = ops_audit_personal(&bare, NULL);
    assert_string_equal(row, "{\"name\":\"user.get\",\"outcome\":\"refused\",\"changed\":false,\"dryRun\":false,\"comment\":false,\"code\":\"unauthenticated\"}");
    assert_string_equal(record, "{\"message\":\"No.\"}");
    free(row);
    free(record);
    free(text_of(&bare));
}

/* What failed comes first; where not all fit, it is said how many are left out, and the document stays one that Jira takes. */
static void test_steps(void **state)
{
    static const struct { size_t steps; const char *says, *not; } cases[] = {
        { 1, "group.add_member", "more steps" }, { 40, "Added somebody 39", "more steps" }, { 3000, "more steps do not fit into a comment", NULL },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct ops_report r = usual();
        json_t *steps = json_array();

        for (size_t n = 0; n + 1 < cases[i].steps; n++)
            json_array_append_new(steps, json_pack("{s:s, s:s, s:b, s:o}", "name", "group.add_member", "outcome", "succeeded", "changed", 1, "message",
                                                   json_sprintf("Added somebody %zu to \"a group\" with a long name.", n + 1)));
        json_array_append_new(steps, json_pack("{s:s, s:s, s:b, s:s, s:s}", "name", "group.add_member", "outcome", "refused", "changed", 0, "code",
                                               "principal_protected", "message", "Break Glass is protected."));
        r.kind = "user.onboard";
        r.steps = steps;
        char *text = text_of(&r), *failed = strstr(text, "Break Glass is protected."), *first = strstr(text, "Added somebody 1 ");
        if (failed == NULL || (first != NULL && first < failed) || strstr(text, cases[i].says) == NULL || (cases[i].not != NULL && strstr(text, cases[i].not) != NULL))
            fail_msg("%zu steps: %s", cases[i].steps, text);
        free(text);
        json_decref(steps);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comment), cmocka_unit_test(test_largest), cmocka_unit_test(test_folded), cmocka_unit_test(test_row), cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
