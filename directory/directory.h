/* directory.h - what the policy's names mean in Entra now, and the facts of one target.
 *
 * After the start (and on reload) each name of the policy is looked up and the id found is pinned in the store: a pinned name keeps its
 * id even if it later fits another object (that is logged and told by `check`). Requests match pinned names and ids only, never a live search.
 * Until everything has been looked up once, directory_ready() is false and operations get 503 `starting`.
 *
 * A protected name that was never found makes everybody's protection unknown, and unknown refuses: it is looked up again every 60 s. One
 * that fits several protects them all.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include "graph/graph.h"
#include "jira/jira.h"
#include "policy/policy.h"
#include "store/store.h"

struct directory;
struct db;

/* s NULL (`check`): nothing is pinned; the pins are those of directory_read_pins(). */
bool directory_new(struct eb_loop *loop, struct graph *g, struct jira *j, struct store *s, struct directory **ret, struct eb_err *err) EB_CHECK;
/* Accepts NULL. Look-ups under way are dropped without a call back. Before graph_free() and jira_free(), without a turn of the loop in between;
 * facts given out stay good. */
void directory_free(struct directory *d);
/* Binds the names of this configuration's policy (takes a reference). The old binding serves until the new one is complete; failures
 * (Graph or Jira away, credentials refused) are retried with back-off for as long as it takes; names that fit nothing are looked up again every 60 s. */
void directory_bind(struct directory *d, struct config *c);
/* Why not: err (EB_STARTING) tells what is still awaited. */
bool directory_ready(const struct directory *d, struct eb_err *err);
/* fn(ctx) runs on the loop whenever a binding has come into force (the first one makes directory_ready() true). One function; NULL: none. */
void directory_on_ready(struct directory *d, void (*fn)(void *ctx), void *ctx);
/* Without a store: the pins of this database are taken for those in force. Before directory_bind(). */
bool directory_read_pins(struct directory *d, struct db *db, struct eb_err *err) EB_CHECK;

/* What the name fits now. MOVED: it is pinned, and now fits another id only. */
enum directory_binding_state { DIRECTORY_BOUND, DIRECTORY_NONE, DIRECTORY_SEVERAL, DIRECTORY_MOVED };
struct directory_binding {
    const char *what;       /* "serviceable group", "protected group", "protected user", "duty group", "policy group" (of approvers, requester), "project" */
    const char *name;
    const char *id;         /* the id in force: the pinned one wherever there is one. NULL: the name permits nothing */
    enum directory_binding_state state;
    const char *fits;       /* the id that the name fits now, the first of several; NULL: none, or the entry is an id and was not looked up */
    const char *pin;        /* NULL: not pinned (an entry that is an id never is) */
};
/* For `check` and /readyz; borrowed until the next loop turn. */
size_t directory_bindings(const struct directory *d, const struct directory_binding **ret);
const char *directory_state_text(enum directory_binding_state state);     /* "bound", "fits none", "fits several", "moved" */

