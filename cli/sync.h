/* sync.h - inside of cli/sync*.c: a synchronization that is asked for, followed to its end, and told. */
#ifndef CLI_SYNC_H
#define CLI_SYNC_H

#include "cli/progress.h"
#include "cli/tool.h"
#include "base/json.h"
#include "store/sync_table.h"
#include "sync/sync.h"

struct sync_wish { enum sync_what what; bool full, background; int accept_removals; };

/* Its row in the history is what both ways are followed by. */
struct sync_follow {
    const struct cli *cli;
    struct tool tool;
    struct progress bar;
    int64_t number;                 /* 0: not begun */
    struct sync_run row;            /* as it was read last */
    bool ended, left;               /* left: somebody does not want to wait any longer, and it goes on */
};
/* Reads the row anew and draws the bar. */
bool sync_follow_look(struct sync_follow *f, struct eb_err *err);

/* sync_follow.c: the running service does it. True: ended, left, or (background) begun. */
bool sync_by_service(struct sync_follow *f, const struct sync_wish *w, struct eb_err *err);
/* sync_here.c: this process does it. True: ended. */
bool sync_here(struct sync_follow *f, const struct sync_wish *w, struct eb_err *err);
/* sync_preview.c: the rows, after a preview has ended. The exit code. */
int sync_preview_print(struct sync_follow *f);
bool sync_preview_usage(const struct cli *cli);     /* false: said */

/* sync_text.c */
json_t *sync_run_json(const struct sync_run *r);
int64_t sync_run_count(const struct sync_run *r, const char *name);     /* of its counts; 0 where it has none */
const char *sync_took(int64_t ms, char out[32]);                        /* "850 ms", "12.3 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
void sync_print_fields(const struct sync_run *r, FILE *out);            /* "Created 3, updated 1, ..." and what else is to be known */

#endif
