/* kind_parts.h - the functions that rows of kinds.c name besides their change: fields of an undo, names for a user to be made, members of a read's answer.
 * What they return is the caller's. */
#ifndef OPS_KIND_PARTS_H
#define OPS_KIND_PARTS_H

#include "ops/plan.h"

/* NULL: what stood before cannot be said in a request of that kind. */
json_t *ops_update_undo(const json_t *before, const json_t *after);
json_t *ops_manager_undo(const json_t *before, const json_t *after);
json_t *ops_licenses_undo(const json_t *before, const json_t *after);
json_t *ops_delete_undo(const json_t *before, const json_t *after);

/* user.create: what the request says, or the policy's pattern filled in, then the same with 2 to 9 behind it. None where neither is there. */
void ops_create_upns(const struct ops_fields *f, const struct config_operation_rule *rule, char *out[OPS_UPN_CANDIDATES + 1]);
/* user.restore: the name that the user is to have. */
void ops_restore_upns(const struct ops_fields *f, const struct config_operation_rule *rule, char *out[OPS_UPN_CANDIDATES + 1]);

json_t *ops_read_user(const struct ops_case *c);
json_t *ops_read_groups(const struct ops_case *c);
json_t *ops_read_found(const struct ops_case *c);
json_t *ops_read_group(const struct ops_case *c);
json_t *ops_read_members(const struct ops_case *c);

#endif
