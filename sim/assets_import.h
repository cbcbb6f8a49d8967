/* assets_import.h - external imports: sources, their schema and mapping, and runs that take data first and work it in afterwards. */
#ifndef SIM_ASSETS_IMPORT_H
#define SIM_ASSETS_IMPORT_H

#include "sim/assets.h"

#include <event2/event.h>

/* How one attribute is filled. */
struct import_attr { struct assets_attr *attr; char **locators; size_t locator_count; char *query; bool identity; };
struct import_type { struct assets_type *type; char *selector; struct import_attr *attrs; size_t attr_count; };
struct import_map { struct import_type *types; size_t count; };

enum import_state { IMPORT_INGESTING, IMPORT_PROCESSING, IMPORT_DONE, IMPORT_CANCELLED };
/* The counters of one object type, under Atlassian's names. */
struct import_result {
    int64_t created, updated, identical, missing_updated, missing_deleted, entries, duplicates, empty_labels, empty_ids, references, errors;
    json_t *messages;               /* array of text, the first few; or NULL */
};
struct import_chunk { char *name; char *bytes; size_t len; struct import_chunk *next; };
struct import_run {
    char id[EB_ID_LEN];
    uint32_t number;
    enum import_state state;
    int64_t started_ms, ended_ms, processing_us;
    struct import_chunk *chunks, **tail;
    int64_t records, worked;        /* each record is met twice: itself, then its references */
    char *failure;                  /* or NULL */
    struct import_result *results;  /* one a type of the map */
    size_t result_count;
    struct import_chunk *at;        /* where the work stands: chunk, pass, type, record */
    int pass;
    json_t *data;                   /* of the chunk at work; or NULL */
    size_t type, record;
    struct import_run *before;
};
struct import_source {
    char id[EB_ID_LEN], token[64];
    uint32_t schema;
    bool disabled, async_pending;
    json_t *given;                  /* schema and mapping as they were put; or NULL */
    struct import_map map;
    char resource[EB_ID_LEN];       /* of the last asynchronous mapping; "" : none */
    char *mapping_error;            /* of that; or NULL */
    struct import_run *run;         /* the latest; or NULL */
    struct import_source *next;
};
struct assets_imports { struct import_source *sources; uint32_t runs; struct event_base *base; struct event *timer; struct sim *sim; };

struct assets_imports *assets_imports_new(struct event_base *base);
void assets_imports_free(struct assets_imports *m);
/* Does the header hold the token of this source? */
bool assets_import_admits(const struct assets_imports *m, const char *source, const char *authorization);
struct import_source *assets_import_source_add(struct assets_imports *m, uint32_t schema);
struct import_source *assets_import_source_find(const struct assets_imports *m, const char *id);

/* Makes what the schema names and is not there, and reads the mapping. The map given is replaced on success only. */
bool assets_import_configure(struct sim *s, struct import_source *src, json_t *given, struct eb_err *err) EB_CHECK;
void assets_import_map_free(struct import_map *m);
json_t *assets_import_selected(const json_t *data, const char *selector);        /* the array, or NULL */
const char *assets_import_text(const json_t *record, const char *locator, size_t n, char buf[64]);       /* its n-th value; NULL: no more */

/* Begins to work in what a run has taken; goes on by itself, a few milliseconds at a time. */
void assets_import_work(struct sim *s, struct import_source *src);
void assets_import_run_free(struct import_run *run);             /* and those before it */
/* Forgets the data that was not worked in. */
void assets_import_end(struct import_run *run, enum import_state state);

#endif
