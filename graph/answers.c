/* answers.c - the table of Graph's answers.
 *
 * Messages are matched by a part, since one code (Request_BadRequest) stands for dozens of situations. The rows come from Microsoft's
 * reference and from what was seen in the field; texts say what to do. The order counts: the first row that fits decides.
 */
#include "graph/answers.h"

#define ANY (GRAPH_READ | GRAPH_WRITES)
#define MEMBER (GRAPH_ADD | GRAPH_REMOVE)
#define NAMES (GRAPH_CREATE | GRAPH_USER | GRAPH_INVITE)        /* may clash with those of others */
#define OF_USER (GRAPH_USER | GRAPH_PASSWORD | GRAPH_MANAGER | GRAPH_NO_MANAGER | GRAPH_DELETE | GRAPH_RESTORE | GRAPH_LICENSES | GRAPH_SESSIONS)
#define OK_SO GRAPH_NO_CHANGE, EB_OK, ""
#define REFUSED(code) GRAPH_REFUSED, EB_##code
#define REJECTED GRAPH_REFUSED, EB_REJECTED_BY_ENTRA

const struct graph_answer graph_answers[] = {
    /* It was so already. */
    { GRAPH_ADD, 400, "added object references already exist", NULL, OK_SO },
    { GRAPH_REMOVE, 400, "removed object references do not exist", NULL, OK_SO },
    { GRAPH_REMOVE, 404, NULL, NULL, OK_SO },           /* also if user or group are gone: see both */
    { GRAPH_DELETE, 404, NULL, NULL, OK_SO },
    { GRAPH_METHOD, 404, NULL, NULL, OK_SO },
    { GRAPH_NO_MANAGER, 404, "'manager'", NULL, OK_SO },
    { GRAPH_LICENSES, 400, "does not have a corresponding license", NULL, OK_SO },      /* one is removed a call: ops/licenses.c */

    /* Whatever the write is. */
    { GRAPH_WRITES, 409, "oncurren", NULL, GRAPH_THROTTLED, EB_ENTRA_UNAVAILABLE, "Another change of the same object was under way in Entra." },
    { GRAPH_WRITES, 0, "quota", "Directory_QuotaExceeded", REJECTED,
      "A quota of the tenant is used up (deleted users count for 30 days): free some, or have it raised. Entra says: {words}" },

    /* Members. */
    { MEMBER, 400, "mail-enabled security group", NULL, REFUSED(GROUP_NOT_MODIFIABLE),
      "Graph cannot change a mail-enabled security group or a distribution list: change it in Exchange." },
    { MEMBER, 400, "on-premises mastered", NULL, REFUSED(GROUP_NOT_MODIFIABLE),
      "The group is synchronized from the on-premises directory: change it there." },
    { MEMBER, 400, "originated within an external service", NULL, REFUSED(GROUP_NOT_MODIFIABLE),
      "The group belongs to another service (Exchange or the on-premises directory): change it there." },
    { MEMBER, 400, "dynamic", NULL, REFUSED(GROUP_NOT_MODIFIABLE),
      "The group's members follow from its rule (dynamic membership): change the rule or the user's attributes." },
    { GRAPH_ADD, 400, "objects being referenced don't exist", NULL, REFUSED(GROUP_NOT_FOUND),
      "Graph does not know the group or the user. If it was made a moment ago, send the request again in a minute." },

    /* Accounts. */
    { OF_USER, 400, "on-premises mastered", NULL, REFUSED(USER_NOT_MODIFIABLE),
      "The user is synchronized from the on-premises directory, which decides about {changes}: change the account there." },
    { OF_USER, 400, "originated within an external service", NULL, REFUSED(USER_NOT_MODIFIABLE),
      "The user belongs to another service or was synchronized once, and {changes} cannot be changed here: change the account there." },
    { GRAPH_RESTORE, 404, NULL, NULL, REFUSED(USER_NOT_FOUND),
      "Entra does not have this user among the deleted ones: restored already, or gone for good, as deleted users are after 30 days." },
    { GRAPH_RESTORE, 400, "property userPrincipalName", NULL, REFUSED(USER_ALREADY_EXISTS),
      "The userPrincipalName was given to another user meanwhile: restore this one under another userPrincipalName." },
    { GRAPH_RESTORE, 400, "Another object with the same value", "ObjectConflict", REFUSED(USER_ALREADY_EXISTS),
      "Another user or group has the same {property} by now: take it away there first, then restore." },
    { NAMES, 400, "Another object with the same value", "ObjectConflict", REFUSED(USER_ALREADY_EXISTS),
      "Another user or group has the same {property} already: choose another value." },
    { GRAPH_INVITE, 400, "already exists in the directory", NULL, REFUSED(USER_ALREADY_EXISTS),
      "This person is a user of the tenant already: no invitation is needed." },
    { GRAPH_INVITE, 400, "verified domain of this directory", NULL, REJECTED,
      "The address belongs to a domain of the tenant itself: create a user instead of inviting a guest." },
    { GRAPH_INVITE, 0, "invitations not allowed", NULL, REJECTED,
      "The tenant's external collaboration settings do not let the application invite guests: change who may invite in Entra, or give the "
      "application the directory role Guest Inviter." },
    { GRAPH_INVITE, 0, "cross-tenant access", NULL, REJECTED,
      "The tenant's cross-tenant access settings block invitations to this organization: change them in Entra." },
    { GRAPH_CREATE | GRAPH_USER | GRAPH_RESTORE, 400, "verified domain", NULL, REJECTED,
      "The domain of the userPrincipalName is not one of the tenant's verified domains: choose one of those." },
    { GRAPH_CREATE, 0, "being referenced", NULL, REFUSED(USER_NOT_FOUND), "Entra does not know the manager that the new user was to have." },
    { GRAPH_CREATE, 404, NULL, NULL, REFUSED(USER_NOT_FOUND), "Entra does not know the manager that the new user was to have." },
    { GRAPH_MANAGER, 400, "being referenced", NULL, REFUSED(USER_NOT_FOUND), "Entra does not know the manager (any more)." },
    { GRAPH_CREATE | GRAPH_USER, 400, "is read-only", NULL, REJECTED,
      "Entra lets no application write {property}: take it out of the request." },
    { GRAPH_CREATE, 400, "property values specified are invalid", NULL, REJECTED,
      "Entra refused one of the values without naming it; on a new user this was seen as a passing fault too. Look whether the user exists "
      "before you send the request again." },
    { GRAPH_USER, 400, "property values specified are invalid", NULL, REJECTED,
      "Entra refused one of the values without naming it: check {changes}." },

    /* Passwords. */
    { GRAPH_PASSWORD | GRAPH_CREATE, 400, "federat", NULL, REFUSED(USER_NOT_MODIFIABLE),
      "The user signs in through a federated domain: set the password at its identity provider." },
    { GRAPH_PASSWORD | GRAPH_CREATE, 400, "password", NULL, REJECTED,
      "Entra refused the password: it needs 8 to 256 ASCII characters, three of lower case, upper case, digit and symbol, no banned word, "
      "and must not be one of the last. Entra says: {words}" },

    /* Licences. */
    { GRAPH_LICENSES, 400, "usage location", "ProhibitedInUsageLocationViolation", REJECTED,
      "The user has no usageLocation, or one where this licence may not be used: set usageLocation first, in a request of its own." },
    { GRAPH_LICENSES, 400, "available licenses", "CountViolation", REJECTED,
      "No licence of this product is left: buy more, or take one away from somebody." },
    { GRAPH_LICENSES, 400, "inherited from a group", NULL, REJECTED,
      "The licence comes from a group: remove the user from that group instead." },
    { GRAPH_LICENSES, 400, "depends on the service plan", "DependencyViolation", REJECTED,
      "One of the service plans needs another one: assign both licences together, and remove them together. Entra says: {words}" },
    { GRAPH_LICENSES, 400, "mutually exclusive", "MutuallyExclusiveViolation", REJECTED,
      "The licence excludes one that the user holds: remove that one first. Entra says: {words}" },
    { GRAPH_LICENSES, 400, "conflicts with service plan", NULL, REJECTED,
      "The licence excludes one that the user holds: remove that one first. Entra says: {words}" },
    { GRAPH_LICENSES, 400, "valid company License", NULL, REJECTED, "The tenant has no such product: check the licence's name or id." },
    { GRAPH_LICENSES, 400, "parameters of the operation", NULL, REJECTED,
      "A licence change must say what to add and what to remove, either of which may be empty. Entra says: {words}" },

    /* Access passes and sign-in methods. */
    { GRAPH_PASS, 400, "external guest", NULL, REFUSED(USER_NOT_MODIFIABLE),
      "The user is a guest of another organization, and signs in there: a Temporary Access Pass can be had from that organization only." },
    { GRAPH_PASS, 400, "lifetime", NULL, REJECTED,
      "The lifetime is outside what the tenant's policy for Temporary Access Passes allows: choose another. Entra says: {words}" },
    { GRAPH_PASS, 400, "one-time", NULL, REJECTED,
      "The tenant's policy allows one-time Temporary Access Passes only: ask for a one-time pass. Entra says: {words}" },
    { GRAPH_PASS, 400, "usableonce", NULL, REJECTED,
      "The tenant's policy allows one-time Temporary Access Passes only: ask for a one-time pass. Entra says: {words}" },
    { GRAPH_PASS, 0, "policy", NULL, REJECTED,
      "The tenant's authentication methods policy does not allow this Temporary Access Pass. Entra says: {words}" },
    { GRAPH_METHOD, 400, "default authentication method", NULL, REJECTED,
      "It is the user's default sign-in method, which can be deleted last only: delete the others first, or change the default." },

    /* Reads. */
    { GRAPH_READ, 404, "'manager'", NULL, REFUSED(NOT_THERE), "The user has no manager." },

    /* Everybody. */
    { ANY, 401, NULL, NULL, REFUSED(ENTRA_UNAVAILABLE),
      "Graph does not accept our access token: check that entra.cloud, entra.graph_url and entra.authority_url belong "
      "together, and that the application is enabled in the tenant." },
    { ANY, 429, NULL, NULL, GRAPH_THROTTLED, EB_ENTRA_UNAVAILABLE, "Graph throttles our calls (429)." },
    { GRAPH_WRITES, 408, NULL, NULL, GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "Graph answered 408: it is not known whether the change was made." },
};
const size_t graph_answer_count = EB_LEN(graph_answers);
