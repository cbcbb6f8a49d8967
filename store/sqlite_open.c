/* sqlite_open.c - opening an SQLite file as this program needs it, and what its errors mean to people.
 *
 * The file, its WAL and its lock are readable by their owner only. A service holds flock() on "<path>.lock" for as long as it
 * runs, so that no second one works through the same journal; command-line programs do not take it. A synchronization holds that of its staging file.
 * Invariant: a connection is handed out only with WAL and all that its mode asks for (synchronous FULL and foreign keys for the store) in force.
 */
#include "store/sqlite.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BUSY_TIMEOUT_MS = 5000,         /* how long a command-line program's transaction is waited for */
    RETRY_MS = 5000,                /* when a caller may come again after a failure that can pass */
    PAGE_BYTES = 8192,              /* a fifth less work for an operation than 4096, and for a full read; 16384 is no better */
    CHECKPOINT_PAGES = 2000,        /* 16 MiB of WAL; each checkpoint costs one more flush */
    CACHE_KIB = 4096,
    STAGE_CHECKPOINT_PAGES = 8192,  /* 64 MiB: the same pages are written again and again while the first read fills the file */
    STAGE_CACHE_KIB = 12288
};

#define SETUP "PRAGMA cell_size_check = ON;" \
    "PRAGMA mmap_size = 0;"             /* a failing disk is then an error, not a SIGBUS */ \
    "PRAGMA secure_delete = FAST;" \
    "PRAGMA journal_size_limit = 67108864;"
/* In WAL, synchronous NORMAL may lose the last commits when the power fails, and nothing else. */
#define SETUP_STORE SETUP "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
#define SETUP_STAGE SETUP "PRAGMA synchronous = NORMAL; PRAGMA temp_store = FILE;"      /* what is sorted may be larger than what memory may hold */

struct sqlite_options {
    bool locked;                    /* holds "<path>.lock" */
    bool made;                      /* where it is not there */
    bool made_anew;                 /* where it is damaged */
    int checkpoint_pages, cache_kib;
    const char *setup;
    const char *name;               /* to people, before its path */
    const char *holder, *advice;    /* who has the lock, and what to do about it */
    const char *not_ours, *damaged; /* what to do about a file that is none, or not whole */
    enum eb_code damaged_code;
};

#define STORE_TEXTS .name = "database", .holder = "Another `entrabridge serve`", \
    .advice = "One service runs on one file: end the other one, or name another file under `store`.", \
    .not_ours = "This file is not a database. Name another file under `store`, or restore a backup.", \
    .damaged = "It is damaged. Stop the service, keep a copy of the file, and restore a backup.", .damaged_code = EB_INTERNAL
#define STAGE_TEXTS .name = "staging file", .holder = "Another process synchronizes: it", .advice = "Wait for its end, or end it.", \
    .not_ours = "It is not a database. The next synchronization makes it anew and reads everything.", \
    .damaged = "It is damaged. The next synchronization makes it anew and reads everything."
#define STORE_SIZES .checkpoint_pages = CHECKPOINT_PAGES, .cache_kib = CACHE_KIB

static const struct sqlite_options options[DB_OPEN_MODES] = {
    [DB_SERVE] = { .locked = true, .made = true, STORE_SIZES, .setup = SETUP_STORE, STORE_TEXTS },
    [DB_TOOL] = { .made = true, STORE_SIZES, .setup = SETUP_STORE, STORE_TEXTS },
    [DB_STAGE] = { .locked = true, .made = true, .made_anew = true, .checkpoint_pages = STAGE_CHECKPOINT_PAGES, .cache_kib = STAGE_CACHE_KIB,
                   .setup = SETUP_STAGE, STAGE_TEXTS, .damaged_code = EB_INTERNAL },
    [DB_STAGE_READ] = { .checkpoint_pages = STAGE_CHECKPOINT_PAGES, .cache_kib = CACHE_KIB, .setup = SETUP_STAGE "PRAGMA query_only = ON;", STAGE_TEXTS,
                        .damaged_code = EB_NOT_THERE },
};

static const struct { int rc; enum eb_code code; const char *text; } meanings[] = {
    { SQLITE_FULL,     EB_OVERLOADED, "The disk is full. Nothing is accepted until there is space again; no restart is needed." },
    { SQLITE_READONLY, EB_OVERLOADED, "It may only be read. The file, its directory and the file system must be writable for this user." },
    { SQLITE_BUSY,     EB_OVERLOADED, "Another program has kept it locked for too long. End that program (fuser shows it)." },
    { SQLITE_LOCKED,   EB_OVERLOADED, "Another program has kept it locked for too long. End that program (fuser shows it)." },
    { SQLITE_NOMEM,    EB_OVERLOADED, "There was no memory left." },
    { SQLITE_IOERR,    EB_OVERLOADED, "Reading or writing failed. Look into the system's log for errors of the disk." },
    { SQLITE_CANTOPEN, EB_OVERLOADED, "It cannot be opened. The directory must exist and be writable for this user." },
    { SQLITE_PERM,     EB_OVERLOADED, "It cannot be opened. The directory must exist and be writable for this user." },
};

