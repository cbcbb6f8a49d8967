/* audit_cef.h - an audit row as a line of the Common Event Format (ArcSight CEF, version 0), for a SIEM. */
#ifndef CLI_AUDIT_CEF_H
#define CLI_AUDIT_CEF_H

#include "base/json.h"
#include "store/audit.h"

#define CEF_VALUE_MAX 1023          /* bytes of a value, as the format bounds `msg`; longer ones are cut on a character boundary */

/* Adds the line without its end. data and personal are the row's, parsed; NULL where there are none, or they are no JSON. */
void cef_line(const struct audit_row *r, const json_t *data, const json_t *personal, struct eb_buf *out);

#endif
