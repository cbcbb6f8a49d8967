/* user_rules.c - one row an attribute; checks without side effects, and the effect of one that passed. */
#include "sim/user_rules.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum form { TEXT, FLAG, TEXTS, DATE, COUNTRY, UPN, USER_TYPE, POLICIES, PASSWORD, ORG_DATA, EXTENSIONS, IDENTITIES };
#define CLEAR 8                     /* null is taken */
#define WIDE "User.ReadWrite.All|Directory.ReadWrite.All"
#define COMMON "User.ReadUpdate.All|" WIDE
#define PHONE "User-Phone.ReadWrite.All|" WIDE
#define MAILS "User-Mail.ReadWrite.All|" WIDE
#define ENABLE "User.EnableDisableAccount.All"      /* and a right to read users */

struct user_attribute { const char *name; enum form form; size_t max; unsigned traits; const char *permissions; };
static const struct user_attribute attributes[] = {
    { "accountEnabled", FLAG, 0, USER_SENSITIVE | USER_CLOUD, ENABLE }, { "ageGroup", TEXT, 64, USER_CLOUD | CLEAR, COMMON },
    { "businessPhones", TEXTS, 1, USER_SENSITIVE, PHONE }, { "city", TEXT, 128, CLEAR, COMMON },
    { "companyName", TEXT, 64, CLEAR, COMMON }, { "consentProvidedForMinor", TEXT, 64, USER_CLOUD | CLEAR, COMMON },
    { "country", TEXT, 128, CLEAR, COMMON }, { "department", TEXT, 64, CLEAR, COMMON }, { "displayName", TEXT, 256, 0, COMMON },
    { "employeeHireDate", DATE, 0, CLEAR | USER_CREATE_ONLY, COMMON }, { "employeeId", TEXT, 16, CLEAR, COMMON },
    { "employeeLeaveDateTime", DATE, 0, USER_CLOUD | CLEAR, "User-LifeCycleInfo.ReadWrite.All" },
    { "employeeOrgData", ORG_DATA, 0, CLEAR, COMMON }, { "employeeType", TEXT, 64, CLEAR, COMMON },
    { "faxNumber", TEXT, 64, CLEAR, COMMON }, { "givenName", TEXT, 64, CLEAR, COMMON },
    { "identities", IDENTITIES, 10, USER_SENSITIVE | USER_CLOUD, "User.ManageIdentities.All" }, { "jobTitle", TEXT, 128, CLEAR, COMMON },
    { "mail", TEXT, 256, 0, COMMON }, { "mailNickname", TEXT, 64, 0, COMMON }, { "mobilePhone", TEXT, 64, USER_SENSITIVE | CLEAR, PHONE },
    { "officeLocation", TEXT, 128, CLEAR, COMMON }, { "onPremisesExtensionAttributes", EXTENSIONS, 0, CLEAR, COMMON },
    { "onPremisesImmutableId", TEXT, 256, USER_SENSITIVE | CLEAR, COMMON }, { "otherMails", TEXTS, 250, USER_SENSITIVE | USER_CLOUD, MAILS },
    { "passwordPolicies", POLICIES, 0, USER_CLOUD | CLEAR, COMMON },
    { "passwordProfile", PASSWORD, 0, USER_SENSITIVE, "User-PasswordProfile.ReadWrite.All" }, { "postalCode", TEXT, 40, CLEAR, COMMON },
    { "preferredDataLocation", TEXT, 16, USER_CLOUD | CLEAR, COMMON }, { "preferredLanguage", TEXT, 16, USER_CLOUD | CLEAR, COMMON },
    { "state", TEXT, 128, CLEAR, COMMON }, { "streetAddress", TEXT, 1024, CLEAR, COMMON }, { "surname", TEXT, 64, CLEAR, COMMON },
    { "usageLocation", COUNTRY, 0, USER_CLOUD, COMMON }, { "userPrincipalName", UPN, 0, USER_SENSITIVE, COMMON },
    { "userType", USER_TYPE, 0, USER_CLOUD | CLEAR, COMMON },
};

