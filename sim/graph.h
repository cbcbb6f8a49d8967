/* graph.h - the simulated Microsoft Graph: entry points of its handlers, and what they share.
 *
 * One file a family of paths; the route table is in graph.c.
 */
#ifndef SIM_GRAPH_H
#define SIM_GRAPH_H

#include "sim/odata.h"
#include "sim/sim.h"

/* Token, route, permission, handler. Also for items of a batch. */
void graph_answer(struct sim *s, struct sim_call *c, struct sim_reply *r);

sim_handler graph_user_get, graph_users_list, graph_users_count, graph_user_create, graph_user_patch, graph_user_delete;
sim_handler graph_user_member_of, graph_user_transitive_member_of, graph_owned_objects;
sim_handler graph_user_member_of_count, graph_user_transitive_member_of_count;
sim_handler graph_check_member_groups, graph_check_member_objects, graph_get_member_groups, graph_get_member_objects, graph_get_by_ids;
sim_handler graph_manager_get, graph_manager_ref, graph_manager_put, graph_manager_delete, graph_direct_reports;
sim_handler graph_deleted_users, graph_deleted_get, graph_deleted_purge, graph_deleted_restore, graph_revoke_sessions, graph_invite;
sim_handler graph_skus, graph_sku, graph_licence_details, graph_assign_licence, graph_reprocess_licences;
sim_handler graph_methods, graph_methods_of_type, graph_method_get, graph_method_delete, graph_pass_create;
sim_handler graph_group_get, graph_groups_list, graph_group_patch, graph_group_members, graph_group_transitive_members;
sim_handler graph_group_members_count, graph_group_owners, graph_group_member_of, graph_group_transitive_member_of, graph_group_sync_behavior;
sim_handler graph_member_add, graph_member_add_without_ref, graph_member_remove, graph_member_delete;
sim_handler graph_roles, graph_role_members, graph_role_assignments, graph_role_eligibilities, graph_role_definitions;
sim_handler graph_organization, graph_organization_get, graph_domains, graph_applications, graph_application_owners;
sim_handler graph_service_principals, graph_service_principal_owners, graph_app_role_assignments;
sim_handler graph_users_delta, graph_groups_delta;
sim_handler graph_batch;

/* params[0] as user (id or UPN) or group; NULL: answered with 404. */
struct entra_object *graph_user_param(struct sim *s, struct sim_call *c, struct sim_reply *r);
struct entra_object *graph_group_param(struct sim *s, struct sim_call *c, struct sim_reply *r);
/* The body as an object; NULL: answered with 400 as Graph does. Borrowed. */
json_t *graph_body(struct sim_call *c, struct sim_reply *r);
/* The object that an @odata.id names; NULL: answered. */
struct entra_object *graph_reference(struct sim *s, struct sim_call *c, const char *url, struct sim_reply *r);
/* Lists objects. cast: type wanted, or ENTRA_KINDS for any; takes `found`. */
void graph_answer_objects(struct sim *s, struct sim_call *c, struct entra_list *found, enum entra_kind cast, struct sim_reply *r);
/* Lists a kind: by the index where the filter allows it, else by walking; without $search and $orderby from where the last page ended. */
void graph_list_kind(struct sim *s, struct sim_call *c, enum entra_kind kind, const char *context, struct sim_reply *r);
bool graph_is_plain_list(const struct sim_call *c);  /* no $filter, $search, $orderby */
struct odata_list graph_objects_list(struct sim *s, enum entra_kind cast);    /* of directory objects, still empty */
/* The kind of the last segment when it is a cast like microsoft.graph.group; ENTRA_KINDS: none. */
enum entra_kind graph_cast(const struct sim_call *c);
/* May our app do sensitive things to this user? The user's roles against the app's own. */
bool graph_may_touch(struct sim *s, struct entra_object *user);
void graph_remove_user(struct sim *s, struct entra_object *user);     /* deletes and counts */
/* A new user with an id and dates, no more; late reads do not see it yet. */
struct entra_object *graph_new_user(struct sim *s);
/* Answers with the user's default properties. */
void graph_answer_user(struct sim *s, struct sim_call *c, const struct entra_object *o, int status, struct sim_reply *r);
/* Licences: gives one (group: id of the group that gives it, or NULL; false: no such SKU); a deleted user's are free again, a restored one's are not. */
bool licences_give(struct sim *s, struct entra_object *o, const char *sku_id, const char *group);
void licences_release(struct sim *s, struct entra_object *o);
void licences_take_back(struct sim *s, struct entra_object *o);
/* Errors of /users/{id}/authentication have a shape of their own. */
bool graph_is_methods_path(const struct sim_call *c);
void odata_methods_error(const struct sim_call *c, struct sim_reply *r, int status, const char *code, const char *message);
/* Answers 204. */
void graph_no_content(struct sim_reply *r);

#endif
