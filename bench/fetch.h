/* fetch.h - the floor's HTTP client: libcurl's multi interface on libevent, with nothing around it.
 *
 * As fast as libcurl goes: handles are kept and set up once, connections are kept, the CA file is parsed once
 * (CAINFO with CAPATH NULL). No retries, no limits but that of connections, no deadlines but one.
 */
#ifndef BENCH_FETCH_H
#define BENCH_FETCH_H

#include "base/buf.h"

#include <curl/curl.h>
#include <event2/event.h>

struct fetch_client;

/* Ends the program when there is none to be had. `connections`: at once, to one host. */
struct fetch_client *fetch_client_new(struct event_base *base, const char *ca_file, long connections);

/* status 0: no answer. `body` is borrowed for the length of the call and ended by a NUL. */
typedef void fetch_done(void *arg, long status, struct eb_span body);
/* GET where `body` is NULL, else POST; body is copied, url is copied; headers are borrowed until the call back. */
void fetch(struct fetch_client *f, const char *url, struct curl_slist *headers, const struct eb_span *body, fetch_done *done, void *arg);

#endif
