/* target.h - a target of records: a table of functions. It knows what is there, and writes one object at a time or, where it can, a mass at once.
 *
 * Everything but read_page's jobs runs on the loop; each function with a `done` ends with it, once, never inside itself.
 */
#ifndef SYNC_TARGET_H
#define SYNC_TARGET_H

#include "sync/source.h"

struct sync_write {                 /* one object to be written; borrowed until written() */
    enum stage_action action;       /* CREATE; UPDATE: the members that differ; LEAVE: inactive from now on; DELETE */
    enum stage_kind kind;
    const char *key, *label;        /* the source's id; the name for texts */
    const char *object_id;          /* the target's; NULL with CREATE */
    const json_t *values;           /* members to write, null to clear; references as the target's object keys */
    bool activate;                  /* it is, or becomes, active */
    int64_t seen_ms;                /* "Last seen" */
};
enum sync_write_result {
    SYNC_WRITTEN,                   /* object_id and object_key are set after CREATE */
    SYNC_WRITE_GONE,                /* UPDATE, LEAVE, DELETE: there is no such object any more; DELETE: what is there is another one, and stays */
    SYNC_WRITE_REFUSED,             /* this object's fault: err says why; others go on */
    SYNC_WRITE_FAILED,              /* nobody's fault: not sent, or away for too long: it may pass */
    SYNC_WRITE_DENIED,              /* refused for all: credentials or permissions; the run ends at once */
    SYNC_WRITE_IN_DOUBT,            /* of CREATE: it may be there; look (find) before creating it again */
};
struct sync_written { enum sync_write_result result; const char *object_id, *object_key; struct eb_err err; };
typedef void sync_write_done(void *ctx, uint64_t id, const struct sync_written *w);
/* An object by the source's id; object_id NULL: not there (as far as the target's index knows). */
typedef void sync_find_done(void *ctx, uint64_t id, const char *object_id, const char *object_key, const struct eb_err *err);

struct sync_target {
    const char *name;               /* "assets" */
    bool (*open)(const struct sync_context *x, void **ret, struct eb_err *err);
    void (*close)(void *target);
    /* Learns the ids of types, attributes, statuses. make: creates what is missing of the schema, removes nothing (`sync init`); without it something missing is an error that says so. */
    void (*prepare)(void *target, bool make, sync_done *done, void *ctx);
    /* What was made by the last prepare(make), for people: a list of texts; borrowed. */
    const json_t *(*made)(void *target);
    /* Where objects live, as a text to be compared with that of an earlier run: site, workspace, schema, object types, attributes. Where it differs, object ids of then mean
     * nothing now. Valid after a prepare that succeeded; the caller's to free. */
    char *(*place)(void *target);
    /* Reads every object of our types into the stage's target rows (attributes as records: references as ids of the source), of that generation. After a listing that was
     * whole, rows that it did not find are looked at one by one before they are taken for gone. */
    void (*read)(void *target, int64_t generation, sync_done *done, void *ctx);
    void (*write)(void *target, const struct sync_write *w, uint64_t id, sync_write_done *done, void *ctx);
    int (*writes_at_once)(void *target);
    void (*find)(void *target, enum stage_kind kind, const char *key, uint64_t id, sync_find_done *done, void *ctx);
    int64_t (*find_after_ms)(void *target);             /* so long after a write its index may not know it */
    /* Mass load, where it is to be had for so many creations (NULL, or false: one by one): all wanted rows without a target row, in one import; afterwards read() again. What it
     * cannot carry (accounts) is left as a difference that the plan finds. EB_OVERLOADED: another load is under way, and nothing was begun. */
    bool (*loads)(void *target, int64_t creations);
    void (*load)(void *target, sync_done *done, void *ctx);
};
extern const struct sync_target sync_target_assets;

#endif
