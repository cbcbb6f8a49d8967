/* entra.h - the state of the simulated directory: objects, their edges, role assignments.
 *
 * Objects are users, groups, directory roles and so on; edges say "member of" and "owner of". Writes see the truth;
 * reads see it `eventual_ms` later, as in the real directory. Pointers are borrowed and live until the object is deleted.
 * A generated person is kept as a number (company.h) until somebody changes it: attrs is NULL, entra_get() computes. Code that goes to
 * attrs itself calls entra_inflate() first. Each change is noted in the log, which delta reads (entra_log.h).
 */
#ifndef SIM_ENTRA_H
#define SIM_ENTRA_H

#include "base/json.h"
#include "base/random.h"

#include "sim/company.h"
#include "sim/entra_log.h"

#include <sys/queue.h>
#include <uthash.h>

enum entra_kind { ENTRA_USER, ENTRA_GROUP, ENTRA_ROLE, ENTRA_SERVICE_PRINCIPAL, ENTRA_APPLICATION, ENTRA_KINDS };
enum entra_relation { ENTRA_MEMBER, ENTRA_OWNER, ENTRA_RELATIONS };

struct entra_object;
struct entra_edge {                 /* `from` is the group or role, `to` the member or owner */
    struct { struct entra_object *from, *to; enum entra_relation relation; } key;
    uint32_t order;                 /* rises along each list: where a page goes on */
    int64_t seen_ms;                /* reads see it from then on */
    int64_t gone_ms;                /* 0: stands. Removed: reads see it until then */
    TAILQ_ENTRY(entra_edge) in_from, in_to, dying;
};
TAILQ_HEAD(entra_edges, entra_edge);

TAILQ_HEAD(entra_objects, entra_object);
struct entra_object {
    enum entra_kind kind;
    char id[EB_ID_LEN];
    json_t *attrs;                  /* under Graph's names; an absent one is null. NULL: as the company says of `number` */
    uint32_t number;                /* in the company; 0: none */
    uint32_t order;                 /* its place in order[kind] */
    struct entra_edges out[ENTRA_RELATIONS];    /* members, owners */
    struct entra_edges in[ENTRA_RELATIONS];     /* memberOf, ownedObjects */
    struct entra_object *manager;   /* by entra_set_manager() only */
    struct entra_objects reports;   /* whose manager it is */
    bool cloud_managed;             /* onPremisesSyncBehavior.isCloudManaged */
    json_t *methods;                /* authentication methods in Graph's shape, but the password; NULL: none */
    char default_method[EB_ID_LEN]; /* id of one of them, or "" */
    char *password, *access_pass;   /* the last ones set, for /sim/state only; NULL: none */
    json_t *left_behind;            /* in the bin: ids of what it was linked to */
    int64_t seen_ms;                /* made by a call: reads see it from then on */
    bool old_enabled;               /* what reads still see ... */
    int64_t old_enabled_until_ms;   /* ... until then */
    uint64_t visit;                 /* walk mark */
    UT_hash_handle hh;
    TAILQ_ENTRY(entra_object) next, beside;         /* in all[kind]; in the manager's reports */
};

/* A list that grows; entra_list_free() it. */
typedef struct entra_object *entra_ref;
struct entra_list { entra_ref *v; size_t n, cap; };
void entra_list_add(struct entra_list *l, struct entra_object *o);
void entra_list_free(struct entra_list *l);

struct entra {
    struct entra_object *by_id;
    struct entra_objects all[ENTRA_KINDS];
    size_t counts[ENTRA_KINDS];
    struct entra_index *index;
    struct entra_list order[ENTRA_KINDS];   /* as they came, NULL where one has gone: a page goes on at a place */
    uint32_t last_edge;
    struct company company;         /* of no people, unless cast_company() made some */
    struct entra_log log;
    struct entra_list found;        /* the last answer of entra_lookup */
    struct entra_scratch *scratch;  /* the last values computed by entra_get */
    struct entra_edges dying;       /* removed, still seen by reads; oldest first */
    json_t *assignments, *eligibilities, *definitions;   /* arrays in Graph's shape */
    struct entra_object *bin;       /* deleted users, by id: in no list, index or edge */
    json_t *skus;                   /* array in Graph's shape; consumedUnits is kept */
    int64_t eventual_ms;
    uint64_t visits;
};

