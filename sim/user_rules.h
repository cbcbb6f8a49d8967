/* user_rules.h - what Graph lets an app write on a user: names, forms, lengths, permissions; and the rules of UPN and password.
 *
 * The bodies of POST and PATCH /users are closed: what is not in the table is refused.
 * https://learn.microsoft.com/graph/api/user-update
 */
#ifndef SIM_USER_RULES_H
#define SIM_USER_RULES_H

#include "sim/graph.h"

enum user_trait {
    USER_SENSITIVE = 1,             /* refused on administrators (privileged-roles-permissions) */
    USER_CLOUD = 2,                 /* not mastered on-premises */
    USER_CREATE_ONLY = 4,           /* an app may set it when it makes the user, never later */
};
struct user_attribute;

const struct user_attribute *user_attribute(const char *name);     /* extension_… too; NULL: none that can be written */
bool user_has_trait(const struct user_attribute *a, enum user_trait t);
/* Form, length, pattern; null where it may be cleared. */
bool user_value_fits(const struct user_attribute *a, const json_t *value);
/* Does the app hold what a PATCH of this attribute asks for? */
bool user_may_patch(const struct sim *s, const struct user_attribute *a);
/* An attribute of the user resource that no app-only token can write (aboutMe, skills, ...)? */
bool user_is_delegated_only(const char *name);

bool user_upn_fits(const char *upn);                 /* characters and lengths */
bool user_domain_is_verified(const char *address);   /* what stands behind the @ */
/* 8 to 256 ASCII characters, three of four classes unless `weak`, no banned word without enough beside it. */
bool user_password_complies(const char *password, bool weak);

/* Each answers with 400 as Graph does. except: the user itself; NULL for a new one. */
bool user_upn_is_free(struct sim *s, struct sim_call *c, const struct entra_object *except, const char *upn, struct sim_reply *r);
bool user_mail_is_free(struct sim *s, struct sim_call *c, const struct entra_object *except, const char *mail, struct sim_reply *r);
bool user_password_check(struct sim_call *c, const json_t *profile, const json_t *policies, struct sim_reply *r);
bool user_upn_check(struct sim_call *c, const char *upn, struct sim_reply *r);

/* Sets one attribute that was checked; keeps proxyAddresses with mail, counts passwords, enables and disables. */
void user_apply(struct sim *s, struct entra_object *o, const char *name, json_t *value);

#endif
