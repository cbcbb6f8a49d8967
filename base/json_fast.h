/* json_fast.h - the straight way through plain JSON, for json.c and the simulator, which must not be what limits a measurement.
 *
 * jansson spends about a hundred instructions a byte in reading: a tenth of an operation's CPU (docs/decisions/0016). This
 * reads the plain cases; everything else is "not mine" (NULL), and json.c asks jansson, whose errors, numbers and long
 * escapes are thereby the only ones there are.
 */
#ifndef BASE_JSON_FAST_H
#define BASE_JSON_FAST_H

#include "base/buf.h"

#include <jansson.h>

#define EB_JSON_DEPTH_MAX 32

/* An object or array of at most that many values, nested at most EB_JSON_DEPTH_MAX deep, members once each, UTF-8, no
 * escapes but the one-letter ones, no reals: as jansson would build it. Else NULL, which does not mean that it is wrong. */
json_t *eb_json_read_plain(struct eb_span text, size_t values_max);

#endif
