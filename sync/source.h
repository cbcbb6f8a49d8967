/* source.h - a source of records: a table of functions. It reads into the staging file and says there what is wanted; the engine knows no source by name.
 *
 * read() runs on the loop and ends with done(), once, never inside read(); its pages go to the staging file as they come, with the place to go on from in the same
 * transaction, so that a run that was stopped or killed goes on where it was. An error on the way ends the reading: nothing is swept, nobody is taken for gone.
 */
#ifndef SYNC_SOURCE_H
#define SYNC_SOURCE_H

#include "sync/context.h"

typedef void sync_done(void *ctx, const struct eb_err *err);

enum sync_reading { SYNC_READ_CHANGES /* since the last time; where that is not possible, everything */, SYNC_READ_ALL };

struct sync_source {
    const char *name;               /* "entra" */
    void *(*open)(const struct sync_context *x);
    void (*close)(void *source);                        /* also in the middle: nothing comes back after it */
    /* *ret_all: whether everything is read; set as soon as it turns out, and before done(). */
    void (*read)(void *source, enum sync_reading how, bool *ret_all, sync_done *done, void *ctx);
    /* On the staging thread: judges at most `limit` dirty objects of that kind after *after (scope, then wanted rows); *after grows; *ret_more: call again.
     * The engine calls it for groups, then users, until there is no more; `pass` 0 settles the scope of all of them, pass 1 makes the records. */
    bool (*project)(void *source, struct db *stage, int pass, enum stage_kind kind, int64_t *after, int limit, bool *ret_more, struct eb_err *err);
    /* On the staging thread, after project: notes for the preview (unmatched accounts, ambiguous mails), and counts of them. */
    bool (*notes)(void *source, struct db *stage, struct sync_counts *counts, struct eb_err *err);
};
extern const struct sync_source sync_source_entra;      /* users and groups of Entra; directory first or accounts first */

#endif
