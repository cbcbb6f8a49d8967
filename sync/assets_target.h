/* assets_target.h - what the files of the target "assets" share: object types, columns, the calls under way.
 *
 * A column is an attribute of one of our object types: those of the schema of records, and Status and Last seen, which are no part of a record.
 */
#ifndef SYNC_ASSETS_TARGET_H
#define SYNC_ASSETS_TARGET_H

#include "sync/target.h"

#include <sys/queue.h>

#define ASSETS_SCHEMA_NAME "Entra Directory"
#define ASSETS_LONG_MS 600000       /* of writes and imports: how long throttling is waited for */
#define ASSETS_FIND_AFTER_MS 15000  /* the index behind AQL lags behind writes */
#define ASSETS_TEXT_MAX 255

/* How a type of ours is one of Assets (facts: Assets, data model). */
struct assets_form {
    int type;                       /* 0 plain, 1 reference, 2 user, 7 status */
    int plain;                      /* defaultTypeId of type 0; else -1 */
    int also;                       /* another one that does as well; -1: none */
    const char *word;               /* for texts */
    const char *import;             /* in external imports; NULL: they cannot carry it */
};
#define ASSETS_COLUMN_STATUS SYNC_TYPES    /* behind the types of records */

struct assets_column {
    enum stage_kind kind;
    const char *name;
    int type;                       /* enum sync_type, or ASSETS_COLUMN_STATUS */
    bool identity, label, many;
    enum stage_kind to;
    const char *relation, *help;
    bool in_record;                 /* false: Status, Last seen */
    char *id;                       /* Assets' own; NULL: it is not there (yet) */
    char *locator;                  /* in an import's data: "job_title" */
};

struct assets_ids {                 /* of the schema; owned. Replaced by prepare() only, while nothing else is under way */
    char *schema, *schema_name;
    char *type[STAGE_KINDS];
    char *active, *inactive;        /* statuses */
};

struct assets_prepare;              /* assets_schema.c */
struct assets_read;                 /* assets_read.c */
struct assets_load;                 /* assets_load.c */
struct assets_writing;              /* assets_write.c */

struct assets_target {
    const struct sync_context *x;
    struct assets_ids ids;
    struct assets_column *columns;
    size_t column_count;
    json_t *made;                   /* texts */
    struct assets_prepare *prepare;
    struct assets_read *read;
    struct assets_load *load;
    LIST_HEAD(assets_writings, assets_writing) writings;
    int jobs;                       /* on the staging thread: they read ids and columns, so the memory stays until the last has ended */
    bool closed;
};
#define ASSETS_NOTES "assets"       /* category of our notes */

/* assets_target.c */
const struct assets_form *assets_form(int type);
struct assets_column *assets_column(struct assets_target *t, enum stage_kind kind, const char *name);
struct assets_column *assets_column_of(struct assets_target *t, enum stage_kind kind, const char *attribute_id);
struct assets_column *assets_identity(struct assets_target *t, enum stage_kind kind);
void assets_ids_clear(struct assets_target *t);
/* Around a job of the staging thread; on the loop. False: the target was closed meanwhile (it may be gone now). */
void assets_job_begins(struct assets_target *t);
bool assets_job_ended(struct assets_target *t);
/* Counts a call that ended. On the loop. */
void assets_counted(struct assets_target *t, const struct assets_reply *r, bool write);

/* assets_schema.c, assets_make.c: prepare. */
void assets_prepare_start(void *target, bool make, sync_done *done, void *ctx);
void assets_prepare_free(struct assets_target *t);
/* Bodies of what is made; the caller's. */
json_t *assets_make_schema(const char *key, const char *name);
json_t *assets_make_type(enum stage_kind kind, const char *schema_id, const json_t *icons);
json_t *assets_make_relation(const char *name, const char *schema_id);
json_t *assets_make_status(bool active, const char *schema_id);
json_t *assets_make_attribute(const struct assets_target *t, const struct assets_column *c, const char *relation_id);
/* Why something could not be made: names the role that is needed. */
void assets_make_refused(const char *what, bool no_schema_seen, const struct assets_reply *r, struct eb_err *err);
/* Notes what was made, for people. */
void assets_made(struct assets_target *t, const char *what, const char *name, const char *where);

/* assets_values.c: values on their way. Pure. */
/* One attribute of an object's body; value: as in records, null or an empty list clears; references as object keys. The caller's. */
json_t *assets_value_out(const struct assets_column *c, const json_t *value);
/* What a column holds, as in records; references as object keys. NULL: nothing. The caller's. */
json_t *assets_value_in(const struct assets_column *c, const json_t *values);

/* assets_read.c, assets_write.c, assets_load.c */
void assets_read_start(void *target, int64_t generation, sync_done *done, void *ctx);
void assets_read_free(struct assets_target *t);
void assets_write_start(void *target, const struct sync_write *w, uint64_t id, sync_write_done *done, void *ctx);
void assets_find_start(void *target, enum stage_kind kind, const char *key, uint64_t id, sync_find_done *done, void *ctx);
void assets_writings_free(struct assets_target *t);
bool assets_loads(void *target, int64_t creations);
void assets_load_start(void *target, sync_done *done, void *ctx);
void assets_load_free(struct assets_target *t);
/* The schema and mapping of an import; the caller's. */
json_t *assets_mapping(const struct assets_target *t);
/* AQL for all objects of a type of ours; key: only those with that id of the source, NULL: all. The caller's body for a call. */
json_t *assets_aql(struct assets_target *t, enum stage_kind kind, const char *key);

/* assets_rows.c: an object of Assets as a row of the stage. On the staging thread. */
struct assets_rows {                /* a job's view; counts are its results */
    struct assets_target *t;        /* columns and ids: immutable while it runs */
    int64_t generation;
    int64_t objects, foreign, doubles;
    char key[40];                   /* of the row put last; "": the object is not ours, or the younger of two */
};
bool assets_row_put(struct assets_rows *r, struct db *db, enum stage_kind kind, const json_t *object, struct eb_err *err) EB_CHECK;
/* References that were not known yet are looked up once more: at most limit rows after *after, which grows. */
bool assets_rows_mend(struct assets_rows *r, struct db *db, int64_t *after, int limit, bool *ret_more, struct eb_err *err) EB_CHECK;

#endif
