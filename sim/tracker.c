/* tracker.c - Jira's state in hashes and lists; knows nothing of HTTP.
 *
 * Owns everything in it. Invariant: `names` holds the key, the id and each former key of every issue.
 */
#include "sim/tracker.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracker *tracker_new(size_t keep_comments)
{
    struct tracker *t = eb_alloc(sizeof(*t));

    TAILQ_INIT(&t->issues);
    t->last_id = 90000;
    t->keep_comments = keep_comments;
    return t;
}

static void comment_free(struct tracker_comment *m)
{
    json_decref(m->body);
    json_decref(m->properties);
    free(m);
}

void tracker_comment_remove(struct tracker_issue *i, struct tracker_comment *m)
{
    TAILQ_REMOVE(&i->comments, m, next);
    i->comment_count--;
    comment_free(m);
}

void tracker_approvals_clear(struct tracker_issue *i)
{
    struct tracker_approval *a;

    while ((a = TAILQ_FIRST(&i->approvals)) != NULL) {
        TAILQ_REMOVE(&i->approvals, a, next);
        free(a->name);
        free(a->approvers);
        free(a);
    }
}

static void issue_free(struct tracker_issue *i)
{
    while (!TAILQ_EMPTY(&i->comments))
        tracker_comment_remove(i, TAILQ_FIRST(&i->comments));
    tracker_approvals_clear(i);
    json_decref(i->properties);
    json_decref(i->former_keys);
    json_decref(i->fields);
    json_decref(i->history);
    free(i->summary);
    free(i->status);
    free(i);
}

void tracker_free(struct tracker *t)
{
    struct tracker_project *p, *p_tmp;
    struct tracker_account *a, *a_tmp;
    struct tracker_name *n, *n_tmp;
    struct tracker_issue *i;

    if (t == NULL)
        return;
    HASH_ITER(hh, t->names, n, n_tmp) {
        HASH_DEL(t->names, n);
        free(n);
    }
    while ((i = TAILQ_FIRST(&t->issues)) != NULL) {
        TAILQ_REMOVE(&t->issues, i, next);
        issue_free(i);
    }
    HASH_ITER(hh, t->projects, p, p_tmp) {
        HASH_DEL(t->projects, p);
        free(p);
    }
    HASH_ITER(hh, t->accounts, a, a_tmp) {
        HASH_DEL(t->accounts, a);
        free(a->name);
        free(a->email);
        free(a);
    }
    free(t->roll);
    free(t->numbered);
    free(t);
}

struct tracker_project *tracker_project(struct tracker *t, const char *key, const char *id, const char *name)
{
    struct tracker_project *p;

    HASH_FIND_STR(t->projects, key, p);
    if (p != NULL)
        return p;
    p = eb_alloc(sizeof(*p));
    eb_text_clean(key, p->key, sizeof(p->key));
    if (id != NULL)
        eb_text_clean(id, p->id, sizeof(p->id));
    else
        snprintf(p->id, sizeof(p->id), "%llu", (unsigned long long)++t->last_id);
    eb_text_clean(name != NULL ? name : key, p->name, sizeof(p->name));
    HASH_ADD_STR(t->projects, key, p);
    return p;
}

struct tracker_account *tracker_account_put(struct tracker *t, const char *id, const char *name, const char *email, const char *type)
{
    struct tracker_account *a = tracker_account(t, id);

    if (a == NULL) {
        a = eb_alloc(sizeof(*a));
        eb_text_clean(id, a->id, sizeof(a->id));
        HASH_ADD_STR(t->accounts, id, a);
        tracker_roll_add(t, a);
    }
    free(a->name);
    free(a->email);
    a->name = eb_strdup(name);
    a->email = eb_strdup(email);
    a->type = type;
    a->active = true;
    return a;
}

/* Keys in upper case, cut to fit: too long a key is found by none. */
static void name_form(const char *text, char out[40])
{
    size_t i = 0;

    for (; text[i] != '\0' && i < 39; i++)
        out[i] = (char)toupper((unsigned char)text[i]);
    out[i] = '\0';
}

struct tracker_issue *tracker_issue(struct tracker *t, const char *key_or_id)
{
    char name[40];
    struct tracker_name *n;

    name_form(key_or_id, name);
    HASH_FIND_STR(t->names, name, n);
    return n != NULL ? n->issue : NULL;
}

static void name_add(struct tracker *t, struct tracker_issue *i, const char *text)
{
    struct tracker_name *n = eb_alloc(sizeof(*n));

    name_form(text, n->name);
    n->issue = i;
    HASH_ADD_STR(t->names, name, n);
}

void tracker_issue_alias(struct tracker *t, struct tracker_issue *i, const char *former_key)
{
    if (!eb_is_issue(former_key) || tracker_issue(t, former_key) != NULL)
        return;
    name_add(t, i, former_key);
    json_array_append_new(i->former_keys, json_string(former_key));
}

struct tracker_issue *tracker_issue_put(struct tracker *t, const char *key, const char *id)
{
    struct tracker_issue *i = tracker_issue(t, key);
    const char *dash = strrchr(key, '-');
    char project[32];

