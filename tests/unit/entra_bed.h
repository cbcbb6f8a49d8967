/* entra_bed.h - the source against the small Entra and the small Jira of fake_directory.h, and the truth that what is wanted is compared with after a reading. */
#ifndef TESTS_ENTRA_BED_H
#define TESTS_ENTRA_BED_H

#include "base/clock.h"
#include "base/log.h"
#include "store/stage.h"
#include "store/store.h"
#include "sync/entra.h"
#include "tests/unit/fake_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

struct bed {
    struct store *stage;
    struct config config;
    struct sync_schema *schema;
    struct sync_counts counts;
    struct sync_context x;
    void *source;
    bool all, ended;
    struct eb_err err;
    int faults, wanted, mismatches;
    char path[64], why[2000];
};
static struct bed *bed_now;
static int confirm_max;         /* 0: as it is */

static inline void on_progress(void *run, const char *phase, int64_t done, int64_t total) { }
static inline void on_fault(void *run, const char *action, enum stage_kind kind, const char *key, const char *label, const char *text) { ((struct bed *)run)->faults++; }

static inline void stage_open(struct bed *b)
{
    struct eb_err err = { 0 };

    if (!store_open_stage(b->path, loop, &b->stage, &err))
        fail_msg("%s", err.text);
    b->x.stage = b->stage;
}

static inline void bed_up(struct bed *b)
{
    struct eb_err err = { 0 };

    directory_reset();
    *b = (struct bed){ .path = "/tmp/test_sync_entra.XXXXXX" };
    close(mkstemp(b->path));
    unlink(b->path);
    assert_true(eb_loop_new(&loop, &err));
    b->config.sync = (struct config_sync){ .mode = CONFIG_DIRECTORY_FIRST, .groups_wanted = true, .guests = true };
    b->x = (struct sync_context){ .loop = loop, .config = &b->config, .counts = &b->counts, .progress = on_progress, .fault = on_fault, .run = b };
    b->schema = sync_schema_new(&b->config.sync);
    b->x.schema = b->schema;
    bed_now = b;
    stage_open(b);
}

static inline void settle(void *arg) { eb_loop_stop(loop); }

static inline void drain(void)
{
    eb_loop_post(loop, settle, NULL);
    eb_loop_run(loop);
}

static inline void stage_close(struct bed *b)
{
    store_close(b->stage);
    drain();
}

static inline void bed_down(struct bed *b)
{
    char beside[80];

    stage_close(b);
    drain();
    sync_schema_free(b->schema);
    eb_loop_free(loop);
    unlink(b->path);
    snprintf(beside, sizeof(beside), "%s-wal", b->path);
    unlink(beside);
    snprintf(beside, sizeof(beside), "%s-shm", b->path);
    unlink(beside);
}

static inline void on_read(void *ctx, const struct eb_err *err)
{
    struct bed *b = ctx;

    b->ended = true;
    b->err = err != NULL ? *err : (struct eb_err){ 0 };
    eb_loop_stop(loop);
}

static inline void stop_now(void) { eb_loop_stop(loop); }

/* False: it failed, or was stopped in the middle. */
static inline bool read_once(struct bed *b, enum sync_reading how)
{
    page_calls = batch_calls = account_calls = asked_mails = 0;
    b->ended = false;
    stopping = stop_now;
    b->source = sync_source_entra.open(&b->x);
    ((struct entra_options *)(uintptr_t)entra_options_of(b->source))->pages_max = 300;
    if (confirm_max > 0)
        ((struct entra_options *)(uintptr_t)entra_options_of(b->source))->confirm_max = confirm_max;
    sync_source_entra.read(b->source, how, &b->all, on_read, b);
    eb_loop_run(loop);
    if (!b->ended || b->err.code != EB_OK) {
        sync_source_entra.close(b->source);
        b->source = NULL;
        return false;
    }
    return true;
}

/* ---- the truth ---- */

static bool account_missed[USERS];      /* is away for the first time */

/* Whose account an account is, reckoned another way than the source does: of the one who has its mail, in Entra and in Jira. -1: nobody's. */
static inline int owner_of(int account)
{
    char own[24], mail[24];
    int owner = -1;

    snprintf(own, sizeof(own), "U%d@X.com", account);
    for (int i = 0; i < USERS; i++)
        if (people[i].there && eb_strieq(mail_of(i, mail), own)) {
            if (owner >= 0)
                return -1;
            owner = i;
        }
    return (has_account(account) || account_missed[account]) && account != 9 ? owner : -1;
}

static inline int account_of(int i)
{
    for (int a = 0; i >= 0 && a < USERS; a++)
        if (owner_of(a) == i)
            return a;
    return -1;
}

static inline bool in_scope(const struct bed *b, int i)
{
    const struct config_sync *c = &b->config.sync;

    if (i < 0 || !people[i].there || (!c->guests && people[i].guest) || (c->accounts == CONFIG_ACCOUNTS_ENABLED && people[i].disabled))
        return false;
    if (c->member_of.count > 0 && !teams[1].member[i] && !teams[2].member[i])         /* the test names team 1, which team 2 is in */
        return false;
    return c->mode == CONFIG_DIRECTORY_FIRST || account_of(i) >= 0;
}

