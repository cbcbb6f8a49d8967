/* bind.h - one binding under way: its sides, and what they share. For bind.c and bind_clouds.c only; others use inside.h. */
#ifndef DIRECTORY_BIND_H
#define DIRECTORY_BIND_H

#include "directory/inside.h"

enum bind_track_kind { BIND_STORE, BIND_GRAPH, BIND_JIRA, BIND_OWNERS, BIND_TRACKS };

struct bind_track {
    struct bind *bind;
    enum bind_track_kind kind;
    bool busy, done;
    bool credentials_work;          /* asked for once, also where no name needs a call */
    int failures;                   /* in a row */
    struct eb_err err;              /* the last one, until it goes well */
    struct eb_timer *timer;
};

/* A page of a name's fits still to be read. */
struct bind_link { size_t name; int pages; char *url; struct bind_link *next; };

struct bind {
    struct directory *directory;
    uint64_t id;
    struct config *config;
    struct names names;
    bool pins_loaded, published;
    struct bind_track tracks[BIND_TRACKS];
    size_t asked[GRAPH_BATCH_MAX];  /* the name of each item of the batch under way */
    int asked_count;
    struct bind_link *links;
    size_t jira_name;               /* the name under way in Jira */
    struct eb_timer *relook;
};

void bind_track_failed(struct bind *b, enum bind_track_kind kind, const struct eb_err *err);    /* again after a back-off */
void bind_track_ended(struct bind *b, enum bind_track_kind kind);
void bind_conclude(struct bind *b);
void bind_publish(struct bind *b);

/* bind_clouds.c: go on with what is not told yet. */
void bind_go_graph(struct bind *b);
void bind_go_jira(struct bind *b);
void bind_drop_links(struct bind *b);

#endif
