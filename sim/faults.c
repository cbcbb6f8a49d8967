/* faults.c - the rules, in the order in which they were given; the first that acts wins.
 *
 * Owns the rules with their compiled expressions. An action is copied out, so that rules may go while a call waits.
 */
#include "sim/faults.h"

#include "base/text.h"
#include "sim/odata.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct rule {
    uint64_t id;
    enum sim_cloud cloud;           /* NONE: any */
    char method[8];
    char *path;                     /* substring, or NULL */
    regex_t regex;
    bool has_regex, has_in_batch, in_batch;
    int64_t after, times, matched, acted;
    struct sim_action action;
    json_t *source;                 /* as it was given */
    TAILQ_ENTRY(rule) next;
};
struct sim_faults { TAILQ_HEAD(, rule) rules; uint64_t last_id; };

struct sim_faults *sim_faults_new(void)
{
    struct sim_faults *f = eb_alloc(sizeof(*f));
    TAILQ_INIT(&f->rules);
    return f;
}

static void rule_free(struct rule *r)
{
    if (r->has_regex)
        regfree(&r->regex);
    json_decref(r->action.body);
    json_decref(r->action.headers);
    json_decref(r->source);
    free(r->path);
    free(r);
}

void sim_faults_clear(struct sim_faults *f)
{
    struct rule *r;

    while ((r = TAILQ_FIRST(&f->rules)) != NULL) {
        TAILQ_REMOVE(&f->rules, r, next);
        rule_free(r);
    }
}

void sim_faults_free(struct sim_faults *f)
{
    if (f == NULL)
        return;
    sim_faults_clear(f);
    free(f);
}

/* An unknown member would make a test pass that orders nothing: refused by name. */
static bool known_members(const json_t *obj, const char *what, const char *const *names, struct eb_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)obj, key, value) {
        const char *const *n = names;
        while (*n != NULL && strcmp(*n, key) != 0)
            n++;
        if (*n == NULL)
            return eb_fail_field(err, EB_INVALID_REQUEST, key, "%s has no member %s", what, key);
    }
    return true;
}

static bool parse_match(struct rule *r, const json_t *m, struct eb_err *err)
{
    static const char *const names[] = { "cloud", "method", "path", "regex", "in_batch", NULL };
    const char *cloud = eb_json_str(m, "cloud"), *method = eb_json_str(m, "method"), *regex = eb_json_str(m, "regex");

    if (m == NULL)
        return true;
    if (!known_members(m, "match", names, err))
        return false;
    for (int c = SIM_CLOUD_TOKEN; cloud != NULL && c <= SIM_CLOUD_ASSETS; c++)
        if (strcmp(cloud, sim_cloud_name((enum sim_cloud)c)) == 0)
            r->cloud = (enum sim_cloud)c;
    if (cloud != NULL && r->cloud == SIM_CLOUD_NONE)
        return eb_fail_field(err, EB_INVALID_REQUEST, "cloud", "cloud is token, graph, jira or assets");
    if (method != NULL)
        eb_text_clean(method, r->method, sizeof(r->method));
    r->path = eb_strdup(eb_json_str(m, "path"));
    if (regex != NULL && regcomp(&r->regex, regex, REG_EXTENDED | REG_NOSUB) != 0)
        return eb_fail_field(err, EB_INVALID_REQUEST, "regex", "not an extended regular expression: %s", regex);
    r->has_regex = regex != NULL;
    r->has_in_batch = json_object_get(m, "in_batch") != NULL;
    r->in_batch = eb_json_bool(m, "in_batch", false);
    return true;
}

static bool parse_action(struct rule *r, const json_t *a, struct eb_err *err)
{
    static const char *const names[] = { "status", "status_after", "batch_item_status", "body", "headers", "retry_after",
        "drop_before", "drop_after", "reset", "cut_body", "html", "garbage", "hang", "delay_ms", "delay_after_ms", NULL };
    struct sim_action *x = &r->action;

    if (!json_is_object(a))
        return eb_fail_field(err, EB_INVALID_REQUEST, "action", "a rule needs an action");
    if (!known_members(a, "action", names, err))
        return false;
    x->status = (int)eb_json_int(a, "status", 0);
    if (json_object_get(a, "batch_item_status") != NULL) {
        x->status = (int)eb_json_int(a, "batch_item_status", 0);
        r->has_in_batch = r->in_batch = true;
    }
    x->status_after = (int)eb_json_int(a, "status_after", 0);
    if ((x->status != 0 && (x->status < 200 || x->status > 599)) ||
        (x->status_after != 0 && (x->status_after < 200 || x->status_after > 599)))
        return eb_fail_field(err, EB_INVALID_REQUEST, "status", "a status is 200 to 599");
    x->body = json_incref(json_object_get(a, "body"));
    x->headers = json_incref(json_object_get(a, "headers"));
    json_t *retry = json_object_get(a, "retry_after");
    if (json_is_string(retry))
        eb_text_clean(json_string_value(retry), x->retry_after, sizeof(x->retry_after));
    else if (json_is_number(retry))
        snprintf(x->retry_after, sizeof(x->retry_after), "%g", json_number_value(retry));
    x->drop_before = eb_json_bool(a, "drop_before", false);
    x->drop_after = eb_json_bool(a, "drop_after", false);
    x->reset = eb_json_bool(a, "reset", false);
    x->cut_body = eb_json_bool(a, "cut_body", false);
    x->html = eb_json_bool(a, "html", false);
    x->garbage = eb_json_bool(a, "garbage", false);
    x->hang = eb_json_bool(a, "hang", false);
    x->delay_ms = eb_json_int(a, "delay_ms", 0);
    x->delay_after_ms = eb_json_int(a, "delay_after_ms", 0);
    return true;
}

