/* store.h - the database thread.
 *
 * One thread owns the connection. Work comes in as jobs (a function and its argument); the thread
 * takes all that wait, runs them in one transaction (each in a savepoint of its own), commits once,
 * and only then tells the loop. So one fsync serves many operations, and the loop never waits for a disk.
 *
 * Command-line programs use db_open() (store/db.h) directly, without a thread, beside a running service.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/loop.h"

struct store;
struct db;

/* Runs on the store's thread, inside a transaction. It reads and writes through store/<table>.h only, keeps
 * its results in *arg, and may be run twice (when the transaction is repeated): it must not consume its argument.
 * false: this job's changes are undone, the others' stay. */
typedef bool store_fn(struct db *db, void *arg, struct eb_err *err);
/* Runs on the loop's thread after the commit: err is NULL when the job is on disk. If the commit itself failed, every
 * job of the group gets that error, and nothing of it is on disk (EB_OVERLOADED: says disk full, locked, ...). One exception: a machine that goes
 * down right after a failed flush, before the next good commit, may have the group after all, whole; recovery then finds it. */
typedef void store_done(void *arg, const struct eb_err *err);

/* url: "sqlite:PATH" (absolute here). Opens or creates the file (0600), refuses one that another `serve` holds,
 * one of a newer version, and a damaged one, each with a text that says what to do; migrates; starts the thread. */
bool store_open(const char *url, struct eb_loop *loop, struct store **ret, struct eb_err *err) EB_CHECK;
/* The same, and follows the database's position in the directory of keys, as db_follow() says: an older copy is refused. */
bool store_open_followed(const char *url, const char *directory, struct eb_loop *loop, struct store **ret, struct eb_err *err) EB_CHECK;
/* The same database beside a service, or without one, for a command-line program that runs a loop of its own: no lock is taken. directory NULL: it follows no position. */
bool store_open_beside(const char *url, const char *directory, struct eb_loop *loop, struct store **ret, struct eb_err *err) EB_CHECK;
/* The staging file of a synchronization (store/stage.h): made where it is not there, thrown away and made anew where it is of another version or damaged. Locked until
 * it is closed: EB_OVERLOADED where another process synchronizes. It gathers no group commits of others and looks for no changes. */
bool store_open_stage(const char *path, struct eb_loop *loop, struct store **ret, struct eb_err *err) EB_CHECK;
/* Runs what is queued, commits, ends the thread, closes. The done functions of those jobs are still posted to the loop. */
void store_close(struct store *s);

/* The same without waiting for the disk: closed(arg) runs on the loop when everything is on disk and the file is let go of. No job is under way or comes any more. */
void store_close_later(struct store *s, void (*closed)(void *arg), void *arg);

/* Queues a job. `done` may be NULL. The caller keeps *arg alive until done. Never blocks. */
void store_submit(struct store *s, store_fn *fn, void *arg, store_done *done);
/* The same for a job that nobody waits for yet: it goes with the next one that somebody does wait for, in its commit, or by itself after some
 * milliseconds. Jobs of both kinds keep their order where a patient one came first. */
void store_submit_patient(struct store *s, store_fn *fn, void *arg, store_done *done);
void store_hurry(struct store *s);      /* somebody waits now */
/* Jobs not yet committed: ops refuses new work (503) above a ceiling. */
size_t store_queue_length(const struct store *s);
/* fn(arg) runs on the loop when another process has changed the database (looked for every 250 ms). */
void store_on_change(struct store *s, void (*fn)(void *arg), void *arg);

#endif
