/* jira_comment.c - comments in Jira v3: ADF only, internal only by the property sd.public.comment.
 *
 * An unknown member such as `public` is ignored without a word, as in life: the comment is then public.
 */
#include "sim/jira.h"

#include "base/text.h"
#include "sim/adf.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 32767
#define PUBLIC_PROPERTY "sd.public.comment"

static json_t *comment_json(const struct sim_call *c, const struct tracker_issue *i, const struct tracker_comment *m, bool properties)
{
    char time[40];
    char *self = eb_asprintf("%s/rest/api/3/issue/%s/comment/%s", c->base_url, i->id, m->id);
    char updated[40];
    json_t *j = json_pack("{s:s, s:s, s:o, s:O, s:o, s:s, s:s, s:b, s:b}", "self", self, "id", m->id, "author", jira_account_json(c, m->author),
                          "body", m->body, "updateAuthor", jira_account_json(c, m->updater), "created", jira_time(m->created_ms, time),
                          "updated", jira_time(m->updated_ms, updated),
                          "jsdPublic", !m->internal, "jsdAuthorCanSeeRequest", 1);

    free(self);
    if (properties)
        json_object_set(j, "properties", m->properties);
    return j;
}

static bool wants_properties(const struct sim_call *c)
{
    const char *expand = sim_call_query(c, "expand");
    return expand != NULL && strstr(expand, "properties") != NULL;
}

static bool properties_check(const json_t *list)
{
    if (list == NULL)
        return true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        const char *key = eb_json_str(p, "key");
        if (key == NULL || *key == '\0' || strlen(key) > 255 || json_object_get(p, "value") == NULL)
            return false;
    }
    return json_is_array(list);
}

static bool is_internal(const json_t *properties)
{
    for (size_t i = 0; i < json_array_size(properties); i++) {
        const json_t *p = json_array_get(properties, i);
        if (eb_streq(eb_json_str(p, "key"), PUBLIC_PROPERTY))
            return eb_json_bool(json_object_get(p, "value"), "internal", false);
    }
    return false;
}

struct tracker_comment *jira_comment_store(struct sim *s, struct tracker_issue *i, json_t *body, json_t *properties, bool internal)
{
    struct tracker_comment *m = tracker_comment_add(s->tracker, i, tracker_account(s->tracker, TRACKER_OWN_ACCOUNT), body, properties, internal);

    sim_count_comment(s->counters, i->key, m->operation[0] != '\0' ? m->operation : NULL);
    return m;
}

static bool comment_check(const struct tracker_issue *i, const json_t *body, struct sim_reply *r)
{
    const json_t *doc = json_object_get(body, "body"), *visibility = json_object_get(body, "visibility");
    struct eb_err err = { 0 };
    char *text = doc != NULL ? eb_json_text(doc) : NULL;
    size_t len = text != NULL ? strlen(text) : 0;

    free(text);
    if (doc == NULL)
        atlassian_error(r, 400, "comment", "Comment body can not be empty!");
    else if (!adf_check(doc, &err))
        atlassian_error(r, 400, "comment", "Comment body is not valid! (%s)", err.text);
    else if (len > BODY_MAX)
        atlassian_error(r, 400, "comment", "CONTENT_LIMIT_EXCEEDED: The entered text is too long. It exceeds the allowed limit of 32,767 characters.");
    else if (!properties_check(json_object_get(body, "properties")) || (visibility != NULL && !json_is_object(visibility)))
        atlassian_error(r, 400, NULL, "INVALID_INPUT");
    else if (i->max_comments > 0 && (int64_t)i->comment_count >= i->max_comments)
        atlassian_error(r, 413, NULL, "The issue has reached its maximum number of comments.");
    else
        return true;
    return false;
}

void jira_comment_post(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    json_t *body = sim_call_json(c);

    if (i == NULL)
        return;
    if (strncmp(c->content_type, "application/json", 16) != 0) {
        sim_reply_json(r, 415, NULL);
        return;
    }
    if (!json_is_object(body)) {
        atlassian_error(r, 400, NULL, "INVALID_INPUT");
        return;
    }
    if (!comment_check(i, body, r))
        return;
    json_t *properties = json_object_get(body, "properties");
    struct tracker_comment *m = jira_comment_store(s, i, json_incref(json_object_get(body, "body")),
        properties != NULL ? json_incref(properties) : json_array(), is_internal(properties) && jira_is_agent(s, i->project));
    sim_reply_json(r, 201, comment_json(c, i, m, wants_properties(c)));
}

void jira_comments(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    struct jira_page page = jira_page(c, "startAt", "maxResults", 100, 100);
    const char *order = sim_call_query(c, "orderBy");
    bool newest_first = order != NULL && *order == '-';
    const struct tracker_comment *m;
    json_t *list = json_array();
    int64_t k = 0;

    if (i == NULL) {
        json_decref(list);
        return;
    }
    for (m = newest_first ? TAILQ_LAST(&i->comments, tracker_comments) : TAILQ_FIRST(&i->comments); m != NULL;
         m = newest_first ? TAILQ_PREV(m, tracker_comments, next) : TAILQ_NEXT(m, next), k++)
        if (k >= page.start && k < page.start + page.size)
            json_array_append_new(list, comment_json(c, i, m, wants_properties(c)));
    sim_reply_json(r, 200, json_pack("{s:I, s:I, s:I, s:o}", "startAt", (json_int_t)page.start, "maxResults", (json_int_t)page.size,
                                     "total", (json_int_t)i->comment_count, "comments", list));
}

static struct tracker_comment *comment_param(struct tracker_issue *i, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_comment *m = i != NULL ? tracker_comment(i, c->params[1]) : NULL;

    if (i != NULL && m == NULL)
        atlassian_error(r, 404, NULL, "Can not find a comment for the id: %s.", c->params[1]);
    return m;
}

void jira_comment_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    struct tracker_comment *m = comment_param(i, c, r);

    if (m != NULL)
        sim_reply_json(r, 200, comment_json(c, i, m, wants_properties(c)));
}

void jira_comment_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    struct tracker_comment *m = comment_param(i, c, r);

    if (m == NULL)
        return;
    tracker_comment_remove(i, m);
    sim_count(s->counters, SIM_COMMENTS_DELETED);
    sim_count_issue(s->counters, i->key, "deleted");
    sim_reply_json(r, 204, NULL);
}
