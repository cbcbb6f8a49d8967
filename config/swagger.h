/* swagger.h - OpenAPI 2 and 3 documents (JSON or YAML), as far as `compat import` needs them: which routes an envelope {"route": …, "data": {…}} may name,
 * and which fields each of them has. Pure: bytes in, list out.
 */
#ifndef CONFIG_SWAGGER_H
#define CONFIG_SWAGGER_H

#include "base/json.h"

#define SWAGGER_FILE_MAX MiB(4)
#define SWAGGER_ROUTES_MAX 500      /* in one list */
#define SWAGGER_FIELDS_MAX 200      /* of one route */

/* Adds the routes of one document to the array `routes`, each {"route": "createUser", "where": "/paths/…", "fields": [{"name": "userName", "required": true,
 * "type": "string"}]}; one that stands there already (by config/envelope.h) gets the further fields. Where no constant, list, default or example names the
 * route, the last part of the path does. false: `faults` says what is wrong, each line with file and position. */
bool swagger_read(const char *file, struct eb_span text, json_t *routes, struct eb_buf *faults) EB_CHECK;

#endif
