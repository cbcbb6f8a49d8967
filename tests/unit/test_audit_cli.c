/* test_audit_cli.c - what the audit commands make of a row: a line for a SIEM, and the comparison with the comment in Jira. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/audit_anchor.h"
#include "cli/audit_cef.h"

#include <stdlib.h>
#include <string.h>

#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* ---- CEF ---- */

static char *line_of(const char *event, const char *operation, const char *data, const char *personal, bool erased)
{
    struct audit_row r = { .number = 7, .time_ms = 1000, .event = event, .operation = operation, .data = data, .personal = personal,
                           .has_personal = personal != NULL || erased, .hash = HASH };
    json_t *d = json_loads(data, 0, NULL), *p = personal != NULL ? json_loads(personal, 0, NULL) : NULL;
    struct eb_buf b = EB_BUF(KiB(64));

    cef_line(&r, d, p, &b);
    json_decref(d);
    json_decref(p);
    return eb_buf_take(&b);
}

#define HEAD "CEF:0|entrabridge|entrabridge|" EB_VERSION "|"
static void test_cef(void **state)
{
    static const struct { const char *event, *operation, *data, *personal; bool erased; const char *says, *not, *why; } cases[] = {
        { "operation", "op-1", "{\"name\":\"user.disable\",\"outcome\":\"refused\",\"code\":\"approval_missing\",\"token\":\"hr\",\"issue\":\"HR-1\"}",
          "{\"userId\":\"u1\",\"userPrincipalName\":\"ada@contoso.com\",\"message\":\"No.\"}", false,
          HEAD "user.disable|user.disable refused|5|rt=1000 externalId=7 act=user.disable outcome=refused reason=approval_missing suser=hr"
          " duser=ada@contoso.com duid=u1 cs1Label=issue cs1=HR-1 flexString2Label=changed flexString2=false msg=No."
          " cs2Label=operation cs2=op-1 cs5Label=hash cs5=" HASH, NULL, "an operation" },
        { "operation", "op-1", "{\"name\":\"a|b\\\\c\",\"outcome\":\"x=y|z\"}", NULL, false, "|a\\|b\\\\c|a\\|b\\\\c x=y\\|z|3|", NULL, "the head: | and \\, not =" },
        { "operation", "op-1", "{\"name\":\"n\",\"token\":\"a=b\\\\c|d\"}", NULL, false, " suser=a\\=b\\\\c|d ", NULL, "values: = and \\, not |" },
        { "operation", "op-1", "{\"name\":\"n\"}", "{\"message\":\"a\\nCEF:0|x\\r\\u202Eb\"}", false, " msg=aCEF:0|xb", "\n", "no line of its own, no bidi" },
        { "operation", "op-1", "{\"name\":\"n\",\"token\":5}", "{}", false, "|n|n|3|", "suser", "another type is left out" },
        { "operation", "op-1", "{\"name\":\"n\"}", NULL, true, " cn1Label=erased cn1=1", "duser", "erased" },
        { "operation", NULL, "no JSON", NULL, false, HEAD "operation|operation|3|", "cs2", "data that is no JSON" },
        { "policy", NULL, "{\"configuration\":\"c\"}", NULL, false, "|policy|policy|6|rt=1000 externalId=7 msg={\"configuration\":\"c\"} ", NULL, "a policy change" },
        { "token.create", NULL, "{\"by\":\"ada (uid 7)\"}", NULL, false, "|token.create|token.create|6|rt=1000 externalId=7 suser=ada (uid 7) msg=", NULL, "a token" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *line = line_of(cases[i].event, cases[i].operation, cases[i].data, cases[i].personal, cases[i].erased);
        if (strstr(line, cases[i].says) == NULL || (cases[i].not != NULL && strstr(line, cases[i].not) != NULL))
            fail_msg("case %zu (%s): %s", i, cases[i].why, line);
        free(line);
    }
}

static void test_cef_bounded(void **state)
{
    char long_text[3 * 2000 + 1], *data;

    (void)state;
    for (size_t i = 0; i < sizeof long_text - 1; i += 3)
        memcpy(long_text + i, "€", 3);
    long_text[sizeof long_text - 1] = '\0';
    data = eb_asprintf("{\"name\":\"n\",\"token\":\"%s\"}", long_text);
    char *line = line_of("operation", "op", data, NULL, false);
    const char *value = strstr(line, "suser=") + 6;
    size_t len = strcspn(value, " ");
    assert_true(len <= CEF_VALUE_MAX && len > CEF_VALUE_MAX - 3);
    assert_true(eb_utf8_valid(line, strlen(line)));
    free(line);
    free(data);
}

/* ---- anchors ---- */

static void test_anchor(void **state)
{
    static const char text[] = "Added Ada.Id: 1Audit: 42 / 9f86d081884c7d65more";
    static const struct { const char *account, *created, *updated, *text; bool erased; enum anchor_state state; const char *why; } cases[] = {
        { "us",   "c", "c", text, false, ANCHOR_GOOD, "as it was posted" },
        { "us",   "c", "c", text, true,  ANCHOR_GOOD, "number and hash are left when the text was erased" },
        { "them", "c", "c", text, false, ANCHOR_FOREIGN, "the same by somebody else" },
        { "us",   "c", "u", text, false, ANCHOR_EDITED, "edited, even back to what it was" },
        { "us",   "c", "c", "Added Bea.Id: 1Audit: 42 / 9f86d081884c7d65more", false, ANCHOR_OTHER_TEXT, "another person" },
        { "us",   "c", "c", "Added Ada.Id: 1Audit: 42 / 9f86d081884c7d65morE", false, ANCHOR_OTHER_TEXT, "behind the anchor" },
        { "us",   "c", "c", "Added Ada.Id: 1Audit: 43 / 9f86d081884c7d65more", false, ANCHOR_OTHER_ROW, "another number" },
        { "us",   "c", "c", "Added Ada.Id: 1Audit: 42 / 9f86d081884d7d65more", false, ANCHOR_OTHER_ROW, "another hash: the row was rewritten" },
        { "us",   "c", "c", "Added Ada.Id: 1Audit: 42 / 9f86d081884d7d65more", true,  ANCHOR_OTHER_ROW, "the same where the text was erased" },
        { "us",   "c", "c", "", false, ANCHOR_OTHER_ROW, "emptied" },
        { "us",   "c", "c", "Audit: 42 / 9f86d081884c7d65Added Ada.Id: 1Audit: more", false, ANCHOR_OTHER_TEXT, "the anchor moved" },
    };
    struct anchor_row row = { .number = 42, .hash = HASH };
    char posted[EB_HEX_LEN];

    (void)state;
    eb_sha256_hex("Added Ada.Id: 1Audit: more", strlen("Added Ada.Id: 1Audit: more"), posted);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct jira_comment c = { "1", cases[i].account, cases[i].created, cases[i].updated, cases[i].text };
        snprintf(row.text_hash, sizeof row.text_hash, "%s", cases[i].erased ? "" : posted);
        enum anchor_state s = anchor_compare(&row, &c, "us");
        if (s != cases[i].state)
            fail_msg("case %zu (%s): %s", i, cases[i].why, anchor_state_text(s));
        assert_true(strlen(anchor_state_help(s)) > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cef), cmocka_unit_test(test_cef_bounded), cmocka_unit_test(test_anchor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
