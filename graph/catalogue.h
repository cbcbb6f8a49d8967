/* catalogue.h - what Graph's answers mean: status, code and message become a result and a text for people. Pure. */
#ifndef GRAPH_CATALOGUE_H
#define GRAPH_CATALOGUE_H

#include "graph/graph.h"

/* Calls whose answers mean the same. */
enum graph_kind {
    GRAPH_READ = 1 << 0, GRAPH_ADD = 1 << 1, GRAPH_REMOVE = 1 << 2, GRAPH_USER = 1 << 3,    /* USER: a PATCH, but of the password */
    GRAPH_CREATE = 1 << 4, GRAPH_PASSWORD = 1 << 5, GRAPH_DELETE = 1 << 6, GRAPH_RESTORE = 1 << 7, GRAPH_INVITE = 1 << 8,
    GRAPH_MANAGER = 1 << 9, GRAPH_NO_MANAGER = 1 << 10, GRAPH_LICENSES = 1 << 11, GRAPH_SESSIONS = 1 << 12,
    GRAPH_PASS = 1 << 13, GRAPH_METHOD = 1 << 14,       /* an access pass is made; a method (or pass) is deleted */
};
#define GRAPH_WRITES ((1 << 15) - 1 - GRAPH_READ)

/* What the call asked for; borrowed. */
struct graph_asked {
    enum graph_kind kind;
    const char *path;
    const char *permission;     /* of a write; NULL: told by the path */
    const char *changes;        /* of a write: "jobTitle, department", "the manager"; NULL: not told */
};

/* Graph's own words about an error, cleaned; "" where it said none. detail, target: of the first of `details`. */
struct graph_error { char code[64], message[320], detail[64], target[64]; };
/* Accepts the shapes seen in the field: a message that is an object with `value`, details that are an object, no error at all. */
void graph_error_read(const json_t *body, struct graph_error *ret);

/* Fills result and err of r from its status and e. */
void graph_judge(const struct graph_asked *a, const struct graph_error *e, struct graph_reply *r);
bool graph_is_transient(int status);

#endif