static bool fail_damaged(struct sqlite_conn *c, int rc, const char *what, const char *where, struct eb_err *err)
{
    c->damaged = true;
    return eb_err_set(err, c->options->damaged_code, where, "The %s %s: %s (SQLite %d: %s)", c->options->name, c->path, what, rc, sqlite3_errstr(rc));
}

bool sqlite_fail(struct sqlite_conn *c, int rc, const char *where, struct eb_err *err)
{
    const char *detail = c->handle != NULL ? sqlite3_errmsg(c->handle) : sqlite3_errstr(rc);

    if ((rc & 0xFF) == SQLITE_NOTADB)
        return fail_damaged(c, rc, c->options->not_ours, where, err);
    if ((rc & 0xFF) == SQLITE_CORRUPT)
        return fail_damaged(c, rc, c->options->damaged, where, err);
    for (size_t i = 0; i < EB_LEN(meanings); i++)
        if (meanings[i].rc == (rc & 0xFF)) {
            (void)eb_err_set(err, meanings[i].code, where, "The %s %s: %s (SQLite %d: %s)", c->options->name, c->path, meanings[i].text, rc, detail);
            if (err != NULL && meanings[i].code == EB_OVERLOADED)
                err->retry_after_ms = RETRY_MS;
            return false;
        }
    return eb_err_set(err, EB_INTERNAL, where, "The %s %s refused a statement (SQLite %d: %s)", c->options->name, c->path, rc, detail);
}

/* SQLite would make the file with the umask's mode; the WAL takes over the mode of the file. An existing file is not opened
 * here: closing it again would drop the locks that this process may hold on it. */
