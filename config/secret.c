/* secret.c - secrets by reference: a file, an environment variable, a credential of systemd.
 *
 * Invariant: no fault repeats a value, and every buffer that held one is wiped.
 */
#include "config/reader.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX KiB(4)
#define EXPECTED "expected a reference: {file: PATH}, {env: NAME} or {credential: NAME}"

bool file_private(int fd, const char *name, struct eb_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return eb_fail(err, EB_INTERNAL, "%s cannot be looked at: %s", name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return eb_fail(err, EB_INTERNAL, "%s is not a plain file", name);
    if ((st.st_mode & 077) != 0)
        return eb_fail(err, EB_INTERNAL, "%s can be read or written by group or others (mode %04o), expected its owner only: chmod 600",
                       name, (unsigned)(st.st_mode & 07777));
    return true;
}

/* Whole file into buf, at most max bytes. -1: err is set. */
static ssize_t read_whole(int fd, const char *name, char *buf, size_t max, struct eb_err *err)
{
    size_t used = 0;

    for (;;) {
        ssize_t n = read(fd, buf + used, max + 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            eb_fail(err, EB_INTERNAL, "%s cannot be read: %s", name, strerror(errno));
            return -1;
        }
        used += (size_t)n;
        if (used > max) {
            eb_fail(err, EB_INTERNAL, "%s holds more than %zu bytes", name, max);
            return -1;
        }
        if (n == 0)
            return (ssize_t)used;
    }
}

/* Takes one line end off, and refuses what could not be sent in a header. */
static bool take_secret(const char *what, char *text, size_t len, char **ret, struct eb_err *err)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    if (len == 0)
        return eb_fail(err, EB_INTERNAL, "%s is empty", what);
    if (len > SECRET_MAX)
        return eb_fail(err, EB_INTERNAL, "%s holds more than %zu bytes", what, SECRET_MAX);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return eb_fail(err, EB_INTERNAL, "%s holds control characters or several lines, expected one line of text", what);
    char *copy = eb_alloc(len + 1);
    memcpy(copy, text, len);
    *ret = copy;
    return true;
}

static bool secret_of_file(const char *path, bool private, char **ret, struct eb_err *err)
{
    char buf[SECRET_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);     /* a pipe must not hold the start */

    if (fd < 0)
        return eb_fail(err, EB_INTERNAL, "%s cannot be opened: %s", path, strerror(errno));
    ssize_t len = private && !file_private(fd, path, err) ? -1 : read_whole(fd, path, buf, SECRET_MAX, err);
    close(fd);
    bool good = len >= 0 && take_secret(path, buf, (size_t)len, ret, err);
    OPENSSL_cleanse(buf, sizeof(buf));
    return good;
}

static bool by_file(struct reader *r, const char *name, char **ret, struct eb_err *err)
{
    char *path = path_from(r->directory, name);
    bool good = r->use == CONFIG_SHAPE || secret_of_file(path, true, ret, err);

    free(path);
    return good;
}

static bool by_environment(struct reader *r, const char *name, char **ret, struct eb_err *err)
{
    if (isdigit((unsigned char)*name))
        return eb_fail(err, EB_INTERNAL, "env is not the name of an environment variable");
    for (const char *p = name; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return eb_fail(err, EB_INTERNAL, "env is not the name of an environment variable");
    if (r->use == CONFIG_SHAPE)
        return true;
    char *value = getenv(name);
    if (value == NULL)
        return eb_fail(err, EB_INTERNAL, "the environment variable %s is not set", name);
    return take_secret(name, value, strlen(value), ret, err);
}

static bool by_credential(struct reader *r, const char *name, char **ret, struct eb_err *err)
{
    if (strchr(name, '/') != NULL || *name == '.')
        return eb_fail(err, EB_INTERNAL, "credential is not a plain name of a credential");
    if (r->use == CONFIG_SHAPE)
        return true;
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (directory == NULL || *directory != '/')
        return eb_fail(err, EB_INTERNAL, "CREDENTIALS_DIRECTORY is not set: expected a service of systemd with LoadCredential=%s:...", name);
    char *path = path_from(directory, name);
    bool good = secret_of_file(path, false, ret, err);      /* systemd guards its directory */
    free(path);
    return good;
}

bool read_secret(struct reader *r, const char *path, const struct node *n, char **ret)
{
    static const struct { const char *name; bool (*read)(struct reader *, const char *, char **, struct eb_err *); } ways[] = {
        { "file", by_file }, { "env", by_environment }, { "credential", by_credential },
    };
    struct eb_err err = { 0 };

    if (n->type == NODE_TEXT && !node_empty(n)) {
        fault_add(r->faults, n->line, path, "a secret must not stand in the file itself, " EXPECTED);
        return false;
    }
    const struct node *how = n->type == NODE_MAP ? n->first : NULL;
    if (how == NULL || how->next != NULL || how->type != NODE_TEXT || *how->text == '\0') {
        fault_add(r->faults, n->line, path, "is not a reference, " EXPECTED);
        return false;
    }
    for (size_t i = 0; i < EB_LEN(ways); i++) {
        if (strcmp(ways[i].name, how->name) != 0)
            continue;
        if (ways[i].read(r, how->text, ret, &err))
            return true;
        fault_add(r->faults, how->line, path, "%s", err.text);
        return false;
    }
    fault_add(r->faults, n->line, path, "is not a reference of a known sort, " EXPECTED);  /* its name may be the secret itself */
    return false;
}
