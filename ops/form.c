/* form.c - texts, times, words, secrets: one row a form.
 *
 * Invariant: no error text holds any part of a value.
 */
#include "ops/form.h"
#include "base/clock.h"
#include "base/password.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/attribute.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- forms of texts ---- */

static bool is_mail_form(const char *s)
{
    const char *at = strchr(s, '@');

    return at != NULL && at != s && at[1] != '\0' && strchr(at + 1, '@') == NULL && strpbrk(s, " \t/\\<>\"") == NULL;
}

/* "reporter" is whoever the issue's reporter is in Entra: the runner finds out. */
static bool check_user(const struct ops_field *f, const char *s, struct eb_err *err)
{
    if (eb_is_guid(s) || is_mail_form(s) || (strcmp(f->name, "user") == 0 && strcmp(s, OPS_REPORTER) == 0))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name,
                         "`%s` must be an object id, a user principal name or a mail address (exactly one @).", f->name);
}

static bool check_issue(const struct ops_field *f, const char *s, struct eb_err *err)
{
    if (eb_is_issue(s))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be an issue key such as ITSM-42, or a numeric id: {{issue.key}}.", f->name);
}

static bool check_operation(const struct ops_field *f, const char *s, struct eb_err *err)
{
    if (eb_is_guid(s))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be the id of an operation.", f->name);
}

static bool check_mail(const struct ops_field *f, const char *s, struct eb_err *err)
{
    if (is_mail_form(s))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be an address with exactly one @, such as ada@example.com.", f->name);
}

static bool check_time(const struct ops_field *f, const char *s, struct eb_err *err)
{
    int64_t ms;

    if (eb_time_parse(s, &ms, NULL))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be a time with an offset, such as 2027-03-31T17:00:00Z.", f->name);
}

bool ops_at_parse(const char *s, int64_t *ret_ms)
{
    return eb_time_parse(s, ret_ms, NULL) || eb_local_parse(s, ret_ms);
}

static bool check_at(const struct ops_field *f, const char *s, struct eb_err *err)
{
    int64_t ms;

    if (ops_at_parse(s, &ms))
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be a date or a time, such as 2027-03-31, 2027-03-31T18:00 or 2027-03-31T18:00:00+02:00.", f->name);
}

/* `words` holds the least and the most: "10m 30d". */
static bool check_duration(const struct ops_field *f, const char *s, struct eb_err *err)
{
    char least[16] = "", most[16] = "";
    int64_t ms, from = 0, to = INT64_MAX;

    if (!eb_duration_parse(s, &ms, NULL))
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be a duration such as 90s, 15m, 8h or 30d.", f->name);
    if (f->words == NULL)
        return true;
    bool bounded = sscanf(f->words, "%15s %15s", least, most) == 2 && eb_duration_parse(least, &from, NULL) && eb_duration_parse(most, &to, NULL);
    if (bounded && ms >= from && ms <= to)
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be between %s and %s.", f->name, least, most);
}

static bool check_word(const struct ops_field *f, const char *s, struct eb_err *err)
{
    size_t n = strlen(s);

    for (const char *p = f->words; *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        if (len == n && strncmp(p, s, n) == 0)
            return true;
        p += len;
    }
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be one of: %s.", f->name, f->words);
}

/* Entra's own bounds (facts: a password has 8 to 256 characters, ASCII only); what else it asks is said by Entra. */
static bool check_secret(const struct ops_field *f, const char *s, struct eb_err *err)
{
    for (const char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` may hold ASCII letters, digits and symbols only.", f->name);
    if (strlen(s) < EB_PASSWORD_MIN)
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must have at least %d characters.", f->name, EB_PASSWORD_MIN);
    return true;
}

static bool (*const checks[])(const struct ops_field *f, const char *s, struct eb_err *err) = {
    [OPS_FORM_USER] = check_user, [OPS_FORM_ISSUE] = check_issue, [OPS_FORM_OPERATION] = check_operation, [OPS_FORM_MAIL] = check_mail,
    [OPS_FORM_DURATION] = check_duration, [OPS_FORM_TIME] = check_time, [OPS_FORM_AT] = check_at, [OPS_FORM_WORD] = check_word, [OPS_FORM_SECRET] = check_secret,
};

/* A field that becomes an attribute: its row of the table says what fits. */
static bool check_attribute(const struct ops_field *f, const json_t *v, struct eb_err *err)
{
    const struct attribute *a = attribute_find(f->words);
    char fault[256];

    if (a == NULL || attribute_fault(a, v, fault, sizeof fault) == NULL)
        return true;
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` %s.", f->name, fault);
}

static bool check_text(const struct ops_field *f, const json_t *v, struct eb_err *err)
{
    const char *s = json_string_value(v);

    if (s[strspn(s, " \t")] == '\0')
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name,
                             "The smart value in `%s` had no value. Check its name in the rule, and that the issue has the field filled in.",
                             f->name);
    if (json_string_length(v) > f->max)
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` is longer than %zu bytes.", f->name, f->max);
    if (strlen(s) != json_string_length(v) || eb_text_unclean(s))
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` has control or invisible formatting characters.", f->name);
    if (f->form < EB_LEN(checks) && checks[f->form] != NULL && !checks[f->form](f, s, err))
        return false;
    return (f->form != OPS_FORM_TEXT && f->form != OPS_FORM_MAIL) || f->words == NULL || check_attribute(f, v, err);
}

/* ---- values ---- */

static bool fail_type(const struct ops_field *f, const json_t *v, struct eb_err *err)
{
    return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be a text.%s", f->name, json_is_array(v) ? " Send one request for each." : "");
}

static bool has_text(const json_t *list, const char *s)
{
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
        if (strcmp(json_string_value(item), s) == 0)
            return true;
    return false;
}

static bool read_texts(const struct ops_field *f, const json_t *v, json_t **ret, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) list = json_array();
    size_t n = json_is_array(v) ? json_array_size(v) : 1;

    if (n == 0 || n > OPS_TEXTS_MAX)
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must have 1 to %d items.", f->name, OPS_TEXTS_MAX);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(v) ? json_array_get(v, i) : v;

        if (!json_is_string(item))
            return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be a text, or a list of texts.", f->name);
        if (!check_text(f, item, err))
            return false;
        if (!has_text(list, json_string_value(item)))
            json_array_append_new(list, json_string(json_string_value(item)));
    }
    *ret = json_incref(list);
    return true;
}

/* A JSON number is taken for an issue's id: Automation writes ids as numbers (facts of "issue data"). */
static bool read_issue_number(const json_t *v, json_t **ret)
{
    char text[24];

    if (!json_is_integer(v) || json_integer_value(v) <= 0)
        return false;
    snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(v));
    *ret = json_string(text);
    return true;
}

bool ops_form_read(const struct ops_field *f, const json_t *v, json_t **ret, struct eb_err *err)
{
    if (f->form == OPS_FORM_TEXTS)
        return read_texts(f, v, ret, err);
    if (f->form == OPS_FORM_ISSUE && read_issue_number(v, ret))
        return true;
    if (f->form == OPS_FORM_BOOL && !json_is_boolean(v))
        return eb_fail_field(err, EB_INVALID_REQUEST, f->name, "`%s` must be true or false, without quotes.", f->name);
    if (f->form != OPS_FORM_BOOL && !json_is_string(v))
        return fail_type(f, v, err);
    if (f->form != OPS_FORM_BOOL && !check_text(f, v, err))
        return false;
    *ret = json_incref((json_t *)(uintptr_t)v);
    return true;
}