static bool make_private(const struct sqlite_conn *c, struct eb_err *err)
{
    const char *path = c->path;
    struct stat st;
    int fd = c->options->made ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

    if (fd >= 0) {
        close(fd);
        return true;
    }
    if (!c->options->made && stat(path, &st) != 0 && errno == ENOENT)
        return eb_fail_field(err, EB_NOT_THERE, "store", "There is no %s %s.", c->options->name, path);
    if ((c->options->made && errno != EEXIST) || stat(path, &st) != 0)
        return eb_fail_field(err, EB_OVERLOADED, "store", "The %s %s cannot be made: %s. The directory must exist and be writable "
                             "for this user.", c->options->name, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return eb_fail_field(err, EB_INTERNAL, "store", "%s is not a file.", path);
    if ((st.st_mode & 077) != 0 && chmod(path, 0600) == 0)
        eb_warn(NULL, "store_mode path=%s was=%o now=600", path, (unsigned)st.st_mode & 0777);
    return true;
}

/* The number in the lock file is a hint for people only; the lock itself ends with its process. */
static bool take_lock(struct sqlite_conn *c, struct eb_err *err)
{
    char *path = eb_asprintf("%s.lock", c->path);
    char pid[16] = "";

    c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (c->lock_fd < 0)
        return eb_fail_field(err, EB_OVERLOADED, "store", "The lock %s.lock cannot be made: %s. The directory must exist and be writable "
                             "for this user.", c->path, strerror(errno));
    if (flock(c->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(c->lock_fd, pid, sizeof(pid) - 1);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        return eb_fail_field(err, EB_OVERLOADED, "store", "%s (process %s) works on the %s %s. %s", c->options->holder,
                             pid[0] != '\0' ? pid : "unknown", c->options->name, c->path, c->options->advice);
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(c->lock_fd, 0) != 0 || pwrite(c->lock_fd, pid, (size_t)len, 0) != len)
        eb_warn(NULL, "store_lock cannot write the process number: %s", strerror(errno));
    return true;
}

/* A lock that can be had is held for a moment: a start at that very instant would be refused, so this is asked only where a service does not answer. */
bool sqlite_is_served(const char *path, bool *ret, struct eb_err *err)
{
    char *name = eb_asprintf("%s.lock", path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    free(name);
    *ret = false;
    if (fd < 0)
        return errno == ENOENT || eb_fail_field(err, EB_OVERLOADED, "store", "The lock %s.lock cannot be read: %s.", path, strerror(errno));
    *ret = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return true;
}

static bool set_wal(struct sqlite_conn *c, struct eb_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(c->handle, "PRAGMA journal_mode = WAL", -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool wal = rc == SQLITE_ROW && eb_strieq((const char *)sqlite3_column_text(s, 0), "wal");
    bool ok = wal || (rc != SQLITE_ROW ? sqlite_fail(c, rc, __func__, err)
                                       : eb_fail_field(err, EB_INTERNAL, "store", "The %s %s cannot use a write-ahead log there. "
                                                       "It must be on a local file system.", c->options->name, c->path));
    sqlite3_finalize(s);
    return ok;
}

static bool configure(struct sqlite_conn *c, struct eb_err *err)
{
    char sizes[160];
    int rc = sqlite3_extended_result_codes(c->handle, 1);

    sqlite3_busy_timeout(c->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(c->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(c->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    /* The size of pages counts for a new file only, and before it gets its WAL. */
    snprintf(sizes, sizeof(sizes), "PRAGMA page_size = %d; PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d;", PAGE_BYTES,
             c->options->cache_kib, c->options->checkpoint_pages);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->handle, sizes, NULL, NULL, NULL);
    if (rc == SQLITE_OK && !set_wal(c, err))
        return false;
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->handle, c->options->setup, NULL, NULL, NULL);
    return rc == SQLITE_OK || sqlite_fail(c, rc, __func__, err);
}

static const char *const verb_sql[DB_VERB_COUNT] = {
    [DB_BEGIN] = "BEGIN IMMEDIATE", [DB_BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE", [DB_COMMIT] = "COMMIT", [DB_ROLLBACK] = "ROLLBACK",
    [DB_SAVEPOINT] = "SAVEPOINT job", [DB_RELEASE] = "RELEASE job", [DB_ROLLBACK_TO] = "ROLLBACK TO job",
};

static bool prepare_verbs(struct sqlite_conn *c, struct eb_err *err)
{
    int rc = sqlite3_prepare_v3(c->handle, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT, &c->data_version, NULL);

    for (int i = 0; i < DB_VERB_COUNT && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v3(c->handle, verb_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &c->verbs[i], NULL);
    return rc == SQLITE_OK || sqlite_fail(c, rc, __func__, err);
}

static void close_handle(struct sqlite_conn *c)
{
    for (int i = 0; i < DB_VERB_COUNT; i++) {
        sqlite3_finalize(c->verbs[i]);
        c->verbs[i] = NULL;
    }
    sqlite3_finalize(c->data_version);
    c->data_version = NULL;
    sqlite3_close_v2(c->handle);
    c->handle = NULL;
}

/* NOMUTEX: a connection is used by one thread at a time (store.c's, or a tool's only one). */
static bool open_handle(struct sqlite_conn *c, struct eb_err *err)
{
    int rc = sqlite3_open_v2(c->path, &c->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        (void)sqlite_fail(c, rc, __func__, err);
    else if (sqlite3_db_readonly(c->handle, "main") == 1)   /* SQLite falls back to reading where it may not write */
        (void)sqlite_fail(c, SQLITE_READONLY, __func__, err);
    else if (configure(c, err) && prepare_verbs(c, err))
        return true;
    close_handle(c);
    return false;
}

/* Counting its memory costs SQLite a lock an allocation; nobody looks at the count. Refused, and no harm, where SQLite runs already. */
static void tune_once(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* The file goes first: a file without its WAL might look whole, a WAL beside a new empty file is thrown away by SQLite. */
void sqlite_conn_discard(void *conn)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    struct sqlite_conn *c = conn;

    close_handle(c);
    for (size_t i = 0; i < EB_LEN(ends); i++) {
        char *name = eb_asprintf("%s%s", c->path, ends[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            eb_error(NULL, "stage_discard cannot delete %s: %s", name, strerror(errno));
        free(name);
    }
}

static bool open_anew(struct sqlite_conn *c, struct eb_err *err)
{
    if (!c->options->made_anew || !c->damaged)
        return false;
    eb_warn(NULL, "stage_anew path=%s reason=damaged", c->path);
    sqlite_conn_discard(c);
    return sqlite_conn_reopen(c, err);
}

bool sqlite_conn_open(const char *path, enum db_open_mode mode, void **ret_conn, struct eb_err *err)
{
    if (path[0] == '\0')
        return eb_fail_field(err, EB_INVALID_REQUEST, "store", "\"sqlite:\" must be followed by the path of a file.");
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, tune_once);
    struct sqlite_conn *c = eb_alloc(sizeof(*c));
    c->path = eb_strdup(path);
    c->lock_fd = -1;
    c->options = &options[mode];
    if ((!c->options->locked || take_lock(c, err)) && make_private(c, err) && (open_handle(c, err) || open_anew(c, err))) {
        *ret_conn = c;
        return true;
    }
    sqlite_conn_close(c);
    return false;
}

/* After a discarding the file is made again: a store's own is never made here, so that one that has vanished is missed. */
bool sqlite_conn_reopen(void *conn, struct eb_err *err)
{
    struct sqlite_conn *c = conn;

    close_handle(c);
    if (c->options->made_anew && !make_private(c, err))
        return false;
    c->damaged = false;
    return open_handle(c, err);
}

void sqlite_conn_close(void *conn)
{
    struct sqlite_conn *c = conn;

    close_handle(c);
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    free(c->path);
    free(c);
}
