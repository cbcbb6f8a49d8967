/* fault_vfs.h - a layer under SQLite for tests: a disk that fills up, fails, refuses, or loses what was not synced yet.
 *
 * Everything goes through to the real file at once, so that SQLite reads what it wrote. Beside, each file has the image that
 * would survive a power cut (what was there at the last sync) and the list of writes since. fv_cut() puts the image with some of
 * those writes, any of them, whole or by sectors, into another directory: what a machine could find after the cut.
 * Databases are used by one thread at a time.
 */
#ifndef TESTS_FAULT_VFS_H
#define TESTS_FAULT_VFS_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FV_SECTOR = 512 };

struct fv_change { sqlite3_int64 at; size_t len; unsigned char *data; struct fv_change *next; };     /* data NULL: cut off at `at` */

struct fv_image { unsigned char *data; size_t len, space; };

struct fv_node {
    char *path;
    struct fv_image durable;
    struct fv_change *first, **last;
    struct fv_node *next;
};

struct fv_file { sqlite3_file base; struct fv_node *node; sqlite3_file *real; };

static struct {
    sqlite3_vfs vfs, *real;
    struct fv_node *nodes;
    bool aside;                 /* files opened now are not followed */
    _Atomic bool full, sync_fails, read_only;      /* may be set while the database thread runs */
    unsigned long random;
    long calls_to_cut;          /* the cut comes before this change; 0: none */
    const char *cut_dir;
    bool cut_done;
    void (*on_cut)(void);       /* NULL: nobody asks */
    struct fv_image scratch;    /* kept: the image being put together */
} fv = { .random = 88172645463325252UL };

static unsigned long fv_random(void)
{
    fv.random ^= fv.random << 13;
    fv.random ^= fv.random >> 7;
    fv.random ^= fv.random << 17;
    return fv.random;
}

static struct fv_node *fv_node(const char *path)
{
    struct fv_node *n = fv.nodes;

    while (n != NULL && strcmp(n->path, path) != 0)
        n = n->next;
    if (n != NULL)
        return n;
    n = calloc(1, sizeof(*n));
    n->path = strdup(path);
    n->last = &n->first;
    n->next = fv.nodes;
    return fv.nodes = n;
}

static void fv_room(struct fv_image *image, size_t len)
{
    if (len <= image->space)
        return;
    image->space = len * 2;
    image->data = realloc(image->data, image->space);
    if (image->data == NULL)
        abort();
}

static void fv_apply(struct fv_image *image, sqlite3_int64 at, const unsigned char *data, size_t n)
{
    size_t end = (size_t)at + n;

    if (data == NULL) {
        image->len = (size_t)at < image->len ? (size_t)at : image->len;
        return;
    }
    if (end > image->len) {
        fv_room(image, end);
        memset(image->data + image->len, 0, end - image->len);
        image->len = end;
    }
    memcpy(image->data + at, data, n);
}

static void fv_forget(struct fv_node *n)
{
    struct fv_change *c;

    while ((c = n->first) != NULL) {
        n->first = c->next;
        free(c->data);
        free(c);
    }
    n->last = &n->first;
}

/* Some of what was not synced, chosen by `how`: none, all, a beginning, any changes, any sectors of them. */
static void fv_survivors(const struct fv_node *n, unsigned long how, struct fv_image *image)
{
    bool going = true;

    for (const struct fv_change *c = n->first; c != NULL && how != 0; c = c->next) {
        if (how == 2 && fv_random() % 4 == 0)
            going = false;
        if (!going || (how == 3 && fv_random() % 2 == 0))
            continue;
        if (how != 4 || c->data == NULL) {
            fv_apply(image, c->at, c->data, c->len);
            continue;
        }
        for (size_t at = 0; at < c->len; at += FV_SECTOR)
            if (fv_random() % 2 == 0)
                fv_apply(image, c->at + (sqlite3_int64)at, c->data + at, c->len - at < FV_SECTOR ? c->len - at : FV_SECTOR);
    }
}

static void fv_cut_node(const struct fv_node *n, const char *dir)
{
    struct fv_image *image = &fv.scratch;
    char path[4096];

    fv_room(image, n->durable.len + 1);
    image->len = n->durable.len;
    if (image->len > 0)
        memcpy(image->data, n->durable.data, image->len);
    fv_survivors(n, fv_random() % 5, image);
    snprintf(path, sizeof(path), "%s/%s", dir, strrchr(n->path, '/') + 1);
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(image->data, 1, image->len, f) != image->len || fclose(f) != 0)
        abort();
}

/* What is left of the disk's files, written to dir. */
static void fv_cut(const char *dir)
{
    for (const struct fv_node *n = fv.nodes; n != NULL; n = n->next)
        fv_cut_node(n, dir);
    if (fv.on_cut != NULL)
        fv.on_cut();
    fv.cut_done = true;
}

static void fv_count(const struct fv_file *f)
{
    if (f->node != NULL && fv.calls_to_cut > 0 && --fv.calls_to_cut == 0)
        fv_cut(fv.cut_dir);
}

static void fv_note(const struct fv_file *f, sqlite3_int64 at, const void *data, size_t len)
{
    if (f->node == NULL)
        return;
    struct fv_change *c = calloc(1, sizeof(*c));
    c->at = at;
    c->len = len;
    if (data != NULL)
        c->data = memcpy(malloc(len + 1), data, len);
    *f->node->last = c;
    f->node->last = &c->next;
}

#define FV_REAL(file) (((struct fv_file *)(file))->real)

