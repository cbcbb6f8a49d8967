/* inside.h - what the files of directory/ share: the owner, bindings under way, look-ups under way. */
#ifndef DIRECTORY_INSIDE_H
#define DIRECTORY_INSIDE_H

#include "directory/snapshot.h"

#include <sys/queue.h>

struct bind;
struct look_up;
struct owners;
struct people;
struct pins;

struct directory {
    struct eb_loop *loop;
    struct graph *graph;
    struct jira *jira;
    struct store *store;            /* NULL: `check`; then `pins` are in force */
    struct pins *pins;              /* without a store only */
    LIST_HEAD(pins_jobs, pins_job) jobs;    /* the store's jobs under way; they outlive the directory if they must */
    struct snapshot *snapshot;      /* in force; NULL until the first binding is complete */
    struct bind *current;           /* made the snapshot, and looks again for what was not found */
    struct bind *next;              /* under way after a reload or at the start */
    struct look_up *look_ups;       /* by id */
    struct people *people;          /* by id */
    struct owners *owners;
    uint64_t last_id;
    void (*on_ready)(void *ctx);
    void *on_ready_ctx;
};

/* ---- bind.c ---- */
struct bind *bind_new(struct directory *d, struct config *c);
void bind_free(struct bind *b);                     /* accepts NULL */
void bind_start(struct bind *b);
uint64_t bind_id(const struct bind *b);
/* What is awaited, and the last failure, as text for people. */
void bind_tell(const struct bind *b, struct eb_err *err);
/* The store's answers: the pins there are, or the pins that were put (err: neither). */
void bind_on_pins(struct bind *b, const struct pins *pins, const struct eb_err *err);

/* The owners of the application were read, may not be read, or (err) could not be. */
void bind_on_owners(struct bind *b, const struct eb_err *err);

/* ---- directory.c ---- */
struct bind *directory_bind_find(struct directory *d, uint64_t id);     /* NULL: it was given up meanwhile */
/* A binding is complete: takes the reference. */
void directory_publish(struct directory *d, struct bind *b, struct snapshot *s);

void directory_on_owners(struct directory *d, const struct eb_err *err);

/* ---- look_up.c ---- */
void look_up_free_all(struct directory *d);

/* ---- people.c ---- */
void people_free_all(struct directory *d);

#endif
