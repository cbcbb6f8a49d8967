/* kinds.h - operation kinds as data. A kind's name is the URL (group.add_member is POST /v1/group/add-member), the scope that a token
 * needs, and the name in journal, comment, metrics and OpenAPI: written once, in its row of kinds.c.
 */
#ifndef OPS_KINDS_H
#define OPS_KINDS_H

#include "base/error.h"
#include "base/json.h"

enum ops_field_form {
    OPS_FORM_TEXT,              /* any text, cleaned of nothing: control characters are refused */
    OPS_FORM_USER,              /* object id, UPN or mail: a GUID, or exactly one @ */
    OPS_FORM_GROUP,             /* object id or exact display name */
    OPS_FORM_ISSUE,             /* a key or a numeric id; also as a JSON number */
    OPS_FORM_OPERATION,         /* an operation's id */
    OPS_FORM_BOOL,
    OPS_FORM_MAIL,              /* exactly one @, no user of Entra needs to have it */
    OPS_FORM_DURATION,          /* 90s, 15m, 8h, 30d */
    OPS_FORM_TIME,              /* RFC 3339, with an offset */
    OPS_FORM_AT,                /* the same, or a local date or time of `time_zone`: 2027-03-31, 2027-03-31T18:00 */
    OPS_FORM_TEXTS,             /* a text, or a list of texts: at most OPS_TEXTS_MAX */
    OPS_FORM_ATTRIBUTES,        /* an object of Entra attributes under Graph's names, checked against the attribute table */
    OPS_FORM_WORD,              /* one of `words` */
    OPS_FORM_SECRET,            /* text that is never kept: not in the journal, not in logs, not echoed */
};
#define OPS_TEXTS_MAX 20
#define OPS_UPN_CANDIDATES 10
#define OPS_REPORTER "reporter"     /* as `user`: the issue's reporter, matched in Entra */
struct ops_field {
    const char *name;
    enum ops_field_form form;
    bool required;
    size_t max;                 /* bytes */
    const char *help;           /* one sentence: OpenAPI and docs */
    const char *words;          /* OPS_FORM_WORD: "refuse skip clear"; OPS_FORM_DURATION: the least and the most, "10m 30d"; OPS_FORM_TEXT, OPS_FORM_MAIL:
                                 * the attribute that it becomes, whose row says what fits */
};

struct ops_change;              /* what a kind writes: ops/plan.h */
struct ops_case;
struct ops_fields;
struct config_operation_rule;

struct ops_kind {
    const char *name;           /* "group.add_member" */
    const char *path;           /* "/v1/group/add-member" */
    const char *summary;        /* one line */
    const struct ops_field *fields; size_t field_count;     /* besides the common ones */
    const struct ops_change *change;    /* NULL: a read */
    const char *permissions;    /* Graph application permissions it needs, separated by blanks */
    unsigned wants;             /* DIRECTORY_...: what is read besides */
    const char *select;         /* further attributes of the user that are read: "jobTitle,department" */
    const char *did;            /* a read's sentence: "Read {user}."; NULL: that one, or of the group */
    /* A read's further members of the answer; NULL: none. The caller's. */
    json_t *(*read)(const struct ops_case *c);
    /* The names that a user to be made may get, in the order of preference, NULL-ended, each to be freed; NULL function: it makes none. */
    void (*upns)(const struct ops_fields *f, const struct config_operation_rule *rule, char *out[OPS_UPN_CANDIDATES + 1]);
    bool once;                  /* not harmless to repeat: runs once for an issue and target (design, section 4, step 2) */
    const char *secret;         /* the answer's member that holds the secret it makes: "password", "temporaryAccessPass"; NULL: makes none */
    const char *undo;           /* the kind that undoes it; NULL: none does */
    const char *undo_to_none;   /* the kind that does where undo_fields() gives NULL, for nothing stood before; NULL: then it cannot be undone */
    /* The fields of that undo besides user, group, issue and reason, from what stood before and after; NULL function: none. The caller's. */
    json_t *(*undo_fields)(const json_t *before, const json_t *after);
};

const struct ops_kind *ops_kind_find(const char *name);             /* NULL: none */
const struct ops_kind *ops_kind_by_path(const char *noun, const char *verb);
size_t ops_kinds(const struct ops_kind **ret);
const char *const *ops_kind_names(void);                            /* NULL-ended */
/* issue, dryRun, reason, again: the same for every kind. */
size_t ops_common_fields(const struct ops_field **ret);
const struct ops_field *ops_kind_field(const struct ops_kind *k, const char *name);     /* its own or a common one; NULL */

#endif
