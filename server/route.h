/* route.h - the route table, split once into segments, and a request's path against it. */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "server/server.h"

#define ROUTE_SEGMENTS 8

struct route_segment { const char *text; size_t len; bool param; };     /* of a pattern; a param's name without braces */
struct route {
    const struct server_route *def;             /* borrowed: the table outlives the server */
    struct route_segment segments[ROUTE_SEGMENTS];
    size_t count;
};
struct route_table { struct route *routes; size_t count; };

/* A path, split and decoded: pieces of the caller's text. */
struct route_path { const char *segments[ROUTE_SEGMENTS]; size_t count; bool fits; };

void route_table_make(const struct server_route *defs, size_t count, struct route_table *ret);
void route_table_free(struct route_table *t);

/* path: len bytes, raw, judged by scan.c before. text: the caller's, at least len + 1 bytes. false: a segment is not clean UTF-8. */
bool route_path_split(const char *path, size_t len, char *text, struct route_path *ret, struct eb_err *err) EB_CHECK;

/* HEAD finds the route of GET, unless that is a page. NULL with NOT_FOUND, or METHOD_NOT_ALLOWED and the methods that are in allow ("GET, HEAD"). */
const struct route *route_find(const struct route_table *t, const char *method, size_t method_len, const struct route_path *path,
                               char *allow, size_t allow_size, struct eb_err *err);
const char *route_param(const struct route *r, const struct route_path *path, const char *name);

#endif
