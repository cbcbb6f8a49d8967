/* cast.h - the people, groups, roles and issues that stand at the start (README.md lists them), and generated ones. */
#ifndef SIM_CAST_H
#define SIM_CAST_H

#include "sim/sim.h"

void cast_people(struct sim *s);
void cast_groups(struct sim *s);
void cast_skus(struct sim *s);
void cast_extras(struct sim *s);    /* after people, groups and SKUs */
void cast_roles(struct sim *s);
void cast_issues(struct sim *s);
void cast_filler(struct sim *s);
void cast_company(struct sim *s);   /* the large generated company, as the options say */
void cast_person_account(struct sim *s, uint32_t number);      /* the Jira account of a generated person, where the dice gave one */

/* The Jira account of an Entra person: "712020:" and the object id. */
struct tracker_account *cast_account(struct sim *s, struct entra_object *user);         /* made, or made anew from the user */
struct tracker_account *cast_account_found(struct sim *s, const struct entra_object *user);    /* or NULL */
/* The attributes of a kind of group: security, unified, ... over those given; false: no such kind. */
bool cast_group_kind(json_t *attrs, const char *kind);

#endif