static int fv_close(sqlite3_file *file)
{
    return FV_REAL(file)->pMethods->xClose(FV_REAL(file));
}

static int fv_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    return FV_REAL(file)->pMethods->xRead(FV_REAL(file), out, n, at);
}

static int fv_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
    struct fv_file *f = (struct fv_file *)file;

    fv_count(f);
    if (fv.full && f->node != NULL)
        return SQLITE_FULL;
    fv_note(f, at, data, (size_t)n);
    return f->real->pMethods->xWrite(f->real, data, n, at);
}

static int fv_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct fv_file *f = (struct fv_file *)file;

    fv_count(f);
    fv_note(f, size, NULL, 0);
    return f->real->pMethods->xTruncate(f->real, size);
}

/* The real disk needs no sync: the machine itself stays on. */
static int fv_sync(sqlite3_file *file, int flags)
{
    struct fv_file *f = (struct fv_file *)file;

    (void)flags;
    fv_count(f);
    if (f->node == NULL)
        return SQLITE_OK;
    if (fv.sync_fails)
        return SQLITE_IOERR_FSYNC;
    for (const struct fv_change *c = f->node->first; c != NULL; c = c->next)
        fv_apply(&f->node->durable, c->at, c->data, c->len);
    fv_forget(f->node);
    return SQLITE_OK;
}

static int fv_size(sqlite3_file *file, sqlite3_int64 *size) { return FV_REAL(file)->pMethods->xFileSize(FV_REAL(file), size); }
static int fv_lock(sqlite3_file *file, int level) { return FV_REAL(file)->pMethods->xLock(FV_REAL(file), level); }
static int fv_unlock(sqlite3_file *file, int level) { return FV_REAL(file)->pMethods->xUnlock(FV_REAL(file), level); }
static int fv_reserved(sqlite3_file *file, int *out) { return FV_REAL(file)->pMethods->xCheckReservedLock(FV_REAL(file), out); }
static int fv_control(sqlite3_file *file, int op, void *arg) { return FV_REAL(file)->pMethods->xFileControl(FV_REAL(file), op, arg); }
static int fv_sector_size(sqlite3_file *file) { (void)file; return FV_SECTOR; }
/* Nothing is promised: neither that a sector is written whole nor that the rest of one stays. */
static int fv_traits(sqlite3_file *file) { (void)file; return 0; }
static int fv_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) { return FV_REAL(file)->pMethods->xShmMap(FV_REAL(file), page, size, extend, out); }
static int fv_shm_lock(sqlite3_file *file, int at, int n, int flags) { return FV_REAL(file)->pMethods->xShmLock(FV_REAL(file), at, n, flags); }
static void fv_shm_barrier(sqlite3_file *file) { FV_REAL(file)->pMethods->xShmBarrier(FV_REAL(file)); }
static int fv_shm_unmap(sqlite3_file *file, int remove) { return FV_REAL(file)->pMethods->xShmUnmap(FV_REAL(file), remove); }

static const sqlite3_io_methods fv_methods = {
    .iVersion = 2, .xClose = fv_close, .xRead = fv_read, .xWrite = fv_write, .xTruncate = fv_truncate, .xSync = fv_sync, .xFileSize = fv_size,
    .xLock = fv_lock, .xUnlock = fv_unlock, .xCheckReservedLock = fv_reserved, .xFileControl = fv_control, .xSectorSize = fv_sector_size,
    .xDeviceCharacteristics = fv_traits, .xShmMap = fv_shm_map, .xShmLock = fv_shm_lock, .xShmBarrier = fv_shm_barrier, .xShmUnmap = fv_shm_unmap,
};

static int fv_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct fv_file *f = (struct fv_file *)file;

    (void)vfs;
    *f = (struct fv_file){ .real = (sqlite3_file *)(f + 1) };
    if (fv.read_only && (flags & SQLITE_OPEN_MAIN_DB) != 0)
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    int rc = fv.real->xOpen(fv.real, name, f->real, flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    if (name != NULL && !fv.aside)
        f->node = fv_node(name);
    f->base.pMethods = &fv_methods;
    return rc;
}

static int fv_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    for (struct fv_node **at = &fv.nodes; *at != NULL && !fv.aside; at = &(*at)->next)
        if (strcmp((*at)->path, name) == 0) {
            struct fv_node *n = *at;
            *at = n->next;
            fv_forget(n);
            free(n->durable.data);
            free(n->path);
            free(n);
            break;
        }
    return fv.real->xDelete(fv.real, name, sync_dir);
}

/* Before the first database is opened: every connection of the program goes through it from then on. */
static void fv_install(void)
{
    fv.real = sqlite3_vfs_find(NULL);
    fv.vfs = *fv.real;
    fv.vfs.zName = "fault";
    fv.vfs.szOsFile = (int)sizeof(struct fv_file) + fv.real->szOsFile;
    fv.vfs.xOpen = fv_open;
    fv.vfs.xDelete = fv_delete;
    sqlite3_vfs_register(&fv.vfs, 1);
}

/* A new disk. All databases must be closed. */
static void fv_reset(void)
{
    struct fv_node *n;

    while ((n = fv.nodes) != NULL) {
        fv.nodes = n->next;
        fv_forget(n);
        free(n->durable.data);
        free(n->path);
        free(n);
    }
    fv.full = fv.sync_fails = fv.read_only = fv.aside = fv.cut_done = false;
    fv.calls_to_cut = 0;
}

#endif