static struct rule *parse_rule(const json_t *j, struct eb_err *err)
{
    static const char *const names[] = { "match", "after", "times", "action", NULL };
    struct rule *r = eb_alloc(sizeof(*r));

    r->after = eb_json_int(j, "after", 0);
    r->times = eb_json_int(j, "times", 1);
    if (json_is_object(j) && known_members(j, "a rule", names, err) && parse_match(r, json_object_get(j, "match"), err) &&
        parse_action(r, json_object_get(j, "action"), err)) {
        r->source = json_deep_copy(j);
        return r;
    }
    if (!json_is_object(j))
        eb_fail(err, EB_INVALID_REQUEST, "a rule is an object with match and action");
    rule_free(r);
    return NULL;
}

bool sim_faults_add(struct sim_faults *f, const json_t *rules, struct eb_err *err)
{
    TAILQ_HEAD(, rule) fresh = TAILQ_HEAD_INITIALIZER(fresh);
    size_t count = json_is_array(rules) ? json_array_size(rules) : 1;
    struct rule *r = NULL;

    for (size_t i = 0; i < count; i++) {
        r = parse_rule(json_is_array(rules) ? json_array_get(rules, i) : rules, err);
        if (r == NULL)
            break;
        TAILQ_INSERT_TAIL(&fresh, r, next);
    }
    bool ok = r != NULL || count == 0;
    while ((r = TAILQ_FIRST(&fresh)) != NULL) {
        TAILQ_REMOVE(&fresh, r, next);
        if (!ok) {
            rule_free(r);
            continue;
        }
        r->id = r->action.rule = ++f->last_id;
        TAILQ_INSERT_TAIL(&f->rules, r, next);
    }
    return ok;
}

json_t *sim_faults_list(const struct sim_faults *f)
{
    json_t *list = json_array();
    const struct rule *r;

    TAILQ_FOREACH(r, &f->rules, next)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:O}", "id", (json_int_t)r->id,
            "matched", (json_int_t)r->matched, "acted", (json_int_t)r->acted, "rule", r->source));
    return json_pack("{s:o}", "rules", list);
}

static bool rule_matches(const struct rule *r, const struct sim_call *c)
{
    return (r->cloud == SIM_CLOUD_NONE || r->cloud == c->cloud) &&
           (r->method[0] == '\0' || strcmp(r->method, c->method) == 0) &&
           (!r->has_in_batch || r->in_batch == c->in_batch) &&
           (r->path == NULL || strstr(c->target, r->path) != NULL) &&
           (!r->has_regex || regexec(&r->regex, c->target, 0, NULL, 0) == 0);
}

static struct sim_action *action_copy(const struct sim_action *a)
{
    struct sim_action *copy = eb_alloc(sizeof(*copy));

    *copy = *a;
    json_incref(copy->body);
    json_incref(copy->headers);
    return copy;
}

struct sim_action *sim_faults_decide(struct sim_faults *f, const struct sim_call *c)
{
    struct rule *r;

    TAILQ_FOREACH(r, &f->rules, next) {
        if (!rule_matches(r, c) || ++r->matched <= r->after || (r->times >= 0 && r->acted >= r->times))
            continue;
        r->acted++;
        return action_copy(&r->action);
    }
    return NULL;
}

void sim_action_free(struct sim_action *a)
{
    if (a == NULL)
        return;
    json_decref(a->body);
    json_decref(a->headers);
    free(a);
}

bool sim_action_prevents(const struct sim_action *a)
{
    return a->drop_before || a->html || a->garbage || a->hang || (a->status != 0 && !a->drop_after && !a->cut_body);
}

bool sim_action_is_transport(const struct sim_action *a)
{
    return a->drop_before || a->drop_after || a->cut_body || a->html || a->garbage || a->hang ||
           a->delay_ms > 0 || a->delay_after_ms > 0;
}

/* The body that the cloud itself would send with this status. */
static json_t *usual_body(int status, const struct sim_call *c)
{
    if (c->cloud == SIM_CLOUD_GRAPH)
        return odata_error_body(c, odata_usual_code(status), odata_usual_message(status));
    if (c->cloud == SIM_CLOUD_TOKEN)
        return json_pack("{s:s, s:s, s:[i]}", "error", status == 401 ? "invalid_client" : "temporarily_unavailable",
                         "error_description", "AADSTS90033: A transient error occurred. Please try again.", "error_codes", 90033);
    if (strstr(c->target, "/servicedeskapi/") != NULL)
        return json_pack("{s:s}", "errorMessage", odata_usual_message(status));
    return json_pack("{s:[s], s:{}}", "errorMessages", odata_usual_message(status), "errors");
}

void sim_action_answer(const struct sim_action *a, const struct sim_call *c, struct sim_reply *r)
{
    int status = a->status != 0 ? a->status : a->status_after;
    const char *name;
    json_t *value;

    if (status == 0)
        return;
    r->header_count = 0;
    sim_reply_json(r, status, a->body != NULL ? json_incref(a->body)
                              : status >= 400 ? usual_body(status, c) : NULL);
    free(r->text);
    r->text = NULL;
    if (a->retry_after[0] != '\0')
        sim_reply_header(r, "Retry-After", "%s", a->retry_after);
    json_object_foreach(a->headers, name, value)
        sim_reply_header(r, name, "%s", json_string_value(value) != NULL ? json_string_value(value) : "");
}
