/* fake_directory.h - a small Entra and a small Jira in place of their libraries, for tests of the source: a model that can be changed, lists and changes with all
 * that Graph's delta does (repeats, empty pages, members over several pages, @removed), and faults at a chosen call. For one test program.
 */
#ifndef FAKE_DIRECTORY_H
#define FAKE_DIRECTORY_H

#include "base/loop.h"
#include "base/text.h"
#include "graph/graph.h"
#include "jira/jira.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS 40
#define GROUPS 8
#define ID_LEN 40
#define WRONG_TOKEN "$skiptoken=l.-1.1.0"

struct person { bool there, soft, guest, disabled; char title[640], mail[24] /* "": its own */; int manager /* -1: none */; int64_t made, changed, manager_changed; };
struct team { bool there, soft; char name[24]; bool member[USERS + GROUPS], owner[USERS]; int64_t made, changed, member_changed[USERS + GROUPS], owner_changed[USERS]; };
enum fault { FAULT_NONE, FAULT_ERROR, FAULT_CUT, FAULT_NO_PAGE, FAULT_GONE, FAULT_NO_LINK, FAULT_EMPTY, FAULT_NO_ID, FAULT_ODD };

static struct person people[USERS];
static struct team teams[GROUPS];
static int64_t version;
static int page_size, page_calls, batch_calls, account_calls, asked_mails, fault_at, stop_at;
static enum fault fault_kind;
static int64_t told_count;      /* what Graph says to /users/$count; -1: a hundred times as many as there are */
static bool repeats, empties, endless, no_accounts, misleads /* last pages have a link that is not theirs */;
static struct eb_loop *loop;
static void (*stopping)(void);

static inline const char *mail_of(int i, char out[24]) { snprintf(out, 24, "U%d@X.com", i); return people[i].mail[0] != '\0' ? people[i].mail : out; }
static inline const char *user_id(int i, char out[ID_LEN]) { snprintf(out, ID_LEN, "a0000000-0000-4000-8000-%012d", i); return out; }
static inline const char *group_id(int g, char out[ID_LEN]) { snprintf(out, ID_LEN, "b0000000-0000-4000-8000-%012d", g); return out; }
static inline const char *member_id(int m, char out[ID_LEN]) { return m < USERS ? user_id(m, out) : group_id(m - USERS, out); }
static bool account_away[USERS], unlisted[USERS] /* there, and in no list */, mail_hidden[USERS] /* the account's */;
static inline bool has_account(int i) { return i % 3 != 0 && !account_away[i]; }

static inline void directory_reset(void)
{
    memset(people, 0, sizeof(people));
    memset(teams, 0, sizeof(teams));
    memset(account_away, 0, sizeof(account_away));
    memset(unlisted, 0, sizeof(unlisted));
    memset(mail_hidden, 0, sizeof(mail_hidden));
    version = 1;
    page_size = 3;
    page_calls = batch_calls = account_calls = asked_mails = fault_at = stop_at = 0;
    fault_kind = FAULT_NONE;
    told_count = -1;
    repeats = empties = endless = no_accounts = misleads = false;
    for (int i = 0; i < USERS - 10; i++) {
        people[i] = (struct person){ .there = true, .manager = i == 0 ? -1 : (i - 1) / 4, .guest = i == 7, .disabled = i == 8, .made = 1, .changed = 1 };
        snprintf(people[i].title, sizeof(people[i].title), "T%d", i);
    }
    for (int g = 0; g < GROUPS - 2; g++) {
        teams[g] = (struct team){ .there = true, .made = 1, .changed = 1 };
        snprintf(teams[g].name, sizeof(teams[g].name), "Team %d", g);
        for (int i = g; i < USERS - 10; i += g + 2)
            teams[g].member[i] = true;
        teams[g].owner[g] = true;
    }
    teams[0].member[USERS + 1] = teams[1].member[USERS + 2] = true;         /* nested */
    teams[3].member[USERS + 4] = teams[4].member[USERS + 3] = true;         /* in a circle */
}

