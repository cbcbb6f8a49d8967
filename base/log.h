/* log.h - one line an event: time, level, operation id, text as key=value. To stderr.
 *
 * Never log tokens, secrets, bodies, whole headers or values of personal attributes.
 * Control and bidi characters in the text become '?', so that outside text cannot forge a line.
 * A line has at most 2 KiB; longer text is cut and ends in "...".
 */
#ifndef EB_LOG_H
#define EB_LOG_H

#include "base/error.h"

enum eb_log_level { EB_LOG_DEBUG, EB_LOG_INFO, EB_LOG_WARN, EB_LOG_ERROR };
enum eb_log_format { EB_LOG_TEXT, EB_LOG_JSON };

void eb_log_setup(enum eb_log_level lowest, enum eb_log_format format);
/* id: the operation's, or NULL. Thread-safe: one write(2) a line. */
void eb_log(enum eb_log_level level, const char *id, const char *fmt, ...) EB_PRINTF(3, 4);
bool eb_log_wanted(enum eb_log_level level);

#define eb_debug(id, ...) do { if (eb_log_wanted(EB_LOG_DEBUG)) eb_log(EB_LOG_DEBUG, (id), __VA_ARGS__); } while (0)
#define eb_info(id, ...)  eb_log(EB_LOG_INFO, (id), __VA_ARGS__)
#define eb_warn(id, ...)  eb_log(EB_LOG_WARN, (id), __VA_ARGS__)
#define eb_error(id, ...) eb_log(EB_LOG_ERROR, (id), __VA_ARGS__)

#endif
