/* swagger_schema.h - inside config/: schemas of one document, with their references followed. */
#ifndef CONFIG_SWAGGER_SCHEMA_H
#define CONFIG_SWAGGER_SCHEMA_H

#include "base/json.h"

#define WALK_DEPTH_MAX 40

struct walk {
    const json_t *root;
    const json_t *active[WALK_DEPTH_MAX];   /* the schemas that are being looked at: one that comes up again refers to itself */
    int depth, visits;
    struct eb_err *err;
};

/* What v refers to within the document, or v itself; *ret NULL: it is no object, which says nothing. Borrowed. */
bool walk_follow(struct walk *w, const json_t *v, const json_t **ret) EB_CHECK;

/* The envelopes that a body's schema allows: arrays of schemas {"route": [...], "data": [...], "example": [...]}, one for each alternative of oneOf, anyOf and a
 * discriminator, with allOf put together. The caller's. */
bool walk_shapes(struct walk *w, const json_t *schema, json_t **ret) EB_CHECK;
/* Adds the texts that a schema allows to `strong` (const, enum) and those that it shows to `weak` (default, example). */
bool walk_texts(struct walk *w, const json_t *schema, json_t *strong, json_t *weak) EB_CHECK;
/* Adds the properties of a schema to `fields`: {"name": {"required": …, "type": …}}. */
bool walk_fields(struct walk *w, const json_t *schema, bool all, json_t *fields) EB_CHECK;

#endif
