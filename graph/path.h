/* path.h - paths of writes. Each is NULL unless every id that it takes is an object id (a GUID). The result is the caller's to free. */
#ifndef GRAPH_PATH_H
#define GRAPH_PATH_H

#include "graph/graph.h"

typedef char *graph_path_maker(const struct graph_write *w);

graph_path_maker graph_path_members_ref;        /* POST: adds a member */
graph_path_maker graph_path_group_patch;        /* PATCH: adds several members */
graph_path_maker graph_path_member_ref;         /* DELETE: removes a member */
graph_path_maker graph_path_users;              /* POST */
graph_path_maker graph_path_invitations;        /* POST */
graph_path_maker graph_path_user_patch;         /* PATCH alone */
graph_path_maker graph_path_user_delete;        /* DELETE: of GRAPH_USER_DELETE alone */
graph_path_maker graph_path_user_restore;
graph_path_maker graph_path_manager_set, graph_path_manager_remove;
graph_path_maker graph_path_licenses, graph_path_sessions;
graph_path_maker graph_path_passes, graph_path_pass;    /* all of a user; one */
graph_path_maker graph_path_method;             /* one, of a type in the closed list */

/* The permission to delete a method of that type; NULL: not one of the types that this program deletes. Static. */
const char *graph_method_permission(const char *type);

#endif
