/* keys.c - the directory of keys: token-<kid>.key (one or more), idempotency.key, audit.key, secrets.key, 32 random bytes each.
 *
 * Rotation: put a further token-<kid>.key there and start anew. Names are compared as text; the last one signs, all of them
 * verify. The program's own kids begin with the time, so that a newer one comes later.
 * Invariant: token keys are made last. Where one is there, the others were; if they are not, they are lost, and making new
 * ones would hide that the audit chain can no longer be verified. Not so secrets.key: what it seals lasts for days at most, so it
 * is made whenever it is missing.
 */
#include "auth/inside.h"

#include "base/random.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNING_MAX 64
#define PREFIX "token-"
#define SUFFIX ".key"

static bool check_file(int fd, const char *directory, const char *name, struct eb_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return eb_fail(err, EB_INTERNAL, "%s/%s cannot be looked at: %s", directory, name, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size != AUTH_KEY_LEN)
        return eb_fail(err, EB_INTERNAL, "%s/%s is not a key of %d bytes: restore it from a backup", directory, name, AUTH_KEY_LEN);
    if ((st.st_mode & 077) != 0)
        return eb_fail(err, EB_INTERNAL, "%s/%s can be read or written by group or others (mode %04o): chmod 600, and make a new key if others may have read it",
                       directory, name, (unsigned)(st.st_mode & 07777));
    return true;
}

/* EB_NOT_THERE: no such file. */
static bool key_read(int dir, const char *directory, const char *name, uint8_t out[AUTH_KEY_LEN], struct eb_err *err)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return eb_fail(err, errno == ENOENT ? EB_NOT_THERE : EB_INTERNAL, "%s/%s cannot be opened: %s", directory, name, strerror(errno));
    bool good = check_file(fd, directory, name, err);
    if (good && read(fd, out, AUTH_KEY_LEN) != AUTH_KEY_LEN)
        good = eb_fail(err, EB_INTERNAL, "%s/%s cannot be read", directory, name);
    close(fd);
    return good;
}

static bool write_new(int dir, const char *name, const uint8_t key[AUTH_KEY_LEN])
{
    static const char draft[] = "draft.tmp";

    unlinkat(dir, draft, 0);            /* left over from a crash; we hold the lock */
    int fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, key, AUTH_KEY_LEN) == AUTH_KEY_LEN && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return good && renameat(dir, draft, dir, name) == 0 && fsync(dir) == 0;
}

static bool key_make(int dir, const char *directory, const char *name, struct eb_err *err)
{
    uint8_t key[AUTH_KEY_LEN];

    eb_random(key, sizeof(key));
    bool good = write_new(dir, name, key);
    OPENSSL_cleanse(key, sizeof(key));
    return good || eb_fail(err, EB_INTERNAL, "%s/%s cannot be made: %s", directory, name, strerror(errno));
}

