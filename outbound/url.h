/* url.h - which URLs belong to a cloud. Pure functions over outside text. */
#ifndef OUTBOUND_URL_H
#define OUTBOUND_URL_H

#include "base/error.h"

/* A base URL as the configuration may give it: https, or http on a loopback address; host, port and path only, no
 * trailing slash. what: the cloud's name, for the error text. *ret_plain: it is http. */
bool outbound_url_base(const char *what, const char *url, bool *ret_plain, struct eb_err *err) EB_CHECK;
/* See outbound_url_within: the same for a base given as text. */
bool outbound_url_match(const char *base, const char *url, const char **ret_path);

#endif
