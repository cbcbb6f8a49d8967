/* assets.h - the simulated JSM Assets: entry point, settings, and what its handlers share. */
#ifndef SIM_ASSETS_H
#define SIM_ASSETS_H

#include "sim/assets_form.h"
#include "sim/assets_store.h"
#include "sim/sim.h"

#define ASSETS_WORKSPACE "f1668d0c-828c-470c-b7d1-8c4f48cd345a"

struct assets_limits;
struct assets_imports;
/* What a reset makes anew. */
struct assets_world { struct assets *store; struct assets_limits *limits; struct assets_imports *imports; };
struct assets_world *assets_world_new(const struct assets_settings *set, struct event_base *base, size_t objects /* expected */);
void assets_world_free(struct assets_world *w);

/* Credentials, limits, route, handler; at the root and under /ex/jira/{cloudId}. */
void assets_answer(struct sim *s, struct sim_call *c, struct sim_reply *r);
struct assets_settings assets_settings_default(void);
/* One member of POST /sim/settings; false: it is none of ours, or not with such a value. */
bool assets_settings_put(struct assets_settings *set, const char *name, const json_t *value);

sim_handler assets_schemas, assets_schema_create, assets_schema_get, assets_schema_types, assets_schema_attributes;
sim_handler assets_icons, assets_icon, assets_usage, assets_config;
sim_handler assets_statuses, assets_status_create, assets_status_get, assets_reference_types, assets_reference_type_create;
sim_handler assets_type_create, assets_type_get, assets_type_attributes, assets_attr_create, assets_attr_update;
sim_handler assets_object_create, assets_object_get, assets_object_update, assets_object_delete, assets_object_attributes, assets_object_references;
sim_handler assets_aql_post, assets_aql_count;
sim_handler assets_import_info, assets_import_source, assets_import_token, assets_import_config_status, assets_import_mapping_put;
sim_handler assets_import_mapping_patch, assets_import_mapping_get, assets_import_mapping_progress, assets_import_start, assets_import_cancel;
sim_handler assets_import_progress, assets_import_data, assets_import_status, assets_import_last_status, assets_import_failed;

/* The body when it has this form; NULL: answered with 400. Borrowed. */
json_t *assets_body(struct sim_call *c, struct sim_reply *r, const struct assets_form *form);
/* Query parameters as the contract types them; false: answered with 400. */
bool assets_query_number(const struct sim_call *c, struct sim_reply *r, const char *name, int64_t least, int64_t dflt, int64_t *ret);
bool assets_query_flag(const struct sim_call *c, struct sim_reply *r, const char *name, bool dflt, bool *ret);
/* An id as text: a number without leading zeros. 0: it is none. */
uint32_t assets_id(const char *text);
/* May this account configure? False: answered with 403. */
bool assets_may_manage(struct sim *s, struct sim_reply *r);
/* Params as things; NULL: answered with 404. */
struct assets_schema *assets_schema_param(struct sim *s, struct sim_call *c, struct sim_reply *r);
struct assets_type *assets_type_param(struct sim *s, struct sim_call *c, struct sim_reply *r);
struct assets_object *assets_object_param(struct sim *s, struct sim_call *c, struct sim_reply *r);

json_t *assets_type_json(struct sim *s, const struct sim_call *c, const struct assets_type *t, bool counts);
json_t *assets_attr_json(struct sim *s, const struct sim_call *c, const struct assets_type *t, const struct assets_attr *at, bool whole /* with its type */);
json_t *assets_status_json(const struct assets_status *st);
json_t *assets_reference_type_json(const struct assets_reference_type *rt);
json_t *assets_with_ids(json_t *j, const char *id);          /* adds workspaceId, globalId, id */
json_t *assets_icon_json(const struct sim_call *c, uint32_t id);         /* of one that is known */
uint32_t assets_icon_known(const char *id);                  /* its number, 0: none */

/* Reads one value: what a cell holds. False: err says what is wrong with it. */
bool assets_value(struct sim *s, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err) EB_CHECK;
/* Cells of an object under way. */
struct assets_cells { struct assets_cell *at; uint32_t count, cap; };
void assets_cells_add(struct assets_cells *c, uint32_t attr, uint32_t value);
void assets_cells_drop(struct assets_cells *c, uint32_t attr);
/* Number, uniqueness and presence of the values of an attribute; o: the object that they are of, or NULL. */
bool assets_cells_check(struct sim *s, const struct assets_attr *at, const struct assets_cells *c, const struct assets_object *o, struct eb_err *err) EB_CHECK;

/* Objects as text: a page of them is large. */
struct assets_render { struct sim *s; const char *base_url; struct eb_buf out; char **types; size_t type_count; bool attributes; };
void assets_render_begin(struct assets_render *x, struct sim *s, const struct sim_call *c);
void assets_render_object(struct assets_render *x, const struct assets_object *o, const struct assets_body *b);
void assets_render_attributes(struct assets_render *x, const struct assets_object *o, const struct assets_body *b);
void assets_render_end(struct assets_render *x, struct sim_reply *r, int status);    /* frees; the text is the reply's */
const char *assets_time(int64_t ms, char out[40]);
/* A value as text: reference as key, status as name. */
const char *assets_cell_text(const struct assets *a, const struct assets_attr *at, uint32_t value, char buf[48]);

/* Takes from the buckets; false: answered with 429. */
struct assets_limits *assets_limits_new(void);
void assets_limits_free(struct assets_limits *l);
bool assets_limits_pass(struct sim *s, const struct sim_call *c, const char *pattern, struct sim_reply *r);

#endif
