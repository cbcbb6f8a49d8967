/* form.h - one value of a request against the form of its field. Pure. */
#ifndef OPS_FORM_H
#define OPS_FORM_H

#include "base/json.h"
#include "ops/kinds.h"

/* Any form but OPS_FORM_ATTRIBUTES. *ret is the value as operations read it, the caller's: a text for an issue's numeric id, a list without doubles for
 * OPS_FORM_TEXTS, else what was sent. EB_INVALID_REQUEST names the field and says what to do; it never repeats the value. */
bool ops_form_read(const struct ops_field *f, const json_t *v, json_t **ret, struct eb_err *err) EB_CHECK;

/* OPS_FORM_AT: a time with an offset, or a local one of the zone that the process is in. False: neither. */
bool ops_at_parse(const char *s, int64_t *ret_ms) EB_CHECK;

/* What becomes of a smart value that had no value. */
enum ops_empty { OPS_EMPTY_REFUSE, OPS_EMPTY_SKIP, OPS_EMPTY_CLEAR };
/* `attributes`, against the table of config/attribute.h: `may` are the ATTRIBUTE_... flags of which a row must have one. *ret: the attributes with empty
 * values left out or null, and a list where one text stood for it; the caller's. EB_INVALID_REQUEST, or EB_ATTRIBUTE_NOT_PERMITTED for those that no
 * policy can allow; the field is "attributes.NAME". */
bool ops_attributes_read(const json_t *v, unsigned may, enum ops_empty empty, json_t **ret, struct eb_err *err) EB_CHECK;

#endif