static inline void set_member(int g, int m, bool is) { teams[g].member[m] = is; teams[g].member_changed[m] = ++version; }
static inline void set_owner(int g, int m, bool is) { teams[g].owner[m] = is; teams[g].owner_changed[m] = ++version; }
static inline void set_title(int i, const char *title) { snprintf(people[i].title, sizeof(people[i].title), "%s", title); people[i].changed = ++version; }
static inline void set_mail(int i, const char *mail) { snprintf(people[i].mail, sizeof(people[i].mail), "%s", mail); people[i].changed = ++version; }
static inline void set_manager(int i, int manager) { people[i].manager = manager; people[i].manager_changed = ++version; }
static inline void add_person(int i)
{
    version++;
    people[i] = (struct person){ .there = true, .manager = 0, .title = "new", .made = version, .changed = version, .manager_changed = version };
}
static inline void soft_delete(int i) { people[i].there = false; people[i].soft = true; people[i].changed = ++version; }
static inline void restore(int i) { people[i].there = true; people[i].soft = false; people[i].made = people[i].changed = people[i].manager_changed = ++version; }
static inline void purge(int i)
{
    people[i].there = people[i].soft = false;
    people[i].changed = ++version;
    for (int k = 0; k < USERS; k++)
        if (people[k].manager == i)
            set_manager(k, -1);
    for (int g = 0; g < GROUPS; g++) {
        if (teams[g].member[i])
            set_member(g, i, false);
        if (teams[g].owner[i]) {
            teams[g].owner[i] = false;
            teams[g].owner_changed[i] = ++version;
        }
    }
}
static inline void group_off(int g, bool soft) { teams[g].there = false; teams[g].soft = soft; teams[g].changed = ++version; }
static inline void group_restore(int g) { teams[g].there = true; teams[g].soft = false; teams[g].made = teams[g].changed = ++version; }

/* ---- what Graph says ---- */

static inline json_t *user_item(int i, int64_t since /* -1: as a list says it */)
{
    struct person *p = &people[i];
    char id[ID_LEN], manager[ID_LEN], mail[24];
    json_t *u = json_pack("{s:s}", "id", user_id(i, id));

    if (!p->there) {
        json_object_set_new(u, "@removed", json_pack("{s:s}", "reason", p->soft ? "changed" : "deleted"));
        return u;
    }
    bool whole = since < 0 || p->made > since;
    if (whole) {
        json_object_set_new(u, "displayName", json_sprintf("P\xc3\xa9rson %d", i));
        json_object_set_new(u, "userPrincipalName", json_sprintf("u%d@tenant.x.com", i));
        json_object_set_new(u, "userType", json_string(p->guest ? "Guest" : "Member"));
        json_object_set_new(u, "onPremisesExtensionAttributes", json_pack("{s:s,s:n}", "extensionAttribute3", "ext", "extensionAttribute1"));
        json_object_set_new(u, "employeeHireDate", json_string("2020-03-01T00:00:00.0000000Z"));
        json_object_set_new(u, "department", json_null());
    }
    if (whole || p->changed > since) {
        json_object_set_new(u, "jobTitle", p->title[0] != '\0' ? json_string(p->title) : json_null());
        json_object_set_new(u, "accountEnabled", json_boolean(!p->disabled));
        json_object_set_new(u, "mail", json_string(mail_of(i, mail)));
    }
    if (since < 0 && p->manager >= 0 && people[p->manager].there)
        json_object_set_new(u, "manager", json_pack("{s:s,s:s}", "@odata.type", "#microsoft.graph.user", "id", user_id(p->manager, manager)));
    if (since >= 0 && (whole || p->manager_changed > since))
        json_object_set_new(u, "manager@delta", p->manager >= 0 ? json_pack("[{s:s}]", "id", user_id(p->manager, manager))
                                                                : json_pack("[{s:s,s:{s:s}}]", "id", user_id(0, manager), "@removed", "reason", "deleted"));
    if (since >= 0 && !whole && p->manager_changed > since && p->manager < 0)
        for (int k = 1; k < USERS; k++)         /* whoever it was */
            json_array_append_new(json_object_get(u, "manager@delta"), json_pack("{s:s,s:{s:s}}", "id", user_id(k, manager), "@removed", "reason", "deleted"));
    return u;
}

static inline void add_links(json_t *items, int g, const char *name, const bool *is, const int64_t *changed, int count, int64_t since)
{
    char id[ID_LEN], to[ID_LEN];
    bool whole = since < 0 || teams[g].made > since;
    json_t *item = NULL;

    for (int m = 0; m < count; m++) {
        if (whole ? !is[m] : changed[m] <= since)
            continue;
        if (item == NULL || json_array_size(json_object_get(item, name)) == 2) {        /* two links an item: the group comes again and again */
            item = json_pack("{s:s,s:[]}", "id", group_id(g, id), name);
            json_array_append_new(items, item);
        }
        json_t *link = json_pack("{s:s,s:s}", "@odata.type", m < USERS ? "#microsoft.graph.user" : "#microsoft.graph.group", "id", member_id(m, to));
        if (!is[m])
            json_object_set_new(link, "@removed", json_pack("{s:s}", "reason", "deleted"));
        json_array_append_new(json_object_get(item, name), link);
    }
}

