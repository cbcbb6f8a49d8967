/* journal_fill.c - puts operations into a database through store/, with all the rows that they leave: for bench/journal.
 *
 * Ended ones are spread over 400 days, so that a fiftieth has keys by which a repeat would be known still; each has its audit row in the chain and its posted
 * comment. Scheduled ones are of the coming month. In large transactions, for one flush an operation would take an hour.
 */
#include "auth/auth.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/driver.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ISSUES = 50000, PEOPLE = 30000, GROUPS = 60, IN_ONE = 20000, WINDOW_DAYS = 8, SPREAD_DAYS = 400 };
#define DAY_MS INT64_C(86400000)

struct fill { const uint8_t *key; long first, next, end; bool scheduled; int64_t now_ms, total; };
struct texts { char id[EB_ID_LEN], issue[24], issue_id[24], user[48], group[48], object[112], touches[64], request[256], answer[512], audit[512], personal[768], hash[EB_HEX_LEN]; };

static const char comment[] =
    "{\"version\":1,\"type\":\"doc\",\"content\":[{\"type\":\"panel\",\"attrs\":{\"panelType\":\"success\"},\"content\":[{\"type\":\"paragraph\",\"content\":["
    "{\"type\":\"text\",\"text\":\"Added Somebody With A Name to Bench 1.\",\"marks\":[{\"type\":\"strong\"}]},{\"type\":\"hardBreak\"},"
    "{\"type\":\"text\",\"text\":\"Operation: \",\"marks\":[{\"type\":\"strong\"}]},{\"type\":\"text\",\"text\":\"group.add_member\"},{\"type\":\"hardBreak\"},"
    "{\"type\":\"text\",\"text\":\"User: \",\"marks\":[{\"type\":\"strong\"}]},{\"type\":\"text\",\"text\":\"somebody.with.a.name@contoso.com\"},{\"type\":\"hardBreak\"},"
    "{\"type\":\"text\",\"text\":\"Rule: \",\"marks\":[{\"type\":\"strong\"}]},{\"type\":\"text\",\"text\":\"serviceable_groups[1]\"},{\"type\":\"hardBreak\"},"
    "{\"type\":\"text\",\"text\":\"Audit: 123456 / 9f86d081884c7d65\"}]}]}]}";

/* UUIDs that grow with time, as the program makes them. */
static void texts_make(long n, int64_t at_ms, struct texts *t)
{
    uint64_t rest = (uint64_t)n * UINT64_C(0x9e3779b97f4a7c15);

    snprintf(t->id, sizeof t->id, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(at_ms >> 16), (unsigned)(at_ms & 0xffff), (unsigned)(rest >> 52),
             0x8000 | (unsigned)(rest >> 40 & 0x3fff), (unsigned long long)n);
    snprintf(t->issue, sizeof t->issue, "ITSM-%ld", n % ISSUES + 1);
    snprintf(t->issue_id, sizeof t->issue_id, "%ld", 20000 + n % ISSUES);
    snprintf(t->user, sizeof t->user, "a1000000-0000-4000-8000-%012ld", n % PEOPLE);
    snprintf(t->group, sizeof t->group, "bbbbbbbb-0000-4000-8000-%012ld", n % GROUPS + 1);
    snprintf(t->object, sizeof t->object, "member:%s:%s", t->group, t->user);
    snprintf(t->touches, sizeof t->touches, "user:%s", t->user);
    snprintf(t->request, sizeof t->request, "{\"group\":\"%s\",\"issue\":\"%s\",\"user\":\"%s\"}", t->group, t->issue, t->user);
    snprintf(t->answer, sizeof t->answer, "{\"operation\":\"%s\",\"name\":\"group.add_member\",\"outcome\":\"succeeded\",\"changed\":true,\"issue\":\"%s\",\"userId\":\"%s\",\"groupId\":\"%s\"}",
             t->id, t->issue, t->user, t->group);
    snprintf(t->audit, sizeof t->audit, "{\"name\":\"group.add_member\",\"outcome\":\"succeeded\",\"changed\":true,\"dryRun\":false,\"comment\":true,\"token\":\"bench\",\"issue\":\"%s\",\"groupId\":\"%s\"}",
             t->issue, t->group);
    snprintf(t->personal, sizeof t->personal, "{\"userId\":\"%s\",\"displayName\":\"Somebody\",\"request\":%s,\"message\":\"Added Somebody to Bench 1.\"}", t->user, t->request);
    eb_sha256_hex(t->id, strlen(t->id), t->hash);
}