static inline bool shown(const struct bed *b, int g)
{
    return teams[g].there && b->config.sync.groups_wanted && (b->config.sync.groups.count == 0 || g == 2 || g == 3);
}

static inline json_t *names(const struct bed *b, int member, bool owner)
{
    json_t *list = json_array();
    char id[ID_LEN];

    for (int g = 0; g < GROUPS; g++)
        if (shown(b, g) && (owner ? teams[g].owner[member] : teams[g].member[member]))
            json_array_append_new(list, json_string(group_id(g, id)));
    return list;
}

static inline json_t *true_user(const struct bed *b, int i)
{
    const struct person *p = &people[i];
    char id[ID_LEN], mail[24];
    size_t title = strnlen(p->title, (unsigned char)p->title[0] == 0xf0 ? 4 * 127 : 2 * 255);  /* long ones: letters of two bytes, or of four */
    json_t *u = json_pack("{s:s,s:o,s:o,s:o,s:s%,s:b,s:o,s:o}", "Entra User ID", user_id(i, id), "Name", json_sprintf("P\xc3\xa9rson %d", i), "Email", json_string(mail_of(i, mail)),
                          "UPN", json_sprintf("u%d@tenant.x.com", i), "Job title", p->title, title, "Account enabled", !p->disabled, "Groups", names(b, i, false),
                          "Owned groups", names(b, i, true));
    if (in_scope(b, p->manager)) {
        json_object_set_new(u, "Manager", json_string(user_id(p->manager, id)));
        if (account_of(p->manager) >= 0)
            json_object_set_new(u, "Manager account ID", json_sprintf("acc-%02d", account_of(p->manager)));
    }
    if (account_of(i) >= 0) {
        json_object_set_new(u, "Jira user", json_sprintf("acc-%02d", account_of(i)));
        json_object_set_new(u, "Atlassian account ID", json_sprintf("acc-%02d", account_of(i)));
    }
    return u;
}

static inline json_t *true_group(const struct bed *b, int g)
{
    char id[ID_LEN];

    return json_pack("{s:s,s:s,s:s,s:o}", "Entra Group ID", group_id(g, id), "Name", teams[g].name, "Group type", "Security", "Parent groups", names(b, USERS + g, false));
}

static inline bool compare(void *ctx, const struct stage_change *c)
{
    struct bed *b = ctx;
    int i = atoi(c->wanted->key + 24);
    bool user = c->wanted->kind == STAGE_USER;
    json_t *truth = !user && shown(b, i) ? true_group(b, i) : user && in_scope(b, i) ? true_user(b, i) : NULL;
    char *text = NULL, hash[33];

    b->wanted++;
    if (truth != NULL)
        sync_record_seal(truth, &text, hash);
    if (text == NULL || strcmp(text, c->wanted->attributes) != 0) {
        if (b->mismatches++ == 0)
            snprintf(b->why, sizeof(b->why), "\n%s\nis\n%s\nbut should be\n%s", c->wanted->key, c->wanted->attributes, text != NULL ? text : "nothing");
    }
    free(text);
    json_decref(truth);
    return true;
}

static inline bool judge(struct db *db, void *arg, struct eb_err *err)
{
    static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };
    struct bed *b = arg;

    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < EB_LEN(kinds); k++) {
            int64_t after = 0;
            bool more = true;
            while (more)
                if (!sync_source_entra.project(b->source, db, pass, kinds[k], &after, 7, &more, err))
                    return false;
        }
    struct sync_counts counts = { 0 };
    if (!sync_source_entra.notes(b->source, db, &counts, err))
        return false;
    b->counts.unmatched = counts.unmatched;
    b->counts.missing_managers = counts.missing_managers;
    b->wanted = b->mismatches = 0;
    for (size_t k = 0; k < EB_LEN(kinds); k++)
        if (!stage_plan_each(db, &(struct stage_plan){ .kind = kinds[k], .action = STAGE_CREATE, .level = -1 }, 0, 10000, compare, b, err))
            return false;
    return true;
}

static inline void judged(void *arg, const struct eb_err *err)
{
    struct bed *b = arg;

    b->err = err != NULL ? *err : (struct eb_err){ 0 };
    eb_loop_stop(loop);
}

static inline void is_true(struct bed *b, const char *why)
{
    int truth = 0;

    assert_non_null(b->source);
    store_submit(b->stage, judge, b, judged);
    eb_loop_run(loop);
    sync_source_entra.close(b->source);
    b->source = NULL;
    for (int i = 0; i < USERS; i++)
        truth += in_scope(b, i);
    for (int g = 0; g < GROUPS; g++)
        truth += shown(b, g);
    if (b->err.code != EB_OK || b->mismatches > 0 || b->wanted != truth)
        fail_msg("%s: %s %d wanted, %d are true, %d differ: %s", why, b->err.text, b->wanted, truth, b->mismatches, b->why);
}

static inline void reads(struct bed *b, enum sync_reading how, const char *why)
{
    if (!read_once(b, how))
        fail_msg("%s: %s", why, b->err.text);
    is_true(b, why);
}

#endif
