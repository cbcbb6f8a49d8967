/* secret_probe.c - puts a secret for an operation into a service's database, as an operation would, and prints its link. For test_secret.py.
 *
 * Usage: secret_probe STORE_URL KEYS_DIRECTORY PUBLIC_URL OPERATION WHAT VALUE EXPIRE_MS
 */
#include "base/text.h"
#include "ops/secret.h"
#include "store/db.h"
#include "store/secret_table.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct put { char **args; const struct auth_keys *keys; struct config config; struct ops_secret_link link; };

static bool put(struct db *db, void *arg, struct eb_err *err)
{
    struct put *p = arg;
    const char *operation = p->args[4], *what = p->args[5];
    int64_t now_ms = eb_now_ms();
    char *sealed = NULL;

    ops_secret_link_new(&p->config, now_ms, &p->link);
    bool good = ops_secret_seal(p->keys, operation, what, p->args[6], &sealed, err) &&
                secret_put(db, operation, what, sealed, now_ms, p->link.expires_ms, err) &&
                secret_link(db, operation, what, p->link.hash, p->link.expires_ms, p->link.id, err);
    free(sealed);
    return good;
}

int main(int argc, char **argv)
{
    struct auth_keys *keys = NULL;
    struct db *db = NULL;
    struct eb_err err = { 0 };

    if (argc != 8)
        return 2;
    struct put p = { .args = argv, .config = { .public_url = argv[3], .secret_expire_ms = atoll(argv[7]) } };
    bool good = auth_keys_open(argv[2], false, &keys, &err) && db_open(argv[1], DB_TOOL, &db, &err);
    p.keys = keys;
    good = good && db_transact(db, put, &p, &err);
    if (good) {
        EB_AUTO(json_t, json_decref) answer = json_object();
        ops_secret_point(answer, &p.config, &p.link);
        puts(eb_json_str(answer, "secretUrl"));
    } else {
        fprintf(stderr, "%s\n", err.text);
    }
    if (db != NULL)
        db_close(db);
    auth_keys_free(keys);
    return good ? 0 : 1;
}
