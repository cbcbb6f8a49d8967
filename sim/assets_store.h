/* assets_store.h - the state of the simulated Assets: schemas, types, attributes, statuses, and objects in compact form.
 *
 * An object is a body of cells (attribute, value); a value is four bytes: a text's handle, an object's id (references) or a
 * status's id. Three hundred thousand people with their groups fit in a few hundred megabytes. Pointers are borrowed and live
 * until assets_store_free(); a body until its object is changed.
 * Everything but AQL sees a write at once; AQL when eventual_ms have passed.
 */
#ifndef SIM_ASSETS_STORE_H
#define SIM_ASSETS_STORE_H

#include "base/json.h"
#include "sim/assets_postings.h"
#include "sim/assets_strings.h"

#include <sys/queue.h>

enum assets_kind { ASSETS_PLAIN = 0, ASSETS_REFERENCE = 1, ASSETS_USER = 2, ASSETS_GROUP = 4, ASSETS_STATUS = 7 };
enum assets_plain { ASSETS_NONE = -1, ASSETS_TEXT, ASSETS_INTEGER, ASSETS_BOOLEAN, ASSETS_DOUBLE, ASSETS_DATE, ASSETS_TIME,
                    ASSETS_DATE_TIME, ASSETS_URL, ASSETS_EMAIL, ASSETS_TEXTAREA, ASSETS_SELECT, ASSETS_IP };

struct assets_type;
struct assets_attr {
    uint32_t id;
    struct assets_type *owner;      /* of an inherited one: the type above */
    char *name, *description, *additional, *suffix, *options, *regex, *query, *external_id;     /* owned; NULL: not given */
    enum assets_kind kind;
    enum assets_plain plain;        /* with ASSETS_PLAIN */
    uint32_t to_type, reference_type;       /* with ASSETS_REFERENCE */
    json_t *multi;                  /* typeValueMulti; or NULL */
    int64_t least, most;            /* cardinality; most -1: no limit */
    bool label, unique, hidden, summable, children, system;
};
struct assets_type {
    uint32_t id, schema, parent, icon;      /* parent 0: none */
    char *name, *description, *external_id;
    bool inherited, abstract;
    uint32_t position, objects;
    int64_t created_ms, updated_ms;
    struct assets_attr **attrs, *label;     /* in their order, inherited ones first */
    size_t attr_count;
};
struct assets_schema { uint32_t id; char *name, *key, *description; int64_t created_ms, updated_ms; uint32_t objects, types; };
struct assets_status { uint32_t id, schema; char *name, *description; int category; };      /* schema 0: global; 0 inactive, 1 active, 2 pending */
struct assets_reference_type { uint32_t id, schema; char *name, *description, *color; };

struct assets_cell { uint32_t attr, value; };
struct assets_body { int64_t updated_ms; uint32_t count; struct assets_cell cells[]; };     /* cells ascending, each once */
struct assets_old;
struct assets_object {
    uint32_t id;                    /* its key's number too */
    uint32_t type;
    int64_t created_ms;
    struct assets_body *body;       /* NULL: deleted */
    struct assets_old *old;         /* what AQL still sees, oldest first */
    uint32_t run;                   /* the import that last brought it */
    uint16_t updates;
    uint8_t creates, deletes;
};

/* Where the next page of a query begins, so that paging through everything does not begin at the beginning each time. */
struct assets_resume { uint64_t query, generation; int64_t start; size_t at; };
#define ASSETS_RESUMES 8

struct assets {
    struct assets_strings *strings;
    struct assets_postings *index;
    struct assets_schema **schemas;
    struct assets_type **types;
    struct assets_attr **attrs;
    struct assets_status **statuses;
    struct assets_reference_type **reference_types;
    size_t schema_count, type_count, attr_count, status_count, reference_type_count;
    struct assets_object **objects; /* by id; [0] is none */
    uint32_t object_count;          /* ids given out + 1 */
    uint32_t live;
    uint64_t generation;            /* of what AQL sees: grows with each change */
    int64_t eventual_ms;
    TAILQ_HEAD(, assets_old) pending;       /* as they end */
    struct assets_resume resumes[ASSETS_RESUMES];
    size_t resume_next;
};

struct assets *assets_store_new(size_t objects /* about as many are expected; more are no fault */);
void assets_store_free(struct assets *a);
void assets_objects_free(struct assets *a);         /* for assets_store_free() */

struct assets_schema *assets_schema(const struct assets *a, uint32_t id);        /* these: or NULL */
struct assets_schema *assets_schema_keyed(const struct assets *a, const char *key);
struct assets_type *assets_type(const struct assets *a, uint32_t id);
struct assets_type *assets_type_named(const struct assets *a, uint32_t schema, const char *name);
struct assets_attr *assets_attr(const struct assets *a, uint32_t id);
struct assets_attr *assets_attr_named(const struct assets_type *t, const char *name);
struct assets_attr *assets_attr_of(const struct assets_type *t, uint32_t id);
struct assets_status *assets_status(const struct assets *a, uint32_t id);
struct assets_status *assets_status_named(const struct assets *a, uint32_t schema, const char *name);
struct assets_reference_type *assets_reference_type(const struct assets *a, uint32_t id);
bool assets_type_within(const struct assets *a, uint32_t type, uint32_t above);     /* is it that type, or below it? */

struct assets_schema *assets_schema_add(struct assets *a, const char *key, const char *name, const char *description);
/* With Key, Name, Created and Updated, or with the parent's where they are inherited. */
struct assets_type *assets_type_add(struct assets *a, struct assets_schema *s, const char *name, struct assets_type *parent, bool inherited);
struct assets_attr *assets_attr_add(struct assets *a, struct assets_type *t, const char *name, enum assets_kind kind, enum assets_plain plain);
void assets_label_set(struct assets_type *t, struct assets_attr *label);
struct assets_status *assets_status_add(struct assets *a, uint32_t schema, const char *name, int category);
struct assets_reference_type *assets_reference_type_add(struct assets *a, uint32_t schema, const char *name);

struct assets_object *assets_object(const struct assets *a, uint32_t id);        /* NULL also when deleted */
struct assets_object *assets_object_keyed(const struct assets *a, const char *key);
struct assets_object *assets_object_numbered(const struct assets *a, const char *id);
/* Makes one (o NULL) or gives it other cells, which are sorted here. False: they are the same as before; nothing is written. */
bool assets_object_put(struct assets *a, struct assets_object **o, const struct assets_type *t, struct assets_cell *cells, uint32_t count);
void assets_object_remove(struct assets *a, struct assets_object *o);            /* and every reference to it */
void assets_key(const struct assets *a, const struct assets_object *o, char out[48]);
const char *assets_label(const struct assets *a, const struct assets_object *o, const struct assets_body *b);     /* or "" */

/* Forgets what AQL no longer sees at this time (eb_mono_ms()). Before AQL reads. */
void assets_settle(struct assets *a, int64_t mono_ms);
const struct assets_body *assets_seen(const struct assets_object *o);            /* by AQL; NULL: not there */

/* Keys of the index. */
uint64_t assets_key_type(uint32_t type);
uint64_t assets_key_schema(uint32_t schema);
uint64_t assets_key_text(uint32_t attr, const char *text);
uint64_t assets_key_number(uint32_t attr, uint32_t value);     /* references and statuses */
bool assets_holds_number(const struct assets_attr *at);
#define ASSETS_EACH_CELL(b, at, c) \
    for (const struct assets_cell *c = (b)->cells; c < (b)->cells + (b)->count; c++) if (c->attr == (at)->id)

#endif
