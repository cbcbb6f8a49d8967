/* person.c - people of Jira, as they were found in Entra. */
#include "policy/verdict.h"

#include "base/text.h"

const char *policy_unmatched(const struct policy_person *p)
{
    switch (p->match) {
    case POLICY_MATCHED:
        if (p->user_id != NULL && *p->user_id != '\0')
            return NULL;
        break;
    case POLICY_MATCH_NONE:
        return "no user in Entra has this person's e-mail address as mail, user principal name or other mail. Set it there, or correct it in Jira.";
    case POLICY_MATCH_SEVERAL:
        return "several users in Entra have this person's e-mail address. Leave it to one of them.";
    case POLICY_MATCH_GUEST:
        return "the only user in Entra with this person's e-mail address is a guest, and guests do not count. Give the address to the person's own account.";
    case POLICY_MATCH_NO_EMAIL:
        return "Jira does not tell this person's e-mail address. Let their profile show it to the organization, or to the account that entrabridge uses.";
    case POLICY_MATCH_DISABLED:
        return "the user in Entra with this person's e-mail address is disabled, and counts no more.";
    case POLICY_MATCH_UNKNOWN:
        break;
    }
    return "who this person is in Entra could not be told. Try again, and see `entrabridge check`.";
}

static bool same_text(const char *a, const char *b)
{
    return a != NULL && *a != '\0' && eb_strieq(a, b);
}

bool policy_same_person(const struct policy_person *a, const struct policy_person *b)
{
    return same_text(a->account_id, b->account_id) ||
           (policy_unmatched(a) == NULL && policy_unmatched(b) == NULL && same_text(a->user_id, b->user_id));
}