const struct user_attribute *user_attribute(const char *name)
{
    static const struct user_attribute extension = { "extension_", TEXT, 256, USER_CLOUD | CLEAR, COMMON };

    for (size_t i = 0; i < EB_LEN(attributes); i++)
        if (strcmp(attributes[i].name, name) == 0)
            return &attributes[i];
    return strncmp(name, "extension_", 10) == 0 ? &extension : NULL;
}

bool user_has_trait(const struct user_attribute *a, enum user_trait t)
{
    return (a->traits & t) != 0;
}

bool user_is_delegated_only(const char *name)
{
    static const char *const names[] = { "aboutMe", "birthday", "interests", "mySite", "pastProjects", "responsibilities",
                                         "schools", "skills" };

    for (size_t i = 0; i < EB_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool user_may_patch(const struct sim *s, const struct user_attribute *a)
{
    if (strcmp(a->permissions, ENABLE) != 0)
        return sim_granted(s, a->permissions);
    return sim_granted(s, WIDE) || (sim_granted(s, ENABLE) && sim_granted(s, "User.Read.All|Directory.Read.All"));
}

/* Characters, not bytes: Graph's lengths count those. */
static size_t length(const json_t *text)
{
    size_t n = 0;

    for (const char *p = json_string_value(text); *p != '\0'; p++)
        n += ((unsigned char)*p & 0xc0) != 0x80;
    return n;
}

static bool is_text(const json_t *v, size_t max)
{
    return json_is_string(v) && json_string_length(v) > 0 && length(v) <= max;
}

static bool texts_fit(const json_t *list, size_t most)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!is_text(json_array_get(list, i), 250))
            return false;
    return json_is_array(list) && json_array_size(list) <= most;
}

/* An object with these members at most, each text (or null). */
static bool members_fit(const json_t *obj, const char *const *names, size_t count, size_t max)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)obj, name, value) {
        size_t i = 0;
        while (i < count && strcmp(names[i], name) != 0)
            i++;
        if (i == count || !(json_is_null(value) || is_text(value, max)))
            return false;
    }
    return json_is_object(obj);
}

static bool extensions_fit(const json_t *obj)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)obj, name, value) {
        char *end;
        long n = strncmp(name, "extensionAttribute", 18) == 0 ? strtol(name + 18, &end, 10) : 0;
        if (n < 1 || n > 15 || *end != '\0' || !(json_is_null(value) || is_text(value, 1024)))
            return false;
    }
    return json_is_object(obj);
}

static bool profile_fits(const json_t *obj)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)obj, name, value)
        if (strcmp(name, "password") == 0 ? !json_is_string(value)
            : !json_is_boolean(value) || (strcmp(name, "forceChangePasswordNextSignIn") != 0 && strcmp(name, "forceChangePasswordNextSignInWithMfa") != 0))
            return false;
    return json_object_size(obj) > 0;
}

static bool identities_fit(const json_t *list)
{
    static const char *const names[] = { "issuer", "issuerAssignedId", "signInType" };

    for (size_t i = 0; i < json_array_size(list); i++)
        if (!members_fit(json_array_get(list, i), names, EB_LEN(names), 256))
            return false;
    return json_is_array(list) && json_array_size(list) <= 10;
}

static bool is_one_of(const json_t *v, const char *const *words)
{
    while (*words != NULL && !eb_streq(*words, json_string_value(v)))
        words++;
    return *words != NULL;
}

static bool is_date(const json_t *v)
{
    struct eb_err err = { 0 };
    int64_t ms;

    return json_is_string(v) && eb_time_parse(json_string_value(v), &ms, &err);
}

