/* stage_bench.c - what the staging file of a synchronization costs at the size of a large company: 300,000 people, 30,000 groups, 1.5 million links.
 *
 *     stage_bench DIRECTORY [PEOPLE]
 *
 * Prints for each step its seconds, by the clock and of the processor, records a second and the peak of the process's memory until then. Groups are a tenth of the people; each person is in
 * four groups and has a manager; ids come in no order. As in a run, a page of records is a transaction.
 */
#include "base/clock.h"
#include "base/text.h"
#include "store/db.h"
#include "store/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PAGE_USERS = 999, PAGE_GROUPS = 100, FANOUT = 8, MEMBERS_EACH = 4 };

struct bench { struct db *db; int users, groups; int64_t generation, started_us; double cpu_s; int changed; int64_t found; };

static void die(const struct eb_err *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->text);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static const char *guid(char out[40], int kind, int i)
{
    uint64_t a = mix((uint64_t)kind << 40 | (uint64_t)i), b = mix(a + 1);

    snprintf(out, 40, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xFFFF), (unsigned)(a & 0xFFFF), (unsigned)(b >> 48),
             (unsigned long long)(b & UINT64_C(0xFFFFFFFFFFFF)));
    return out;
}

static void raw(char out[800], int kind, int i, const char *id, int version)
{
    snprintf(out, 800, "{\"accountEnabled\":true,\"department\":\"Department %d\",\"displayName\":\"Person %d of kind %d\",\"employeeId\":\"E%07d\",\"id\":\"%s\","
             "\"jobTitle\":\"Engineer of the %dth degree\",\"mail\":\"person%d@contoso.example\",\"officeLocation\":\"Building %d, room %d\",\"version\":%d,"
             "\"onPremisesExtensionAttributes\":{\"extensionAttribute1\":\"%016llx\",\"extensionAttribute2\":\"%016llx\"},\"userPrincipalName\":\"p%d@contoso.example\"}",
             i % 97, i, kind, i, id, i % 7, i, i % 13, i % 400, version, (unsigned long long)mix((uint64_t)i), (unsigned long long)mix((uint64_t)i + 7), i);
}

static bool put_user(struct bench *b, int i, struct eb_err *err)
{
    char id[40], manager[40], text[800], mail[64], upn[64];

    guid(id, STAGE_USER, i);
    raw(text, STAGE_USER, i, id, 0);
    snprintf(mail, sizeof mail, "person%d@contoso.example", i);
    snprintf(upn, sizeof upn, "p%d@contoso.example", i);
    return stage_object_put(b->db, &(struct stage_object){ .kind = STAGE_USER, .id = id, .raw = text, .mail = mail, .upn = upn }, b->generation, err) &&
           (i == 0 || stage_link_set(b->db, id, STAGE_MANAGER, guid(manager, STAGE_USER, (i - 1) / FANOUT), b->generation, err));
}

static bool put_link(struct bench *b, const char *from, enum stage_relation r, const char *to, struct eb_err *err)
{
    return stage_links_put(b->db, from, r, &to, 1, b->generation, err);
}

static bool put_group(struct bench *b, int i, struct eb_err *err)
{
    char id[40], other[40], text[800];
    int members = b->users / b->groups * MEMBERS_EACH;

    guid(id, STAGE_GROUP, i);
    raw(text, STAGE_GROUP, i, id, 0);
    bool ok = stage_object_put(b->db, &(struct stage_object){ .kind = STAGE_GROUP, .id = id, .raw = text }, b->generation, err) &&
              put_link(b, id, STAGE_OWNER, guid(other, STAGE_USER, i), err);
    for (int m = 0; ok && m < members; m++)
        ok = put_link(b, id, STAGE_MEMBER, guid(other, STAGE_USER, (int)(mix((uint64_t)i << 20 | (uint64_t)m) % (uint64_t)b->users)), err);
    if (ok && i > 0 && i % 10 == 0)
        ok = put_link(b, guid(other, STAGE_GROUP, i / 10), STAGE_MEMBER, id, err);
    return ok;
}

