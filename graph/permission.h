/* permission.h - which application permission a call needs at least, for the text of a 403. Pure. */
#ifndef GRAPH_PERMISSION_H
#define GRAPH_PERMISSION_H

#include "graph/graph.h"

const char *graph_permission_of_read(const char *path);             /* static */
/* "A and B"; of a PATCH of a user by the attributes in its body. The caller's to free. */
char *graph_permission_of_write(const struct graph_write *w);
/* "jobTitle, department": the names of the members, cut where there are many; never their values. The caller's to free. */
char *graph_attribute_names(const json_t *body);

#endif
