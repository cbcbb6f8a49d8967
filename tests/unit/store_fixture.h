/* store_fixture.h - a directory of its own for each test of the store, and operations to put into it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "base/text.h"
#include "store/audit.h"
#include "store/db.h"
#include "store/journal.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fx_dir[PATH_MAX], fx_url[PATH_MAX + 32];
static const uint8_t fx_key[AUDIT_KEY_LEN] = "the audit key of the unit tests";

static inline int fx_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int fx_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(fx_dir, sizeof(fx_dir), "%s/eb-store-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(fx_dir) == NULL)
        return -1;
    snprintf(fx_url, sizeof(fx_url), "sqlite:%s/test.db", fx_dir);
    return 0;
}

static inline int fx_teardown(void **state)
{
    (void)state;
    return nftw(fx_dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the directory; good until the next call but three. */
static inline const char *fx_path(const char *name)
{
    static char paths[4][PATH_MAX + 64];
    static unsigned n;
    char *path = paths[n++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", fx_dir, name);
    return path;
}

static struct eb_err fx_err;

/* Ends the test with the text that the call has put into fx_err. */
#define FX_OK(call) do { if (!(call)) fail_msg("%s: %s: %s", #call, fx_err.where, fx_err.text); } while (0)

static inline struct db *fx_open(void)
{
    struct db *db = NULL;

    FX_OK(db_open(fx_url, DB_TOOL, &db, &fx_err));
    return db;
}

/* An operation of a name, by a token, for an issue; its request is its repeat key too. */
static inline bool fx_accept(struct db *db, const char *id, const char *key, const char *body, const char *issue, int64_t now_ms,
                             struct journal_accept *ret, struct eb_err *err)
{
    char *kind = eb_strdup("group.add_member"), *token = eb_strdup("rule"), *text = eb_strdup("{}"), *own = eb_strdup(id), *key_issue = eb_strdup(issue);
    struct journal_row row = { .id = own, .kind = kind, .token_id = token, .token_name = token, .issue = key_issue, .request = text,
                               .config_hash = text, .accepted_ms = now_ms };

    *ret = (struct journal_accept){ .row = &row, .key = key, .body_hash = body, .window_ms = 10000 };
    bool ok = journal_accept(db, ret, err);
    ret->row = NULL;
    free(kind);
    free(token);
    free(text);
    free(own);
    free(key_issue);
    return ok;
}

#endif
