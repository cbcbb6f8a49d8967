/* assets_form.h - the shape of a request's body: which members there are, of which type, and that there are no others. */
#ifndef SIM_ASSETS_FORM_H
#define SIM_ASSETS_FORM_H

#include "base/json.h"

enum assets_member { FORM_TEXT, FORM_INT, FORM_BOOL, FORM_TEXTS, FORM_OBJECT, FORM_OBJECTS, FORM_LISTS /* an object of arrays of objects */ };
enum { FORM_NEEDED = 1, FORM_FILLED = 2 /* no empty text or list */ };
struct assets_form;
struct assets_row {
    const char *name;
    enum assets_member type;
    int rules;
    const struct assets_form *inner;        /* of objects */
    const char *among;                      /* the values allowed, " a b " with blanks around each; NULL: any */
};
struct assets_form { const struct assets_row *rows; size_t count; bool open; /* more members are no fault */ };

/* Err: EB_INVALID_REQUEST, whose field is the member. */
bool assets_form_check(const struct assets_form *f, const json_t *body, struct eb_err *err) EB_CHECK;

extern const struct assets_form assets_form_schema, assets_form_type, assets_form_attr, assets_form_attr_update, assets_form_object,
    assets_form_aql, assets_form_status, assets_form_reference_type, assets_form_mapping, assets_form_start, assets_form_progress,
    assets_form_data, assets_form_failure;

#endif