struct entra *entra_new(void);
void entra_free(struct entra *e);

/* Takes attrs, which hold "id". The id must be new. */
struct entra_object *entra_add(struct entra *e, enum entra_kind kind, json_t *attrs);
struct entra_object *entra_add_person(struct entra *e, uint32_t number);        /* of the company, without a manager */
/* Gives a generated person attributes of its own; does nothing where they are there. */
void entra_inflate(struct entra *e, struct entra_object *o);
/* A user goes to the bin with its UPN prefixed by the id, as in life; anything else is gone. */
void entra_delete(struct entra *e, struct entra_object *o);
struct entra_object *entra_binned(struct entra *e, const char *id);
void entra_purge(struct entra *e, struct entra_object *binned);
void entra_restore(struct entra *e, struct entra_object *binned);       /* with memberships, manager and reports that still exist */
const char *entra_binned_upn(const struct entra_object *binned);        /* as it was before the prefix; borrowed */
struct entra_object *entra_find(struct entra *e, const char *id);
struct entra_object *entra_find_kind(struct entra *e, enum entra_kind kind, const char *id);
const char *entra_time(int64_t ms, char out[32]);                       /* Graph's dates have no fraction */
bool entra_object_seen(const struct entra_object *o);                  /* by reads */
/* By object id or UPN. */
struct entra_object *entra_find_user(struct entra *e, const char *id_or_upn);
/* Sets one attribute (takes value; JSON null removes it) and keeps the index. */
void entra_set(struct entra *e, struct entra_object *o, const char *name, json_t *value);
void entra_set_manager(struct entra *e, struct entra_object *o, struct entra_object *manager /* or NULL */);
/* As reads see it now: NULL for null, else borrowed, until 64 further calls. */
json_t *entra_get(const struct entra *e, const struct entra_object *o, const char *name);

/* Is this property looked up by index? Then the objects that have the value (ASCII case ignored); borrowed, until the next lookup. */
bool entra_is_indexed(enum entra_kind kind, const char *property);
struct entra_object **entra_lookup(struct entra *e, enum entra_kind kind, const char *property, const char *value, size_t *ret_count);

/* False: it was so already. */
bool entra_link(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to);
bool entra_unlink(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to);
bool entra_is_linked(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to);  /* the truth */
bool entra_edge_seen(const struct entra_edge *edge, int64_t now_ms);    /* as reads see it */
void entra_prune(struct entra *e);               /* forgets removed edges that no read sees any more */

/* Members or containers as reads see them; transitive ones each once, nearest first. */
void entra_targets(struct entra *e, struct entra_object *o, enum entra_relation rel, bool transitive, struct entra_list *out);
void entra_sources(struct entra *e, struct entra_object *o, enum entra_relation rel, bool transitive, struct entra_list *out);

/* Role assignments: eligible ones show in roleEligibilityScheduleInstances, active ones in roleAssignments. */
void entra_assign(struct entra *e, const char *principal, const char *definition, const char *scope, bool eligible);
void entra_unassign(struct entra *e, const char *principal, bool eligible);

const struct entra_edge *entra_edge_after(const struct entra_edges *edges, uint32_t order);      /* the first one behind that place; NULL: none */

/* For entra_bin.c: out of, and back into, every list and index. */
void entra_detach(struct entra *e, struct entra_object *o);
void entra_attach(struct entra *e, struct entra_object *o);
void entra_object_free(struct entra_object *o);

#endif
