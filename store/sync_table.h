/* sync_table.h - the history of synchronizations: a row a run, with what went wrong object by object; in the store, not in the staging file.
 *
 * The row of a run under way carries its progress, so that a command-line program beside the service can show it. A run without an end whose process is gone is
 * closed as "interrupted" by whoever opens the next one.
 */
#ifndef STORE_SYNC_TABLE_H
#define STORE_SYNC_TABLE_H

#include "base/error.h"

#include <stdint.h>

struct db;

struct sync_run {                   /* strings are borrowed by writers; of a row that was read they are the row's: sync_run_clear() */
    int64_t number;                 /* given by the database */
    char *kind;                     /* "full", "delta", "preview", "init" */
    char *trigger;                  /* "schedule", or "hand: NAME" */
    int64_t started_ms, ended_ms;   /* ended 0: under way */
    int64_t updated_ms;             /* of the last progress */
    char *phase;                    /* "reading users", ... */
    int64_t done, total;            /* of the phase; total -1: not known */
    char *counts;                   /* JSON: {"creates": N, "updates": N, "inactivations": N, "deletions": N, "unmatched": N, "missingManagers": N, "warnings": N, "errors": N, ...} */
    char *calls;                    /* JSON: calls by cloud: {"graph": N, "jira": N, "assets": N, "writes": N} */
    int64_t throttled_ms;
    char *outcome;                  /* NULL under way; "succeeded", "partial" (errors of objects), "held" (the guard), "failed", "stopped", "interrupted" */
    char *message;                  /* for people */
};
void sync_run_clear(struct sync_run *r);
/* Closes what an earlier process left open (outcome "interrupted"), then puts the row. */
bool sync_run_begin(struct db *db, const struct sync_run *r, int64_t *ret_number, struct eb_err *err) EB_CHECK;
bool sync_run_progress(struct db *db, const struct sync_run *r, struct eb_err *err) EB_CHECK;      /* kind, phase, done, total, counts, calls, throttled_ms, updated_ms */
bool sync_run_end(struct db *db, const struct sync_run *r, struct eb_err *err) EB_CHECK;           /* the same, and ended_ms, outcome, message */
bool sync_run_get(struct db *db, int64_t number, struct sync_run *ret, struct eb_err *err) EB_CHECK;        /* EB_NOT_THERE */
typedef bool sync_run_each(void *ctx, const struct sync_run *r);
bool sync_runs_list(struct db *db, int64_t before /* 0: from the newest */, int limit, sync_run_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* The newest that is under way; *ret_found false: none. */
bool sync_run_open(struct db *db, struct sync_run *ret, bool *ret_found, struct eb_err *err) EB_CHECK;
/* When the last run that succeeded (or was partial) and wrote began and ended; 0: never. `full` only: the last full one. */
bool sync_run_last(struct db *db, bool full, int64_t *ret_started_ms, int64_t *ret_ended_ms, struct eb_err *err) EB_CHECK;

struct sync_fault { const char *action, *kind, *key, *label, *text; };      /* one object that could not be written, or read */
#define SYNC_FAULTS_MAX 10000       /* of one run; more are counted only */
bool sync_fault_put(struct db *db, int64_t run, const struct sync_fault *f, struct eb_err *err) EB_CHECK;
typedef bool sync_fault_each(void *ctx, const struct sync_fault *f);
bool sync_faults_list(struct db *db, int64_t run, int limit, sync_fault_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Runs (and their faults) that ended before; the newest run stays whatever its age. */
bool sync_forget(struct db *db, int64_t before_ms, struct eb_err *err) EB_CHECK;

/* Set, durably, while a run may have sent writes whose answers stand in the staging file only, with the machine's boot id; cleared at its end. After a power loss the
 * file may have lost its last commits: *ret_boot (the caller's, NULL: not open) then differs from the machine's, and the target must be read anew. */
bool sync_mark_open(struct db *db, const char *boot_id, struct eb_err *err) EB_CHECK;
bool sync_mark_close(struct db *db, struct eb_err *err) EB_CHECK;
bool sync_mark_get(struct db *db, char **ret_boot, struct eb_err *err) EB_CHECK;

#endif