static inline void add_group(json_t *items, int g, int64_t since)
{
    struct team *t = &teams[g];
    char id[ID_LEN];

    if (!t->there) {
        if (since < 0 ? t->soft : t->changed > since)           /* the first round too may hold removed ones */
            json_array_append_new(items, json_pack("{s:s,s:{s:s}}", "id", group_id(g, id), "@removed", "reason", t->soft ? "changed" : "deleted"));
        return;
    }
    if (since < 0 || t->changed > since)
        json_array_append_new(items, json_pack("{s:s,s:s,s:[],s:b,s:b,s:n}", "id", group_id(g, id), "displayName", t->name, "groupTypes", "mailEnabled", 0,
                                               "securityEnabled", 1, "description"));
    add_links(items, g, "members@delta", t->member, t->member_changed, USERS + GROUPS, since);
    add_links(items, g, "owners@delta", t->owner, t->owner_changed, USERS, since);
    if (since < 0) {            /* a device: no business of ours */
        json_array_append_new(items, json_pack("{s:s,s:[{s:s,s:s}]}", "id", group_id(g, id), "members@delta", "@odata.type", "#microsoft.graph.device", "id",
                                               "c0000000-0000-4000-8000-000000000001"));
    }
}

/* All items of a walk: 'l' a list of users, 'u' changes of users, 'g' of groups (since -1: the first round). */
static inline json_t *walk_items(char kind, int64_t since)
{
    json_t *items = json_array();

    for (int i = 0; kind != 'g' && i < USERS; i++)
        if (kind == 'l' ? people[i].there && !unlisted[i] : people[i].changed > since || people[i].manager_changed > since)
            json_array_append_new(items, user_item(i, kind == 'l' ? -1 : since));
    for (int g = 0; kind == 'g' && g < GROUPS; g++)
        add_group(items, g, since);
    for (size_t i = 0, n = repeats ? json_array_size(items) : 0; i < n; i += 2)         /* replayed, in another order */
        json_array_append(items, json_array_get(items, n - 1 - i));
    return items;
}

