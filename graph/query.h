/* query.h - paths of reads that filter or search, and of what belongs to the application itself.
 *
 * Values stand in quotes: doubled in filters, behind a backslash in $search, then percent-encoded; so that no value ends its quotes.
 * The result is the caller's to free; NULL: the value cannot be asked for. `select`: names with commas between, from the program's own tables
 * or a policy, and escaped.
 */
#ifndef GRAPH_QUERY_H
#define GRAPH_QUERY_H

#include "base/buf.h"

/* A value within '…', escaped. */
void graph_query_quoted(struct eb_buf *out, const char *value);

char *graph_query_select(const char *select);       /* "?$select=…", the tail of a path; NULL: no list of names */
/* Users that have one of these UPNs: at most 15, NULL-ended (Graph's limit for `in`). */
char *graph_query_users_taken(const char *const *upns, const char *select);
/* Users whose name, UPN or mail begins with it; an advanced query. */
char *graph_query_users_search(const char *text, const char *select, int top);
/* Users with this address as mail, UPN or one of otherMails. */
char *graph_query_users_by_address(const char *address, const char *select);
/* Deleted users, by the object id, or by the UPN that they had: the list holds those whose UPN ends in it, since Graph puts the id before it. */
char *graph_query_deleted_user(const char *id_or_upn, const char *select);
char *graph_query_role_eligibilities(const char *principal_id);             /* NULL: of everybody, 999 a page */
char *graph_query_skus(void);
/* Our own application and service principal by client id; and their owners by object id. */
char *graph_query_application(const char *client_id);
char *graph_query_service_principal(const char *client_id);
char *graph_query_application_credentials(const char *client_id);    /* ends and hints of its secrets and certificates; never a value */
char *graph_query_dynamic_groups(void);                             /* with their rules, 999 a page */
char *graph_query_application_owners(const char *object_id);
char *graph_query_service_principal_owners(const char *object_id);

/* Long lists, for a synchronization. Each user comes with the id of the manager. */
char *graph_query_users_list(const char *select);                   /* all, 999 a page */
char *graph_query_users_latest(const char *select);                 /* nothing but the link that tells what changes from now on, managers among it */
char *graph_query_users_count(void);                                /* a number, as text; an advanced query */
char *graph_query_users_with_mail(const char *mail, const char *select);    /* as mail or UPN; for a batch */
char *graph_query_groups_list(const char *select);                  /* the first round of their delta: all, with members and owners */

#endif
