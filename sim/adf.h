/* adf.h - Atlassian Document Format: the rules that Jira enforces, and the text in a document. */
#ifndef SIM_ADF_H
#define SIM_ADF_H

#include "base/json.h"

/* EB_INVALID_REQUEST with the reason. */
bool adf_check(const json_t *doc, struct eb_err *err) EB_CHECK;
/* The document as plain text, a line a block. The caller's to free. */
char *adf_text(const json_t *doc);
/* A document with that text in one paragraph; the caller's. */
json_t *adf_from_text(const char *text);

#endif
