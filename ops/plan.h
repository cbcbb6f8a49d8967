/* plan.h - what an operation would write: worked out from its fields and the facts, by one pure function a kind.
 *
 * The runner asks for a plan before the first write, and again whenever it has waited or a write is in doubt (design, section 4): then `recorded` is
 * what stood before the first write, and the plan holds what is still to be sent. A plan with no writes means that all is as it should be.
 */
#ifndef OPS_PLAN_H
#define OPS_PLAN_H

#include "directory/directory.h"
#include "graph/graph.h"
#include "ops/kinds.h"
#include "ops/request.h"

#define OPS_WRITES_MAX 24
#define OPS_OBJECT_MAX 160
#define OPS_PART_MAX 80

struct ops_case {                       /* all borrowed */
    const struct ops_kind *kind;
    const struct ops_fields *fields;
    const struct config_operation_rule *rule;   /* the policy's entry for the kind; NULL: none */
    const struct directory_facts *facts;
    const struct graph *graph;          /* for graph_object_link() only */
    const json_t *recorded;             /* what stood before the first write; NULL: none was sent yet */
    const json_t *wanted;               /* `after` of the first plan, with `recorded` */
    bool doubt;                         /* a write was sent, and no answer came */
    bool stale;                         /* what was read may be older than a write of ours: plan it also where it seems not to be needed */
    int64_t sent_ms;                    /* wall clock: when the first write left; 0: none did */
    int64_t now_ms;                     /* wall clock */
    const char *secret;                 /* the password made for this operation; NULL: none */
    int latest;                         /* with `recorded`: kind of the write that was sent last; -1: none was */
    const char *made_id;                /* whom a write of ours has made, as Graph's answer said; NULL: nobody, or the answer was lost */
    bool lost;                          /* an earlier plan of this operation had `lost` */
    /* of composites */
    const struct config_policy *policy;
    const json_t *serviceable;          /* {"<group id>": "<name>"}: those that the policy binds, for issues of this project */
    const json_t *undone;               /* the answer of the composite operation that is to be undone; NULL: none is */
};

/* The steps of a composite operation, in order. */
struct ops_steps {
    json_t *list;                       /* see ops_step_add() */
    json_t *members;                    /* further members of the answer; NULL: none */
    char note[512];                     /* a further sentence for answer and comment, or "" */
};
enum ops_need { OPS_HARMLESS /* where it fails the others go on */, OPS_NEEDED /* the later stages are not begun then */ };
/* One more step: an operation of that kind with these fields (taken) besides issue, reason and dryRun; without `user` it is for whom an earlier step has
 * made. Steps of one stage go side by side, a stage begins when the one before has ended. */
void ops_step_add(struct ops_steps *s, const char *kind, json_t *fields, int stage, enum ops_need need);

struct ops_write {
    enum graph_write_kind kind;
    char object[OPS_OBJECT_MAX];        /* what it changes, for journal and lock: "member:<group>:<user>", "user:<id>", "upn:<upn>" */
    char touches[OPS_OBJECT_MAX];       /* a second object whose change matters to it; "" */
    char user_id[40], other_id[40];
    const char *method_type;            /* static */
    char method_id[200];
    char part[OPS_PART_MAX];            /* which one, where several of a kind change one object: the permission it needs, the licence; "" */
    bool may_follow;                    /* refused (400) while others of the plan are still to come: tried once more after them */
    json_t *body;                       /* NULL: none. May hold a secret: it is never journaled or logged */
};

struct ops_plan {
    char object[OPS_OBJECT_MAX];        /* what the operation is about, also where nothing is written; "" : its first write's, or the user */
    json_t *before, *after;             /* objects with the same members, for people and undo; never a secret */
    struct ops_write writes[OPS_WRITES_MAX];
    size_t count;
    bool unknown;                       /* after a doubt: the facts do not tell whether it was done, and nothing may be sent */
    bool lost;                          /* a value that came with the lost answer is gone: it is replaced (access pass), and the comment says so */
    char made_id[40];                   /* after a doubt: whom the lost write has made, as it was found; "" */
    char note[256];                     /* a further sentence for answer and comment, or "" */
};
/* Adds a write and fills its ids from the facts; the caller sets the rest. Never more than OPS_WRITES_MAX: eb_fail() before it comes to that. */
struct ops_write *ops_plan_write(struct ops_plan *p, enum graph_write_kind kind, const char *object);
void ops_plan_clear(struct ops_plan *p);

enum ops_settle {
    OPS_SETTLE_REPEAT,      /* harmless to send again at once after a doubt */
    OPS_SETTLE_GLANCE,      /* likewise, but looked at first: mostly it was done */
    OPS_SETTLE_LOOK,        /* once the lost request cannot land any more, plan anew from fresh facts and send what that says */
};

struct ops_change {
    bool changes_user, changes_group;   /* see policy_case */
    bool adds_member;
    bool plans_without_target;          /* the plan says something also where the user is not there (any more): delete, restore, create */
    enum ops_settle settle;
    /* false: refused or failed, with an error that the caller reads (EB_ENTRA_PERMISSION_MISSING where a fact was not told, EB_REJECTED_BY_ENTRA, ...). Pure. */
    bool (*plan)(const struct ops_case *c, struct ops_plan *p, struct eb_err *err);
    /* A composite has this in place of `plan`: its steps, each an operation of its own. NULL: it is none. Pure. */
    bool (*compose)(const struct ops_case *c, struct ops_steps *s, struct eb_err *err);
    bool by_group_rules;                /* it asks for the attributes that policy.group_rules go by */
    const char *steps_as;               /* the answer's member that tells the steps: "steps", "results" */
    int at_once;                        /* so many steps under way */
    bool background;                    /* its steps go after what people at the desk wait for */
    /* From Graph's answer to a write: members for our answer ("userId"), put into `result`; NULL where the answer says nothing. Secrets are not put there. */
    void (*took)(const struct ops_write *w, const json_t *body, json_t *result);
    /* The secret in Graph's answer, borrowed; NULL function: none. */
    const char *(*secret_of)(const struct ops_write *w, const json_t *body);
    bool makes_password;                /* one is generated and sealed before the write, unless the field `password` is given */
    /* Sentences; {user}, {group}, {other} stand for names; {FIELD} for a field of the request. */
    const char *did, *was_so, *would;
};

/* The same value in two JSON objects' member: NULL (absent) and JSON null are alike. */
bool ops_same(const json_t *a, const json_t *b, const char *member);
/* After a doubt, for absolute values: every member of `wanted` that `now` has neither as recorded nor as wanted makes it unknown.
 * p->before must be set to what stands now. True: p->unknown was set. */
bool ops_plan_compare(const struct ops_case *c, struct ops_plan *p);

/* user_state.c, member.c, ...: one file for kinds that belong together. */
extern const struct ops_change ops_member_add, ops_member_remove;
extern const struct ops_change ops_user_enable, ops_user_disable;
extern const struct ops_change ops_user_update, ops_manager_set, ops_manager_remove;
extern const struct ops_change ops_user_create, ops_user_delete, ops_user_restore, ops_user_invite;
extern const struct ops_change ops_password_reset, ops_pass_issue, ops_sessions_revoke, ops_mfa_reset;
extern const struct ops_change ops_licenses_assign, ops_licenses_remove;
extern const struct ops_change ops_user_onboard, ops_user_transfer, ops_user_offboard, ops_members_add, ops_members_remove, ops_steps_undo;

#endif