bool user_value_fits(const struct user_attribute *a, const json_t *v)
{
    static const char *const types[] = { "Member", "Guest", NULL }, *const org[] = { "costCenter", "division" };
    static const char *const policies[] = { "None", "DisablePasswordExpiration", "DisableStrongPassword",
        "DisablePasswordExpiration,DisableStrongPassword", "DisablePasswordExpiration, DisableStrongPassword", NULL };
    const char *text = json_string_value(v);

    if (json_is_null(v))
        return (a->traits & CLEAR) != 0;
    switch (a->form) {
    case TEXT:       return is_text(v, a->max);
    case FLAG:       return json_is_boolean(v);
    case TEXTS:      return texts_fit(v, a->max);
    case DATE:       return is_date(v);
    case COUNTRY:    return text != NULL && strlen(text) == 2 && isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]);
    case UPN:        return text != NULL && user_upn_fits(text);
    case USER_TYPE:  return is_one_of(v, types);
    case POLICIES:   return is_one_of(v, policies);
    case PASSWORD:   return profile_fits(v);
    case ORG_DATA:   return members_fit(v, org, EB_LEN(org), 64);
    case EXTENSIONS: return extensions_fit(v);
    case IDENTITIES: return identities_fit(v);
    }
    return false;
}

bool user_upn_fits(const char *upn)
{
    const char *at = strchr(upn, '@');

    if (at == NULL || at == upn || at[-1] == '.' || at - upn > 64 || at[1] == '\0' || strlen(at + 1) > 48)
        return false;
    for (const char *p = upn; p < at; p++)
        if (!isalnum((unsigned char)*p) && strchr("'.-_!#^~", *p) == NULL)
            return false;
    for (const char *p = at + 1; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '.' && *p != '-')
            return false;
    return true;
}

bool user_domain_is_verified(const char *address)
{
    const char *at = strrchr(address, '@');

    return at != NULL && (strcasecmp(at + 1, "contoso.com") == 0 || strcasecmp(at + 1, "contoso.onmicrosoft.com") == 0);
}

/* Entra's score: a banned word counts one, as does each character beside it; five are needed. */
static size_t banned_score(const char *password)
{
    static const char *const words[] = { "password", "contoso", "welcome", "qwerty", "letmein" };
    char plain[257];
    size_t n = 0, score = 0;

    for (const char *p = password; *p != '\0' && n < sizeof(plain) - 1; p++)
        plain[n++] = *p == '0' ? 'o' : *p == '@' ? 'a' : *p == '$' ? 's' : *p == '1' ? 'l' : (char)tolower((unsigned char)*p);
    plain[n] = '\0';
    for (const char *p = plain; *p != '\0'; score++) {
        size_t skip = 1;
        for (size_t i = 0; i < EB_LEN(words); i++)
            if (strncmp(p, words[i], strlen(words[i])) == 0)
                skip = strlen(words[i]);
        p += skip;
    }
    return score;
}

bool user_password_complies(const char *password, bool weak)
{
    size_t n = strlen(password);
    bool lower = false, upper = false, digit = false, symbol = false;

    for (const unsigned char *p = (const unsigned char *)password; *p != '\0'; p++) {
        if (*p < 0x20 || *p > 0x7e)
            return false;
        lower = lower || islower(*p);
        upper = upper || isupper(*p);
        digit = digit || isdigit(*p);
        symbol = symbol || !isalnum(*p);
    }
    return n >= 8 && n <= 256 && (weak || lower + upper + digit + symbol >= 3) && banned_score(password) >= 5;
}

bool user_password_check(struct sim_call *c, const json_t *profile, const json_t *policies, struct sim_reply *r)
{
    const char *password = eb_json_str(profile, "password"), *relaxed = json_string_value(policies);

    if (password == NULL || user_password_complies(password, relaxed != NULL && strstr(relaxed, "DisableStrongPassword") != NULL))
        return true;
    odata_bad_request(c, r, "The specified password does not comply with password complexity requirements. Please provide a different password.");
    return false;
}

