/* example.c - a web request of an automation rule for an operation kind, ready to be pasted: made from the kind's table.
 *
 * What a rule sends for a field is a row below; a field without one gets a smart value by its form, so that a new kind needs nothing here. Smart values bring their
 * quotes along (.asJsonString), so the body is JSON only once they are filled in.
 */
#include "handlers/handlers.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN "PUT THE TOKEN HERE AND TICK HIDDEN"      /* hidden values are lost on export: a rule to import cannot have one */
#define SMART(field) "{{issue." field ".asJsonString}}"
#define PERSON(field) SMART(field ".emailAddress")
#define MEMBER(name, value) "    \"" name "\": " value

/* kind NULL: of every kind that has no row of its own. optional: the field is not required, and stands there all the same. */
static const struct row { const char *kind, *field, *text; bool optional; } rows[] = {
    { "user.create", "attributes", "{\n" MEMBER("givenName", SMART("First name")) ",\n" MEMBER("surname", SMART("Last name")) ",\n"
      MEMBER("jobTitle", SMART("Job title")) ",\n" MEMBER("department", SMART("Department")) ",\n" MEMBER("usageLocation", "\"DE\"") "\n  }", false },
    { "user.create", "empty", "\"skip\"", true },
    { "user.create", "manager", PERSON("New manager"), true },
    { "user.onboard", "attributes", "{\n" MEMBER("givenName", SMART("First name")) ",\n" MEMBER("surname", SMART("Last name")) ",\n"
      MEMBER("jobTitle", SMART("Job title")) ",\n" MEMBER("department", SMART("Department")) "\n  }", false },
    { "user.transfer", "attributes", "{\n" MEMBER("jobTitle", SMART("Job title")) ",\n" MEMBER("department", SMART("Department")) "\n  }", false },
    { "user.update", "attributes", "{\n" MEMBER("jobTitle", SMART("Job title")) ",\n" MEMBER("department", SMART("Department")) "\n  }", false },
    { "user.update", "empty", "\"skip\"", true },
    { "user.restore", "user", SMART("Account"), false },
    { "user.get", "user", SMART("reporter.emailAddress"), false },
    { "user.list_groups", "user", SMART("reporter.emailAddress"), false },
    { "user.issue_access_pass", "isUsableOnce", "true", true },
    { "user.issue_access_pass", "lifetime", "\"1h\"", true },
    { "user.assign_licenses", "usageLocation", "\"DE\"", true },
    { "user.invite", "displayName", SMART("Guest name"), true },
    { "group.get", "group", SMART("Target group"), false },
    { "group.add_member", "expiresIn", "\"30d\"", true },
    { NULL, "issue", SMART("key"), false },
    { NULL, "reason", SMART("summary"), false },
    { NULL, "user", PERSON("Target user"), false },
    { NULL, "group", "\"VPN Users\"", false },
    { NULL, "manager", PERSON("New manager"), false },
    { NULL, "licenses", "[\n    \"SPE_E3\"\n  ]", false },
    { NULL, "mail", SMART("Guest address"), false },
    { NULL, "query", SMART("Search for"), false },
    { NULL, "attributes", "{\n" MEMBER("jobTitle", SMART("Job title")) "\n  }", false },
};

static const struct row *row_of(const struct ops_kind *k, const char *field)
{
    const struct row *of_all = NULL;

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        if (strcmp(rows[i].field, field) != 0)
            continue;
        if (eb_streq(rows[i].kind, k->name))
            return &rows[i];
        if (rows[i].kind == NULL)
            of_all = &rows[i];
    }
    return of_all;
}

/* "newUserPrincipalName" -> "New user principal name": how a field of the request type may be called. */
static void label_of(const char *field, char out[96])
{
    size_t len = 0;

    for (const char *p = field; *p != '\0' && len + 2 < 96; p++) {
        if (p > field && isupper((unsigned char)*p))
            out[len++] = ' ';
        out[len++] = (char)(p == field ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
    }
    out[len] = '\0';
}

static char *value_of(const struct ops_kind *k, const struct ops_field *f)
{
    const struct row *row = row_of(k, f->name);
    char label[96];

    if (row != NULL)
        return eb_strdup(row->text);
    label_of(f->name, label);
    switch (f->form) {
    case OPS_FORM_BOOL: return eb_strdup("true");
    case OPS_FORM_DURATION: return eb_strdup("\"8h\"");
    case OPS_FORM_WORD: return eb_asprintf("\"%.*s\"", (int)strcspn(f->words, " "), f->words);
    case OPS_FORM_USER: return eb_asprintf("{{issue.%s.emailAddress.asJsonString}}", label);
    default: return eb_asprintf("{{issue.%s.asJsonString}}", label);
    }
}

static void add(struct eb_buf *body, const struct ops_kind *k, const char *name)
{
    const struct ops_field *f = ops_kind_field(k, name);
    char *value = value_of(k, f);

    eb_buf_addf(body, "%s\n  \"%s\": %s", body->len > 1 ? "," : "", name, value);
    free(value);
}

/* Whom it is about stands there also where a list may stand instead. */
static bool wanted(const struct ops_field *f)
{
    return f->required || strcmp(f->name, "user") == 0 || strcmp(f->name, "group") == 0;
}

static char *make_body(const struct ops_kind *k)
{
    struct eb_buf body = EB_BUF(KiB(16));

    eb_buf_str(&body, "{");
    add(&body, k, "issue");
    for (size_t i = 0; i < k->field_count; i++)
        if (wanted(&k->fields[i]))
            add(&body, k, k->fields[i].name);
    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (rows[i].optional && eb_streq(rows[i].kind, k->name) && ops_kind_field(k, rows[i].field) != NULL)
            add(&body, k, rows[i].field);
    if (k->change != NULL)
        add(&body, k, "reason");
    eb_buf_str(&body, "\n}");
    return eb_need(eb_buf_take(&body));
}

json_t *handlers_example(const struct ops_kind *k, const char *public_url)
{
    char *url = eb_asprintf("%s%s", public_url, k->path), *body = make_body(k);
    json_t *example = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s}", "method", "POST", "url", url,
                                "headers", "Content-Type", "application/json", "x-automation-key", TOKEN, "body", body);

    free(url);
    free(body);
    return eb_need(example);
}
