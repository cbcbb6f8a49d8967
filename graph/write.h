/* write.h - what of write.c tests hold: for each kind its method, path and body. Pure. */
#ifndef GRAPH_WRITE_H
#define GRAPH_WRITE_H

#include "graph/graph.h"

const char *graph_write_method(enum graph_write_kind kind);
char *graph_write_path(const struct graph_write *w);        /* the caller's; NULL: an id that it does not take */
/* *ret: the body's text, the caller's; NULL where the kind has none. False: the body does not fit the kind, EB_INTERNAL. */
bool graph_write_body(const struct graph *g, const struct graph_write *w, char **ret, struct eb_err *err) EB_CHECK;

#endif
