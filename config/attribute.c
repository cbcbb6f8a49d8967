/* attribute.c - the table of user attributes, and whether a value fits its row.
 *
 * Invariant: what is not in the table is neither written nor let out.
 */
#include "config/attribute.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- forms of texts, beyond their length ---- */

static const char *form_country(const char *text)
{
    bool good = isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) && text[2] == '\0';

    return good ? NULL : "must be a country in two capital letters, such as DE";
}

static const char *form_mail(const char *text)
{
    const char *at = strchr(text, '@');
    bool good = at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL && strpbrk(text, " ,;<>\"") == NULL;

    return good ? NULL : "must be one e-mail address";
}

static const char *form_nickname(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~' || strchr("@()\\[]\";:<>,", *p) != NULL)
            return "must hold ASCII letters, digits and signs only, without blanks and without @ ( ) \\ [ ] \" ; : < > ,";
    return NULL;
}

static bool all_of(const char *text, size_t len, const char *others)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && strchr(others, text[i]) == NULL)
            return false;
    return true;
}

/* At most 64 before and 48 after the @, no dot right before it. */
static const char *form_principal(const char *text)
{
    const char *at = strchr(text, '@');
    size_t before = at != NULL ? (size_t)(at - text) : 0, after = at != NULL ? strlen(at + 1) : 0;

    if (before == 0 || before > 64 || after == 0 || after > 48)
        return "must be name@domain, with at most 64 characters before and 48 after the @";
    if (at[-1] == '.' || !all_of(text, before, "'.-_!#^~") || !all_of(at + 1, after, ".-"))
        return "may hold A-Z a-z 0-9 ' . - _ ! # ^ ~ before the @ (no dot right before it) and a domain after it";
    return NULL;
}

/* ---- the table ---- */

#define UPDATE ATTRIBUTE_UPDATE
#define CREATE ATTRIBUTE_CREATE
#define CLEAR ATTRIBUTE_CLEARABLE
#define ORDINARY (UPDATE | CREATE | CLEAR)
#define OWN_RIGHT (UPDATE | CREATE | ATTRIBUTE_SEPARATE | ATTRIBUTE_SENSITIVE)

static const char *const age_groups[] = { "Minor", "NotAdult", "Adult", NULL };
static const char *const consents[] = { "Granted", "Denied", "NotRequired", NULL };
static const char *const organization[] = { "costCenter", "division", NULL };
static const char *const extension_attributes[] = {
    "extensionAttribute1", "extensionAttribute2", "extensionAttribute3", "extensionAttribute4", "extensionAttribute5",
    "extensionAttribute6", "extensionAttribute7", "extensionAttribute8", "extensionAttribute9", "extensionAttribute10",
    "extensionAttribute11", "extensionAttribute12", "extensionAttribute13", "extensionAttribute14", "extensionAttribute15", NULL
};

