/* position_file.c - the file that says how far the database has come, and the list of what happened to tokens.
 *
 * An entry is one line of text at the begin of its sector. Invariant: a file that is there was whole on disk under its draft's name before, so that an entry
 * that cannot be read was torn or spoilt, and never just not written yet.
 */
#include "store/position_file.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORM "position 1 %016" PRIx64 " %019" PRId64 " %019" PRId64 " %019" PRId64 " "
enum { SUM_LEN = 16, FORM_LEN = 11 + 17 + 20 + 20 + 20, LINE_LEN = FORM_LEN + SUM_LEN + 1 /* the line's end */, FILE_LEN = POSITION_ENTRIES * POSITION_SECTOR };

static bool fail_file(const char *directory, const char *name, const char *what, struct eb_err *err)
{
    return eb_fail(err, EB_INTERNAL, "%s/%s cannot be %s: %s. It says how far the database has come: the directory must be writable for this user.",
                   directory, name, what, strerror(errno));
}

static void line_sum(const char *form, char out[SUM_LEN + 1])
{
    char hex[EB_HEX_LEN];

    eb_sha256_hex(form, FORM_LEN, hex);
    memcpy(out, hex, SUM_LEN);
    out[SUM_LEN] = '\0';
}

static bool line_make(const struct position *p, char out[LINE_LEN + 1])
{
    char sum[SUM_LEN + 1];
    int n = snprintf(out, LINE_LEN + 1, FORM, (uint64_t)p->generation, p->number, p->audit, p->time_ms);

    if (n != FORM_LEN)
        return false;
    line_sum(out, sum);
    memcpy(out + FORM_LEN, sum, SUM_LEN);
    memcpy(out + FORM_LEN + SUM_LEN, "\n", 2);
    return true;
}

static bool line_read(const char *line, struct position *ret)
{
    char sum[SUM_LEN + 1], text[FORM_LEN + 1];
    uint64_t generation;

    line_sum(line, sum);
    if (memcmp(sum, line + FORM_LEN, SUM_LEN) != 0)
        return false;
    memcpy(text, line, FORM_LEN);
    text[FORM_LEN] = '\0';
    if (sscanf(text, "position 1 %" SCNx64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &generation, &ret->number, &ret->audit, &ret->time_ms) != 4)
        return false;
    ret->generation = (int64_t)generation;
    return ret->generation > 0 && ret->number >= 0;
}

static bool is_empty(const char *sector)
{
    for (size_t i = 0; i < POSITION_SECTOR; i++)
        if (sector[i] != '\0')
            return false;
    return true;
}

/* ---- the file ---- */

bool position_file_open(const char *directory, int *ret_fd, bool *ret_there, struct eb_err *err)
{
    char *path = eb_asprintf("%s/" POSITION_FILE, directory);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    free(path);
    *ret_fd = fd;
    *ret_there = fd >= 0;
    if (fd < 0)
        return errno == ENOENT || fail_file(directory, POSITION_FILE, "opened", err);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 022) == 0)
        return true;
    close(fd);
    *ret_fd = -1;
    return eb_fail(err, EB_INTERNAL, "%s/" POSITION_FILE " is no file that its owner alone can write: chmod 600", directory);
}

bool position_file_read(int fd, struct position_entries *ret, struct eb_err *err)
{
    char bytes[FILE_LEN] = "";
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);

    *ret = (struct position_entries){ .there = true };
    if (n < 0)
        return eb_fail(err, EB_INTERNAL, "The file that says how far the database has come cannot be read: %s", strerror(errno));
    for (size_t i = 0; i < POSITION_ENTRIES; i++) {
        const char *sector = bytes + i * POSITION_SECTOR;
        if (!line_read(sector, &ret->all[i])) {
            ret->all[i] = (struct position){ 0 };
            ret->spoilt += !is_empty(sector);
        }
    }
    return true;
}

