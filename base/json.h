/* json.h - jansson with the guards that outside bytes need (size, depth, duplicates). */
#ifndef EB_JSON_H
#define EB_JSON_H

#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>

static inline void eb_auto_json_decref(json_t **p) { if (*p != NULL) json_decref(*p); }

/* Parses an object or array; a member given twice, nesting deeper than 32, or trailing text is an error.
 * The error is EB_INVALID_JSON with line and column and a hint for people who write smart values
 * (a quote or line end that was inserted raw: use .asJsonString); it never repeats the text, except that
 * a member given twice is named (also in err->field). The result is the caller's. */
bool eb_json_parse(struct eb_span text, json_t **ret, struct eb_err *err) EB_CHECK;
/* The same for a cloud's answers: no hint, EB_INTERNAL, and more values (500,000 instead of 20,000). */
bool eb_json_parse_reply(struct eb_span text, json_t **ret, struct eb_err *err) EB_CHECK;

/* Members; NULL, or the default, where absent or of another type. Text is borrowed from the object. */
const char *eb_json_str(const json_t *obj, const char *key);
bool eb_json_has_text(const json_t *list, const char *text);        /* among a list's texts, ASCII case folded */
int64_t eb_json_int(const json_t *obj, const char *key, int64_t dflt);
bool eb_json_bool(const json_t *obj, const char *key, bool dflt);
json_t *eb_json_path(const json_t *obj, const char *dotted);    /* "fields.project.key"; borrowed */

char *eb_json_text(const json_t *v);               /* compact, in the order of insertion; caller frees; NULL: no memory */
char *eb_json_canonical(const json_t *v);          /* compact, keys sorted; caller frees */
bool eb_json_to_buf(const json_t *v, struct eb_buf *out);
bool eb_json_quote(struct eb_buf *out, const char *s);   /* s as a JSON string, with its quotes; false: not UTF-8, or out->failed */

#endif