static inline char *page_text(char kind, long long since, long long until, int at)
{
    json_t *items = walk_items(kind, since), *page = json_object(), *value = json_array();
    int size = (int)json_array_size(items), number = empties ? at / 2 : at;         /* with empty pages, the odd ones are those */
    const char *collection = kind == 'g' ? "groups" : "users";
    bool empty = empties && at % 2 == 1, last = !empty && !endless && (number + 1) * page_size >= size;

    for (int i = number * page_size; !empty && i < (number + 1) * page_size && i < size; i++)
        json_array_append(value, json_array_get(items, (size_t)i));
    if (!last)
        json_object_set_new(page, "@odata.nextLink", json_sprintf("https://g/v1.0/%s?$skiptoken=%c.%lld.%lld.%d", collection, kind, since, until, at + 1));
    else if (kind != 'l')
        json_object_set_new(page, "@odata.deltaLink", json_sprintf("https://g/v1.0/%s/delta?$deltatoken=%c.%lld", collection, kind, until));
    if (misleads && last)
        json_object_set_new(page, "hint", json_pack("{s:s}", "@odata.nextLink", "https://g/v1.0/users?" WRONG_TOKEN));
    json_object_set_new(page, "value", value);
    char *text = json_dumps(page, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(page);
    json_decref(items);
    return text;
}

static inline char *answer_to(const char *path)
{
    const char *token = strstr(path, "token=");
    long long since = -1, until = version;
    char kind = 'l';
    int at = 0;

    if (strstr(path, "$deltatoken=latest") != NULL)
        return eb_asprintf("{\"@odata.deltaLink\":\"https://g/v1.0/users/delta?$deltatoken=u.%lld\",\"value\":[]}", (long long)version);
    if (token == NULL)
        return page_text(strstr(path, "/groups/delta") != NULL ? 'g' : 'l', -1, version, 0);
    if (strstr(path, "$skiptoken=") != NULL) {
        if (sscanf(token, "token=%c.%lld.%lld.%d", &kind, &since, &until, &at) != 4)
            abort();
    } else if (sscanf(token, "token=%c.%lld", &kind, &since) != 2) {
        abort();
    }
    return page_text(kind, since, until, at);
}

/* ---- faults ---- */

static inline char *spoil(char *text)
{
    json_t *page = json_loads(text, 0, NULL), *value = json_object_get(page, "value");

    switch (fault_kind) {
    case FAULT_CUT: text[strlen(text) / 2] = '}'; text[strlen(text) / 2 + 1] = '\0'; json_decref(page); return text;
    case FAULT_NO_PAGE: json_object_set_new(page, "value", json_object()); break;
    case FAULT_NO_LINK: json_object_del(page, "@odata.nextLink"); json_object_del(page, "@odata.deltaLink"); break;
    case FAULT_EMPTY: json_array_clear(value); json_object_del(page, "@odata.nextLink"); break;
    case FAULT_NO_ID: json_object_set_new(json_array_get(value, 0), "id", json_integer(7)); break;
    case FAULT_ODD: json_object_set_new(json_array_get(value, 0), "displayName", json_integer(7)); break;
    default: break;
    }
    free(text);
    text = json_dumps(page, JSON_COMPACT);
    json_decref(page);
    return text;
}

/* ---- Graph, in place of its library ---- */

struct graph { int nothing; };
struct graph_batch { char *paths[GRAPH_BATCH_MAX]; int count; };
struct waiting { char *path; struct graph_batch batch; uint64_t id; void *ctx; graph_page_done *page; graph_batch_done *answers; jira_users_done *users; int64_t start; bool dead; };
static struct waiting *pending[8];

static inline void wait_in(struct waiting *w, void (*fn)(void *))
{
    for (size_t i = 0; i < EB_LEN(pending); i++)
        if (pending[i] == NULL) {
            pending[i] = w;
            eb_loop_post(loop, fn, w);
            return;
        }
    abort();                    /* more under way than one page ahead */
}
static inline bool wait_over(struct waiting *w)
{
    for (size_t i = 0; i < EB_LEN(pending); i++)
        if (pending[i] == w)
            pending[i] = NULL;
    return !w->dead;
}
static inline void forget(void *ctx, uint64_t id)
{
    for (size_t i = 0; i < EB_LEN(pending); i++)
        if (pending[i] != NULL && pending[i]->ctx == ctx && pending[i]->id == id)
            pending[i]->dead = true;
}
static inline bool others_wait(void)
{
    for (size_t i = 0; i < EB_LEN(pending); i++)
        if (pending[i] != NULL && pending[i]->page == NULL)
            return true;
    return false;
}
static inline void page_answer(void *arg)
{
    struct waiting *w = arg;

    if (!w->dead && strstr(w->path, WRONG_TOKEN) != NULL && !others_wait()) {      /* comes at the worst moment */
        eb_loop_post(loop, page_answer, w);
        return;
    }
    struct graph_page_reply r = { .result = GRAPH_OK, .status = 200, .body = { "", 0 } };
    char *text = answer_to(w->path);

    if (wait_over(w)) {
        page_calls++;
        if (page_calls == stop_at) {
            stopping();
        } else {
            if (page_calls == fault_at && (fault_kind == FAULT_ERROR || fault_kind == FAULT_GONE)) {
                r.result = fault_kind == FAULT_GONE ? GRAPH_REFUSED : GRAPH_IN_DOUBT;
                (void)eb_fail(&r.err, fault_kind == FAULT_GONE ? EB_NOT_THERE : EB_ENTRA_UNAVAILABLE, "as ordered");
            } else if (page_calls == fault_at) {
                text = spoil(text);
            }
            if (r.result == GRAPH_OK)
                r.body = (struct eb_span){ text, strlen(text) };
            w->page(w->ctx, w->id, &r);
        }
    }
    free(text);
    free(w->path);
    free(w);
}
void graph_page_get(struct graph *g, const char *path, bool minimal, int64_t deadline_ms, uint64_t id, graph_page_done *done, void *ctx)
{
    struct waiting *w = eb_alloc(sizeof(*w));

    *w = (struct waiting){ .path = eb_strdup(path), .id = id, .ctx = ctx, .page = done };
    wait_in(w, page_answer);
}
void graph_page_forget(struct graph *g, void *ctx, uint64_t id) { forget(ctx, id); }
struct graph_batch *graph_batch_new(void) { return eb_alloc(sizeof(struct graph_batch)); }
void graph_batch_for(struct graph_batch *b, enum graph_priority priority, const char *caller) { }
int graph_batch_get(struct graph_batch *b, const char *path)
{
    b->paths[b->count] = eb_strdup(path);
    return b->count++;
}
static inline json_t *batch_item(const char *path, int *status)
{
    int i, found = 0;
    json_t *list = json_array();

    *status = 200;
    if (strcmp(path, "/users/$count") == 0) {
        for (i = 0; i < USERS; i++)
            found += people[i].there;
        json_decref(list);
        return json_sprintf("\xef\xbb\xbf%lld", told_count >= 0 ? (long long)told_count : found * 100LL);
    }
    if (sscanf(path, "/users/a0000000-0000-4000-8000-%12d", &i) == 1) {
        json_decref(list);
        *status = people[i].there ? 200 : 404;
        return people[i].there ? user_item(i, -1) : json_object();
    }
    asked_mails++;
    int owner;
    if (sscanf(path, "/users?$filter=mail%%20eq%%20'u%d%%40x.com'", &owner) == 1)
        for (i = 0; i < USERS; i++) {
            char own[24], mail[24];
            snprintf(own, sizeof(own), "U%d@X.com", owner);
            if (people[i].there && !unlisted[i] && eb_strieq(mail_of(i, mail), own))
                json_array_append_new(list, user_item(i, -1));
        }
    return json_pack("{s:o}", "value", list);
}
static inline void batch_answer(void *arg)
{
    struct waiting *w = arg;
    struct graph_reply replies[GRAPH_BATCH_MAX];

    if (wait_over(w)) {
        batch_calls++;
        for (int i = 0; i < w->batch.count; i++) {
            int status;
            replies[i] = (struct graph_reply){ .body = batch_item(w->batch.paths[i], &status), .request_id = "", .graph_code = "" };
            replies[i].status = status;
            replies[i].result = status == 200 ? GRAPH_OK : GRAPH_REFUSED;
        }
        w->answers(w->ctx, w->id, replies, w->batch.count, NULL);
        for (int i = 0; i < w->batch.count; i++)
            json_decref(replies[i].body);
    }
    for (int i = 0; i < w->batch.count; i++)
        free(w->batch.paths[i]);
    free(w);
}
void graph_batch_send(struct graph *g, struct graph_batch *b, int64_t deadline_ms, uint64_t id, graph_batch_done *done, void *ctx)
{
    struct waiting *w = eb_alloc(sizeof(*w));

    *w = (struct waiting){ .batch = *b, .id = id, .ctx = ctx, .answers = done };
    free(b);
    wait_in(w, batch_answer);
}

/* ---- Jira, in place of its library: accounts of some, one that hides its mail, one that left, a customer, two with one mail ---- */

static inline json_t *account(const char *id, const char *mail, const char *type, bool active)
{
    return json_pack("{s:s,s:s*,s:s,s:b,s:s}", "accountId", id, "emailAddress", mail, "accountType", type, "active", active, "displayName", id);
}
static inline void accounts_answer(void *arg)
{
    struct waiting *w = arg;
    json_t *all = json_array(), *page = json_array();
    struct jira_page_reply r = { 0 };
    char id[32], mail[32];

    for (int i = 0; i < USERS && !no_accounts; i++)
        if (has_account(i)) {
            snprintf(id, sizeof(id), "acc-%02d", i);
            snprintf(mail, sizeof(mail), "u%d@x.COM", i);
            json_array_append_new(all, account(id, mail_hidden[i] ? NULL : mail, "atlassian", true));
        }
    json_array_append_new(all, account("hidden", NULL, "atlassian", true));
    json_array_append_new(all, account("left", "u3@x.com", "atlassian", false));
    json_array_append_new(all, account("portal", "u6@x.com", "customer", true));
    json_array_append_new(all, account("twin-1", "u9@x.com", "atlassian", true));
    json_array_append_new(all, account("twin-2", "u9@x.com", "atlassian", true));
    json_array_append_new(all, account("stranger", "nobody@x.com", "atlassian", true));
    for (size_t i = (size_t)w->start; i < (size_t)w->start + 10; i++)
        json_array_append(page, json_array_get(all, i));
    if (no_accounts)
        json_array_clear(page);
    char *text = json_dumps(page, 0);
    r.body = (struct eb_span){ text, strlen(text) };
    if (wait_over(w)) {
        account_calls++;
        w->users(w->ctx, w->id, &r);
    }
    free(text);
    json_decref(all);
    json_decref(page);
    free(w);
}
void jira_users_page(struct jira *j, int64_t start_at, uint64_t id, jira_users_done *done, void *ctx)
{
    struct waiting *w = eb_alloc(sizeof(*w));

    *w = (struct waiting){ .start = start_at, .id = id, .ctx = ctx, .users = done };
    wait_in(w, accounts_answer);
}
void jira_forget(struct jira *j, void *ctx, uint64_t id) { forget(ctx, id); }

#endif