    if (i != NULL)
        return i;
    if (!eb_is_issue(key) || dash == NULL || (size_t)(dash - key) >= sizeof(project) || strlen(key) >= sizeof(i->key) ||
        (id != NULL && tracker_issue(t, id) != NULL))
        return NULL;
    i = eb_alloc(sizeof(*i));
    name_form(key, i->key);
    snprintf(project, sizeof(project), "%.*s", (int)(dash - key), i->key);
    if (id != NULL)
        eb_text_clean(id, i->id, sizeof(i->id));
    else
        snprintf(i->id, sizeof(i->id), "%llu", (unsigned long long)++t->last_id);
    i->project = tracker_project(t, project, NULL, NULL);
    TAILQ_INIT(&i->comments);
    TAILQ_INIT(&i->approvals);
    i->properties = json_object();
    i->former_keys = json_array();
    i->fields = json_object();
    i->history = json_array();
    i->summary = eb_asprintf("Request %s", i->key);
    i->status = eb_strdup("Waiting for support");
    snprintf(i->request_type, sizeof(i->request_type), "42");
    i->created_ms = i->updated_ms = eb_now_ms();
    TAILQ_INSERT_TAIL(&t->issues, i, next);
    name_add(t, i, i->key);
    name_add(t, i, i->id);
    return i;
}

bool tracker_issue_move(struct tracker *t, struct tracker_issue *i, const char *key)
{
    const char *dash = strrchr(key, '-');
    char project[32];

    if (!eb_is_issue(key) || dash == NULL || (size_t)(dash - key) >= sizeof(project) || strlen(key) >= sizeof(i->key) || tracker_issue(t, key) != NULL)
        return false;
    json_array_append_new(i->former_keys, json_string(i->key));     /* `names` has it already */
    name_form(key, i->key);
    snprintf(project, sizeof(project), "%.*s", (int)(dash - key), i->key);
    i->project = tracker_project(t, project, NULL, NULL);
    name_add(t, i, i->key);
    return true;
}

void tracker_history_add(struct tracker *t, struct tracker_issue *i, const struct tracker_account *author, int64_t ms, json_t *items)
{
    char id[24];

    if (json_array_size(items) == 0) {
        json_decref(items);
        return;
    }
    snprintf(id, sizeof(id), "%llu", (unsigned long long)++t->last_id);
    json_array_append_new(i->history, json_pack("{s:s, s:s, s:I, s:o}", "id", id, "author", author->id, "ms", (json_int_t)ms, "items", items));
    if (ms > i->updated_ms)
        i->updated_ms = ms;
}

struct tracker_comment *tracker_comment_add(struct tracker *t, struct tracker_issue *i, const struct tracker_account *author,
                                            json_t *body, json_t *properties, bool internal)
{
    struct tracker_comment *m = eb_alloc(sizeof(*m));

    snprintf(m->id, sizeof(m->id), "%llu", (unsigned long long)++t->last_id);
    m->author = m->updater = author;
    m->created_ms = m->updated_ms = eb_now_ms();
    m->internal = internal;
    m->body = body;
    m->properties = properties;
    for (size_t k = 0; k < json_array_size(properties); k++) {
        const json_t *p = json_array_get(properties, k);
        const char *operation = eb_json_str(json_object_get(p, "value"), "operation");
        if (operation != NULL && eb_streq(eb_json_str(p, "key"), TRACKER_OPERATION_PROPERTY))
            eb_text_clean(operation, m->operation, sizeof(m->operation));
    }
    TAILQ_INSERT_TAIL(&i->comments, m, next);
    i->comment_count++;
    if (t->keep_comments != 0 && i->comment_count > t->keep_comments)
        tracker_comment_remove(i, TAILQ_FIRST(&i->comments));
    return m;
}

struct tracker_comment *tracker_comment(struct tracker_issue *i, const char *id)
{
    struct tracker_comment *m;

    TAILQ_FOREACH(m, &i->comments, next)
        if (strcmp(m->id, id) == 0)
            return m;
    return NULL;
}

size_t tracker_comments_of(const struct tracker_issue *i, const char *operation)
{
    const struct tracker_comment *m;
    size_t n = 0;

    if (operation == NULL)
        return i->comment_count;
    TAILQ_FOREACH(m, &i->comments, next)
        n += strcmp(m->operation, operation) == 0 ? 1 : 0;
    return n;
}

struct tracker_approval *tracker_approval_add(struct tracker *t, struct tracker_issue *i, const char *name, const char *decision)
{
    struct tracker_approval *a = eb_alloc(sizeof(*a));

    snprintf(a->id, sizeof(a->id), "%llu", (unsigned long long)++t->last_id);
    a->name = eb_strdup(name);
    eb_text_clean(decision, a->decision, sizeof(a->decision));
    a->created_ms = eb_now_ms();
    a->completed_ms = strcmp(decision, "pending") == 0 ? 0 : a->created_ms;
    TAILQ_INSERT_TAIL(&i->approvals, a, next);
    return a;
}

void tracker_approver_add(struct tracker_approval *a, const struct tracker_account *who, const char *decision)
{
    a->approvers = eb_need(realloc(a->approvers, (a->approver_count + 1) * sizeof(a->approvers[0])));
    a->approvers[a->approver_count].account = who;
    eb_text_clean(decision, a->approvers[a->approver_count].decision, sizeof(a->approvers[0].decision));
    a->approver_count++;
}
