/* config_fixture.h - a directory of a test's own with secrets, keys and a configuration file of which one section is replaced. */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = {
    "user.get", "user.disable", "group.add_member", "user.update", "user.create", "user.invite", "user.reset_password", "user.onboard", "user.transfer", NULL
};
static const char *const field_names[] = { "issue", "reason", "user", "group", "attributes", "password", "expiresIn", "accountEnabled", NULL };
static const struct config_names vocabulary = { kinds, field_names };
static char directory[64];

static inline char *in_directory(const char *name)
{
    return eb_asprintf("%s/%s", directory, name);
}

static inline void put_file(const char *name, const void *text, size_t len, mode_t mode)
{
    char *path = in_directory(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    free(path);
}

static inline void put_text(const char *name, const char *text, mode_t mode)
{
    put_file(name, text, strlen(text), mode);
}

static inline bool load(enum config_use use, struct config **ret, struct eb_buf *faults)
{
    char *path = in_directory("e.yaml");
    bool good = config_load(path, &vocabulary, use, ret, faults);

    free(path);
    return good;
}

/* ---- one section replaced ---- */

static const struct { const char *name, *text; } sections[] = {
    { "listen", "listen: {address: \"127.0.0.1:8080\"}\n" },
    { "store", "store: \"sqlite:entrabridge.db\"\n" },
    { "entra", "entra: {tenant_id: t.example.com, client_id: c, client_secret: {file: good}}\n" },
    { "jira", "jira: {site_url: https://example.atlassian.net, api_token: {file: good}}\n" },
    { "policy", "policy: {}\n" },
    { "more", "" },
};

static inline void put_with(const char *section, const char *text)
{
    struct eb_buf file = EB_BUF(MiB(2));

    for (size_t i = 0; i < EB_LEN(sections); i++)
        eb_buf_addf(&file, "%s%s", strcmp(sections[i].name, section) == 0 ? text : sections[i].text,
                    strcmp(sections[i].name, section) == 0 ? "\n" : "");
    assert_false(file.failed);
    put_file("e.yaml", file.data, file.len, 0644);
    eb_buf_free(&file);
}

#define ENTRA(rest) "entra: {tenant_id: t.example.com, client_id: c, " rest "}"
#define JIRA(rest) "jira: {site_url: https://j.example.com, " rest "}"

static inline void shell(const char *command)
{
    char *line = eb_asprintf("cd %s && (%s) >log 2>&1", directory, command);

    assert_int_equal(system(line), 0);
    free(line);
}

static inline int setup(void **state)
{
    static char longish[KiB(4) + 1];

    strcpy(directory, "/tmp/eb-config-XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    memset(longish, 'x', sizeof(longish));
    put_text("good", "hunter2\n", 0600);
    put_text("open", "hunter2\n", 0640);
    put_text("empty", "\n", 0600);
    put_text("lines", "hunter2\nhunter2\n", 0600);
    put_file("long", longish, sizeof(longish), 0600);
    shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out crt.pem -subj /CN=t -days 2 && chmod 600 key.pem && "
          "cp key.pem open.pem && chmod 644 open.pem && openssl genrsa -out other.pem 2048 && chmod 600 other.pem");
    setenv("EB_TEST_SECRET", "hunter2", 1);
    unsetenv("EB_TEST_UNSET");
    setenv("CREDENTIALS_DIRECTORY", directory, 1);
    return 0;
}

static inline int teardown(void **state)
{
    char *line = eb_asprintf("rm -r %s", directory);
    int status = system(line);

    free(line);
    return status;
}

#endif