/* Both at once, so that the hashes agree but for `changed` in a hundred. */
static bool put_wanted(struct bench *b, int i, struct eb_err *err)
{
    char id[40], text[800], hash[72], label[64];
    enum stage_kind kind = i < b->users ? STAGE_USER : STAGE_GROUP;

    guid(id, kind, kind == STAGE_USER ? i : i - b->users);
    raw(text, kind, i, id, i % 100 < b->changed);
    snprintf(hash, sizeof hash, "%016llx%016llx%016llx%016llx", (unsigned long long)mix((uint64_t)i), 1ULL, 2ULL, (unsigned long long)(i % 100 < b->changed));
    snprintf(label, sizeof label, "Person %d", i);
    return stage_wanted_put(b->db, &(struct stage_wanted){ .n = i + 1, .kind = kind, .key = id, .label = label, .hash = hash, .attributes = text }, err) &&
           stage_clean(b->db, kind, i, i + 1, err);
}

static bool put_target(struct bench *b, int i, struct eb_err *err)
{
    char id[40], text[800], hash[72], object_id[32], key[32];
    enum stage_kind kind = i < b->users ? STAGE_USER : STAGE_GROUP;

    guid(id, kind, kind == STAGE_USER ? i : i - b->users);
    raw(text, kind, i, id, 0);
    snprintf(hash, sizeof hash, "%016llx%016llx%016llx%016llx", (unsigned long long)mix((uint64_t)i), 1ULL, 2ULL, 0ULL);
    snprintf(object_id, sizeof object_id, "%d", i + 1000);
    snprintf(key, sizeof key, "ENTRA-%d", i + 1000);
    return stage_target_put(b->db, &(struct stage_target){ .kind = kind, .key = id, .object_id = object_id, .object_key = key, .active = true, .hash = hash,
                                                           .attributes = text }, b->generation, err);
}

static void put_all(struct bench *b, int count, int page, bool (*put)(struct bench *, int, struct eb_err *))
{
    struct eb_err err;

    for (int i = 0; i < count; i++)
        if ((i % page == 0 && !db_begin(b->db, &err)) || !put(b, i, &err) || ((i % page == page - 1 || i == count - 1) && !db_commit(b->db, &err)))
            die(&err);
}

static void report(struct bench *b, const char *what, int64_t records)
{
    struct rusage u;
    double took_s = (double)(eb_mono_us() - b->started_us) / 1e6;

    getrusage(RUSAGE_SELF, &u);
    double cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    printf("%-34s %9.3f s %9.3f s CPU %12.0f /s   peak %5.1f MiB\n", what, took_s, cpu_s - b->cpu_s, (double)records / took_s, (double)u.ru_maxrss / 1024);
    fflush(stdout);
    b->cpu_s = cpu_s;
    b->started_us = eb_mono_us();
}

static bool count_change(void *ctx, const struct stage_change *c)
{
    struct bench *b = ctx;

    b->found += c->action == STAGE_UPDATE;
    return true;
}

static int64_t number_of(const struct stage_change *c)
{
    return c->wanted != NULL ? c->wanted->n : c->target->n;
}

struct page { struct bench *b; int64_t last; int rows; };

static bool see(void *ctx, const struct stage_change *c)
{
    struct page *p = ctx;

    p->last = number_of(c);
    p->rows++;
    return count_change(p->b, c);
}

/* Every action of both kinds, in pages of 50, as applying walks them; and by levels, as people are made. */
static void plan(struct bench *b, bool by_level, int levels)
{
    struct eb_err err;

    b->found = 0;
    for (int kind = STAGE_USER; kind <= STAGE_GROUP; kind++)
        for (int action = 0; action < STAGE_ACTIONS; action++)
            for (int level = by_level && kind == STAGE_USER && action <= STAGE_UPDATE ? levels - 1 : -1; level >= -1; level--) {
                struct stage_plan p = { .kind = (enum stage_kind)kind, .action = (enum stage_action)action, .level = level, .left_before_ms = 1 };
                struct page page = { .b = b, .rows = 50 };
                if (by_level && level == -1 && kind == STAGE_USER && action <= STAGE_UPDATE)
                    break;
                for (; page.rows == 50;) {
                    page.rows = 0;
                    if (!stage_plan_each(b->db, &p, page.last, 50, see, &page, &err))
                        die(&err);
                }
            }
}

static void in_one(struct bench *b, bool (*fn)(struct db *, void *, struct eb_err *), void *arg)
{
    struct eb_err err;

    if (!db_transact(b->db, fn, arg, &err))
        die(&err);
}