static bool accept_one(struct db *db, const struct texts *t, int64_t at_ms, bool keyed, struct eb_err *err)
{
    char kind[] = "group.add_member", name[] = "bench";
    struct texts copy = *t;
    const struct journal_row row = { .id = copy.id, .kind = kind, .token_id = name, .token_name = name, .issue = copy.issue, .request = copy.request,
                                     .config_hash = copy.hash, .accepted_ms = at_ms };
    struct journal_accept a = { .row = &row, .key = keyed ? t->hash : NULL, .body_hash = t->hash, .window_ms = WINDOW_DAYS * DAY_MS };

    return journal_accept(db, &a, err);
}

static bool end_one(struct db *db, const struct fill *f, const struct texts *t, int64_t at_ms, struct eb_err *err)
{
    const struct journal_write w = { .action = "member.add", .object = t->object, .touches = t->touches };
    const struct journal_write_end end = { .state = "done", .status = 204, .request_id = t->id };
    struct journal_record r = { .id = t->id, .issue_key = t->issue, .issue_id = t->issue_id, .user_id = t->user, .group_id = t->group, .before = "{\"member\":false}",
                                .wanted = "{\"member\":true}", .object = t->object, .touches = t->touches, .writes = &w, .write_count = 1, .now_ms = at_ms + 2 };
    const struct journal_conclusion c = { .id = t->id, .outcome = "succeeded", .message = "Added Somebody to Bench 1.", .after = "{\"member\":true}", .answer = t->answer,
                                          .issue_key = t->issue, .issue_id = t->issue_id, .changed = true, .now_ms = at_ms + 9, .writes = &end, .write_count = 1 };
    int64_t number;

    return journal_record(db, &r, err) && journal_conclude(db, &c, err) &&
           audit_add_personal(db, f->key, at_ms + 9, "operation", t->id, t->audit, t->personal, NULL, err) &&
           outbox_put(db, t->id, t->issue_id, "comment", comment, at_ms + 9, at_ms + 9, &number, err) && outbox_posted(db, number, "1000", at_ms + 500, err);
}

static bool schedule_one(struct db *db, const struct fill *f, const struct texts *t, long n, struct eb_err *err)
{
    const struct waiting w = { .id = t->id, .why = WAITING_SCHEDULED, .at_ms = f->now_ms + DAY_MS + n % 2500000 * 1000, .issue_key = t->issue,
                               .issue_id = t->issue_id, .user_id = t->user, .group_id = t->group };

    return waiting_put(db, &w, err);
}

static bool fill_some(struct db *db, void *arg, struct eb_err *err)
{
    const struct fill *f = arg;
    struct texts t;

    for (long n = f->next; n < f->end; n++) {
        int64_t age_ms = f->scheduled ? 0 : SPREAD_DAYS * DAY_MS / f->total * (f->total - n), at_ms = f->now_ms - age_ms;
        texts_make(n, at_ms, &t);
        if (!accept_one(db, &t, at_ms, age_ms < WINDOW_DAYS * DAY_MS, err) ||
            !(f->scheduled ? schedule_one(db, f, &t, n, err) : end_one(db, f, &t, at_ms, err)))
            return false;
    }
    return true;
}

static bool fill_all(struct db *db, struct fill *f, long count, struct eb_err *err)
{
    for (f->next = f->first; f->next < f->first + count; f->next = f->end) {
        f->end = f->next + IN_ONE < f->first + count ? f->next + IN_ONE : f->first + count;
        if (!db_transact(db, fill_some, f, err))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct eb_err err = { 0 };
    struct auth_keys *keys = NULL;
    struct db *db = NULL;

    if (argc != 6) {
        fprintf(stderr, "usage: bench-journal-fill DATABASE KEYS ended|scheduled FIRST COUNT\n");
        return 2;
    }
    char *url = eb_asprintf("sqlite:%s", argv[1]);
    long first = atol(argv[4]), count = atol(argv[5]);
    struct fill f = { .first = first, .scheduled = strcmp(argv[3], "scheduled") == 0, .now_ms = eb_now_ms(), .total = first + count };
    bool good = auth_keys_open(argv[2], false, &keys, &err) && db_open(url, DB_TOOL, &db, &err);

    if (good) {
        f.key = auth_key(keys, "audit");
        /* Each operation is put into the middle of two large indexes: with a service's cache most of the time goes into reading those pages again. */
        good = db_script(db, "PRAGMA cache_size = -1048576; PRAGMA wal_autocheckpoint = 20000;", &err) && fill_all(db, &f, count, &err);
        db_close(db);
    }
    auth_keys_free(keys);
    free(url);
    if (!good)
        fprintf(stderr, "bench-journal-fill: %s\n", err.text);
    return good ? 0 : 1;
}
