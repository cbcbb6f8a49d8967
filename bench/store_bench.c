/* store_bench.c - what the database thread costs: operations accepted, recorded and concluded (with audit row and comment), so many at once.
 *
 *     store_bench DIRECTORY [OPERATIONS [ROWS BEFORE]]
 *
 * Prints for 1, 16 and 64 operations under way: operations a second, CPU of the whole process for one operation,
 * and how long one operation's three transactions took.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const uint8_t audit_key[AUDIT_KEY_LEN] = "a key for measuring, no secret.";
static const char answer[] =
    "{\"operation\":\"0193-\",\"name\":\"group.add_member\",\"outcome\":\"succeeded\",\"changed\":true,\"message\":\"Added Ada Lovelace to VPN Users.\","
    "\"userId\":\"11111111-2222-3333-4444-555555555555\",\"userPrincipalName\":\"ada@contoso.com\",\"displayName\":\"Ada Lovelace\","
    "\"groupId\":\"11111111-2222-3333-4444-555555555555\",\"groupName\":\"VPN Users\",\"issue\":\"ITSM-42\",\"dryRun\":false,\"replayed\":false}";
static const char payload[] =
    "{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":\"Added Ada Lovelace to VPN Users. "
    "Requested by the rule Grant access, approved by Grace Hopper. Operation 0193.\"}]}]}";

struct bench { struct eb_loop *loop; struct store *store; int left, under_way, done; int64_t *took_us; };
struct operation {
    struct bench *b;
    char id[EB_ID_LEN], user[EB_ID_LEN], object[96], touches[64], key[EB_HEX_LEN], issue[24], issue_id[24];
    int64_t started_us;
    int step;
};

static void die(const struct eb_err *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->text);
    exit(1);
}

static bool accept_job(struct db *db, void *arg, struct eb_err *err)
{
    struct operation *o = arg;
    char kind[] = "group.add_member", token[] = "rule", token_id[] = "0193f0f0-0000-7000-8000-000000000000", config[] = "c0ffee";
    char request[] = "{\"group\":\"VPN Users\",\"issue\":\"ITSM-42\",\"user\":\"ada@contoso.com\"}";
    struct journal_row row = { .id = o->id, .kind = kind, .token_id = token_id, .token_name = token, .issue = o->issue, .request = request,
                               .config_hash = config, .accepted_ms = eb_now_ms() };
    struct journal_accept a = { .row = &row, .key = o->key, .body_hash = o->key, .window_ms = 691200000 };

    return journal_accept(db, &a, err);
}

static bool record_job(struct db *db, void *arg, struct eb_err *err)
{
    struct operation *o = arg;
    struct journal_write w = { .action = "member.add", .object = o->object, .touches = o->touches };
    struct journal_record r = { .id = o->id, .issue_key = o->issue, .issue_id = o->issue_id, .user_id = o->user, .group_id = o->user,
                                .before = "{\"member\":false}", .object = o->object, .touches = o->touches, .writes = &w, .write_count = 1,
                                .now_ms = eb_now_ms(), .recent_ms = 60000 };

    return journal_record(db, &r, err);
}

static bool conclude_job(struct db *db, void *arg, struct eb_err *err)
{
    struct operation *o = arg;
    int64_t now_ms = eb_now_ms();
    struct journal_write_end w = { .state = "done", .status = 204, .request_id = o->user };
    struct journal_conclusion c = { .id = o->id, .outcome = "succeeded", .message = "Added Ada Lovelace to VPN Users.", .after = "{\"member\":true}",
                                    .answer = answer, .issue_key = o->issue, .issue_id = o->issue_id, .changed = true, .now_ms = now_ms,
                                    .writes = &w, .write_count = 1 };

    return journal_conclude(db, &c, err) && audit_add(db, audit_key, now_ms, "operation", o->id, answer, NULL, err) &&
           outbox_put(db, o->id, o->issue, "comment", payload, now_ms, now_ms, NULL, err);
}

static store_fn *const steps[] = { accept_job, record_job, conclude_job };

static void operation_start(struct bench *b, struct operation *o);

static void step_done(void *arg, const struct eb_err *err)
{
    struct operation *o = arg;
    struct bench *b = o->b;

    if (err != NULL)
        die(err);
    if (++o->step < (int)EB_LEN(steps)) {
        store_submit(b->store, steps[o->step], o, step_done);
        return;
    }
    b->took_us[b->done++] = eb_mono_us() - o->started_us;
    if (b->left > 0) {
        operation_start(b, o);
    } else {
        free(o);
        if (--b->under_way == 0)
            eb_loop_stop(b->loop);
    }
}

static void operation_start(struct bench *b, struct operation *o)
{
    b->left--;
    o->b = b;
    o->step = 0;
    eb_id_new(o->id);
    eb_uuid4(o->user);
    eb_sha256_hex(o->id, sizeof(o->id), o->key);
    snprintf(o->object, sizeof(o->object), "member:%s:%s", "11111111-2222-3333-4444-555555555555", o->user);
    snprintf(o->touches, sizeof(o->touches), "user:%s", o->user);
    snprintf(o->issue, sizeof(o->issue), "ITSM-%u", (unsigned)b->left / 2 + 1000);      /* an issue has two operations */
    snprintf(o->issue_id, sizeof(o->issue_id), "1%s", o->issue + 5);
    o->started_us = eb_mono_us();
    store_submit(b->store, steps[0], o, step_done);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void run(struct bench *b, int count, int at_once, bool print)
{
    double cpu = cpu_us();
    int64_t started_us = eb_mono_us();

    b->left = count;
    b->done = 0;
    b->took_us = calloc((size_t)count, sizeof(*b->took_us));
    b->under_way = at_once < count ? at_once : count;
    for (int i = b->under_way; i > 0; i--)
        operation_start(b, eb_alloc(sizeof(struct operation)));
    eb_loop_run(b->loop);
    double took_s = (double)(eb_mono_us() - started_us) / 1e6;
    qsort(b->took_us, (size_t)count, sizeof(*b->took_us), by_size);
    if (print)
        printf("%8d %12.0f %14.1f %10.2f %10.2f %10.2f\n", at_once, count / took_s, (cpu_us() - cpu) / count, (double)b->took_us[count / 2] / 1e3,
               (double)b->took_us[count * 99LL / 100] / 1e3, (double)b->took_us[count - 1] / 1e3);
    free(b->took_us);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct eb_err err;

    if (argc < 2) {
        fprintf(stderr, "usage: store_bench DIRECTORY [OPERATIONS [ROWS BEFORE [followed]]]\n");
        return 2;
    }
    int count = argc > 2 ? atoi(argv[2]) : 20000, before = argc > 3 ? atoi(argv[3]) : 0;
    char *url = eb_asprintf("sqlite:%s/bench.db", argv[1]);
    bool followed = argc > 4;           /* keeps the position, as a service does */
    if (count < 1 || !eb_loop_new(&b.loop, &err) ||
        !(followed ? store_open_followed(url, argv[1], b.loop, &b.store, &err) : store_open(url, b.loop, &b.store, &err)))
        die(&err);
    if (before > 0)
        run(&b, before, 64, false);
    printf("%8s %12s %14s %10s %10s %10s\n", "at once", "operations/s", "CPU us each", "p50 ms", "p99 ms", "max ms");
    static const int at_once[] = { 1, 16, 64 };
    for (size_t i = 0; i < EB_LEN(at_once); i++)
        run(&b, at_once[i] == 1 ? (count + 9) / 10 : count, at_once[i], true);
    store_close(b.store);
    eb_loop_free(b.loop);
    eb_metrics_free();
    free(url);
    return 0;
}
