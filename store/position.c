/* position.c - comparing the database with what is known of it outside, and keeping both in step.
 *
 * Invariant: an entry is written only after the commit that it is about has returned, and then that commit is durable. The file is read before the
 * database where both are compared, for a service may go on meanwhile.
 * Owns: the keeper's descriptor.
 */
#include "store/position_file.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct position_keeper {
    int fd;                         /* -1: the database is not what it should be, and must not be changed */
    enum position_writer writer;
    struct position now;            /* as of the transaction under way, or of the last one */
    struct eb_err refusal;
    bool failed;                    /* the file could not be written, and that was said */
};

/* ---- comparing ---- */

static bool read_database(struct db *db, struct position *ret, struct eb_err *err)
{
    *ret = (struct position){ 0 };
    return db_number(db_prepare(db, "SELECT value FROM counters WHERE name = 'generation'", err), &ret->generation, err) &&
           db_number(db_prepare(db, "SELECT value FROM counters WHERE name = 'position'", err), &ret->number, err) &&
           db_number(db_prepare(db, "SELECT number FROM audit_head WHERE one = 1", err), &ret->audit, err) &&
           db_number(db_prepare(db, "SELECT COALESCE(MAX(time_ms), 0) FROM (SELECT time_ms FROM audit ORDER BY number DESC LIMIT 16) AS newest", err),
                     &ret->time_ms, err);
}

static void raise_to(struct position *known, const struct position *p)
{
    if (p->number > known->number || known->generation == 0)
        known->number = p->number;
    known->generation = p->generation;
    known->audit = p->audit > known->audit ? p->audit : known->audit;
    known->time_ms = p->time_ms > known->time_ms ? p->time_ms : known->time_ms;
}

/* The furthest of the database's own generation; of any other, where there is none. */
static void find_known(const struct position_entries *e, int64_t generation, struct position *ret)
{
    struct position own = { 0 }, others = { 0 };

    for (size_t i = 0; i < POSITION_ENTRIES; i++)
        if (e->all[i].generation != 0)
            raise_to(e->all[i].generation == generation ? &own : &others, &e->all[i]);
    *ret = own.generation != 0 ? own : others;
}

/* A file without a commit belongs to the database that it was made for: the start that made it was cut off before that had its generation. */
static enum position_verdict judge(const struct position_entries *e, const struct position *database, const struct position *known)
{
    if (!e->there)
        return database->generation == 0 ? POSITION_FRESH : POSITION_MISSING;
    if (known->generation == 0)
        return POSITION_SPOILT;
    if (database->generation == 0)
        return known->number == 0 ? POSITION_FRESH : POSITION_OTHER;
    if (database->generation != known->generation)
        return POSITION_OTHER;
    return database->number < known->number ? POSITION_BEHIND : POSITION_GOOD;
}

static bool look(struct db *db, const char *directory, struct position_look *ret, int *ret_fd, struct eb_err *err)
{
    struct position_entries e = { 0 };
    bool there;

    if (!position_file_open(directory, ret_fd, &there, err))
        return false;
    bool good = (!there || position_file_read(*ret_fd, &e, err)) && read_database(db, &ret->database, err);
    if (!good && there)
        close(*ret_fd);
    if (!good)
        return false;
    find_known(&e, ret->database.generation, &ret->known);
    ret->verdict = judge(&e, &ret->database, &ret->known);
    ret->spoilt = e.spoilt;
    return true;
}

bool position_look(struct db *db, const char *directory, struct position_look *ret, struct eb_err *err)
{
    int fd = -1;

    if (!look(db, directory, ret, &fd, err))
        return false;
    if (fd >= 0)
        close(fd);
    return true;
}

#define RECOVER "Stop here, and run `entrabridge recover --after-restore`: it ends what was open as unknown and takes back tokens, before anything is done twice."

bool position_refuse(const struct position_look *l, struct eb_err *err)
{
    char until[EB_TIME_LEN];

    switch (l->verdict) {
    case POSITION_BEHIND:
        return eb_fail_field(err, EB_INTERNAL, "store", "The database is an older copy: it stands at %lld, and this installation had come to %lld (%s). "
                             "It was restored from a backup. " RECOVER, (long long)l->database.number, (long long)l->known.number,
                             eb_time_format(l->known.time_ms, until));
    case POSITION_OTHER:
        return eb_fail_field(err, EB_INTERNAL, "store", "The database is not the one that this installation has worked on last: it is another one, or was restored from "
                             "a backup made before it was recovered or upgraded. " RECOVER);
    case POSITION_MISSING:
        return eb_fail_field(err, EB_INTERNAL, "store", "The file `" POSITION_FILE "` is not in the directory of keys, so that nobody can say whether the database is an older copy. "
                             "Put it back if it was moved away; if keys or database were restored: " RECOVER);
    case POSITION_SPOILT:
        return eb_fail_field(err, EB_INTERNAL, "store", "The file `" POSITION_FILE "` in the directory of keys is spoilt, so that nobody can say whether the database is an older copy. "
                             RECOVER);
    case POSITION_FRESH:
    case POSITION_GOOD:
        break;
    }
    return true;
}

/* ---- keeping in step ---- */

static bool set_counter(struct db *db, const char *name, int64_t value, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO counters (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                      DB_T(name), DB_I(value));
}

static int64_t new_generation(void)
{
    int64_t g = 0;

    while (g <= 0) {
        eb_random(&g, sizeof g);
        g &= INT64_MAX;
    }
    return g;
}

static bool set_generation(struct db *db, void *arg, struct eb_err *err)
{
    const struct position *p = arg;

    return set_counter(db, "generation", p->generation, err);
}