bool position_entry_write(int fd, enum position_writer w, const struct position *p)
{
    size_t entry = w == POSITION_RECOVERY ? POSITION_ENTRIES - 1 : (size_t)w * 2 + (size_t)(p->number & 1);
    char line[LINE_LEN + 1];

    if (!line_make(p, line)) {
        errno = ERANGE;
        return false;
    }
    ssize_t n = pwrite(fd, line, LINE_LEN, (off_t)(entry * POSITION_SECTOR));
    if (n >= 0 && n != LINE_LEN)
        errno = ENOSPC;
    return n == LINE_LEN;
}

bool position_file_flush(int fd, const char *directory, struct eb_err *err)
{
    return fdatasync(fd) == 0 || fail_file(directory, POSITION_FILE, "flushed", err);
}

static bool write_draft(int dir, const char *draft, enum position_writer w, const struct position *p)
{
    unlinkat(dir, draft, 0);
    int fd = openat(dir, draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = ftruncate(fd, FILE_LEN) == 0 && position_entry_write(fd, w, p) && fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return good;
}

bool position_file_make(const char *directory, enum position_writer w, const struct position *p, struct eb_err *err)
{
    static const char draft[] = POSITION_FILE ".tmp";
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = dir >= 0 && write_draft(dir, draft, w, p) && renameat(dir, draft, dir, POSITION_FILE) == 0 && fsync(dir) == 0;

    if (!good)
        (void)fail_file(directory, POSITION_FILE, "made", err);
    if (dir >= 0)
        close(dir);
    return good;
}

/* ---- what happened to tokens ---- */

#define TOKENS_FILE POSITION_TOKENS

/* Half a line of before ends here; it names no token. */
static bool append(int fd, const char *line, size_t len)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);

    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return false;
    if (last != '\n' && write(fd, "\n", 1) != 1)
        return false;
    return write(fd, line, len) == (ssize_t)len && fsync(fd) == 0;
}

static int open_tokens(const char *directory, int flags)
{
    char *path = eb_asprintf("%s/" TOKENS_FILE, directory);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);

    free(path);
    return fd;
}

bool position_note_token(const char *directory, const char *what, const char *id, int64_t now_ms, struct eb_err *err)
{
    int fd = open_tokens(directory, O_RDWR | O_CREAT | O_APPEND);
    char line[128], when[EB_TIME_LEN];
    int len = snprintf(line, sizeof line, "%s %s %.40s\n", eb_time_format(now_ms, when), what, id);
    bool good = fd >= 0 && append(fd, line, (size_t)len);

    if (!good)
        (void)fail_file(directory, TOKENS_FILE, "written", err);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool read_line(char *line, position_token *each, void *ctx)
{
    char when[EB_TIME_LEN], what[16], id[40];
    int64_t time_ms;

    if (sscanf(line, "%31s %15s %39s", when, what, id) != 3 || !eb_is_guid(id) || !eb_time_parse(when, &time_ms, NULL) ||
        (strcmp(what, POSITION_REVOKED) != 0 && strcmp(what, POSITION_MADE) != 0)) {
        eb_warn(NULL, "a line of the file " TOKENS_FILE " in the directory of keys cannot be read, and is left out");
        return true;
    }
    return each(ctx, strcmp(what, POSITION_REVOKED) == 0, id, time_ms);
}

bool position_tokens(const char *directory, position_token *each, void *ctx, struct eb_err *err)
{
    int fd = open_tokens(directory, O_RDONLY);
    char line[128];

    if (fd < 0)
        return errno == ENOENT || fail_file(directory, TOKENS_FILE, "read", err);
    FILE *f = fdopen(fd, "r");
    if (f == NULL) {
        close(fd);
        return fail_file(directory, TOKENS_FILE, "read", err);
    }
    for (bool more = true; more && fgets(line, sizeof line, f) != NULL;)
        more = line[0] == '\n' || read_line(line, each, ctx);
    bool good = !ferror(f) || fail_file(directory, TOKENS_FILE, "read", err);
    fclose(f);
    return good;
}