/* `mail` is sensitive though Graph does not say so: people of Jira are found in Entra by it, approvers among them. */
static const struct attribute rows[] = {
    { "displayName", ATTRIBUTE_TEXT, UPDATE | CREATE | ATTRIBUTE_ALWAYS, 256 },
    { "givenName", ATTRIBUTE_TEXT, ORDINARY | ATTRIBUTE_ALWAYS, 64 },
    { "surname", ATTRIBUTE_TEXT, ORDINARY | ATTRIBUTE_ALWAYS, 64 },
    { "mailNickname", ATTRIBUTE_TEXT, UPDATE | CREATE | ATTRIBUTE_ALWAYS, 64, .form = form_nickname },
    { "jobTitle", ATTRIBUTE_TEXT, ORDINARY, 128 },
    { "department", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "companyName", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "officeLocation", ATTRIBUTE_TEXT, ORDINARY, 128 },
    { "employeeId", ATTRIBUTE_TEXT, ORDINARY, 16 },
    { "employeeType", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "employeeOrgData", ATTRIBUTE_OBJECT, ORDINARY | ATTRIBUTE_WHOLE, 256, .members = organization },
    { "employeeLeaveDateTime", ATTRIBUTE_DATE, UPDATE | CLEAR | ATTRIBUTE_SEPARATE, .permission = "User-LifeCycleInfo.ReadWrite.All" },
    { "streetAddress", ATTRIBUTE_TEXT, ORDINARY, 1024 },
    { "city", ATTRIBUTE_TEXT, ORDINARY, 128 },
    { "state", ATTRIBUTE_TEXT, ORDINARY, 128 },
    { "postalCode", ATTRIBUTE_TEXT, ORDINARY, 40 },
    { "country", ATTRIBUTE_TEXT, ORDINARY, 128 },
    { "usageLocation", ATTRIBUTE_TEXT, UPDATE | CREATE, 2, .form = form_country },
    { "preferredLanguage", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "preferredDataLocation", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "faxNumber", ATTRIBUTE_TEXT, ORDINARY, 64 },
    { "ageGroup", ATTRIBUTE_TEXT, ORDINARY, 16, .words = age_groups },
    { "consentProvidedForMinor", ATTRIBUTE_TEXT, ORDINARY, 16, .words = consents },
    { "onPremisesExtensionAttributes", ATTRIBUTE_OBJECT, ORDINARY, 1024, .members = extension_attributes },
    { "mobilePhone", ATTRIBUTE_TEXT, OWN_RIGHT | CLEAR, 64, .permission = "User-Phone.ReadWrite.All" },
    { "businessPhones", ATTRIBUTE_LIST, OWN_RIGHT, 64, 1, .permission = "User-Phone.ReadWrite.All" },
    { "otherMails", ATTRIBUTE_LIST, OWN_RIGHT, 250, 250, .permission = "User-Mail.ReadWrite.All", .form = form_mail },
    { "mail", ATTRIBUTE_TEXT, UPDATE | CREATE | ATTRIBUTE_SENSITIVE, 113, .form = form_mail },
    { "onPremisesImmutableId", ATTRIBUTE_TEXT, CREATE | ATTRIBUTE_FORBIDDEN | ATTRIBUTE_SENSITIVE, 256 },
    { "userPrincipalName", ATTRIBUTE_TEXT, ATTRIBUTE_ALWAYS | ATTRIBUTE_FORBIDDEN | ATTRIBUTE_SENSITIVE, 113, .form = form_principal },
    { "accountEnabled", ATTRIBUTE_BOOL, ATTRIBUTE_FORBIDDEN | ATTRIBUTE_SENSITIVE, .permission = "User.EnableDisableAccount.All" },
    { "passwordProfile", ATTRIBUTE_OTHER, ATTRIBUTE_FORBIDDEN | ATTRIBUTE_SENSITIVE, .permission = "User-PasswordProfile.ReadWrite.All" },
    { "identities", ATTRIBUTE_OTHER, ATTRIBUTE_FORBIDDEN | ATTRIBUTE_SENSITIVE, .permission = "User.ManageIdentities.All" },
    { "id", ATTRIBUTE_OTHER },
    { "userType", ATTRIBUTE_OTHER },
    { "createdDateTime", ATTRIBUTE_OTHER },
    { "creationType", ATTRIBUTE_OTHER },
    { "employeeHireDate", ATTRIBUTE_OTHER },
    { "externalUserState", ATTRIBUTE_OTHER },
    { "imAddresses", ATTRIBUTE_OTHER },
    { "lastPasswordChangeDateTime", ATTRIBUTE_OTHER },
    { "onPremisesDomainName", ATTRIBUTE_OTHER },
    { "onPremisesLastSyncDateTime", ATTRIBUTE_OTHER },
    { "onPremisesSamAccountName", ATTRIBUTE_OTHER },
    { "onPremisesSyncEnabled", ATTRIBUTE_OTHER },
    { "onPremisesUserPrincipalName", ATTRIBUTE_OTHER },
    { "passwordPolicies", ATTRIBUTE_OTHER },
    { "proxyAddresses", ATTRIBUTE_OTHER },
    { "signInSessionsValidFromDateTime", ATTRIBUTE_OTHER },
};
static const struct attribute extension = { "extension_", ATTRIBUTE_TEXT, ORDINARY, 256 };

/* extension_<32 hex digits>_<name> */
static bool is_extension(const char *name)
{
    static const char start[] = "extension_";
    const char *hex = name + sizeof(start) - 1;

    if (strncmp(name, start, sizeof(start) - 1) != 0 || strspn(hex, "0123456789abcdefABCDEF") < 32 || hex[32] != '_')
        return false;
    const char *last = hex + 33;
    size_t len = strlen(last);
    return len > 0 && len <= 120 && isalpha((unsigned char)*last) && all_of(last, len, "_");
}