bool user_upn_check(struct sim_call *c, const char *upn, struct sim_reply *r)
{
    if (upn == NULL || user_domain_is_verified(upn))
        return true;
    odata_bad_request(c, r, "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.");
    return false;
}

static void conflict(const struct sim_call *c, struct sim_reply *r, const char *property)
{
    char *text = eb_asprintf("Another object with the same value for property %s already exists.", property);

    odata_bad_request(c, r, "%s", text);
    json_object_set_new(json_object_get(r->body, "error"), "details",
                        json_pack("[{s:s, s:s, s:s}]", "code", "ObjectConflict", "message", text, "target", property));
    free(text);
}

bool user_upn_is_free(struct sim *s, struct sim_call *c, const struct entra_object *except, const char *upn, struct sim_reply *r)
{
    size_t n;
    struct entra_object **v = upn != NULL ? entra_lookup(s->entra, ENTRA_USER, "userPrincipalName", upn, &n) : NULL;

    if (v == NULL || v[0] == except)
        return true;
    conflict(c, r, "userPrincipalName");
    return false;
}

bool user_mail_is_free(struct sim *s, struct sim_call *c, const struct entra_object *except, const char *mail, struct sim_reply *r)
{
    char *alias = mail != NULL ? eb_asprintf("smtp:%s", mail) : NULL;
    size_t n = 0;
    struct entra_object **v = mail != NULL ? entra_lookup(s->entra, ENTRA_USER, "proxyAddresses", alias, &n) : NULL;
    bool taken = false;

    for (size_t i = 0; i < n; i++)
        taken = taken || v[i] != except;
    for (size_t i = 0; i < n; i++)
        taken = taken && v[i] != except;        /* shared already: it may stay so */
    free(alias);
    if (taken)
        conflict(c, r, "proxyAddresses");
    return !taken;
}

/* The primary address follows mail; the others stay. */
static void set_primary_address(struct sim *s, struct entra_object *o, const char *mail)
{
    const json_t *old = json_object_get(o->attrs, "proxyAddresses");
    char *primary = eb_asprintf("SMTP:%s", mail);
    json_t *list = json_pack("[s]", primary);

    for (size_t i = 0; i < json_array_size(old); i++) {
        json_t *one = json_array_get(old, i);
        if (strncmp(json_string_value(one), "SMTP:", 5) != 0 && strcasecmp(json_string_value(one), primary) != 0)
            json_array_append(list, one);
    }
    free(primary);
    entra_set(s->entra, o, "proxyAddresses", list);
}

static void set_password(struct sim *s, struct entra_object *o, const json_t *profile)
{
    const char *password = eb_json_str(profile, "password");
    char now[EB_TIME_LEN];

    if (password == NULL)
        return;                     /* only what the next sign-in asks for */
    free(o->password);
    o->password = eb_strdup(password);
    entra_set(s->entra, o, "lastPasswordChangeDateTime", json_string(entra_time(eb_now_ms(), now)));
    sim_count_user(s->counters, o->id, SIM_PASSWORDS);
}

/* A missing member of employeeOrgData becomes null. */
static json_t *whole_org_data(const json_t *value)
{
    json_t *cost = json_object_get(value, "costCenter"), *division = json_object_get(value, "division");

    return json_pack("{s:O?, s:O?}", "costCenter", cost, "division", division);
}

void user_apply(struct sim *s, struct entra_object *o, const char *name, json_t *value)
{
    if (strcmp(name, "passwordProfile") == 0) {     /* never shown by Graph */
        set_password(s, o, value);
        return;
    }
    if (strcmp(name, "accountEnabled") == 0)
        sim_count_user(s->counters, o->id, json_is_true(value) ? SIM_ENABLES : SIM_DISABLES);
    if (strcmp(name, "mail") == 0)
        set_primary_address(s, o, json_string_value(value));
    entra_set(s->entra, o, name, strcmp(name, "employeeOrgData") == 0 && !json_is_null(value) ? whole_org_data(value) : json_incref(value));
}
