/* sim.h - the simulator's parts, handed to every handler. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "sim/assets_settings.h"
#include "sim/call.h"
#include "sim/calls.h"
#include "sim/counters.h"
#include "sim/entra.h"
#include "sim/faults.h"
#include "sim/options.h"
#include "sim/quota.h"
#include "sim/tokens.h"
#include "sim/tracker.h"
#include "sim/waits.h"

#include <event2/event.h>

#define SIM_GRAPH_APP "00000003-0000-0000-c000-000000000000"     /* Microsoft Graph's own application, in every tenant */

/* How far the app's own directory role reaches: which administrators it may touch. */
enum sim_app_role { SIM_ROLE_NONE, SIM_ROLE_USER_ADMIN, SIM_ROLE_PRIVILEGED };

/* The tenant's policy for Temporary Access Passes. */
struct sim_tap_policy { bool enabled, once; int64_t least_minutes, most_minutes, default_minutes; };
#define SIM_TAP_POLICY ((struct sim_tap_policy){ true, false, 60, 480, 60 })       /* as a tenant is born */

/* How delta behaves (graph_delta.c). */
enum sim_gone { SIM_GONE_RESYNC, SIM_GONE_NO_STATE, SIM_GONE_TOO_OLD };     /* what is said of a token that is none any more */
struct sim_delta {
    int64_t page_size, member_page;         /* objects, members and owners in a page */
    int64_t life_s;
    int64_t empty_every, repeat_every;      /* each so many pages one is empty, one begins with the last object again; 0: never */
    enum sim_gone gone;
    unsigned epoch, generation;             /* of this process; of its tokens */
};
#define SIM_DELTA ((struct sim_delta){ 200, 1000, 7 * 86400, 7, 5, SIM_GONE_RESYNC, 0, 1 })

struct assets_world;
struct sim {
    struct sim_options opt;
    struct event_base *base;        /* borrowed */
    struct entra *entra;
    struct tracker *tracker;        /* Jira's and JSM's state */
    struct assets_world *assets;    /* JSM Assets' */
    struct assets_settings assets_set;
    struct sim_faults *faults;
    struct sim_calls *calls;
    struct sim_counters *counters;
    struct sim_tokens *tokens;
    struct sim_waits *waits;
    json_t *granted;                /* permissions of the app: array; NULL: all but RoleManagement.ReadWrite.Directory */
    json_t *agent_of;               /* array: keys of the projects in which our Jira account is an agent; NULL: every one */
    bool no_browse_users;           /* our Jira account lacks the permission Browse users and groups */
    enum sim_app_role app_role;
    struct sim_tap_policy tap;
    struct sim_delta delta;
    struct sim_quota quota;
};

/* With the cast and the filler in place. Ends the program when a part cannot be made. */
struct sim *sim_new(const struct sim_options *opt, struct event_base *base);
void sim_reset(struct sim *s);      /* state, faults, calls, counters; not tokens, not settings */
void sim_free(struct sim *s);

/* Answers a call to a cloud: finds the route, runs the handler. Not for the control API. */
void sim_dispatch(struct sim *s, struct sim_call *c, struct sim_reply *r);
/* Which cloud a path belongs to; NONE for none. */
enum sim_cloud sim_classify(const char *target);

/* Does the app hold one of these ('|' between them)? */
bool sim_granted(const struct sim *s, const char *permissions);
json_t *sim_granted_list(const struct sim *s);       /* their names; the caller's */
/* The role definition's id of the app's own directory role, or NULL. */
const char *sim_app_role_definition(const struct sim *s);

#endif