/* "token-<kid>.key" with a kid of letters, digits, - and _. */
static bool kid_of(const char *name, char kid[AUTH_KID_MAX + 1])
{
    size_t len = strlen(name), ends = strlen(PREFIX) + strlen(SUFFIX);

    if (len <= ends || len - ends > AUTH_KID_MAX || strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
        strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
        return false;
    memcpy(kid, name + strlen(PREFIX), len - ends);
    kid[len - ends] = '\0';
    for (const char *p = kid; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
            return false;
    return true;
}

static int by_kid(const void *a, const void *b)
{
    return strcmp(((const struct auth_signing_key *)a)->kid, ((const struct auth_signing_key *)b)->kid);
}

static bool signing_scan(struct auth_keys *k, DIR *list, int dir, const char *directory, struct eb_err *err)
{
    const struct dirent *e;

    while ((e = readdir(list)) != NULL) {
        struct auth_signing_key *next = &k->signing[k->count];
        if (!kid_of(e->d_name, next->kid))
            continue;
        if (k->count + 1 == SIGNING_MAX)
            return eb_fail(err, EB_INTERNAL, "%s holds more than %d token keys: take old ones out", directory, SIGNING_MAX - 1);
        if (!key_read(dir, directory, e->d_name, next->key, err))
            return false;
        k->count++;
    }
    qsort(k->signing, k->count, sizeof(*k->signing), by_kid);
    return true;
}

static bool signing_read(struct auth_keys *k, int dir, const char *directory, struct eb_err *err)
{
    int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = again >= 0 ? fdopendir(again) : NULL;

    if (list == NULL) {
        if (again >= 0)
            close(again);
        return eb_fail(err, EB_INTERNAL, "%s cannot be listed: %s", directory, strerror(errno));
    }
    bool good = signing_scan(k, list, dir, directory, err);
    closedir(list);
    return good;
}

static bool named_read(struct auth_keys *k, int dir, const char *directory, bool first, bool create, struct eb_err *err)
{
    const struct { const char *name; uint8_t *key; bool lasting; bool *ret_there; } named[] = {
        { "audit.key", k->audit, true, NULL }, { "idempotency.key", k->idempotency, true, NULL },
        { "secrets.key", k->secrets, false, &k->has_secrets },
    };
    for (size_t i = 0; i < EB_LEN(named); i++) {
        struct eb_err e = { 0 };
        bool there = key_read(dir, directory, named[i].name, named[i].key, &e);
        if (!there && e.code != EB_NOT_THERE) {
            *err = e;
            return false;
        }
        if (!there && !first && named[i].lasting)
            return eb_fail(err, EB_INTERNAL, "%s/%s is missing while token keys are there: restore it from a backup", directory, named[i].name);
        if (!there && create) {
            there = key_make(dir, directory, named[i].name, err) && key_read(dir, directory, named[i].name, named[i].key, err);
            if (!there)
                return false;
        }
        if (named[i].ret_there != NULL)
            *named[i].ret_there = there;
    }
    return true;
}

static bool signing_make(struct auth_keys *k, int dir, const char *directory, struct eb_err *err)
{
    char id[EB_ID_LEN], name[64];

    eb_id_new(id);
    snprintf(name, sizeof(name), PREFIX "%.13s" SUFFIX, id);        /* the part of the id that is the time */
    return key_make(dir, directory, name, err) && signing_read(k, dir, directory, err);
}

static bool keys_read(struct auth_keys *k, int dir, const char *directory, bool create, struct eb_err *err)
{
    struct stat st;

    if (fstat(dir, &st) != 0 || (st.st_mode & 022) != 0)
        return eb_fail(err, EB_INTERNAL, "%s can be written by group or others: chmod 700", directory);
    if (!signing_read(k, dir, directory, err))
        return false;
    if (k->count == 0 && !create)
        return eb_fail(err, EB_NOT_THERE, "%s holds no keys yet: they are made when the service starts for the first time", directory);
    return named_read(k, dir, directory, k->count == 0, create, err) && (k->count > 0 || signing_make(k, dir, directory, err));
}

static int open_directory(const char *directory, bool create, struct eb_err *err)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && create && mkdir(directory, 0700) == 0)
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        eb_fail(err, errno == ENOENT && !create ? EB_NOT_THERE : EB_INTERNAL, "the directory of keys %s cannot be %s: %s", directory,
                create ? "opened or made" : "opened", strerror(errno));
        return -1;
    }
    /* Two programs that start at once must not make two sets of keys. */
    if (create && flock(fd, LOCK_EX) != 0) {
        eb_fail(err, EB_INTERNAL, "%s cannot be locked: %s", directory, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

bool auth_keys_open(const char *directory, bool create, struct auth_keys **ret, struct eb_err *err)
{
    int dir = open_directory(directory, create, err);

    if (dir < 0)
        return false;
    struct auth_keys *k = eb_alloc(sizeof(*k));
    k->signing = eb_alloc(SIGNING_MAX * sizeof(*k->signing));
    eb_random(k->decoy, sizeof(k->decoy));
    bool good = keys_read(k, dir, directory, create, err);
    close(dir);
    if (good)
        *ret = k;
    else
        auth_keys_free(k);
    return good;
}

void auth_keys_free(struct auth_keys *k)
{
    if (k == NULL)
        return;
    OPENSSL_cleanse(k->signing, SIGNING_MAX * sizeof(*k->signing));
    free(k->signing);
    OPENSSL_cleanse(k, sizeof(*k));
    free(k);
}

const uint8_t *auth_key(const struct auth_keys *k, const char *name)
{
    if (strcmp(name, "audit") == 0)
        return k->audit;
    if (strcmp(name, "secrets") == 0)
        return k->has_secrets ? k->secrets : NULL;
    return strcmp(name, "idempotency") == 0 ? k->idempotency : NULL;
}

const struct auth_signing_key *auth_keys_find(const struct auth_keys *k, const char *kid)
{
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->signing[i].kid, kid) == 0)
            return &k->signing[i];
    return NULL;
}