/* The file first: without it, a database that has a generation is refused. */
static bool begin_keeping(struct db *db, const char *directory, struct position_look *l, int *fd, struct eb_err *err)
{
    bool there = *fd >= 0;

    l->database.generation = there ? l->known.generation : new_generation();
    if (!there && !position_file_make(directory, POSITION_SERVICE, &(struct position){ .generation = l->database.generation }, err))
        return false;
    return (there || position_file_open(directory, fd, &there, err)) && db_transact(db, set_generation, &l->database, err);
}

/* What a recovery has left, or a torn write: from now on the file tells of this database alone. */
static bool tidy(const char *directory, const struct position_look *l, int *fd, struct eb_err *err)
{
    struct position_entries e;
    bool stale = l->spoilt > 0, there;

    if (!position_file_read(*fd, &e, err))
        return false;
    for (size_t i = 0; i < POSITION_ENTRIES; i++)
        stale |= e.all[i].generation != 0 && e.all[i].generation != l->database.generation;
    if (!stale)
        return true;
    if (l->spoilt > 0)
        eb_warn(NULL, "position_file entries=%d were torn or spoilt; the others tell that the database is in order, and they are made anew", l->spoilt);
    close(*fd);
    return position_file_make(directory, POSITION_SERVICE, &l->database, err) && position_file_open(directory, fd, &there, err);
}

static bool prepare(struct db *db, const char *directory, bool service, struct position_look *l, int *fd, struct eb_err *err)
{
    if (!service)
        return true;
    if (l->verdict == POSITION_FRESH)
        return begin_keeping(db, directory, l, fd, err);
    return l->verdict == POSITION_GOOD ? tidy(directory, l, fd, err) : position_refuse(l, err);
}

bool position_follow(struct db *db, const char *directory, bool service, struct position_keeper **ret, struct eb_err *err)
{
    struct position_look l;
    int fd = -1;

    *ret = NULL;
    if (!look(db, directory, &l, &fd, err))
        return false;
    if (!prepare(db, directory, service, &l, &fd, err)) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool good = l.verdict == POSITION_GOOD || l.verdict == POSITION_FRESH;
    if ((!service && l.verdict == POSITION_FRESH) || !good) {
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    if (!service && l.verdict == POSITION_FRESH)
        return true;                    /* the service begins */
    *ret = eb_alloc(sizeof **ret);
    **ret = (struct position_keeper){ .fd = fd, .writer = service ? POSITION_SERVICE : POSITION_TOOL, .now = l.database };
    if (!good)
        (void)position_refuse(&l, &(*ret)->refusal);
    return true;
}

void position_keeper_free(struct position_keeper *k)
{
    if (k != NULL && k->fd >= 0)
        close(k->fd);
    free(k);
}

bool position_may_change(const struct position_keeper *k, struct eb_err *err)
{
    if (k == NULL || k->refusal.code == EB_OK)
        return true;
    if (err != NULL)
        *err = k->refusal;
    return false;
}

bool position_raise(struct db *db, struct position_keeper *k, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "UPDATE counters SET value = value + 1 WHERE name = 'position'"
                                   " RETURNING value, COALESCE((SELECT number FROM audit_head WHERE one = 1), 0)", err);
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_INTERNAL, "The database has lost its position.");
    k->now.number = db_int(s, 0);
    k->now.audit = db_int(s, 1);
    return db_run(s, NULL, err);
}

/* Beside a service there may be several programs: none of them takes the file back. */
static bool write_shared(struct position_keeper *k)
{
    struct position_entries e;

    if (flock(k->fd, LOCK_EX) != 0 || !position_file_read(k->fd, &e, NULL))
        return false;
    const struct position *there = &e.all[POSITION_TOOL * 2 + (k->now.number & 1)];
    bool good = (there->generation == k->now.generation && there->number > k->now.number) || position_entry_write(k->fd, k->writer, &k->now);
    flock(k->fd, LOCK_UN);
    return good;
}

void position_committed(struct position_keeper *k)
{
    k->now.time_ms = eb_now_ms();
    bool good = k->writer == POSITION_TOOL ? write_shared(k) : position_entry_write(k->fd, k->writer, &k->now);
    if (!good && !k->failed)
        eb_error(NULL, "position_file cannot be written (%s): until it can, a start does not notice if an older copy of the database is put in its place",
                 strerror(errno));
    k->failed = !good;
}

/* ---- after a recovery ---- */

bool position_renew(struct db *db, const char *directory, int64_t now_ms, struct position *ret, struct eb_err *err)
{
    struct position_look l;
    int fd = -1;

    if (!look(db, directory, &l, &fd, err))
        return false;
    int64_t furthest = l.database.number > l.known.number ? l.database.number : l.known.number;
    *ret = (struct position){ new_generation(), furthest + 1, l.database.audit, now_ms };
    bool good = fd < 0 ? position_file_make(directory, POSITION_RECOVERY, ret, err)
                       : (position_entry_write(fd, POSITION_RECOVERY, ret) || eb_fail(err, EB_INTERNAL, "%s/" POSITION_FILE " cannot be written: %s",
                                                                                       directory, strerror(errno))) &&
                             position_file_flush(fd, directory, err);
    if (fd >= 0)
        close(fd);
    return good && set_counter(db, "generation", ret->generation, err) && set_counter(db, "position", ret->number, err);
}

bool position_renewed(const char *directory, const struct position *p, struct eb_err *err)
{
    return position_file_make(directory, POSITION_SERVICE, p, err);
}
