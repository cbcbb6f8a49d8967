/* name.h - one name of the policy on its way to an id: what was asked, what it fits, what was pinned. Pure: no I/O. */
#ifndef DIRECTORY_NAME_H
#define DIRECTORY_NAME_H

#include "base/json.h"
#include "directory/directory.h"

enum name_kind { NAME_GROUP, NAME_PROTECTED_GROUP, NAME_PROTECTED_USER, NAME_DUTY_GROUP, NAME_POLICY_GROUP, NAME_PROJECT, NAME_KIND_COUNT };
#define NAME_ID_LEN 64              /* an id with its NUL, as the store keeps it */

struct name_ids { char (*ids)[NAME_ID_LEN]; size_t count; };

struct name {
    enum name_kind kind;
    const char *text;               /* as in the configuration, which owns it */
    const struct config_group_rule *rule;   /* NAME_GROUP only */
    size_t duty;                    /* NAME_DUTY_GROUP: the number of the entry that names it */
    bool by_id;                     /* the text is an object id: taken as it is, never looked up, never pinned */
    bool told;                      /* the cloud has answered in this round */
    char pin[NAME_ID_LEN];          /* "" none */
    struct name_ids fits;           /* what it fits now, in the order of the answer, each once */
    enum directory_binding_state state;     /* set by name_settle() */
};
struct names { struct name *items; size_t count; };

/* Ids are kept and compared in one spelling, lower case. */
void name_id_copy(char out[NAME_ID_LEN], const char *id);
const char *name_what(enum name_kind kind);             /* "serviceable group" */
const char *name_pin_type(enum name_kind kind);         /* "group", "user", "project" */
const char *name_setting(enum name_kind kind);          /* "policy.protected.groups" */

/* Every name of a policy, in the order of the file; a project once. The texts stay the policy's. */
void names_gather(struct names *n, const struct config_policy *p);
void names_free(struct names *n);
/* The pin of that type and name, wherever the names use it. */
void names_set_pin(struct names *n, const char *type, const char *text, const char *id);

/* Adds what an answer says that the name fits. Groups: a list, of which those with exactly this display name count (Graph's `eq` ignores
 * case). Users: one user, or a list. *ret_next: the nextLink, borrowed, or NULL. false: the answer is no such thing. */
bool name_read_fits(struct name *n, const json_t *body, const char **ret_next);
void name_add_fit(struct name *n, const char *id);
void name_forget_fits(struct name *n);
/* State from fits and pin. */
void name_settle(struct name *n);
/* The id in force; NULL where the name permits nothing. */
const char *name_id(const struct name *n);
/* What an operator should know about it, or "" where all is well. */
const char *name_warning(const struct name *n, char *out, size_t size);

#endif