static bool bulk_begin(struct db *db, void *arg, struct eb_err *err)
{
    return stage_bulk_begin(db, err);
}

static bool bulk_end(struct db *db, void *arg, struct eb_err *err)
{
    return stage_bulk_end(db, err);
}

static bool find_levels(struct db *db, void *arg, struct eb_err *err)
{
    return stage_levels(db, arg, err);
}

static bool set_groups(struct db *db, void *arg, struct eb_err *err)
{
    char ids[3][40];
    const char *names[3];

    for (int i = 0; i < 3; i++)
        names[i] = guid(ids[i], STAGE_GROUP, i);
    return stage_groups_set(db, names, 3, err);
}

static bool set_scope(struct bench *b, int i, struct eb_err *err)
{
    return stage_scope_set(b->db, i + 1, true, err);
}

static bool sweep(struct db *db, void *arg, struct eb_err *err)
{
    struct bench *b = arg;
    int64_t users, groups;

    return stage_sweep(db, STAGE_USER, b->generation, &users, err) && stage_sweep(db, STAGE_GROUP, b->generation, &groups, err) &&
           (users + groups == 0 || eb_fail(err, EB_INTERNAL, "the sweep has removed what was seen"));
}

static bool clean_all(struct bench *b, int i, struct eb_err *err)
{
    return stage_clean(b->db, i < b->users ? STAGE_USER : STAGE_GROUP, i, i + 1, err);
}

static void read_all(struct bench *b, const char *people, const char *groups)
{
    put_all(b, b->users, PAGE_USERS, put_user);
    report(b, people, b->users);
    put_all(b, b->groups, PAGE_GROUPS, put_group);
    report(b, groups, (int64_t)b->groups * (b->users / b->groups * MEMBERS_EACH + 1));
}

static void plans(struct bench *b, const char *what, int levels, int64_t expected)
{
    plan(b, levels > 0, levels);
    report(b, what, b->users + b->groups);
    if (b->found != expected) {
        fprintf(stderr, "%s: %lld differences, expected %lld\n", what, (long long)b->found, (long long)expected);
        exit(1);
    }
}

static void run(struct bench *b)
{
    int levels = 0, all = b->users + b->groups;

    b->started_us = eb_mono_us();
    b->generation = 1;
    in_one(b, bulk_begin, NULL);
    read_all(b, "load people, managers", "load groups, links");
    in_one(b, bulk_end, NULL);
    report(b, "index of links, all dirty", all);
    put_all(b, all, PAGE_USERS, set_scope);
    report(b, "scope", all);
    in_one(b, set_groups, NULL);
    report(b, "members of three groups, nested", all);
    put_all(b, all, PAGE_USERS, put_wanted);
    report(b, "wanted", all);
    put_all(b, all, PAGE_USERS, clean_all);
    report(b, "clean", all);
    in_one(b, find_levels, &levels);
    report(b, "levels", b->users);
    put_all(b, all, PAGE_USERS, put_target);
    report(b, "target", all);
    plans(b, "plan, no difference", 0, 0);
    plans(b, "plan, no difference, by levels", levels, 0);
    b->changed = 1;
    put_all(b, all, PAGE_USERS, put_wanted);
    report(b, "wanted, one in a hundred changed", all);
    plans(b, "plan, one in a hundred", 0, all / 100);
    plans(b, "plan, one in a hundred, by levels", levels, all / 100);
    b->generation = 2;
    read_all(b, "read again: people", "read again: groups, links");
    in_one(b, sweep, b);
    report(b, "sweep", all);
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    struct eb_err err;

    if (argc < 2) {
        fprintf(stderr, "usage: stage_bench DIRECTORY [PEOPLE]\n");
        return 2;
    }
    b.users = argc > 2 ? atoi(argv[2]) : 300000;
    b.groups = b.users / 10;
    if (b.groups < 100) {
        fprintf(stderr, "stage_bench: at least 1000 people\n");
        return 2;
    }
    char *path = eb_asprintf("%s/stage.db", argv[1]);
    if (!db_open_staging(path, &b.db, &err))
        die(&err);
    run(&b);
    db_close(b.db);
    free(path);
    return 0;
}
