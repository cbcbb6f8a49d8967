/* facts_match.c - which user of Entra a person of Jira is, of those that Graph found under the e-mail address.
 *
 * Invariant: POLICY_MATCHED is exactly one, enabled, no guest, whose address it is letter by letter (but for case): Graph compares more loosely.
 */
#include "directory/facts.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static bool has_address(const json_t *user, const char *email)
{
    static const char *const members[] = { "mail", "userPrincipalName" };
    const json_t *other;
    size_t i;

    for (i = 0; i < EB_LEN(members); i++)
        if (eb_strieq(eb_json_str(user, members[i]), email))
            return true;
    json_array_foreach(json_object_get(user, "otherMails"), i, other)
        if (json_is_string(other) && eb_strieq(json_string_value(other), email))
            return true;
    return false;
}

/* An object that may not be read tells nothing; of an old account userType is null, and then the UPN tells a guest. */
static enum policy_fact is_guest(const json_t *user)
{
    const json_t *type = json_object_get(user, "userType");
    const char *upn = eb_json_str(user, "userPrincipalName");

    if (json_is_string(type))
        return eb_strieq(json_string_value(type), "Guest") ? POLICY_YES : POLICY_NO;
    if (!json_is_null(type) || upn == NULL)
        return POLICY_UNKNOWN;
    return strstr(upn, "#EXT#") != NULL ? POLICY_YES : POLICY_NO;
}

static void take(struct directory_person *p, const json_t *user)
{
    const char *name = eb_json_str(user, "displayName");

    snprintf(p->user_id, sizeof(p->user_id), "%s", eb_json_str(user, "id"));
    eb_text_clean(name == NULL ? "" : name, p->display_name, sizeof(p->display_name));
}

static enum policy_match match_of(const json_t *user)
{
    const json_t *enabled = json_object_get(user, "accountEnabled");

    return json_is_true(enabled) ? POLICY_MATCHED : json_is_false(enabled) ? POLICY_MATCH_DISABLED : POLICY_MATCH_UNKNOWN;
}

bool facts_match_person(const json_t *page, const char *email, struct directory_person *ret)
{
    const json_t *list = json_object_get(page, "value"), *user, *one = NULL;
    size_t i, guests = 0, found = 0, untold = 0;

    *ret = (struct directory_person){ .match = POLICY_MATCH_UNKNOWN };
    if (!json_is_array(list))
        return false;
    json_array_foreach(list, i, user) {
        const char *id = eb_json_str(user, "id");
        enum policy_fact guest = is_guest(user);
        if (id == NULL || !eb_is_guid(id))
            continue;
        untold += guest == POLICY_UNKNOWN;
        if (guest == POLICY_UNKNOWN || !has_address(user, email))
            continue;
        guests += guest == POLICY_YES;
        if (guest == POLICY_YES || (one != NULL && eb_strieq(id, eb_json_str(one, "id"))))
            continue;
        found++;
        one = user;
    }
    if (found > 1)
        ret->match = POLICY_MATCH_SEVERAL;
    else if (untold > 0 || eb_json_str(page, "@odata.nextLink") != NULL)
        ret->match = POLICY_MATCH_UNKNOWN;          /* there could be another */
    else if (found == 1)
        ret->match = match_of(one);
    else
        ret->match = guests > 0 ? POLICY_MATCH_GUEST : POLICY_MATCH_NONE;
    if (ret->match == POLICY_MATCHED)
        take(ret, one);
    return true;
}