/* The facts of one target, read live in one $batch (a second one only where the user was found by mail, or a page was long). */
enum directory_want {           /* besides the user, the group and what protects them; each costs an item of the batch, none a round trip of its own */
    DIRECTORY_MANAGER = 1,      /* of the user */
    DIRECTORY_GROUPS = 2,       /* the user's direct groups, listed */
    DIRECTORY_MEMBERS = 4,      /* the group's direct members, listed */
    DIRECTORY_SKUS = 8,         /* the tenant's subscribedSkus */
    DIRECTORY_METHODS = 16,     /* the user's authentication methods */
    DIRECTORY_PASSES = 32,      /* the user's temporary access pass methods */
    DIRECTORY_DELETED = 64,     /* `user` is looked for among the deleted users (by id, or by the UPN it had), not the living */
};
#define DIRECTORY_LIST_MAX 1000 /* of groups and members listed; more: *_cut is set */
struct directory_query {
    const char *user, *group;   /* as in the request; NULL where the kind has none */
    const char *other;          /* a second user in the same forms (the manager to be), or NULL: found or not, not protected */
    const char *select;         /* further attributes of the user, "jobTitle,department", or NULL */
    const char *const *upns;    /* NULL-ended, at most 15: which of them are taken; or NULL */
    bool any_group;             /* also a group that the policy does not list, by its object id: for the end of a membership, which needs no permission */
    const char *search;         /* users whose name, UPN or mail begins with it; or NULL */
    unsigned wants;             /* DIRECTORY_... */
    bool background;            /* for a bulk or scheduled operation: behind what people wait for */
    const char *caller;         /* whose operation it is: callers take turns. NULL: nobody's */
};
struct directory_facts {            /* the receiver's: directory_facts_free() */
    struct config *config;          /* the configuration whose policy these facts were read for; held by the facts */
    bool has_user, has_group;
    struct policy_user user;        /* strings inside are owned by the facts; never NULL where found, but protected_by */
    struct policy_group group;
    enum policy_fact account_enabled;   /* before-state of the user */
    enum policy_fact member;            /* direct membership of user in group, before; unknown where not asked or not told */
    json_t *user_json, *group_json;     /* the selected properties, for reads; NULL where not found */
    bool has_other;
    struct policy_user other;           /* found, ambiguous, id, upn, display_name, mail, synced only */
    /* Lists as Graph gave them (selected members only); NULL: not asked, or not told. */
    json_t *manager_json;               /* an object; json_null() where there is none */
    json_t *groups_json, *members_json, *skus_json, *methods_json, *passes_json;
    json_t *taken_json;                 /* the users that have one of `upns` */
    json_t *found_json;                 /* of `search`: at most 20 */
    bool groups_cut, members_cut;
    void *memory;                   /* private */
};
/* facts, or err (EB_ENTRA_UNAVAILABLE, EB_ENTRA_PERMISSION_MISSING, EB_STARTING). Not found is a fact, not an error. Never calls back inside. */
typedef void directory_done(void *ctx, uint64_t id, struct directory_facts *facts, const struct eb_err *err);
void directory_look_up(struct directory *d, const struct directory_query *q, int64_t deadline_ms, uint64_t id, directory_done *done, void *ctx);
void directory_facts_free(struct directory_facts *f);   /* accepts NULL */

/* People of Jira in Entra: by e-mail against mail, UPN and otherMails, exactly one that is no guest (design, section 6). One $batch, and a second one
 * for the groups. An e-mail that is "" or NULL is POLICY_MATCH_NO_EMAIL. */
#define DIRECTORY_PEOPLE_MAX 20
#define DIRECTORY_PEOPLE_GROUPS 4
struct directory_people_query {
    const char *emails[DIRECTORY_PEOPLE_MAX]; size_t count;
    const char *groups[DIRECTORY_PEOPLE_GROUPS];    /* names as the policy has them (`approvers`, `requester`); NULL: none. Transitive membership is asked */
    bool background;            /* as of a look-up */
    const char *caller;
};
struct directory_person { enum policy_match match; char user_id[40]; char display_name[260]; enum policy_fact in_group[DIRECTORY_PEOPLE_GROUPS]; };
/* people in the order of the query, borrowed; or err as of a look-up. Never calls back inside. */
typedef void directory_people_done(void *ctx, uint64_t id, const struct directory_person *people, size_t count, const struct eb_err *err);
void directory_match_people(struct directory *d, const struct directory_people_query *q, int64_t deadline_ms, uint64_t id, directory_people_done *done, void *ctx);
/* Does an issue of project id `project_id` under key `key` fit what is pinned? False is a contradiction: the project was replaced, or renamed and its key
 * given to another. A key that was never found has no pin and fits: a pin is the first sight of a key, and this would be it (it is pinned within 60 s). */
bool directory_project_fits(const struct directory *d, const char *key, const char *project_id);

#endif
