/* user_write.h - what the plans of several kinds have in common: a write on the user, and facts that were not told. Pure. */
#ifndef OPS_USER_WRITE_H
#define OPS_USER_WRITE_H

#include "ops/plan.h"

/* What counts as "made since": the clocks of Microsoft and of this machine may differ by so much. */
#define OPS_SKEW_MS 300000

/* A write on the user of the facts: object "user:<id>". */
struct ops_write *ops_user_write(struct ops_plan *p, enum graph_write_kind kind, const struct directory_facts *f);
/* p->object for somebody who has no id yet: "upn:ada@contoso.com"; one spelling, whatever the request's. */
void ops_name_object(struct ops_plan *p, const char *prefix, const char *name);
/* The attribute in the user's facts, borrowed (JSON null where the user has none); NULL: Graph did not tell, and err names the permission. */
const json_t *ops_user_told(const struct directory_facts *f, const char *attribute, const char *permission, struct eb_err *err);
/* EB_ENTRA_PERMISSION_MISSING: "Graph did not tell <what>, and without that nothing is changed. Grant <permission>." */
bool ops_untold(const char *what, const char *permission, struct eb_err *err);
/* A member of an object with this text, ASCII case folded, in a list of objects; borrowed, or NULL. */
const json_t *ops_list_find(const json_t *list, const char *member, const char *text);
/* RFC 3339 text in `member` as milliseconds; -1: none, or no time. */
int64_t ops_time_of(const json_t *obj, const char *member);

#endif