const struct attribute *attribute_find(const char *name)
{
    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return is_extension(name) ? &extension : NULL;
}

bool attribute_of_new_user(const char *kind)
{
    return strcmp(kind, "user.create") == 0 || strcmp(kind, "user.onboard") == 0;
}

size_t attribute_rows(const struct attribute **ret)
{
    *ret = rows;
    return EB_LEN(rows);
}

/* ---- values ---- */

/* As Graph counts: a character outside the first plane is two. */
static size_t length(const char *text)
{
    size_t len = strlen(text), count = 0, step;
    uint32_t c;

    for (size_t i = 0; i < len && (step = eb_utf8_next(text + i, len - i, &c)) > 0; i += step)
        count += c > 0xffff ? 2 : 1;
    return count;
}

static bool is_word(const char *const *words, const char *text)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return true;
    return false;
}

static const char *list_words(const char *const *words, const char *before, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s", before);

    for (size_t i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s %s", i > 0 ? "," : "", words[i]);
    return out;
}

static const char *say(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
    return out;
}

static const char *text_fault(const struct attribute *a, const json_t *value, char *out, size_t size)
{
    const char *text = json_string_value(value), *fault;

    if (text == NULL)
        return say(out, size, "must be text");
    if (*text == '\0')
        return say(out, size, "is empty");
    if (strlen(text) != json_string_length(value) || eb_text_unclean(text))
        return say(out, size, "holds control or invisible characters");
    if (length(text) > a->max) {
        snprintf(out, size, "is longer than %zu characters", a->max);
        return out;
    }
    if (a->words != NULL && !is_word(a->words, text))
        return list_words(a->words, "must be one of", out, size);
    fault = a->form != NULL ? a->form(text) : NULL;
    return fault != NULL ? say(out, size, fault) : NULL;
}

static const char *list_fault(const struct attribute *a, const json_t *value, char *out, size_t size)
{
    const char *fault = NULL;
    size_t i;
    json_t *item;

    if (!json_is_array(value))
        return say(out, size, "must be a list of texts");
    if (json_array_size(value) > a->items) {
        snprintf(out, size, "has more than %zu item%s", a->items, a->items == 1 ? "" : "s");
        return out;
    }
    json_array_foreach(value, i, item)
        if (fault == NULL)
            fault = text_fault(a, item, out, size);
    return fault;
}

static const char *object_fault(const struct attribute *a, const json_t *value, char *out, size_t size)
{
    const char *fault = NULL;
    size_t known = 0;

    if (!json_is_object(value) || json_object_size(value) == 0)
        return list_words(a->members, "must be an object with", out, size);
    for (size_t i = 0; fault == NULL && a->members[i] != NULL; i++) {
        const json_t *member = json_object_get(value, a->members[i]);
        known += member != NULL;
        if (member != NULL && !json_is_null(member))
            fault = text_fault(a, member, out, size);
    }
    if (fault == NULL && known < json_object_size(value))
        fault = list_words(a->members, "has an unknown member; known are", out, size);
    return fault;
}

static const char *date_fault(const json_t *value, char *out, size_t size)
{
    int64_t ms;
    const char *text = json_string_value(value);

    return text != NULL && eb_time_parse(text, &ms, NULL) ? NULL : say(out, size, "must be a time such as 2027-03-31T17:00:00Z");
}

const char *attribute_fault(const struct attribute *a, const json_t *value, char *out, size_t size)
{
    if (json_is_null(value))
        return (a->flags & ATTRIBUTE_CLEARABLE) != 0 ? NULL : say(out, size, "cannot be cleared");
    switch (a->type) {
    case ATTRIBUTE_TEXT: return text_fault(a, value, out, size);
    case ATTRIBUTE_LIST: return list_fault(a, value, out, size);
    case ATTRIBUTE_OBJECT: return object_fault(a, value, out, size);
    case ATTRIBUTE_DATE: return date_fault(value, out, size);
    case ATTRIBUTE_BOOL: return json_is_boolean(value) ? NULL : say(out, size, "must be true or false");
    case ATTRIBUTE_OTHER: break;
    }
    return say(out, size, "cannot be written");
}
